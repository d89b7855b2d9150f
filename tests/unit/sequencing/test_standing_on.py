"""What a chain stands on, asked again and again, is what it would be if it were found anew."""

import random

from swarm.model.graph import GraphRecord
from swarm.model.keys import PipelineKey
from swarm.sequencing.standing_on import Ground, nodes_of, upstream_of
from swarm.sequencing.world import World
from tests.unit.sequencing.mornings import DAY_S, HOUR_S, MIN_S, MONDAY, begun, depends, listed, ran

KEYS = [PipelineKey("air", f"p{number}") for number in range(10)]
HISTORY_DAYS = 12
TODAY_S = (MONDAY + HISTORY_DAYS) * DAY_S
DEADLINE_S = TODAY_S + 9 * HOUR_S


def world_of(dice: random.Random) -> World:
    world = World()
    records: list[GraphRecord] = []
    for number, key in enumerate(KEYS):
        ups = dice.sample(KEYS[:number], min(number, dice.randint(0, 2)))
        declared = [up for up in ups if dice.random() < 0.5]
        records.append(listed(key, *declared))
        records += [depends(up, key, dice.uniform(0.7, 1.0)) for up in ups if up not in declared]
        for day in range(MONDAY, MONDAY + HISTORY_DAYS):
            starts_s = day * DAY_S + (2 + 0.5 * number) * HOUR_S + dice.uniform(0, 20) * MIN_S
            records.append(ran(key, starts_s, dice.uniform(10, 40) * MIN_S))
    for record in records:
        world.apply(record)
    return world


def test_it_is_what_would_be_found_anew_whatever_ran() -> None:
    for seed in range(10):
        dice = random.Random(seed)
        world = world_of(dice)
        chain = upstream_of(world.graph, KEYS[-1])
        ground = Ground(chain, DEADLINE_S)
        now_s = TODAY_S + HOUR_S
        for _ in range(60):
            now_s += dice.uniform(0, 15) * MIN_S
            key = dice.choice(KEYS)
            if dice.random() < 0.5:
                world.apply(begun(key, now_s - dice.uniform(0, MIN_S)))
            elif dice.random() < 0.8:
                ahead_s = dice.choice((0.0, 0.0, 10 * MIN_S))  # of the clock that tells the end
                world.apply(ran(key, now_s - HOUR_S + ahead_s, HOUR_S, failed=dice.random() < 0.2))
            kept, anew = ground.nodes(world, now_s), nodes_of(world, chain, DEADLINE_S, now_s)
            assert list(kept[0]) == list(anew[0])
            assert kept[1].pace == anew[1].pace
            assert kept[1].repairs._sorted == anew[1].repairs._sorted


def test_what_nobody_moved_is_not_looked_at_again() -> None:
    world = world_of(random.Random(1))
    ground = Ground(upstream_of(world.graph, KEYS[-1]), DEADLINE_S)
    first = ground.nodes(world, TODAY_S + HOUR_S)
    assert ground.nodes(world, TODAY_S + 2 * HOUR_S)[0] is first[0]
    world.apply(begun(KEYS[-1], TODAY_S + 2 * HOUR_S))
    assert ground.nodes(world, TODAY_S + 2 * HOUR_S)[0] is not first[0]
