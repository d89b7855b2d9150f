"""Who is held and why, and a person's word on it."""

import asyncio
import uuid

from fastapi import APIRouter

from swarm.api.decision_schemas import DecisionRow, HoldBody, ReleaseBody
from swarm.api.deps import Deps, Given
from swarm.errors import Rejected
from swarm.model.intents import Act
from swarm.model.keys import PipelineKey

router = APIRouter(tags=["decisions"])


@router.get("/decisions")
async def decisions(deps: Given, every: bool = False) -> list[DecisionRow]:
    """What is held now, with the reason; with `every` the last decision about each pipeline."""
    known = await asyncio.to_thread(deps.projections.decisions)
    now_s = deps.clock.now_s()
    return [
        DecisionRow.of(intent, ended)
        for intent, ended in known
        if every or (intent.act is not Act.RELEASE and now_s < intent.valid_until_s)
    ]


@router.post("/decisions/hold", status_code=201)
async def hold(body: HoldBody, deps: Given) -> DecisionRow:
    """Hold a pipeline, whatever its mode, until it is released or the time is over."""
    target = _pipeline(deps, body.pipeline)
    cause_id = uuid.uuid4().hex
    return DecisionRow.of(await deps.sequencer.hold(target, body.by, body.for_s, cause_id))


@router.post("/decisions/release", status_code=201)
async def release(body: ReleaseBody, deps: Given) -> DecisionRow:
    """Let a pipeline go on; it is not held again for the same planned start."""
    target = _pipeline(deps, body.pipeline)
    return DecisionRow.of(await deps.sequencer.release(target, body.by, uuid.uuid4().hex))


def _pipeline(deps: Deps, name: str) -> PipelineKey:
    found = deps.model.find(name)
    if not isinstance(found, PipelineKey):
        raise Rejected(f"`{name}` is a task; whole pipelines are held")
    return found
