"""How soon something is run again that was run too early, or failed."""

from math import inf
from random import Random

from swarm.model.keys import PipelineKey
from swarm.model.runs import Ran
from swarm.sequencing.repairs import Gaps, repairs
from swarm.sequencing.world import World
from tests.unit.sequencing.mornings import DAY_S, HOUR_S, MIN_S, daily, ran

READER = PipelineKey("dag", "close")


def runs(*hours: tuple[float, float]) -> list[Ran]:
    return [Ran(None, begins * HOUR_S, ends * HOUR_S, failed=False) for begins, ends in hours]


# The writer is done at five, but at half past six on the second day and the third.
WRITER = runs((4.0, 5.0), (28.0, 30.5), (52.0, 54.5), (76.0, 77.0))


def test_what_began_too_early_was_run_again_so_long_after_both_were_done() -> None:
    reader = runs((6.0, 6.2), (30.0, 30.2), (31.0, 31.2), (54.0, 54.9), (55.0, 55.2), (78.0, 78.2))
    assert [round(gap_s / MIN_S) for gap_s in repairs(WRITER, reader, DAY_S)] == [30, 6]


def test_what_was_not_run_again_never_came() -> None:
    reader = runs((6.0, 6.2), (30.0, 30.2), (54.0, 54.2), (78.0, 78.2))
    assert repairs(WRITER, reader, DAY_S) == (inf, inf)


def test_what_may_still_come_is_left_out() -> None:
    reader = runs((6.0, 6.2), (30.0, 30.2), (54.0, 54.2))
    assert repairs(WRITER[:3], reader, DAY_S) == (inf,)


def test_the_next_run_comes_later_than_now() -> None:
    gaps, random = Gaps([60.0, 600.0, 1_200.0]), Random(1)
    assert {gaps.next_s(1_000.0, 1_100.0, random) for _ in range(50)} == {1_600.0, 2_200.0}


def test_where_nobody_waited_so_long_it_comes_now() -> None:
    assert Gaps([60.0]).next_s(1_000.0, 2_000.0, Random(1)) == 2_000.0
    assert Gaps().next_s(3_000.0, 2_000.0, Random(1)) == 3_000.0


def test_how_soon_failed_runs_are_tried_again_is_learned_of_all() -> None:
    world = World()
    for record in daily(READER, 6.0, range(100, 110)):
        world.apply(record)
    world.apply(ran(READER, 110 * DAY_S + 6 * HOUR_S, failed=True))
    world.apply(ran(READER, 110 * DAY_S + 6.75 * HOUR_S))
    found = world.history.retries.next_s(0.0, 0.0, Random(1))
    assert found == 15 * MIN_S
