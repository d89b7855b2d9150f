"""What the nodes under swarm's workers cost, and whose it was."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from swarm.api.cost_schemas import By, Cost
from swarm.api.deps import Given
from swarm.errors import Rejected
from swarm.model.weekdays import DAY_S
from swarm.model.work import CapacityClass
from swarm.placement.metering import HOUR_S
from swarm.placement.receipts import by as summed
from swarm.placement.receipts import receipt

router = APIRouter(tags=["cost"])


@router.get("/cost")
async def cost(
    deps: Given,
    by: By = By.PIPELINE,
    days: Annotated[int, Query(ge=1, le=400)] = 7,
    from_s: Annotated[float | None, Query(ge=0)] = None,
    until_s: Annotated[float | None, Query(ge=0)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
) -> Cost:
    """The receipt of the last `days`, or from the hour of `from_s` until `until_s` (seconds since
    the epoch); what is dearest comes first. A node counts from its first worker to its last."""
    now_s = deps.clock.now_s()
    end_s = now_s if until_s is None else min(until_s, now_s)
    begin_s = end_s - days * DAY_S if from_s is None else from_s
    if begin_s > end_s:
        raise Rejected(f"from_s {begin_s:.15g} is after until_s {end_s:.15g}; swap them")

    def work() -> Cost:
        metered = deps.projections.usage(begin_s, end_s, runs=by is By.RUN)
        spot = frozenset(one.pool for one in metered.fleet if one.capacity is CapacityClass.SPOT)
        book, notes = deps.prices(now_s, spot)
        found = receipt(metered, book.of)
        span = (max(0.0, begin_s // HOUR_S * HOUR_S), end_s)
        return Cost.of(found, span, by, summed(found.lines, by.name_of), limit, notes)

    return await asyncio.to_thread(work)
