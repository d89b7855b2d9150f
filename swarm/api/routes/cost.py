"""What the nodes under swarm's workers cost, and whose it was."""

import asyncio
from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Query

from swarm.api.cost_schemas import By, Cost, CostMinute, CostNow, Grouped
from swarm.api.deps import Deps, Given
from swarm.api.roles import ROOT
from swarm.dispatch.floor import Floor
from swarm.errors import Rejected
from swarm.model.weekdays import DAY_S
from swarm.model.work import CapacityClass
from swarm.placement.metering import HOUR_S
from swarm.placement.minutes import course
from swarm.placement.prices import PriceBook
from swarm.placement.receipts import by as summed
from swarm.placement.receipts import receipt

router = APIRouter(prefix=ROOT, tags=["cost"])

_Kind = tuple[str, CapacityClass]
_MINUTE_S = 60.0
_MINUTES = 60  # what is older is summed up by the hour


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

    standing = _standing(deps.model.floor)

    def work() -> Cost:
        metered = deps.projections.fleet.usage(begin_s, end_s, runs=by is By.RUN)
        pools = {*standing.values(), *((one.pool, one.capacity) for one in metered.fleet)}
        spot = frozenset(pool for pool, capacity in pools if capacity is CapacityClass.SPOT)
        book, notes = deps.prices(now_s, spot)
        found = receipt(metered, book.of)
        span = (max(0.0, begin_s // HOUR_S * HOUR_S), end_s)
        grouped = Grouped(by, summed(found.lines, by.name_of), limit)
        now = _now(standing.values(), book, int(now_s // HOUR_S))
        return Cost.of(found, span, grouped, now, notes)

    return await asyncio.to_thread(work)


@router.get("/cost/minutes")
async def cost_minutes(deps: Given) -> list[CostMinute]:
    """The last 60 minutes: how many nodes and slots there were, how many slots were held, and
    what the nodes cost an hour. The last minute is the one that was over last."""
    return await deps.kept.get("cost minutes", lambda: asyncio.to_thread(_minutes, deps))


def _minutes(deps: Deps) -> list[CostMinute]:
    now_s = deps.clock.now_s()
    until_s = now_s // _MINUTE_S * _MINUTE_S
    from_s = until_s - _MINUTES * _MINUTE_S
    there, held = deps.projections.fleet.standing(from_s, until_s)
    spot = frozenset(stay.pool for stay in there if stay.capacity is CapacityClass.SPOT)
    book, _ = deps.prices(now_s, spot)
    return [CostMinute.of(one) for one in course(there, held, book.of, from_s, _MINUTES)]


def _standing(floor: Floor) -> dict[str, _Kind]:
    """The nodes that workers are on, each of the kind that one of them says."""
    return {one.offer.node: (one.offer.pool, one.offer.capacity) for one in floor.workers.values()}


def _now(nodes: Collection[_Kind], book: PriceBook, hour: int) -> CostNow:
    prices = [book.of(pool, capacity, hour) for pool, capacity in nodes]
    told = [price.usd_per_h for price in prices if price is not None]
    return CostNow(nodes=len(nodes), usd_per_h=sum(told), unpriced=len(nodes) - len(told))
