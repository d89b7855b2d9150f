"""When runs that are late together confirm a dependency, one rule at a time."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations

import pytest

from swarm.lineage.ledger import Ledger
from swarm.lineage.naming import Naming
from swarm.lineage.run_history import RUNS_KEPT, RunHistory
from swarm.lineage.tables import Tables
from swarm.lineage.timing import Rhythm, Together, confirmed, may_confirm, rhythm, together
from swarm.model.connectors import Batch, Item
from swarm.model.graph import DependencyChanged, GraphRecord, RunsKept
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Dependency,
    DependencyKey,
    Evidence,
    Verdict,
    VerdictRequest,
)
from swarm.model.pipelines import DeclaredEdge, Inventory, Pipeline
from swarm.model.runs import Ran, Run, RunState

HOUR, DAY = 3600.0, 86_400.0
FIRST = 20_454 * DAY  # a Thursday
DAYS = 30
LATE_ON = (6, 11, 15, 26)


def days(
    at_h: float,
    *,
    takes_h: float = 0.5,
    start_late: Iterable[int] = (),
    end_late: Iterable[int] = (),
    failed: Iterable[int] = (),
    by_h: float = 2.0,
) -> list[Ran]:
    """A run a day at `at_h`, which on some days starts or ends `by_h` hours late, or fails."""
    found = []
    for day in range(DAYS):
        due_s = FIRST + day * DAY + at_h * HOUR
        start_s = due_s + (by_h * HOUR if day in start_late else 0.0) + day % 3 * 20
        end_s = start_s + takes_h * HOUR + (by_h * HOUR if day in end_late else 0.0)
        found.append(Ran(due_s, start_s, end_s, day in failed))
    return found


def unplanned(runs: list[Ran]) -> list[Ran]:
    return [ran._replace(scheduled_for_s=None) for ran in runs]


def habit(
    at_h: float,
    *,
    start_late: Iterable[int] = (),
    end_late: Iterable[int] = (),
    failed: Iterable[int] = (),
) -> Rhythm:
    return rhythm(days(at_h, start_late=start_late, end_late=end_late, failed=failed))


# Ends at 2:30, and four times at 4:30; who reads it starts at 3:00, and waits.
UP = habit(2.0, end_late=LATE_ON)
WAITS = habit(3.0, start_late=LATE_ON)


def test_lateness_that_follows_lateness_confirms() -> None:
    found = together(UP, WAITS)
    assert (found.late, found.moved, found.others, found.moved_else) == (4, 4, 26, 0)
    assert 2.0 <= found.weight < 2.5


def test_an_unmoved_reader_says_nothing_against() -> None:
    found = together(UP, habit(3.0))
    assert (found.late, found.moved) == (4, 0)
    assert found.weight == 0


def test_two_late_days_are_too_few() -> None:
    two, three = LATE_ON[:2], LATE_ON[:3]
    assert together(habit(2.0, end_late=two), habit(3.0, start_late=two)).weight == 0
    assert together(habit(2.0, end_late=three), habit(3.0, start_late=three)).weight > 0


def test_a_reader_that_is_always_late_is_not_late_because_of_it() -> None:
    often = {*LATE_ON, *range(0, DAYS, 4)}
    seldom = together(UP, WAITS).weight
    assert together(UP, habit(3.0, failed=often)).weight < seldom
    assert Together(4, 2, 26, 13, 0.0).weight == 0


def test_a_failure_behind_the_missing_data_counts() -> None:
    assert together(UP, habit(3.0, failed=LATE_ON)).moved == 4


def test_a_run_that_waits_inside_counts_and_one_that_ended_before_does_not() -> None:
    assert together(UP, habit(3.0, end_late=LATE_ON)).moved == 4
    # Its end comes at 3:45, when the upstream still runs.
    early = rhythm(days(2.75, takes_h=0.25, end_late=LATE_ON, by_h=0.75))
    assert together(UP, early).moved == 0


def test_who_starts_late_but_before_the_upstream_ended_did_not_wait_for_it() -> None:
    assert together(UP, rhythm(days(3.0, start_late=LATE_ON, by_h=1.0))).moved == 0


def test_the_same_slot_says_nothing() -> None:
    late = habit(2.05, end_late=LATE_ON)
    assert together(UP, late) == Together(0, 0, 0, 0, 0.0)


def test_an_outage_of_the_scheduler_says_nothing() -> None:
    """Both start late: the upstream did not find the reason itself."""
    upstream = habit(2.0, start_late=LATE_ON)
    found = together(upstream, WAITS)
    assert (found.late, found.others, found.moved_else) == (0, 26, 0)
    assert may_confirm(UP)
    assert not may_confirm(upstream)


def test_a_day_on_which_the_upstream_failed_says_nothing() -> None:
    upstream = habit(2.0, end_late=LATE_ON, failed=LATE_ON)
    assert together(upstream, WAITS).late == 0


def test_what_feeds_both_explains_it() -> None:
    feed = habit(1.0, end_late=LATE_ON)
    assert together(UP, WAITS, [feed]).late == 0
    assert together(UP, WAITS, [habit(1.0, end_late=(1, 2, 3))]).weight > 0
    assert together(UP, WAITS, [habit(1.0, failed=LATE_ON)]).late == 0


def test_the_reader_of_last_nights_data_runs_after_midnight() -> None:
    upstream = habit(23.0, end_late=LATE_ON)
    reader = habit(0.5, start_late=[day + 1 for day in LATE_ON])
    assert together(upstream, reader).moved == 4
    assert together(upstream, habit(0.5, start_late=LATE_ON)).moved == 0


def test_without_a_plan_the_habit_is_the_time_of_day() -> None:
    upstream = rhythm(unplanned(days(2.0, end_late=LATE_ON)))
    reader = rhythm(unplanned(days(23.99, start_late=LATE_ON)))
    assert sum(day.late for day in upstream) == 4
    assert sum(day.late_start for day in reader) == 4  # past midnight, and the other day still


def test_a_plan_that_names_the_day_before_is_a_plan() -> None:
    """Airflow 2 plans a run by the start of the interval it is about."""
    runs = [ran._replace(scheduled_for_s=FIRST + n * DAY - DAY) for n, ran in enumerate(days(2.0))]
    assert not any(day.unusual for day in rhythm(runs))


def test_weekends_have_their_own_habit() -> None:
    free = [day for day in range(DAYS) if day % 7 in (2, 3)]  # Saturday, Sunday
    assert not any(day.unusual for day in habit(2.0, start_late=free))


def test_a_backfill_is_no_late_run() -> None:
    old = [Ran(FIRST + day * DAY, FIRST + 40 * DAY, FIRST + 41 * DAY, False) for day in range(9)]
    found = rhythm([*days(2.0)[4:], *old])
    assert len(found) == DAYS - 4
    assert not any(day.unusual for day in found)


def test_no_habit_no_rhythm() -> None:
    assert rhythm(days(2.0)[:9]) == ()
    hourly = [Ran(h * HOUR, h * HOUR, h * HOUR + 60, False) for h in range(60)]
    assert rhythm(hourly) == ()


@pytest.mark.parametrize("weight", [0.5, 2.0, 50.0])
def test_what_is_hidden_without_timing_stays_hidden(weight: float) -> None:
    for hundredth in range(5, 50):
        alone = hundredth / 100
        assert alone < confirmed(alone, weight) < 0.5
    assert confirmed(0.5, weight) > 0.5
    assert confirmed(1.0, weight) == 1.0


def test_the_weight_is_bounded_whatever_the_counts() -> None:
    assert Together(60, 60, 600, 0, 0.0).weight < 2.5


# --- the last runs


def test_history_keeps_the_newest_runs_in_any_order_and_however_often() -> None:
    runs = [
        Run(PIPES["a"], str(n), RunState.SUCCEEDED, None, n * DAY, n * DAY + HOUR)
        for n in range(RUNS_KEPT + 5)
    ]
    forward, backward = RunHistory(Tables()), RunHistory(Tables())
    assert all(forward.see(run) for run in runs)
    assert not any(forward.see(run) for run in runs)
    for run in reversed(runs):
        backward.see(run)
    assert forward.of(PIPES["a"]) == backward.of(PIPES["a"])
    assert [ran.started_at_s for ran in forward.of(PIPES["a"])] == [
        n * DAY for n in range(5, RUNS_KEPT + 5)
    ]


def test_two_words_on_one_run_are_one_in_any_order() -> None:
    failed = Run(PIPES["a"], "1", RunState.FAILED, 0.0, 1.0, 2.0)
    again = Run(PIPES["a"], "1", RunState.SUCCEEDED, None, 1.0, 5.0)
    for words in ([failed, again], [again, failed]):
        history = RunHistory(Tables())
        assert all(history.see(word) for word in words)
        assert history.of(PIPES["a"]) == (Ran(0.0, 1.0, 5.0, True),)


def test_only_what_ended_counts() -> None:
    history = RunHistory(Tables())
    assert not history.see(Run(PIPES["a"], "1", RunState.RUNNING, 0.0, 1.0))
    assert not history.see(Run(PIPES["a"], "1", RunState.SKIPPED, 0.0, 1.0, 2.0))
    assert history.see(Run(PIPES["a"], "1", RunState.FAILED, 0.0, 1.0, 2.0))
    assert history.of(PIPES["a"]) == (Ran(0.0, 1.0, 2.0, True),)


# --- in the ledger

PIPES = {name: PipelineKey("air", name) for name in "abu"}
TASKS = {name: TaskKey("air", name, "t") for name in "abu"}
TABLE, FED = DatasetKey("pg://w", "c.s.t"), DatasetKey("pg://w", "c.s.u")
KEY = DependencyKey(TASKS["a"], TASKS["b"], TABLE)


def saw(name: str, access: Access, dataset: DatasetKey, channel: Channel) -> Evidence:
    return Evidence(TASKS[name], access, dataset, channel, FIRST, "f:1")


# Two lists: sure of neither end, so there is room.
SHOWN: tuple[Item, ...] = (
    saw("a", Access.WRITE, TABLE, Channel.SQL_SOURCE),
    saw("b", Access.READ, TABLE, Channel.SQL_SOURCE),
)


def runs_of(name: str, runs: Iterable[Ran]) -> list[Run]:
    states = {False: RunState.SUCCEEDED, True: RunState.FAILED}
    return [
        Run(PIPES[name], str(n), states[r.failed], r.scheduled_for_s, r.started_at_s, r.ended_at_s)
        for n, r in enumerate(runs)
    ]


HISTORY: Mapping[str, list[Run]] = {
    "a": runs_of("a", days(2.0, end_late=LATE_ON)),
    "b": runs_of("b", days(3.0, start_late=LATE_ON)),
    "u": runs_of("u", days(1.0, end_late=LATE_ON)),
}


def told(ledger: Ledger, *items: Item) -> list[GraphRecord]:
    before = set(ledger.records())
    records = ledger.decide(Batch("s", "", items), 0.0)
    assert set(ledger.records()) == before
    for record in records:
        ledger.apply(record)
    ledger.check()
    return records


def weight_of(found: Dependency) -> float:
    return sum(proof.weight for proof in found.proofs if proof.channel is Channel.TIMING)


def test_timing_alone_makes_no_dependency() -> None:
    ledger = Ledger(Naming())
    told(ledger, *HISTORY["a"], *HISTORY["b"])
    assert not ledger.dependencies
    told(ledger, SHOWN[0])
    assert not ledger.dependencies


def test_timing_confirms_what_is_shown_and_tells_its_story() -> None:
    ledger = Ledger(Naming())
    told(ledger, *SHOWN)
    before = ledger.dependencies[KEY]
    told(ledger, *HISTORY["a"], *HISTORY["b"])
    after = ledger.dependencies[KEY]
    assert 0.5 < before.confidence < after.confidence
    proof = after.proofs[-1]
    assert proof.channel is Channel.TIMING
    assert proof.excerpt == (
        "late on 4 of 30 days; the reader moved on 4 of them, on 0 of 26 otherwise"
    )
    assert after.proofs[:-1] == before.proofs
    (explained,) = ledger.explain(PIPES["a"], PIPES["b"]).sums
    assert explained.timing == proof
    assert explained.confidence == after.confidence
    assert explained.product == before.confidence


def test_timing_does_not_show_what_is_hidden() -> None:
    hint = Evidence(TASKS["b"], Access.READ, TABLE, Channel.CODE, FIRST, "f:1", confidence=0.3)
    ledger = Ledger(Naming())
    told(ledger, SHOWN[0], hint, *HISTORY["a"], *HISTORY["b"])
    found = ledger.dependencies[KEY]
    assert weight_of(found) > 0
    assert found.confidence < 0.5


def test_what_a_person_judged_is_not_confirmed() -> None:
    ledger = Ledger(Naming())
    told(ledger, *SHOWN)
    for record in ledger.decide(VerdictRequest(KEY, Verdict.REJECTED, "ann"), 0.0):
        ledger.apply(record)
    told(ledger, *HISTORY["a"], *HISTORY["b"])
    assert ledger.dependencies[KEY].confidence == 0
    assert not weight_of(ledger.dependencies[KEY])


FEEDS: tuple[Item, ...] = (
    saw("u", Access.WRITE, FED, Channel.SQL_RUN),
    saw("a", Access.READ, FED, Channel.SQL_RUN),
    saw("b", Access.READ, FED, Channel.SQL_RUN),
)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_known_feed_of_both_explains_it_whenever_it_becomes_known(order: Sequence[int]) -> None:
    ledger = Ledger(Naming())
    told(ledger, *SHOWN, *HISTORY["a"], *HISTORY["b"], *HISTORY["u"])
    for number in order[:2]:
        told(ledger, FEEDS[number])
        assert weight_of(ledger.dependencies[KEY]) > 0
    told(ledger, FEEDS[order[2]])
    assert not weight_of(ledger.dependencies[KEY])


def test_a_declared_feed_of_both_explains_it_as_well() -> None:
    ledger = Ledger(Naming())
    told(ledger, *SHOWN, *HISTORY["a"], *HISTORY["b"], *HISTORY["u"])
    for up, down in ("bx", "xy", "yz"):  # more behind the reader than before it
        edge = DeclaredEdge(TaskKey("air", up, ""), TaskKey("air", down, ""), "asset")
        told(ledger, Pipeline(PipelineKey("air", down), (), (edge,)))
    assert weight_of(ledger.dependencies[KEY]) > 0
    for name in "ab":
        edge = DeclaredEdge(TaskKey("air", "u", ""), TaskKey("air", name, ""), "asset")
        told(ledger, Pipeline(PIPES[name], (), (edge,)), *SHOWN)
    assert not weight_of(ledger.dependencies[KEY])


def test_a_feed_that_is_gone_explains_nothing() -> None:
    ledger = Ledger(Naming())
    told(ledger, Pipeline(PIPES["u"]), *SHOWN, *FEEDS, *HISTORY["a"], *HISTORY["b"], *HISTORY["u"])
    assert not weight_of(ledger.dependencies[KEY])
    told(ledger, Inventory("air", ("a", "b")))
    assert weight_of(ledger.dependencies[KEY]) > 0


def test_ordinary_days_are_no_news() -> None:
    ledger = Ledger(Naming())
    told(ledger, *SHOWN, *HISTORY["a"][:28], *HISTORY["b"][:28])
    assert weight_of(ledger.dependencies[KEY]) > 0
    records = told(ledger, HISTORY["a"][28], HISTORY["b"][28])
    assert not any(isinstance(record, DependencyChanged) for record in records)


def test_a_snapshot_carries_the_runs() -> None:
    ledger, restored = Ledger(Naming()), Ledger(Naming())
    told(ledger, *SHOWN, *HISTORY["a"], *HISTORY["b"][:20])
    for record in ledger.records():
        restored.apply(record)
    assert sum(isinstance(record, RunsKept) for record in ledger.records()) == 2
    rest = HISTORY["b"][20:]
    assert told(ledger, *rest) == told(restored, *rest)
    assert ledger.dependencies == restored.dependencies
