"""Kinds of hazards keep score: what became of each finding, and which kinds fall silent."""

from collections.abc import Iterator
from math import ceil

import pytest

from swarm.errors import Rejected, UnknownKey
from swarm.model.findings import Finding, FindingKind, Outcome, RuleWeek
from swarm.model.graph import DependencyChanged, FindingChanged, GraphRecord, PipelineGone
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Dependency, Verdict
from swarm.model.links import Link
from swarm.model.sequencing import FindingMuted, FindingRated, LinkMade, RuleScored
from swarm.sequencing.hazards import HazardRecord, Hazards
from swarm.sequencing.scoring import rule_judged, rule_muted, rule_scored
from swarm.sequencing.world import World
from tests.unit.sequencing.test_hazards import (
    CLOSE,
    COPY,
    DAY_S,
    EXPORT,
    HOUR_S,
    daily,
    depends,
    listed,
    ran,
    through,
)

READERS = [PipelineKey("dag", f"reader{number}") for number in range(8)]


class Told:
    """What follows from records, and when."""

    def __init__(self) -> None:
        self.hazards = Hazards(World())
        self.written: list[GraphRecord | HazardRecord | LinkMade] = []
        self.now_s = 50 * DAY_S

    def __call__(self, *records: GraphRecord | LinkMade) -> list[HazardRecord]:
        self.now_s += 1.0
        for record in records:
            self.hazards.apply(record)
        news = self.hazards.decide(self.now_s)
        for told in news:
            self.hazards.apply(told)
        self.written += [*records, *news]
        assert self.hazards.decide(self.now_s + 0.5) == [], "it is told once"
        return news

    def morning(self, *readers: PipelineKey, late: bool = False) -> list[HazardRecord]:
        """The export and its readers on the next day."""
        self.now_s = (self.now_s // DAY_S + 1) * DAY_S + 12 * HOUR_S
        day_s = self.now_s - 12 * HOUR_S
        took_s = 1_800.0 + 2 * HOUR_S * late
        runs = [ran(reader, day_s + 6 * HOUR_S) for reader in readers]
        return self(ran(EXPORT, day_s + 5 * HOUR_S, took_s), *runs)


@pytest.fixture
def told() -> Told:
    """The close reads what the export writes; on the fourth of thirty mornings it was old."""
    told = Told()
    told(*listed(EXPORT, CLOSE, COPY, *READERS))
    told(depends(EXPORT, CLOSE), *daily(EXPORT, 5.0, day3=2 * HOUR_S), *daily(CLOSE, 6.0))
    return told


def findings(news: list[HazardRecord]) -> list[Finding]:
    return [one.finding for one in news if isinstance(one, FindingChanged)]


def open_now(told: Told) -> list[Finding]:
    return findings(list(told.hazards.records()))


def muted(news: list[HazardRecord]) -> list[Finding]:
    return [one.finding for one in news if isinstance(one, FindingMuted)]


def score(news: list[HazardRecord]) -> list[tuple[int, ...]]:
    """How many came true, were acted on, rejected and refuted, by week."""
    return [week[1:5] for one in news if isinstance(one, RuleScored) for week in one.weeks]


def judged(up: PipelineKey, down: PipelineKey, verdict: Verdict) -> GraphRecord:
    confidence = 1.0 if verdict is Verdict.ACCEPTED else 0.0
    return DependencyChanged(1, Dependency(through(up, down), False, confidence, (), verdict))


def test_what_happens_again_came_true_and_counts_once(told: Told) -> None:
    assert score(told.morning(CLOSE)) == []
    news = told.morning(CLOSE, late=True)
    assert [finding.outcome for finding in findings(news)] == [Outcome.CAME_TRUE]
    assert score(news) == [(1, 0, 0, 0)]
    again = told.morning(CLOSE, late=True)
    assert score(again) == []
    assert [finding.outcome for finding in findings(again)] == [Outcome.CAME_TRUE]


def test_what_was_stale_before_it_was_told_did_not_come_true() -> None:
    told = Told()
    told(*listed(EXPORT, CLOSE))
    first = told(depends(EXPORT, CLOSE), *daily(EXPORT, 5.0, day3=2 * HOUR_S), *daily(CLOSE, 6.0))
    assert [finding.outcome for finding in findings(first)] == [None]
    assert score(first) == []


def test_a_race_that_becomes_a_stale_read_came_true() -> None:
    told = Told()
    told(*listed(EXPORT, CLOSE), depends(EXPORT, CLOSE))
    close = [one for one in daily(CLOSE, 6.0) if one != ran(CLOSE, 19 * DAY_S + 6 * HOUR_S)]
    close.append(ran(CLOSE, 19 * DAY_S + 6 * HOUR_S + 300.0))
    news = told(*daily(EXPORT, 5.0, day9=31 * 60.0), *close)
    assert [finding.kind for finding in findings(news)] == [FindingKind.RACE]
    news = told.morning(CLOSE, late=True)
    found = {finding.kind: finding.outcome for finding in findings(news)}
    assert found == {FindingKind.RACE: Outcome.CAME_TRUE, FindingKind.STALE_READ: None}
    assert [one.rule for one in news if isinstance(one, RuleScored)] == [FindingKind.RACE]


def test_a_rejected_dependency_makes_it_wrong(told: Told) -> None:
    news = told(judged(EXPORT, CLOSE, Verdict.REJECTED))
    assert [finding.outcome for finding in findings(news)] == [Outcome.REJECTED]
    assert score(news) == [(0, 0, 1, 0)]


@pytest.mark.parametrize(
    ("is_right", "outcome", "counts"),
    [(True, Outcome.CONFIRMED, (0, 0, 0, 0, 1)), (False, Outcome.REJECTED, (0, 0, 1, 0, 0))],
)
def test_a_persons_word_counts_once(
    told: Told, is_right: bool, outcome: Outcome, counts: tuple[int, ...]
) -> None:
    (finding,) = open_now(told)
    said = told.hazards.rated(finding.id, "ann", is_right=is_right)
    assert said is not None
    news = told(said)
    assert [finding.outcome for finding in findings(news)] == [outcome]
    assert [week[1:] for one in news if isinstance(one, RuleScored) for week in one.weeks] == [
        counts
    ]
    assert told.hazards.rated(finding.id, "bob", is_right=is_right) is None
    with pytest.raises(Rejected, match="judged already"):
        told.hazards.rated(finding.id, "bob", is_right=not is_right)


def test_a_word_that_was_not_heeded_before_a_restart_is_heeded_after_it(told: Told) -> None:
    (finding,) = open_now(told)
    said = told.hazards.rated(finding.id, "ann", is_right=True)
    assert said is not None
    told.hazards.apply(said)
    again = Hazards(told.hazards._world)
    for record in told.hazards.records():
        again.apply(record)
    news = again.decide(told.now_s)
    assert [finding.outcome for finding in findings(news)] == [Outcome.CONFIRMED]
    for record in news:
        again.apply(record)
    assert not [one for one in again.records() if isinstance(one, FindingRated)]


def test_nobody_can_rate_what_is_not_open(told: Told) -> None:
    with pytest.raises(UnknownKey, match="no hazard f1 is open"):
        told.hazards.rated("f1", "ann", is_right=True)


def acted(how: str) -> GraphRecord | LinkMade:
    return {
        "accepted": judged(EXPORT, CLOSE, Verdict.ACCEPTED),
        "declared": depends(EXPORT, CLOSE, declared=True),
        "linked": LinkMade(Link((EXPORT, COPY), CLOSE, by="ann")),
    }[how]


@pytest.mark.parametrize("how", ["accepted", "declared", "linked"])
def test_what_is_done_about_it_makes_it_right(told: Told, how: str) -> None:
    news = told(acted(how))
    assert [finding.outcome for finding in findings(news)] == [Outcome.ACTED_ON]
    assert score(news) == [(0, 1, 0, 0)]


def test_a_word_of_before_is_not_an_act(told: Told) -> None:
    again = Hazards(World())
    for record in [*told.written, acted("linked"), acted("accepted")]:
        again.apply(record)
    assert not any(isinstance(one, RuleScored) for one in again.decide(told.now_s)), (
        "what a process reads at its start may be older than what it knows"
    )


@pytest.mark.parametrize("then", [depends(EXPORT, CLOSE, 0.2), PipelineGone(EXPORT)])
def test_what_closes_otherwise_says_nothing(told: Told, then: GraphRecord) -> None:
    news = told(then)
    assert [finding.outcome for finding in findings(news)] == [None]
    assert score(news) == []


def test_a_pause_that_ended_was_acted_on() -> None:
    told = Told()
    told(*listed(EXPORT, CLOSE), depends(EXPORT, CLOSE))
    told(*listed(EXPORT, paused=True))
    news = told(*listed(EXPORT))
    assert score(news) == [(0, 1, 0, 0)]


def test_what_was_to_be_expected_three_times_and_never_came_is_refuted(told: Told) -> None:
    hazard = next(iter(told.hazards.records()))
    assert isinstance(hazard, FindingChanged)
    assert hazard.finding.hazard is not None
    for _ in range(ceil(3 / hazard.finding.hazard.chance) - 1):
        assert score(told.morning(CLOSE)) == []
    assert [score(told.morning(CLOSE)) for _ in range(3)] == [[(0, 0, 0, 1)], [], []]


def stale(told: Told, *readers: PipelineKey) -> list[HazardRecord]:
    runs = (run for reader in readers for run in daily(reader, 6.0))
    return told(*(depends(EXPORT, reader) for reader in readers), *runs)


def test_a_kind_that_is_mostly_wrong_falls_silent_and_comes_back(told: Told) -> None:
    stale(told, *READERS[:4])
    for reader in READERS[:3]:
        news = told(judged(EXPORT, reader, Verdict.REJECTED))
        assert muted(news) == []
    news = told(judged(EXPORT, READERS[3], Verdict.REJECTED))
    assert told.hazards.rules.muted() == {FindingKind.STALE_READ}
    ended = {finding.pipelines[1]: finding.closed_at_s for finding in findings(news)}
    assert ended == {CLOSE: told.now_s, READERS[3]: told.now_s}, "none of the kind is told"
    assert [finding.pipelines for finding in muted(news)] == [(EXPORT, CLOSE)]

    assert findings(stale(told, *READERS[4:7])) == []
    paused = told(*listed(EXPORT, paused=True))
    assert {one.kind for one in findings(paused)} == {FindingKind.PAUSED_WRITER}, "others are told"

    news = told.morning(CLOSE, *READERS[4:7], late=True)  # four of eight came true
    assert told.hazards.rules.muted() == set()
    back = [finding for finding in findings(news) if finding.kind is FindingKind.STALE_READ]
    assert {finding.pipelines[1] for finding in back} == {CLOSE, *READERS[4:7]}
    assert all(finding.closed_at_s is None for finding in back)
    assert {finding.outcome for finding in back} == {Outcome.CAME_TRUE}
    assert all(finding.closed_at_s == told.now_s for finding in muted(news))


def snapshot(hazards: Hazards) -> Iterator[str]:
    return iter(sorted(map(repr, hazards.records())))


@pytest.mark.parametrize("rejected", [3, 4])
def test_replay_and_snapshot_give_the_same(told: Told, rejected: int) -> None:
    stale(told, *READERS[:6])
    for reader in READERS[:rejected]:
        told(judged(EXPORT, reader, Verdict.REJECTED))
    replayed = Hazards(World())
    for record in told.written:
        replayed.apply(record)
    assert replayed.decide(told.now_s) == []
    restored = Hazards(World())
    for kept in [*told.hazards.records(), *_graph(told.written)]:
        restored.apply(kept)
    assert restored.decide(told.now_s) == []
    assert list(snapshot(replayed)) == list(snapshot(restored)) == list(snapshot(told.hazards))


def _graph(written: list[GraphRecord | HazardRecord | LinkMade]) -> Iterator[GraphRecord]:
    for record in written:
        if not isinstance(record, FindingChanged | FindingMuted | RuleScored | LinkMade):
            yield record


def test_scores_are_kept_by_week_for_twelve_weeks() -> None:
    weeks: tuple[RuleWeek, ...] = ()
    for number in range(14):
        weeks = rule_judged(weeks, Outcome.REFUTED, (number * 7 + 4) * DAY_S)
    assert [week.starts_s for week in weeks] == [(n * 7 + 4) * DAY_S for n in range(2, 14)]
    weeks = rule_judged(weeks, Outcome.CAME_TRUE, (13 * 7 + 9) * DAY_S)
    assert weeks[-1] == RuleWeek((13 * 7 + 4) * DAY_S, 1, 0, 0, 1)
    assert rule_scored(weeks).precision == 1 / 13


@pytest.mark.parametrize(
    ("week", "why"),
    [
        (RuleWeek(0.0, 0, 0, 2, 1), ""),
        (RuleWeek(0.0, 1, 1, 1, 1), ""),
        (RuleWeek(0.0, 0, 1, 2, 1), "only 1 of its last 4 findings came true or were acted on"),
    ],
)
def test_less_than_half_of_four_mutes(week: RuleWeek, why: str) -> None:
    assert rule_muted([week]) == why
    assert rule_muted([replace_week(week)]) == why


def replace_week(week: RuleWeek) -> RuleWeek:
    """In another week it counts the same."""
    return week._replace(starts_s=week.starts_s + 7 * DAY_S)
