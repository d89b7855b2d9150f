"""What was lost with workers, and where it went."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from swarm.api.deps import Given
from swarm.api.loss_schemas import LossesRow
from swarm.api.roles import ROOT
from swarm.api.routes.health import detected
from swarm.dispatch.redistribution import Redistribution, redistributions
from swarm.store.losses import Losses

_TASKS_MAX = 1_000  # losses of tasks that are looked at

router = APIRouter(prefix=ROOT, tags=["tasks"])


@router.get("/losses")
async def losses(deps: Given, limit: Annotated[int, Query(ge=1, le=1_000)] = 50) -> LossesRow:
    """The newest redistributions as stories, and how soon losses were seen and work moved."""
    told = await deps.kept.get("losses", lambda: asyncio.to_thread(_told, deps.projections.losses))
    return LossesRow.of(told, limit, await detected(deps))


def _told(losses: Losses) -> list[Redistribution]:
    stories = losses.newest(_TASKS_MAX)
    return redistributions([(one.at_s, one.record) for one in story] for story in stories)
