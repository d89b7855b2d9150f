"""The chain of pipelines that decides when the last one is done.

The longest path by expected duration. Pipelines in a cycle have no order, so a cycle counts as one
step that takes as long as all of it one after the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from swarm.graph.index import DependencyGraph, Edge
from swarm.graph.query import MIN_CONFIDENCE, least_weight
from swarm.graph.reach import condensed
from swarm.model.keys import PipelineKey


@dataclass(frozen=True, slots=True)
class Step:
    """One pipeline of the path, or all pipelines of a cycle on it."""

    pipelines: tuple[PipelineKey, ...]
    duration_s: float


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """`edges[i]` leads from `steps[i]` to `steps[i + 1]`."""

    steps: tuple[Step, ...]
    edges: tuple[Edge, ...]
    duration_s: float


def critical_path(
    graph: DependencyGraph,
    durations_s: Mapping[PipelineKey, float],
    min_confidence: float = MIN_CONFIDENCE,
) -> CriticalPath:
    """The longest path. A pipeline missing in `durations_s` takes what its definition expects,
    or no time."""
    level = graph.by_pipeline
    rows = level.adjacency.view(least_weight(min_confidence)).out
    components, home = condensed(rows)
    took = [sum(_expected(graph, level.nodes[n], durations_s) for n in c) for c in components]
    # Downstream components come first, so what follows a component is settled before it.
    rest: list[float] = []
    then: list[tuple[int, int] | None] = []
    for number, part in enumerate(components):
        best, way = 0.0, None
        for up in part:
            for down in rows[up]:
                if home[down] != number and rest[home[down]] > best:
                    best, way = rest[home[down]], (up, down)
        rest.append(took[number] + best)
        then.append(way)
    if not components:
        return CriticalPath((), (), 0.0)
    number = max(range(len(components)), key=rest.__getitem__)
    duration_s = rest[number]
    steps: list[Step] = []
    edges: list[Edge] = []
    while True:
        names = tuple(sorted(level.nodes[node] for node in components[number]))
        steps.append(Step(names, took[number]))
        way = then[number]
        if way is None:
            return CriticalPath(tuple(steps), tuple(edges), duration_s)
        edges.append(graph.edge(level.nodes[way[0]], level.nodes[way[1]]))
        number = home[way[1]]


def _expected(
    graph: DependencyGraph, key: PipelineKey, durations_s: Mapping[PipelineKey, float]
) -> float:
    if key in durations_s:
        return durations_s[key]
    pipeline = graph.pipelines.get(key)
    return (pipeline.expected_duration_s or 0.0) if pipeline else 0.0
