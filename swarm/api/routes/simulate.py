"""What if something is otherwise on the day ahead? And how long everything takes."""

import asyncio

from fastapi import APIRouter

from swarm.api.deps import Deps, Given
from swarm.api.past import promised, world_of
from swarm.api.whatif_schemas import DurationRow, OutlookRow, WhatIfBody
from swarm.sequencing.day_ahead import day_ahead
from swarm.sequencing.whatif import Changes, Outlook, simulate
from swarm.sequencing.world import World

router = APIRouter(tags=["simulate"])


@router.post("/simulate")
async def what_if(body: WhatIfBody, deps: Given) -> OutlookRow:
    """When pipelines are done and SLAs missed on the day ahead, as it usually goes and with the
    change. It looks only: the right to read is enough."""
    changes = body.changes(deps.model.find)
    world, now_s = await world_of(deps), deps.clock.now_s()
    found = await asyncio.to_thread(_simulate, world, deps, changes, body, now_s)
    return OutlookRow.of(found)


@router.get("/durations")
async def durations(deps: Given) -> list[DurationRow]:
    """How long the good runs of each pipeline took, of the newest that are kept."""
    world, listed = await world_of(deps), list(deps.model.graph.pipelines)
    took = ((key, world.history.good_durations_s(key)) for key in sorted(listed))
    return [DurationRow.of(key, seconds) for key, seconds in took if seconds]


def _simulate(
    world: World, deps: Deps, changes: Changes, body: WhatIfBody, now_s: float
) -> Outlook:
    return simulate(day_ahead(world, now_s), changes, promised(deps), body.seed, body.draws)
