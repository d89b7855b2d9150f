"""What a change of the graph leads to: new rings, and other critical paths to what is promised."""

from collections import deque
from collections.abc import Mapping, Set
from dataclasses import dataclass

from swarm.graph.critical_path import CriticalPath, critical_path
from swarm.graph.cycles import Cycle, cycles
from swarm.graph.index import DependencyGraph, Edge
from swarm.graph.query import MIN_CONFIDENCE, ancestors
from swarm.model.keys import PipelineKey

Durations = Mapping[PipelineKey, float]


@dataclass(frozen=True, slots=True)
class Ring:
    """Pipelines that wait for each other; `path` is the shortest way around through an edge that
    was not there before, or through any where all were."""

    cycle: Cycle
    path: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class PathChange:
    """The critical path to `pipeline` before and after; None where there is no such pipeline.

    `unknown` are the pipelines it stands on after the change, itself included, whose duration
    nothing tells: the path may be another one.
    """

    pipeline: PipelineKey
    before: CriticalPath | None
    after: CriticalPath | None
    unknown: tuple[PipelineKey, ...] = ()

    @property
    def entered(self) -> tuple[PipelineKey, ...]:
        """What is on the path and was not."""
        return tuple(key for key in _on(self.after) if key not in _on(self.before))

    @property
    def left(self) -> tuple[PipelineKey, ...]:
        """What was on the path and is not."""
        return tuple(key for key in _on(self.before) if key not in _on(self.after))

    @property
    def longer_s(self) -> float | None:
        """By how much it takes longer; None where there is nothing to compare."""
        if self.before is None or self.after is None:
            return None
        return self.after.duration_s - self.before.duration_s


def new_rings(
    old: DependencyGraph, new: DependencyGraph, min_confidence: float = MIN_CONFIDENCE
) -> list[Ring]:
    """The rings of `new` that are no part of a ring of `old`."""
    known = [set(cycle.pipelines) for cycle in cycles(old, min_confidence)]
    sure = (edge for edge in old.edges() if edge.confidence >= min_confidence)
    before = {(edge.upstream, edge.downstream) for edge in sure}
    return [
        Ring(cycle, _around(cycle, before))
        for cycle in cycles(new, min_confidence)
        if not any(ring.issuperset(cycle.pipelines) for ring in known)
    ]


def path_change(
    old: DependencyGraph,
    new: DependencyGraph,
    pipeline: PipelineKey,
    durations_s: tuple[Durations, Durations],
    min_confidence: float = MIN_CONFIDENCE,
) -> PathChange | None:
    """How the critical path to `pipeline` is another one, with the durations before and after;
    None where it is the same. A pipeline in neither takes what its definition expects."""
    before = _path(old, pipeline, durations_s[0], min_confidence)
    after = _path(new, pipeline, durations_s[1], min_confidence)
    if _on(before) == _on(after) and _length_s(before) == _length_s(after):
        return None
    unknown: list[PipelineKey] = []
    if after is not None:
        above = (hit.key for hit in ancestors(new, pipeline, min_confidence).hits)
        upstream = (key for key in above if isinstance(key, PipelineKey))
        unknown = [k for k in (*upstream, pipeline) if not _is_known(new, k, durations_s[1])]
    return PathChange(pipeline, before, after, tuple(sorted(unknown)))


def _path(
    graph: DependencyGraph, to: PipelineKey, durations_s: Durations, min_confidence: float
) -> CriticalPath | None:
    if to not in graph.pipelines:
        return None
    return critical_path(graph, durations_s, min_confidence, to)


def _on(path: CriticalPath | None) -> tuple[PipelineKey, ...]:
    return tuple(key for step in path.steps for key in step.pipelines) if path else ()


def _length_s(path: CriticalPath | None) -> float | None:
    return path.duration_s if path else None


def _is_known(graph: DependencyGraph, key: PipelineKey, durations_s: Durations) -> bool:
    listed = graph.pipelines.get(key)
    return key in durations_s or (listed is not None and listed.expected_duration_s is not None)


def _around(cycle: Cycle, before: Set[tuple[object, object]]) -> tuple[Edge, ...]:
    """The shortest way around the ring through a new edge, or through any."""
    fresh = [edge for edge in cycle.edges if (edge.upstream, edge.downstream) not in before]
    ways = (_way(cycle.edges, edge) for edge in fresh or cycle.edges)
    return min(ways, key=len)


def _way(edges: tuple[Edge, ...], first: Edge) -> tuple[Edge, ...]:
    """`first` and the fewest edges that lead from its end to its beginning."""
    behind: dict[object, list[Edge]] = {}
    for edge in edges:
        behind.setdefault(edge.upstream, []).append(edge)
    came_by: dict[object, Edge] = {}
    queue: deque[object] = deque([first.downstream])
    while first.upstream not in came_by:
        for edge in behind[queue.popleft()]:
            if edge.downstream not in came_by:
                came_by[edge.downstream] = edge
                queue.append(edge.downstream)
    way: list[Edge] = []
    at: object = first.upstream
    while at != first.downstream:
        way.append(came_by[at])
        at = came_by[at].upstream
    return (first, *reversed(way))
