"""The workers of orchestrators that swarm watches without having started them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel

from swarm.api.deps import Cause, Given
from swarm.api.foreign_schemas import ForeignWorkerRow, HostBeatBody
from swarm.api.roles import ROOT

router = APIRouter(prefix=ROOT, tags=["foreign workers"])


class Heard(BaseModel):
    """Of how many workers the beat told."""

    workers: int


@router.get("/foreign-workers")
async def foreign_workers(deps: Given) -> list[ForeignWorkerRow]:
    """All that are known, once for each who tells of them: the orchestrator's server, a beat."""
    found = await asyncio.to_thread(deps.projections.foreign_workers)
    return [ForeignWorkerRow.of(worker) for worker in found]


@router.post("/beats")
async def beats(body: Annotated[HostBeatBody, Body()], deps: Given, cause: Cause) -> Heard:
    """The beat of a host. The answer means that a death it tells of is in the journal."""
    await deps.graph.hear(body.told(), cause)
    return Heard(workers=len(body.workers))
