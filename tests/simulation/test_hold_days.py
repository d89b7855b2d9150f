"""Days of pipelines in mode `gate`: nothing is lost, stuck or held past its time."""

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.holds_judge import NEVER
from benchmarks.holds_mishaps import BadDays
from benchmarks.holds_places import Hand
from benchmarks.holds_world import Parts, PolicyOf
from swarm.actors.guiding import guide
from swarm.dispatch.events import Guide, Hold
from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.model.sequencing import IntentMade
from swarm.sequencing.decisions import Decisions
from swarm.sequencing.gates import Gates
from swarm.sequencing.holds import Holds
from swarm.sequencing.planned import Settled
from swarm.sequencing.world import World

SEEDS = range(5)


def counted(parts: Parts, seeds: range = SEEDS) -> Counter[str]:
    return sum((BadDays(seed, 1, parts).run() for seed in seeds), Counter[str]())


def test_nothing_is_lost_stuck_or_held_past_its_time() -> None:
    counts = counted(Parts())
    assert {name: counts[name] for name in NEVER} == dict.fromkeys(NEVER, 0)
    assert counts["held"] > 10


class HoldsForEver(Decisions):
    """What is held is never released, and no time ends it."""

    def decide(self, now_s: float) -> list[IntentMade]:
        made = (one.intent for one in super().decide(now_s))
        return [
            IntentMade(replace(intent, valid_until_s=float("inf")))
            for intent in made
            if intent.act is not Act.RELEASE
        ]


class ValidForEver(Decisions):
    """What is handed out does not run out."""

    def intents(self, orchestrator: str, now_s: float, ttl_s: float) -> list[Intent]:
        return super().intents(orchestrator, now_s, 100 * ttl_s)


class NothingSettled(Holds):
    """It forgets which starts were released."""

    def settled(self, key: PipelineKey) -> Settled:
        return Settled()


class HoldsAgain(Decisions):
    def __init__(self, world: World, policy: PolicyOf) -> None:
        super().__init__(world, policy)
        self._holds = NothingSettled(world, policy, self._gates)


class AllGates(Gates):
    """It sees no rings."""

    def upstream(self, reader: PipelineKey) -> tuple[PipelineKey, ...]:
        ups = {edge.upstream for edge in self._graph.edges() if edge.downstream == reader}
        return tuple(sorted(ups))


class HoldsRings(Decisions):
    def __init__(self, world: World, policy: PolicyOf) -> None:
        super().__init__(world, policy)
        self._gates = AllGates(world.graph)
        self._holds = Holds(world, policy, self._gates)


def holds_in_any_mode(world: World, policy: PolicyOf) -> Decisions:
    return Decisions(world, lambda key: replace(policy(key), mode=Mode.GATE))


class Told:
    """It tells the queue for ever what it told it once."""

    def __init__(self) -> None:
        self._holds: dict[PipelineKey, Hold] = {}

    def __call__(self, *arguments: object) -> Guide:
        told = guide(*arguments)  # type: ignore[arg-type]
        self._holds.update({hold.pipeline: hold for hold in told.holds})
        return replace(told, holds=tuple(self._holds.values()))


class Forgets(Hand):
    """It does not look again which ticks fall into a hold that goes on."""

    def __init__(self, ticks: object) -> None:
        super().__init__(lambda *_: [])


@pytest.mark.parametrize(
    ("bug", "name", "first"),
    [
        (Parts(decisions=HoldsForEver), "deadlocks", 0),
        (Parts(decisions=HoldsForEver), "holds_past_latest", 0),
        (Parts(decisions=ValidForEver), "holds_past_ttl", 1),
        (Parts(decisions=HoldsAgain), "held_twice", 4),
        (Parts(decisions=HoldsRings), "held_in_a_ring", 3),
        (Parts(decisions=holds_in_any_mode), "held_against_mode", 11),
        (Parts(guide=Told()), "deadlocks", 5),
        (Parts(hand=Forgets), "lost", 1),
    ],
)
def test_planted_bugs_are_seen(bug: Parts, name: str, first: int) -> None:
    """`first` is the seed that sees it today; where the world moves another one will."""
    assert any(counted(bug, range(seed, seed + 1))[name] for seed in range(first, first + 40))
