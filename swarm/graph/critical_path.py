"""The chain of pipelines that decides when the last one, or a given one, is done.

The longest path by expected duration. Pipelines in a cycle have no order, so a cycle counts as one
step that takes as long as all of it one after the other.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from swarm.errors import UnknownKey
from swarm.graph.adjacency import Row, levels
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
    to: PipelineKey | None = None,
) -> CriticalPath:
    """The longest path, or the longest one that ends at `to`. A pipeline missing in `durations_s`
    takes what its definition expects, or no time. Raises `UnknownKey`."""
    level = graph.by_pipeline
    view = level.adjacency.view(least_weight(min_confidence))
    components, home = condensed(view.out)
    took = [sum(_expected(graph, level.nodes[n], durations_s) for n in c) for c in components]
    if to is None:
        wanted = set(range(len(components)))
    else:
        wanted = {home[node] for node in _before(graph, to, view.into)}
    if not wanted:
        return CriticalPath((), (), 0.0)
    rest, then = _longest(components, home, view.out, took, wanted, all_the_way=to is not None)
    number = max(wanted, key=lambda one: (rest[one], -one))
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


def _before(graph: DependencyGraph, to: PipelineKey, into: list[Row]) -> set[int]:
    """`to` and all it stands on."""
    node = graph.by_pipeline.find(to)
    if node is None:
        raise UnknownKey(f"no pipeline {to}")
    return set().union(*levels([node], into))


def _longest(
    components: list[list[int]],
    home: list[int],
    rows: list[Row],
    took: list[float],
    wanted: Set[int],
    *,
    all_the_way: bool,
) -> tuple[list[float], list[tuple[int, int] | None]]:
    """How long each component and what follows it takes, and the step to what follows; steps that
    take no time are only followed `all_the_way`."""
    # Downstream components come first, so what follows a component is settled before it.
    rest: list[float] = []
    then: list[tuple[int, int] | None] = []
    for number, part in enumerate(components):
        best, way = (-1.0 if all_the_way else 0.0), None
        for up in part:
            for down in rows[up]:
                after = home[down]
                if after != number and after in wanted and rest[after] > best:
                    best, way = rest[after], (up, down)
        rest.append(took[number] + max(best, 0.0))
        then.append(way)
    return rest, then


def _expected(
    graph: DependencyGraph, key: PipelineKey, durations_s: Mapping[PipelineKey, float]
) -> float:
    if key in durations_s:
        return durations_s[key]
    pipeline = graph.pipelines.get(key)
    return (pipeline.expected_duration_s or 0.0) if pipeline else 0.0
