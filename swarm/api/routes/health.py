"""Is it alive, is it ready, and how is it doing."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from swarm import __version__
from swarm.api.deps import Given
from swarm.api.schemas import UnresolvedRow
from swarm.model.journal import ConnectorState

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str = __version__


class Ready(BaseModel):
    """`ready` once the read model has caught up with the log."""

    ready: bool
    seq: int


class ConnectorRow(BaseModel):
    """One source: `message` says what is wrong and since when (seconds since the epoch),
    `unattributed` how many statements of a query history no task could be found for."""

    source: str
    kind: str
    state: ConnectorState
    message: str
    since_s: float
    unattributed: int


class Status(BaseModel):
    """What a person asks first."""

    version: str = __version__
    seq: int
    graph_version: int
    pipelines: dict[str, int]
    dependencies: int
    undeclared: int
    findings: int
    unresolved: int
    connectors: list[ConnectorRow]


@router.get("/healthz")
async def healthz() -> Health:
    return Health()


@router.get("/readyz")
async def readyz(deps: Given, response: Response) -> Ready:
    if not deps.model.caught_up:
        response.status_code = 503
    return Ready(ready=deps.model.caught_up, seq=deps.model.seq)


@router.get("/status")
async def status(deps: Given) -> Status:
    model = deps.model
    pipelines: dict[str, int] = {}
    for key in model.graph.pipelines:
        pipelines[key.orchestrator] = pipelines.get(key.orchestrator, 0) + 1
    shown = [d for d in model.graph.dependencies.values() if d.confidence >= deps.min_confidence]
    return Status(
        seq=model.seq,
        graph_version=model.graph.version,
        pipelines=pipelines,
        dependencies=len(shown),
        undeclared=sum(not d.declared for d in shown),
        findings=await asyncio.to_thread(deps.projections.open_findings),
        unresolved=len(model.unresolved),
        connectors=[
            ConnectorRow(
                source=record.source,
                kind=record.kind,
                state=record.state,
                message=record.message,
                since_s=at_s,
                unattributed=model.unattributed.get(record.source, 0),
            )
            for record, at_s in model.connectors.values()
        ],
    )


@router.get("/unresolved")
async def unresolved(deps: Given) -> list[UnresolvedRow]:
    return [UnresolvedRow.of(item) for item in deps.model.unresolved]
