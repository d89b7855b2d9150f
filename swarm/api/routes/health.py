"""Is it alive, is it ready, and how is it doing."""

import asyncio
from typing import Literal, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel

from swarm import __version__
from swarm.api.deps import Given
from swarm.api.schemas import UnresolvedRow
from swarm.dispatch.detector import Detection
from swarm.errors import Unreachable
from swarm.model.journal import ConnectorState

_ANSWER_S = 1.0

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


class DetectionRow(BaseModel):
    """How soon and how well silent workers are detected, in seconds. Gaps are those between beats
    of the last minute or two; `redistribute_s` is the silence after which work that tolerates two
    runs moves, `redistribute_slow_s` that of workers `without_beats`, which are heard of by their
    renewals alone. `false_alarms` were raised in `watched_s` seconds of workers; `cut_off` workers
    were silent because their beats were lost."""

    gap_p50_s: float
    gap_p99_s: float
    gap_p999_s: float
    redistribute_s: float
    redistribute_slow_s: float
    false_alarms: int
    cut_off: int
    watched_s: float
    stalled_s: float
    silent: list[str]
    without_beats: list[str]

    @classmethod
    def of(cls, detection: Detection) -> Self:
        return cls(
            gap_p50_s=detection.gap_p50_s,
            gap_p99_s=detection.gap_p99_s,
            gap_p999_s=detection.gap_tail_s,
            redistribute_s=detection.redistribute_s,
            redistribute_slow_s=detection.redistribute_slow_s,
            false_alarms=detection.false_alarms,
            cut_off=detection.cut_off,
            watched_s=detection.watched_s,
            stalled_s=detection.stalled_s,
            silent=sorted(detection.silent),
            without_beats=sorted(detection.without_beats),
        )


class Status(BaseModel):
    """What a person asks first. `detection` is null while the dispatcher does not answer."""

    version: str = __version__
    seq: int
    graph_version: int
    pipelines: dict[str, int]
    dependencies: int
    undeclared: int
    findings: int
    unresolved: int
    connectors: list[ConnectorRow]
    detection: DetectionRow | None


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
        detection=await _detection(deps),
    )


async def _detection(deps: Given) -> DetectionRow | None:
    """Asked of the dispatcher: signs of life are in no journal."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            return DetectionRow.of(await deps.dispatch.detection())
    except (TimeoutError, Unreachable):
        return None


@router.get("/unresolved")
async def unresolved(deps: Given) -> list[UnresolvedRow]:
    return [UnresolvedRow.of(item) for item in deps.model.unresolved]
