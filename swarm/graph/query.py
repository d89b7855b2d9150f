"""Who is hit when something is late, and what does something wait for?

Rules
1. Edges below `min_confidence` are not followed. Distance is the number of edges passed.
2. A hit's confidence is the product along its surest path among the shortest ones; its cause is the
   last edge of that path.
3. From a pipeline the question is asked between pipelines: a pipeline that is hit is hit as a
   whole. From a task or a dataset it is asked between tasks, which is sharper.
   A key with an empty task is its pipeline.
4. Hits come nearest first, surest first within a distance. With a `limit` only the nearest are
   described; `total` always counts all.
"""

from dataclasses import dataclass

from swarm.errors import UnknownKey
from swarm.graph.index import DependencyGraph
from swarm.graph.reach import reach_counts
from swarm.graph.spread import Hit, Way, pipeline_field, search, task_field
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import DependencyKey

MIN_CONFIDENCE = 0.5

Start = PipelineKey | TaskKey | DatasetKey


@dataclass(frozen=True, slots=True)
class Impact:
    """Everything reached from `start`; `hits` are the nearest of `total`."""

    start: Start
    version: int
    total: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """An undeclared dependency and how many pipelines hang on it."""

    dependency: DependencyKey
    confidence: float
    pipelines_behind: int


def impact(
    graph: DependencyGraph,
    start: Start,
    min_confidence: float = MIN_CONFIDENCE,
    limit: int | None = None,
) -> Impact:
    """What runs after `start` and is hit with it. Raises `UnknownKey`."""
    return _search(graph, start, min_confidence, limit, backwards=False)


def ancestors(
    graph: DependencyGraph,
    start: Start,
    min_confidence: float = MIN_CONFIDENCE,
    limit: int | None = None,
) -> Impact:
    """What `start` waits for: the causes point the other way. Raises `UnknownKey`."""
    return _search(graph, start, min_confidence, limit, backwards=True)


def rank(graph: DependencyGraph, min_confidence: float = MIN_CONFIDENCE) -> list[Ranked]:
    """Undeclared dependencies, those with the most pipelines behind them first.

    Behind one are its reader's pipeline and all that is downstream of it, its writer's excepted.
    Dependencies within one pipeline are left out.
    """
    level = graph.by_pipeline
    rows = level.adjacency.view(least_weight(min_confidence)).out
    asked: dict[DependencyKey, tuple[int, int]] = {}
    for key, dependency in graph.dependencies.items():
        if dependency.declared or dependency.confidence < least_weight(min_confidence):
            continue
        up, down = key.upstream.pipeline_key, key.downstream.pipeline_key
        if up != down:
            asked[key] = level.node(up), level.node(down)
    counts = reach_counts(rows, set(asked.values()))
    ranked = [
        Ranked(key, graph.dependencies[key].confidence, counts[pair]) for key, pair in asked.items()
    ]
    return sorted(ranked, key=lambda r: (-r.pipelines_behind, -r.confidence, r.dependency))


def least_weight(min_confidence: float) -> float:
    """Confidence 0 is no edge, so "all edges" begins just above it."""
    return max(min_confidence, 1e-9)


def _search(
    graph: DependencyGraph,
    start: Start,
    min_confidence: float,
    limit: int | None,
    *,
    backwards: bool,
) -> Impact:
    least = least_weight(min_confidence)
    if isinstance(start, TaskKey) and not start.task:
        start = start.pipeline_key
    if isinstance(start, PipelineKey):
        number = graph.by_pipeline.find(start)
        if number is None:
            raise UnknownKey(f"no pipeline {start}; `swarm status` lists what is read")
        field = pipeline_field(graph, least, backwards=backwards)
    elif isinstance(start, TaskKey):
        number = graph.by_task.find((start, False))
        if number is None:
            raise UnknownKey(f"no task {start}; `swarm status` lists what is read")
        field = task_field(graph, least, backwards=backwards)
    else:
        return _from_dataset(graph, start, least, limit, backwards=backwards)
    origin = {number: (1.0, number, number)}
    return Impact(start, graph.version, *search(graph, field, origin, limit))


def _from_dataset(
    graph: DependencyGraph,
    start: DatasetKey,
    least: float,
    limit: int | None,
    *,
    backwards: bool,
) -> Impact:
    """The tasks at the near ends of the dataset's dependencies, then what they reach in turn."""
    carried = graph.through(start)
    if not carried:
        raise UnknownKey(f"no dependency goes through {start}; `swarm deps` lists them")
    near: dict[int, Way] = {}
    for dependency in carried:
        if dependency.confidence >= least:
            up, down = graph.ends_of(dependency.key)
            way = (dependency.confidence, up, down)
            node = up if backwards else down
            near[node] = max(near.get(node, way), way)
    field = task_field(graph, least, backwards=backwards)
    return Impact(start, graph.version, *search(graph, field, near, limit, first=1))
