"""Which hazards open, change and close as runs come, and that replay gives the same ones."""

from collections.abc import Iterator

import pytest

from swarm.model.findings import Finding, FindingKind, Mute, muted
from swarm.model.graph import (
    DependencyChanged,
    DependencyGone,
    FindingChanged,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
    RunSeen,
    RunsKept,
)
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey, Level
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Ran, Run, RunState
from swarm.model.sequencing import FindingMuted
from swarm.sequencing.hazards import Hazards
from swarm.sequencing.telling import remedy, story
from swarm.sequencing.world import World

DAY_S, HOUR_S = 86_400.0, 3_600.0
EXPORT, CLOSE = PipelineKey("air", "crm_export"), PipelineKey("dag", "finance_close")
DECK, COPY = PipelineKey("dag", "deck"), PipelineKey("air", "copy")


def through(up: PipelineKey, down: PipelineKey, table: str = "orders") -> DependencyKey:
    upstream, downstream = TaskKey(up.orchestrator, up.name, "t"), (down.orchestrator, down.name)
    return DependencyKey(upstream, TaskKey(*downstream, "t"), DatasetKey("pg", table))


def depends(
    up: PipelineKey,
    down: PipelineKey,
    confidence: float = 0.995,
    *,
    declared: bool = False,
    table: str = "orders",
) -> GraphRecord:
    return DependencyChanged(1, Dependency(through(up, down, table), declared, confidence, ()))


def listed(*keys: PipelineKey, paused: bool = False) -> list[GraphRecord]:
    return [PipelineSeen(Pipeline(key, paused=paused)) for key in keys]


def ran(key: PipelineKey, at_s: float, took_s: float = 1_800.0) -> GraphRecord:
    ended_s = at_s + took_s
    return RunSeen(Run(key, f"r{at_s}", RunState.SUCCEEDED, None, at_s, ended_s))


def daily(key: PipelineKey, hour: float, days: int = 30, **late_s: float) -> Iterator[GraphRecord]:
    """A run of half an hour each day; `day3=3600`: an hour longer on the fourth."""
    for day in range(days):
        yield ran(key, (10 + day) * DAY_S + hour * HOUR_S, 1_800.0 + late_s.get(f"day{day}", 0.0))


class Journal:
    """Records in their order, and hazards as they follow from them."""

    def __init__(self) -> None:
        self.hazards = Hazards(World())
        self.written: list[GraphRecord] = []
        self.now_s = 100 * DAY_S

    def __call__(self, *records: GraphRecord) -> list[Finding]:
        self.now_s += 1.0
        for record in records:
            self.hazards.apply(record)
        news = self.hazards.decide(self.now_s)
        for told in news:
            self.hazards.apply(told)
        self.written += [*records, *news]
        assert self.hazards.decide(self.now_s + 0.5) == []
        return [told.finding for told in news if isinstance(told, FindingChanged)]


@pytest.fixture
def journal() -> Journal:
    journal = Journal()
    journal(*listed(EXPORT, CLOSE, DECK, COPY))
    return journal


def kinds(found: list[Finding]) -> list[FindingKind]:
    return [finding.kind for finding in found]


def test_mornings_that_read_what_was_not_new_are_counted(journal: Journal) -> None:
    journal(depends(EXPORT, CLOSE), depends(CLOSE, DECK, declared=True, table="revenue"))
    assert journal(*daily(EXPORT, 5.0, day3=2 * HOUR_S, day9=2 * HOUR_S)) == []
    (found,) = journal(*daily(CLOSE, 6.0))
    assert (found.kind, found.pipelines) == (FindingKind.STALE_READ, (EXPORT, CLOSE))
    assert found.level is Level.GATE
    assert found.evidence == (through(EXPORT, CLOSE),)
    assert found.hazard is not None
    assert (found.hazard.seen, found.hazard.of, found.hazard.behind) == (2, 30, 2)
    assert "on 2 of 30 runs (usually 30 minutes apart" in story(found)
    assert remedy(found).startswith("Start dag/finance_close when air/crm_export is done: trigger")


def test_one_more_good_morning_is_no_news_and_one_more_stale_one_is(journal: Journal) -> None:
    journal(depends(EXPORT, CLOSE))
    journal(*daily(EXPORT, 5.0, day3=2 * HOUR_S), *daily(CLOSE, 6.0))
    assert journal(ran(EXPORT, 40 * DAY_S + 5 * HOUR_S), ran(CLOSE, 40 * DAY_S + 6 * HOUR_S)) == []
    late = ran(EXPORT, 41 * DAY_S + 5 * HOUR_S, 2 * HOUR_S)
    (found,) = journal(late, ran(CLOSE, 41 * DAY_S + 6 * HOUR_S))
    assert found.hazard is not None
    assert (found.hazard.seen, found.hazard.of) == (2, 32)


def test_the_stale_read_is_told_as_the_reader_begins(journal: Journal) -> None:
    journal(depends(EXPORT, CLOSE), *daily(EXPORT, 5.0), *daily(CLOSE, 6.0))
    began_s = 40 * DAY_S + 6 * HOUR_S
    (found,) = journal(RunSeen(Run(CLOSE, "now", RunState.RUNNING, None, began_s)))
    assert found.kind is FindingKind.STALE_READ
    assert found.hazard is not None
    assert found.hazard.last_s == began_s


def test_what_a_person_muted_stays_so_and_what_is_followed_in_silence_is_not_there(
    journal: Journal,
) -> None:
    journal(depends(EXPORT, CLOSE))
    (found,) = journal(*daily(EXPORT, 5.0, day3=2 * HOUR_S), *daily(CLOSE, 6.0))
    assert journal.hazards.find("another") is None
    known = muted([journal.hazards.find(found.id)], Mute("ann"), journal.now_s)
    assert journal(FindingChanged(known)) == [], "the word itself is no news"
    late = ran(EXPORT, 41 * DAY_S + 5 * HOUR_S, 2 * HOUR_S)
    (more,) = journal(late, ran(CLOSE, 41 * DAY_S + 6 * HOUR_S))
    assert more.mute == Mute("ann")
    journal.hazards.apply(FindingMuted(more))
    assert journal.hazards.find(found.id) is None


def test_a_tight_race_is_told_before_anything_was_stale(journal: Journal) -> None:
    records = [*daily(EXPORT, 5.0, day9=31 * 60.0), *daily(CLOSE, 6.0)]
    began_s = 19 * DAY_S + 6 * HOUR_S
    usual = [one for one in records if one != ran(CLOSE, began_s)]
    (found,) = journal(depends(EXPORT, CLOSE), *usual, ran(CLOSE, began_s + 300.0))
    assert (found.kind, found.level) == (FindingKind.RACE, Level.WARN)
    assert "only the clock keeps" in story(found)


def test_a_declared_order_is_no_hazard(journal: Journal) -> None:
    runs = [*daily(EXPORT, 5.0, day3=2 * HOUR_S), *daily(CLOSE, 6.0)]
    assert journal(depends(EXPORT, CLOSE, declared=True), *runs) == []


def test_a_hazard_closes_when_the_order_is_declared_or_rejected(journal: Journal) -> None:
    journal(depends(EXPORT, CLOSE), *daily(EXPORT, 5.0, day3=2 * HOUR_S), *daily(CLOSE, 6.0))
    (closed,) = journal(depends(EXPORT, CLOSE, 0.0))
    assert closed.closed_at_s == journal.now_s
    (again,) = journal(depends(EXPORT, CLOSE))
    assert (again.closed_at_s, again.first_seen_s) == (None, journal.now_s)


def test_a_daily_reader_of_an_hourly_writer_is_shown_and_not_compared(journal: Journal) -> None:
    hourly = [ran(EXPORT, 10 * DAY_S + hour * HOUR_S) for hour in range(200)]
    (found,) = journal(depends(EXPORT, CLOSE), *hourly, *daily(CLOSE, 6.0, days=8))
    assert (found.kind, found.level) == (FindingKind.CADENCE_MISMATCH, Level.SHOW)
    assert "every 60 minutes, dag/finance_close every 24 hours" in story(found)


def test_a_paused_writer_is_told_until_it_is_unpaused(journal: Journal) -> None:
    journal(depends(EXPORT, CLOSE))
    (found,) = journal(*listed(EXPORT, paused=True))
    assert found.kind is FindingKind.PAUSED_WRITER
    (closed,) = journal(*listed(EXPORT))
    assert closed.closed_at_s is not None


def test_who_pauses_the_reader_too_is_not_told(journal: Journal) -> None:
    assert journal(depends(EXPORT, CLOSE), *listed(EXPORT, CLOSE, paused=True)) == []


def test_a_writer_that_is_gone_is_missed_until_somebody_else_writes(journal: Journal) -> None:
    journal(depends(EXPORT, CLOSE))
    (found,) = journal(DependencyGone(2, through(EXPORT, CLOSE)), PipelineGone(EXPORT))
    assert (found.kind, found.level) == (FindingKind.GONE_WRITER, Level.WARN)
    assert journal(*listed(DECK)) == []
    (closed,) = journal(depends(COPY, CLOSE))
    assert closed.closed_at_s is not None


def test_a_dependency_that_only_ended_leaves_nobody_behind(journal: Journal) -> None:
    journal(depends(EXPORT, CLOSE))
    assert journal(DependencyGone(2, through(EXPORT, CLOSE))) == []


def test_the_reader_of_a_gone_writer_may_go_too(journal: Journal) -> None:
    journal(depends(EXPORT, CLOSE))
    journal(DependencyGone(2, through(EXPORT, CLOSE)), PipelineGone(EXPORT))
    (closed,) = journal(PipelineGone(CLOSE))
    assert closed.closed_at_s is not None


def test_two_writers_are_shown_when_they_wrote_at_once(journal: Journal) -> None:
    journal(depends(EXPORT, CLOSE), depends(COPY, CLOSE))
    found = journal(*daily(EXPORT, 5.0), *daily(COPY, 8.0, day29=0.0))
    assert found == []
    (found_,) = journal(ran(COPY, 39 * DAY_S + 5.25 * HOUR_S))
    assert (found_.kind, found_.level) == (FindingKind.TWO_WRITERS, Level.SHOW)
    assert found_.pipelines == (COPY, EXPORT)
    assert found_.hazard is not None
    assert found_.hazard.seen == 1


def test_a_snapshot_of_the_graph_gives_the_hazards_that_the_runs_gave(journal: Journal) -> None:
    late = [*daily(EXPORT, 5.0, day3=2 * HOUR_S)]
    (first,) = journal(depends(EXPORT, CLOSE), *late, *daily(CLOSE, 6.0))
    kept = [
        RunsKept(
            key,
            tuple(
                Ran(None, one.run.started_at_s or 0.0, one.run.ended_at_s or 0.0, failed=False)
                for one in journal.written
                if isinstance(one, RunSeen) and isinstance(one.run, Run) and one.run.pipeline == key
            ),
        )
        for key in (EXPORT, CLOSE)
    ]
    again = Journal()
    (found,) = again(*kept, *listed(EXPORT, CLOSE), depends(EXPORT, CLOSE))
    assert (found.id, found.hazard) == (first.id, first.hazard)


def test_replay_of_what_was_told_leaves_nothing_to_tell(journal: Journal) -> None:
    journal(depends(EXPORT, CLOSE), depends(COPY, CLOSE))
    journal(*daily(EXPORT, 5.0, day3=2 * HOUR_S), *daily(CLOSE, 6.0), *daily(COPY, 5.1))
    replayed = Hazards(World())
    for record in journal.written:
        replayed.apply(record)
    assert replayed.decide(journal.now_s) == []
    assert sorted(map(repr, replayed.records())) == sorted(map(repr, journal.hazards.records()))
