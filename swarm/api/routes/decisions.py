"""Who is held and why, and a person's word on it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from swarm.api.decision_schemas import (
    DecisionRow,
    HeldRow,
    HoldBody,
    ReleaseBody,
    WaitedRow,
)
from swarm.api.deps import Cause, Given, whole_pipeline
from swarm.api.roles import ROOT
from swarm.errors import StoreError
from swarm.model.intents import Act, Carried, Intent, Mode
from swarm.sequencing.waited import waited

router = APIRouter(prefix=ROOT, tags=["decisions"])

_ANSWER_S = 1.0
_LONGEST_S = 2 * 86_400.0  # a hold that began longer before what is asked for is not looked for

Came = Annotated[
    float | None, Query(description="When the run came, seconds since the epoch; else any.")
]


@router.get("/decisions")
async def decisions(deps: Given, every: bool = False) -> list[DecisionRow]:
    """What is held now, with the reason, and what is delayed where the pipeline lives; with `every`
    the last decision about each pipeline."""
    known = await asyncio.to_thread(deps.projections.decisions)
    now_s = deps.clock.now_s()
    return [
        DecisionRow.of(intent, ended)
        for intent, ended in known
        if every or _stands(intent, now_s) or (ended and ended.outcome is Carried.DELAYED)
    ]


def _stands(intent: Intent, now_s: float) -> bool:
    return intent.act not in (Act.RELEASE, Act.TRIGGER) and now_s < intent.valid_until_s


@router.get("/decisions/waited")
async def waited_since(
    deps: Given, since_s: Annotated[float, Query(ge=0)] = 0.0
) -> list[WaitedRow]:
    """The planned starts that swarm held, and until when, of those that waited at `since_s` or
    later: what had begun without it."""
    made = await asyncio.to_thread(deps.projections.holds, max(0.0, since_s - _LONGEST_S))
    found = waited(made, deps.clock.now_s())
    return [WaitedRow.of(one) for one in found if one.until_s is None or one.until_s >= since_s]


@router.get("/holds/{pipeline:path}")
async def held(pipeline: str, deps: Given, came_s: Came = None) -> HeldRow:
    """Whether a run of `orchestrator/name` is to wait now. Not, where nobody can tell."""
    orchestrator, _, name = pipeline.partition("/")
    try:
        async with asyncio.timeout(_ANSWER_S):
            intents = await deps.sequencer.intents(orchestrator)
    except (TimeoutError, StoreError):
        intents = []
    now_s = deps.clock.now_s()
    for one in intents:
        if one.target.name != name or one.mode is not Mode.GATE:
            continue
        skip_at_s = one.skip_at_s if came_s is None else one.left_out_at_s(came_s)
        if skip_at_s == 0.0 or (one.act is Act.RELEASE and skip_at_s is not None):
            return HeldRow(for_s=0.0, reason=one.reason, from_s=one.from_s, left_out=True)
        if one.act is Act.HOLD:
            for_s = max(0.0, one.valid_until_s - now_s)
            skip_in_s = None if skip_at_s is None else skip_at_s - now_s
            return HeldRow(
                for_s=for_s, reason=one.reason, from_s=one.from_s, left_out_in_s=skip_in_s
            )
    return HeldRow(for_s=0.0, reason="")


@router.post("/decisions/hold", status_code=201)
async def hold(body: HoldBody, deps: Given, cause: Cause) -> DecisionRow:
    """Hold a pipeline, whatever its mode, until it is released or the time is over."""
    target = whole_pipeline(deps, body.pipeline)
    return DecisionRow.of(await deps.sequencer.hold(target, body.by, body.for_s, cause))


@router.post("/decisions/release", status_code=201)
async def release(body: ReleaseBody, deps: Given, cause: Cause) -> DecisionRow:
    """Let a pipeline go on; it is not held again for the same planned start."""
    target = whole_pipeline(deps, body.pipeline)
    return DecisionRow.of(await deps.sequencer.release(target, body.by, cause))
