"""What if something is otherwise on the day ahead? And how long everything takes."""

import asyncio

from fastapi import APIRouter

from swarm.api.deps import Deps, Given
from swarm.api.past import promised, world_of
from swarm.api.roles import ROOT
from swarm.api.whatif_schemas import AheadRow, DurationRow, OutlookRow, WhatIfBody
from swarm.sequencing.day_ahead import day_ahead
from swarm.sequencing.whatif import Changes, Outlook, simulate
from swarm.sequencing.world import World

_DRAWS = 50  # enough for a picture
_DAY_S = 86_400.0

router = APIRouter(prefix=ROOT, tags=["simulate"])


@router.post("/simulate")
async def what_if(body: WhatIfBody, deps: Given) -> OutlookRow:
    """When pipelines are done and SLAs missed on the day ahead, as it usually goes and with the
    change. It looks only: a viewer may."""
    changes = body.changes(deps.model.find)
    world, now_s = await world_of(deps), deps.clock.now_s()
    found = await asyncio.to_thread(_simulate, world, deps, changes, body, now_s)
    return OutlookRow.of(found)


@router.get("/durations")
async def durations(deps: Given) -> list[DurationRow]:
    """How long the good runs of each pipeline took, of the newest that are kept."""

    async def find() -> list[DurationRow]:
        world, listed = await world_of(deps), sorted(deps.model.graph.pipelines)
        took = ((key, world.history.good_durations_s(key)) for key in listed)
        return [DurationRow.of(key, seconds) for key, seconds in took if seconds]

    return await deps.kept.get("durations", find)


@router.get("/ahead")
async def ahead(deps: Given) -> list[AheadRow]:
    """When each pipeline is yet to be done, today and on the next day, as days like them go; empty
    where too few days are known. First come first."""

    async def find() -> list[AheadRow]:
        return await asyncio.to_thread(_ahead, await world_of(deps), deps.clock.now_s())

    found, now_s = await deps.kept.get("ahead", find), deps.clock.now_s()
    return [row for row in found if row.p50_s is not None and row.p50_s > now_s]


def _ahead(world: World, now_s: float) -> list[AheadRow]:
    found = []
    for day in (day_ahead(world, now_s - _DAY_S), day_ahead(world, now_s)):
        outlooks = simulate(day, Changes(), (), draws=_DRAWS).pipelines if day.ago else ()
        rows = (AheadRow.named(one.key, one.before) for one in outlooks if one.before)
        found += [row for row in rows if row.p50_s is not None]
    return sorted(found, key=lambda row: (row.p50_s or 0.0, row.pipeline))


def _simulate(
    world: World, deps: Deps, changes: Changes, body: WhatIfBody, now_s: float
) -> Outlook:
    return simulate(day_ahead(world, now_s), changes, promised(deps), body.seed, body.draws)
