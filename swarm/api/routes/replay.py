"""What the last days would have been with swarm."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from swarm.api.deps import Given
from swarm.api.past import promised, world_of
from swarm.api.replay_schemas import SavingsRow
from swarm.api.roles import ROOT
from swarm.model.weekdays import DAY_S
from swarm.sequencing.savings import replayed

router = APIRouter(prefix=ROOT, tags=["replay"])


@router.get("/replay")
async def replay(
    deps: Given,
    days: Annotated[int, Query(ge=1, le=90)] = 30,
    price_usd_per_h: Annotated[float | None, Query(ge=0, le=10_000)] = None,
) -> SavingsRow:
    """The runs of the last `days` twice, as they were and held by the real engine: what would not
    have gone wrong. It only looks. Some seconds for 200 pipelines and a month."""
    world, now_s = await world_of(deps), deps.clock.now_s()

    def work() -> SavingsRow:
        found = replayed(world, promised(deps), now_s - days * DAY_S, now_s)
        return SavingsRow.of(found, price_usd_per_h)

    return await asyncio.to_thread(work)
