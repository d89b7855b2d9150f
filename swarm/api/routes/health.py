"""Is it alive, is it ready, and how is it doing."""

import asyncio
from collections import Counter
from typing import Literal, NamedTuple, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from swarm import __version__
from swarm.api.deps import Cause, Deps, Given
from swarm.api.roles import ROOT
from swarm.api.schemas import UnresolvedRow
from swarm.dispatch.detector import Detection
from swarm.errors import Rejected, Unreachable
from swarm.graph.index import DependencyGraph
from swarm.model.connectors import ConnectorState
from swarm.store.trail import Standing

_ANSWER_S = 1.0

router = APIRouter(prefix=ROOT, tags=["health"])


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
    were silent because their beats were lost. `refused` are ends that workers told too late."""

    gap_p50_s: float
    gap_p99_s: float
    gap_p999_s: float
    redistribute_s: float
    redistribute_slow_s: float
    false_alarms: int
    cut_off: int
    watched_s: float
    stalled_s: float
    refused: int
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
            refused=detection.refused,
            silent=sorted(detection.silent),
            without_beats=sorted(detection.without_beats),
        )


class StandingRow(BaseModel):
    """A stream of the journal that stands still before the record `seq`, and what to do."""

    stream: str
    seq: int
    why: str
    fix: str

    @classmethod
    def of(cls, standing: Standing) -> Self:
        stream, seq = standing.stream, standing.seq
        fix = f"swarm quarantine {stream} {seq} --by NAME --reason WHY"
        return cls(stream=stream, seq=seq, why=standing.why, fix=fix)


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
    standing: list[StandingRow]


class QuarantineBody(BaseModel):
    """Which record to set aside; who says so and why is kept in its place."""

    model_config = ConfigDict(extra="forbid")

    stream: str = Field(min_length=1, max_length=200)
    seq: int = Field(ge=1)
    by: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=1_000)


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
    counted = model.drawn("counted", lambda: _counted(model.graph, deps.min_confidence))
    detection = await detected(deps)
    findings, standing = await asyncio.to_thread(_stored, deps)
    return Status(
        seq=model.seq,
        graph_version=model.graph.version,
        pipelines=counted.pipelines,
        dependencies=counted.dependencies,
        undeclared=counted.undeclared,
        findings=findings,
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
        detection=None if detection is None else DetectionRow.of(detection),
        standing=[StandingRow.of(one) for one in standing],
    )


@router.post("/quarantine")
async def quarantine(body: QuarantineBody, deps: Given, cause: Cause) -> None:
    """Set aside the record before which a stream stands still; the stream then goes on without
    it. What it was stays in the journal, with who did it and why."""
    stands = await asyncio.to_thread(_standing, deps)
    if not any((one.stream, one.seq) == (body.stream, body.seq) for one in stands):
        where = ", ".join(f"{one.stream} before record {one.seq}" for one in stands)
        detail = f"What stands still: {where or 'nothing'}; no other record can be set aside."
        raise Rejected(f"Stream {body.stream} does not stand before record {body.seq}. {detail}")
    asked = (body.stream, body.seq, body.by, body.reason, cause)
    await asyncio.to_thread(deps.quarantine, *asked)


class _Counted(NamedTuple):
    pipelines: dict[str, int]  # by orchestrator
    dependencies: int
    undeclared: int


def _counted(graph: DependencyGraph, min_confidence: float) -> _Counted:
    shown = [one for one in graph.dependencies.values() if one.confidence >= min_confidence]
    pipelines = Counter(key.orchestrator for key in graph.pipelines)
    return _Counted(dict(pipelines), len(shown), sum(not one.declared for one in shown))


def _stored(deps: Deps) -> tuple[int, list[Standing]]:
    """How many findings are open, and what stands still."""
    return deps.projections.findings.open_count(), _standing(deps)


def _standing(deps: Deps) -> list[Standing]:
    return list(deps.standing())


async def detected(deps: Given) -> Detection | None:
    """Asked of the dispatcher: signs of life are in no journal. None: it does not answer."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            return await deps.dispatch.detection()
    except (TimeoutError, Unreachable):
        return None


@router.get("/unresolved")
async def unresolved(deps: Given) -> list[UnresolvedRow]:
    return [UnresolvedRow.of(item) for item in deps.model.unresolved]
