"""Who goes before others: the close is due at seven and takes half an hour, the export feeds it and
takes half an hour too; a backfill runs in another pipeline."""

import pytest

from swarm.graph.index import DependencyGraph
from swarm.model.graph import CapacitySeen, GraphRecord, PipelineSeen, RunSeen
from swarm.model.intents import Act, Mode
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Backfill, Cron, Pipeline
from swarm.model.policy import Policy
from swarm.model.runs import Run, RunState
from swarm.model.sla import Sla
from swarm.sequencing.backfills import Backfills
from swarm.sequencing.decisions import Decisions
from swarm.sequencing.history import History
from swarm.sequencing.planned import Settled
from swarm.sequencing.precedence import GOES_ON_S, YIELD_S
from swarm.sequencing.slack import Due, Place, places
from swarm.sequencing.world import World
from tests.unit.sequencing.mornings import DAY_S, HOUR_S, MIN_S, begun, daily, depends, listed, ran
from tests.unit.sequencing.test_decisions import BEFORE, CLOSE, EXPORT, Shell, at_s

OLD, OTHER = PipelineKey("pre", "old"), PipelineKey("pre", "other")


def backfill(state: str) -> GraphRecord:
    return CapacitySeen(Backfill(OLD, "b1", state))


class Mornings(Shell):
    """With an SLA."""

    def __init__(self, *records: GraphRecord, mode: Mode = Mode.GATE) -> None:
        self.world = World()
        slas = (Sla(CLOSE, 7 * HOUR_S),)
        self.decisions = Decisions(self.world, lambda _: Policy(mode), lambda: slas)
        self.take(*records)

    def turns(self, now_s: float) -> dict[PipelineKey, Act]:
        return {intent.target: intent.act for intent in self.look(now_s)}


@pytest.fixture
def shell() -> Mornings:
    return Mornings(*morning())


def morning() -> list[GraphRecord]:
    return [
        listed(EXPORT),
        listed(CLOSE, EXPORT),
        listed(OLD),
        *daily(EXPORT, 5.0, BEFORE),
        *daily(CLOSE, 5.75, BEFORE),
        backfill("running"),
    ]


def test_latest_starts_flow_back_from_the_deadlines_and_their_value_with_them() -> None:
    world = World()
    for record in (
        *(listed(key) for key in (EXPORT, CLOSE, OTHER, OLD)),
        depends(EXPORT, CLOSE),
        depends(EXPORT, OTHER),
        depends(CLOSE, OTHER),
        depends(OLD, OTHER, 0.9),  # not sure enough
        *daily(EXPORT, 5.0, BEFORE, 20 * MIN_S),
        *daily(CLOSE, 6.0, BEFORE, 30 * MIN_S),
        *daily(OTHER, 7.0, BEFORE, 10 * MIN_S),
    ):
        world.apply(record)
    due = {CLOSE: Due(at_s(7.0), 3.0), OTHER: Due(at_s(8.0), 1.0)}
    assert places(world.graph, world.history, due) == {
        OTHER: Place(at_s(7, 50), OTHER, 1.0),
        CLOSE: Place(at_s(6, 30), CLOSE, 4.0),
        EXPORT: Place(at_s(6, 10), CLOSE, 4.0),
    }


def test_a_ring_and_an_unknown_pipeline_stop_nothing() -> None:
    graph = DependencyGraph([depends(EXPORT, CLOSE), depends(CLOSE, EXPORT)])
    found = places(graph, History(), {CLOSE: Due(9.0), OTHER: Due(9.0)})
    assert found.keys() == {EXPORT, CLOSE}


def test_nothing_presses_while_there_is_time(shell: Mornings) -> None:
    assert shell.turns(at_s(5.0)) == {}
    assert shell.decisions.slack_s(at_s(5.0)) == {EXPORT: HOUR_S, CLOSE: 1.5 * HOUR_S}


def test_what_is_late_is_promoted_and_backfills_yield_until_it_is_done(shell: Mornings) -> None:
    assert shell.turns(at_s(5, 31)) == {EXPORT: Act.PROMOTE, OLD: Act.YIELD}
    shell.take(begun(EXPORT, at_s(5, 35)))
    assert shell.turns(at_s(5, 36)) == {}
    shell.take(ran(EXPORT, at_s(5, 35), 20 * MIN_S))
    assert shell.turns(at_s(5, 56)) == {EXPORT: Act.RELEASE, OLD: Act.RELEASE}
    assert shell.turns(at_s(6.0, 10)) == {CLOSE: Act.PROMOTE, OLD: Act.YIELD}


def test_a_backfill_never_starves(shell: Mornings) -> None:
    """It goes on for a tenth of the time."""
    yields_s, goes_on_s, at = 0.0, 0.0, at_s(5, 31)
    yielding = False
    for _ in range(2 * 60 * 2):
        act = shell.turns(at).get(OLD)
        yielding = act is Act.YIELD if act is not None else yielding
        yields_s, goes_on_s = yields_s + 30 * yielding, goes_on_s + 30 * (not yielding)
        if at > at_s(6, 59):
            break
        at += 30
    assert goes_on_s / (goes_on_s + yields_s) >= 0.05
    assert yields_s > goes_on_s
    assert YIELD_S / GOES_ON_S <= 10


def test_a_backfill_that_is_paused_because_it_yields_still_yields(shell: Mornings) -> None:
    shell.look(at_s(5, 31))
    shell.take(backfill("paused"))
    assert shell.turns(at_s(5, 32)) == {}
    shell.take(backfill("completed"))
    assert shell.turns(at_s(5, 33)) == {OLD: Act.RELEASE}


def test_who_yields_says_when_its_backfill_is_done_by_its_pace() -> None:
    """Ten days, of which four took half an hour each so far."""
    first = BEFORE[0] * DAY_S + 3 * HOUR_S
    old = [RunSeen(Run(OLD, f"r{day}", RunState.SUCCEEDED, *late(day))) for day in BEFORE]
    made = [
        RunSeen(Run(OLD, f"b{n}", RunState.SUCCEEDED, first + n * DAY_S, *half_hour(n)))
        for n in range(4)
    ]
    ten = CapacitySeen(Backfill(OLD, "b1", "running", first, first + 9 * DAY_S))

    def reason(*records: GraphRecord) -> str:
        intents = Mornings(*morning(), *old, *records).look(at_s(5, 31))
        return next(one.reason for one in intents if one.target == OLD)

    assert reason(ten).endswith("dag/close is due")
    assert reason(ten, *made[:2]).endswith("dag/close is due")  # too few to tell
    assert reason(ten, *made).endswith("; by its pace so far it is done by 08:31 UTC")
    told = PipelineSeen(Pipeline(OLD, crons=(Cron("0 3 * * *", "UTC"),)))
    assert reason(told, ten, *made).endswith("; by its pace so far it is done by 08:31 UTC")
    unknown = CapacitySeen(Backfill(OLD, "b2", "running"))
    assert reason(ten, *made, unknown).endswith("dag/close is due")


def test_who_yields_says_so_of_a_backfill_whose_runs_alone_are_known() -> None:
    """Twelve runs, of which four took half an hour each so far; what ran before is none of it."""
    made = [*map(_by_hand, range(4))]
    old = RunSeen(Run(OLD, "old", RunState.SUCCEEDED, None, at_s(0.5), at_s(0.6)))

    def reason(*records: GraphRecord) -> str:
        intents = Mornings(*morning(), old, *records).look(at_s(5, 31))
        return next(one.reason for one in intents if one.target == OLD)

    since_s = at_s(3.0)
    seen = [
        CapacitySeen(Backfill(OLD, "b1", "running", since_s=since_s, left=12 - done))
        for done in range(5)
    ]
    assert reason(*seen[:3], *made[:2]).endswith("dag/close is due")  # too few to tell
    assert reason(*seen, *made).endswith("; by its pace so far it is done by 09:31 UTC")


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_left_of_a_backfill_of_more_runs_than_are_kept_is_told_too(order: int) -> None:
    """Sixteen hundred hours of which all but twelve are made, one every ten seconds, from the first
    hour on or from the last; 400 are kept. The other runs of the pipeline are forgotten too."""
    hours = [BEFORE[0] * DAY_S + n * HOUR_S for n in range(1_600)][::order]
    assert left_s(hours, hours[:-12]) == pytest.approx(12 * 10, abs=20), "a run or two more or less"


def test_a_backfill_of_years_by_the_hour_is_counted_to_its_end() -> None:
    hours = [BEFORE[0] * DAY_S + n * HOUR_S for n in range(5 * 365 * 24)]
    assert left_s(hours, hours[:40]) == pytest.approx((len(hours) - 40) * 10, rel=0.01)


def left_s(hours: list[float], made: list[float]) -> float:
    """For how long a backfill goes on that made a run in ten seconds so far."""
    world, backfills, began_s = World(), Backfills(), at_s(1.0)
    world.apply(PipelineSeen(Pipeline(OLD, crons=(Cron("0 * * * *", "UTC"),))))
    for n, hour_s in enumerate(made):
        took = began_s + 10 * n, began_s + 10 * n + 10
        world.apply(RunSeen(Run(OLD, f"b{n}", RunState.SUCCEEDED, hour_s, *took)))
    backfills.apply(Backfill(OLD, "b1", "running", min(hours), max(hours)))
    now_s = began_s + 10 * len(made)
    done_s = backfills.done_s(world, OLD, now_s)
    assert done_s is not None
    return done_s - now_s


def _by_hand(number: int) -> GraphRecord:
    """One of them, by hand: planned for when it was made."""
    state = RunState.FAILED if number == 1 else RunState.SUCCEEDED
    return RunSeen(Run(OLD, f"b{number}", state, at_s(3.0), *half_hour(number)))


def test_a_backfill_that_goes_on_is_no_reason_to_look_again() -> None:
    shell = Mornings(*morning())
    shell.look(at_s(5, 31))
    looks_s = shell.decisions.next_s
    shell.take(CapacitySeen(Backfill(OLD, "b1", "running", since_s=at_s(3.0), left=7)))
    assert shell.decisions.next_s == looks_s
    shell.take(backfill("completed"))
    assert shell.turns(at_s(5, 31) + 1) == {OLD: Act.RELEASE}


def late(day: int) -> tuple[float, float, float]:
    """Of a daily run: planned at three, begun a minute later."""
    planned_s = day * DAY_S + 3 * HOUR_S
    return planned_s, planned_s + MIN_S, planned_s + 20 * MIN_S


def half_hour(number: int) -> tuple[float, float]:
    begins_s = at_s(3.0, 30) + number * 30 * MIN_S
    return begins_s, begins_s + 30 * MIN_S


def test_another_mode_decides_no_turns() -> None:
    assert Mornings(*morning(), mode=Mode.WARN).turns(at_s(5, 31)) == {}


def test_the_release_of_a_turn_settles_no_start() -> None:
    """A restart knows what was released from a hold, and what was not."""
    shell = Mornings(*morning())
    shell.look(at_s(5, 31))
    shell.take(ran(EXPORT, at_s(5, 35), 20 * MIN_S))
    shell.look(at_s(5, 56))
    restarted = Mornings(*morning(), ran(EXPORT, at_s(5, 35), 20 * MIN_S))
    for record in shell.decisions.records():
        restarted.decisions.apply(record)
    assert restarted.decisions._holds.settled(OLD) == Settled()
    assert next(one for one in restarted.decisions.newest if one.target == OLD).number == 2
