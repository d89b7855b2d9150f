"""How large the fleet is to be, and what was done about it."""

import asyncio

from fastapi import APIRouter

from swarm.api.deps import Given
from swarm.api.paging import Cursor, Limit, Page
from swarm.api.roles import ROOT
from swarm.api.scaling_schemas import PlanRow, StepRow
from swarm.errors import UnknownKey

router = APIRouter(prefix=ROOT, tags=["placement"])


@router.get("/plan")
async def plan(deps: Given) -> PlanRow:
    """The newest plan of the fleet: what was thought of, what was chosen, and why."""
    made = await asyncio.to_thread(deps.projections.fleet.plan)
    if made is None:
        raise UnknownKey("no plan was made yet; `placement.pool` in the settings turns it on")
    return PlanRow.of(made)


@router.get("/scale")
async def scale(deps: Given, cursor: Cursor = None, limit: Limit = 100) -> Page[StepRow]:
    """What was done about the fleet, newest first, each with its reason."""
    rows = await asyncio.to_thread(deps.projections.fleet.steps, limit + 1, cursor or "")
    shown = rows[:limit]
    return Page(
        items=[StepRow.of(row.step) for row in shown],
        next_cursor=shown[-1].key if len(rows) > limit else None,
    )
