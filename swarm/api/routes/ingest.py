"""What comes in by push: OpenLineage events, and runs and evidence of home-made schedulers.

A 201 means that the event is in the journal. Sending it again, or in another order, is safe.
"""

import json
import math
from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel

from swarm.api.deps import Cause, Given
from swarm.api.ingest_schemas import PushBody
from swarm.api.roles import ROOT
from swarm.errors import InputError
from swarm.lineage.naming import dataset_from_url
from swarm.lineage.openlineage.events import read_event
from swarm.model.connectors import Batch, Item
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Channel, Evidence
from swarm.model.runs import Run

router = APIRouter(prefix=ROOT, tags=["ingest"])

_EVENT = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "description": "A RunEvent, JobEvent or DatasetEvent of OpenLineage 2-0-2.",
            }
        }
    },
}


class Accepted(BaseModel):
    """`seq` is where the graph's journal stood when it held everything of the request."""

    seq: int


@router.post("/lineage", status_code=201, openapi_extra={"requestBody": _EVENT})
async def lineage(request: Request, deps: Given, cause: Cause) -> Accepted:
    """One OpenLineage event. Facets swarm does not know are kept: `/facets`."""
    event = _json(await request.body())
    if not isinstance(event, dict):
        raise InputError("the body has to be one OpenLineage event, a JSON object")
    items = read_event(event, deps.lineage_namespaces, deps.clock.now_s(), deps.sql_context)
    return await _offer(deps, cause, "openlineage", items)


@router.post("/push", status_code=201)
async def push(body: Annotated[PushBody, Body()], deps: Given, cause: Cause) -> Accepted:
    """Runs and evidence of a scheduler that swarm does not read by itself."""
    now_s = deps.clock.now_s()
    runs = [
        Run(
            PipelineKey(body.orchestrator, run.pipeline),
            run.run_id,
            run.state,
            scheduled_for_s=run.scheduled_for_s,
            started_at_s=run.started_at_s,
            ended_at_s=run.ended_at_s,
            exit_code=run.exit_code,
        )
        for run in body.runs
    ]
    evidence = [
        Evidence(
            TaskKey(body.orchestrator, line.pipeline, line.task or line.pipeline),
            line.access,
            _dataset(line.dataset),
            Channel.MANIFEST,
            now_s,
            line.place or "pushed",
            line.excerpt,
        )
        for line in body.evidence
    ]
    return await _offer(deps, cause, f"push:{body.orchestrator}", (*runs, *evidence))


def _dataset(name: str) -> DatasetKey:
    is_place = "://" in name or name.startswith("/")
    return dataset_from_url(name) if is_place else DatasetKey("", name)


async def _offer(deps: Given, cause: str, source: str, items: tuple[Item, ...]) -> Accepted:
    batch = Batch(source, "", items)
    return Accepted(seq=await deps.graph.offer(batch, cause))


def _json(body: bytes) -> object:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the body is not JSON: {error}") from None


def _no_constant(text: str) -> float:
    if math.isfinite(float(text)):
        return float(text)
    raise ValueError(f"{text} is not a JSON number")
