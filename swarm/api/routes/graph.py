"""What the graph knows: definitions, dependencies, who is hit, what changed, a person's verdict."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from swarm.api.deps import Cause, Given
from swarm.api.explained import Explained
from swarm.api.paging import Cursor, Keyed, Limit, Page, keyed, page
from swarm.api.roles import ROOT
from swarm.api.routes.ingest import Accepted
from swarm.api.schemas import (
    Changes,
    DatasetRow,
    Edge,
    PipelineRow,
    QuestionRow,
    Reach,
    TaskName,
    VerdictBody,
)
from swarm.api.whole_graph import WholeGraph
from swarm.graph import query
from swarm.graph.diff import diff
from swarm.graph.index import DependencyGraph
from swarm.lineage.explanation import explain_known
from swarm.model.graph import DependencyChanged
from swarm.model.keys import TaskKey
from swarm.model.lineage import Dependency, DependencyKey, VerdictRequest

router = APIRouter(prefix=ROOT, tags=["graph"])

Confidence = Annotated[float | None, Query(ge=0, le=1)]
EndName = Annotated[str, Query(min_length=1, max_length=5_000)]


class _Search(BaseModel):
    """`name` is `orchestrator/pipeline[/task]`, or a pipeline's bare name where it is one."""

    name: Annotated[str, Field(min_length=1, max_length=5_000)]
    min_confidence: Annotated[float | None, Field(ge=0, le=1)] = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 100


class _Dataset(NamedTuple):
    """Who writes it and who reads it, in the order they are known."""

    name: str
    written_by: dict[TaskKey, None]
    read_by: dict[TaskKey, None]


@router.get("/pipelines")
async def pipelines(deps: Given, cursor: Cursor = None, limit: Limit = 100) -> Page[PipelineRow]:
    """All pipelines of all orchestrators, by name, and those that only data tells of."""
    model = deps.model
    known = model.drawn("pipelines", lambda: keyed(model.pipelines(), lambda one: str(one[0].key)))
    return page(known, lambda one: PipelineRow.of(*one), cursor, limit)


@router.get("/datasets")
async def datasets(deps: Given, cursor: Cursor = None, limit: Limit = 100) -> Page[DatasetRow]:
    """The datasets that lie between two tasks, by name."""
    known = deps.model.graph.dependencies.values()
    found = deps.model.drawn("datasets", lambda: _between(_shown(deps, known, None)))
    return page(found, _dataset, cursor, limit)


@router.get("/dependencies")
async def dependencies(
    deps: Given,
    declared: bool | None = None,
    min_confidence: Confidence = None,
    as_of_s: Annotated[float | None, Query(ge=0)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Edge]:
    """Dependencies, strongest first; as they were at `as_of_s` (seconds since the epoch)."""

    def wanted(found: Iterable[Dependency]) -> Keyed[Dependency]:
        shown = _shown(deps, found, min_confidence)
        fits = (one for one in shown if declared is None or one.declared == declared)
        return keyed(fits, _strongest_first)

    if as_of_s is not None:
        then = await asyncio.to_thread(deps.projections.history.as_of, as_of_s)
        return page(wanted(then), Edge.of, cursor, limit)
    known = deps.model.graph.dependencies.values()
    asked = ("dependencies", declared, min_confidence)
    return page(deps.model.drawn(asked, lambda: wanted(known)), Edge.of, cursor, limit)


@router.get("/graph", response_model=WholeGraph)
async def whole(deps: Given, min_confidence: Confidence = None) -> Response:
    """All pipelines and the edges between them in one answer, in columns; what lies behind an edge
    is at `/dependencies`."""
    least = deps.min_confidence if min_confidence is None else min_confidence
    graph = deps.model.graph

    def draw() -> bytes:
        return WholeGraph.of(graph, least).model_dump_json().encode()

    return Response(deps.model.drawn(("graph", least), draw), media_type="application/json")


@router.get("/dependencies/diff")
async def changes(since_s: Annotated[float, Query(ge=0)], deps: Given) -> Changes:
    """What appeared, went and changed since `since_s` (seconds since the epoch)."""
    before = await asyncio.to_thread(deps.projections.history.as_of, since_s)
    old = DependencyGraph(DependencyChanged(0, dependency) for dependency in before)
    return Changes.of(diff(old, deps.model.graph))


@router.get("/dependencies/between")
async def between(upstream: EndName, downstream: EndName, deps: Given) -> list[Edge]:
    """All that lies between two pipelines or tasks, strongest first, whatever its confidence: what
    a person rejected, too."""
    ends = deps.model.find(upstream), deps.model.find(downstream)
    found = (
        dependency
        for dependency in deps.model.graph.dependencies.values()
        if ends[0] in (dependency.key.upstream, dependency.key.upstream.pipeline_key)
        and ends[1] in (dependency.key.downstream, dependency.key.downstream.pipeline_key)
    )
    return [Edge.of(dependency) for dependency in sorted(found, key=_strongest_first)]


@router.get("/dependencies/explain")
async def explanation(
    upstream: EndName,
    downstream: EndName,
    deps: Given,
    dataset: Annotated[str, Query(max_length=5_000)] = "",
) -> Explained:
    """Why there is, or is no, dependency between two pipelines or tasks, as far as the journal
    tells: the sum behind each. `swarm scan --explain` shows the texts, too."""
    model = deps.model
    above, below = model.find(upstream), model.find(downstream)
    known = model.graph.dependencies.values()
    why = await asyncio.to_thread(
        explain_known, above, below, tuple(known), tuple(model.unresolved)
    )
    return Explained.of(why, deps.min_confidence, dataset, complete=False)


@router.post("/dependencies/verdict", status_code=201)
async def verdict(body: VerdictBody, deps: Given, cause: Cause) -> Accepted:
    """Accept or reject a dependency; the verdict is kept across rescans."""
    up, down = body.upstream.key(), body.downstream.key()
    key = next(
        (
            key
            for key in deps.model.graph.dependencies
            if key.upstream == up and key.downstream == down and str(key.dataset) == body.dataset
        ),
        DependencyKey(up, down, body.dataset_key()),
    )
    request = VerdictRequest(key, body.verdict, body.by)
    return Accepted(seq=await deps.graph.judge(request, cause))


@router.get("/impact")
async def impact(asked: Annotated[_Search, Query()], deps: Given, response: Response) -> Reach:
    """Who is hit when a pipeline or task is late or wrong: the nearest of `total`."""
    return _reach(query.impact, asked, deps, response)


@router.get("/upstream")
async def upstream(asked: Annotated[_Search, Query()], deps: Given, response: Response) -> Reach:
    """What a pipeline or task stands on: the nearest of `total`."""
    return _reach(query.ancestors, asked, deps, response)


@router.get("/questions")
async def questions(deps: Given, cause: Cause) -> list[QuestionRow]:
    """What owners are asked now, the most valuable first; at most three a team and week."""
    asked = await deps.graph.ask(cause)
    return [QuestionRow.of(one) for one in asked]


def _reach(
    search: Callable[..., query.Impact], asked: _Search, deps: Given, response: Response
) -> Reach:
    started_s = time.perf_counter()
    least = deps.min_confidence if asked.min_confidence is None else asked.min_confidence
    start = deps.model.find(asked.name)
    answer = Reach.of(search(deps.model.graph, start, least, asked.limit))
    taken_ms = (time.perf_counter() - started_s) * 1_000
    response.headers["Server-Timing"] = f"graph;dur={taken_ms:.2f}"
    return answer


def _shown(
    deps: Given, found: Iterable[Dependency], min_confidence: float | None
) -> list[Dependency]:
    least = deps.min_confidence if min_confidence is None else min_confidence
    return [dependency for dependency in found if dependency.confidence >= least]


def _between(dependencies: Iterable[Dependency]) -> Keyed[_Dataset]:
    found: dict[str, _Dataset] = {}
    for dependency in dependencies:
        name = str(dependency.key.dataset)
        one = found.get(name) or found.setdefault(name, _Dataset(name, {}, {}))
        one.written_by[dependency.key.upstream] = None
        one.read_by[dependency.key.downstream] = None
    return keyed(found.values(), lambda one: one.name)


def _dataset(one: _Dataset) -> DatasetRow:
    return DatasetRow(
        dataset=one.name,
        written_by=[TaskName.of(key) for key in one.written_by],
        read_by=[TaskName.of(key) for key in one.read_by],
    )


def _strongest_first(dependency: Dependency) -> str:
    key = dependency.key
    return f"{1 - dependency.confidence:.6f} {key.upstream} {key.downstream} {key.dataset}"
