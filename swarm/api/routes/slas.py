"""By when pipelines have to be done, and how that stands."""

import asyncio

from fastapi import APIRouter

from swarm.api.deps import Given
from swarm.api.roles import ROOT
from swarm.api.sla_schemas import SlaRow, SlaScores

router = APIRouter(prefix=ROOT, tags=["slas"])


@router.get("/slas")
async def slas(deps: Given) -> list[SlaRow]:
    """All SLAs whose deadline was near once, as they stand."""
    return [SlaRow.of(state) for state in await asyncio.to_thread(deps.projections.slas)]


@router.get("/slas/score")
async def score(deps: Given) -> SlaScores:
    """How right the warnings of SLAs were, in the weeks before and this one."""
    return SlaScores.of(await asyncio.to_thread(deps.projections.slas))
