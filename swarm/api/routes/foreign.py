"""The workers of orchestrators that swarm watches without having started them."""

import asyncio

from fastapi import APIRouter

from swarm.api.deps import Given
from swarm.api.foreign_schemas import ForeignWorkerRow

router = APIRouter(tags=["foreign workers"])


@router.get("/foreign-workers")
async def foreign_workers(deps: Given) -> list[ForeignWorkerRow]:
    """All that are known, once for each who tells of them: the orchestrator's server, a beat."""
    found = await asyncio.to_thread(deps.projections.foreign_workers)
    return [ForeignWorkerRow.of(worker) for worker in found]
