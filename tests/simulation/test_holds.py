"""Holds never stand past their time, and nothing is held for nobody, whatever goes wrong."""

from collections.abc import Sequence

import pytest

from swarm.model.intents import Act, Intent
from swarm.model.sequencing import IntentMade
from swarm.sequencing.decisions import Decisions
from swarm.sequencing.world import World
from tests.simulation.holds_world import GATE, Made, Morning

SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_goes_wrong_every_run_begins_in_time(seed: int) -> None:
    Morning(seed).run()


@pytest.mark.parametrize("seed", SEEDS)
def test_where_nothing_goes_wrong_nobody_reads_what_is_not_there(seed: int) -> None:
    Morning(seed, calm=True).run()


def test_there_is_something_to_hold() -> None:
    mornings = [Morning(seed) for seed in SEEDS]
    for morning in mornings:
        morning.run()
    assert sum(morning.held > 0 for morning in mornings) > len(mornings) / 4


class HoldsForEver(Decisions):
    """A planted bug: the latest start never comes."""

    def decide(self, now_s: float) -> list[IntentMade]:
        return [one for one in super().decide(now_s) if one.intent.act is not Act.RELEASE]


class ValidForEver(Decisions):
    """A planted bug: what is handed out does not run out."""

    def intents(self, orchestrator: str, now_s: float, ttl_s: float) -> list[Intent]:
        return super().intents(orchestrator, now_s, 10 * ttl_s)


class NeverHolds(Decisions):
    """A planted bug: nothing is held."""

    def decide(self, now_s: float) -> list[IntentMade]:
        return []


@pytest.mark.parametrize("bug", [HoldsForEver, ValidForEver, NeverHolds])
def test_planted_bugs_are_seen(bug: type[Decisions]) -> None:
    def make(world: World) -> Decisions:
        return bug(world, lambda _: GATE)

    assert _seen(make, SEEDS) > 0


def _seen(make: Made, seeds: Sequence[int]) -> int:
    seen = 0
    for seed in seeds:
        for calm in (False, True):
            try:
                Morning(seed, make, calm=calm).run()
            except AssertionError:
                seen += 1
    return seen
