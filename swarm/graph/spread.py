"""One search through the graph, from its start nodes outwards or back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from swarm.graph.adjacency import Adjacency, levels
from swarm.graph.index import DependencyGraph, Edge, Reason
from swarm.model.keys import PipelineKey, TaskKey


@dataclass(frozen=True, slots=True)
class Hit:
    """A pipeline or task that is reached, how far, how surely, and by which last edge."""

    key: PipelineKey | TaskKey
    distance: int
    confidence: float
    cause: Edge


# The surest of the shortest ways to a node: its confidence and its last edge, up and down.
Way = tuple[float, int, int]


@dataclass(frozen=True, slots=True)
class Field:
    """What is searched: nodes with their edges and free steps.

    `unnamed` nodes are passed but are no hits of their own.
    """

    adjacency: Adjacency
    key: Callable[[int], PipelineKey | TaskKey]
    reasons: Callable[[int, int], Mapping[Reason, float]]
    free: Mapping[int, list[int]]
    unnamed: set[int]
    least: float
    backwards: bool


def pipeline_field(graph: DependencyGraph, least: float, *, backwards: bool) -> Field:
    """The search between pipelines."""
    level = graph.by_pipeline
    key = level.nodes.__getitem__
    return Field(level.adjacency, key, level.reasons, {}, set(), least, backwards)


def task_field(graph: DependencyGraph, least: float, *, backwards: bool) -> Field:
    """The search between tasks. A whole pipeline is hit at its start and waited for at its end."""
    level = graph.by_task
    return Field(
        adjacency=level.adjacency,
        key=lambda node: level.nodes[node][0],
        reasons=level.reasons,
        free=graph.free_into if backwards else graph.free_out,
        unnamed=graph.starts if backwards else graph.ends,
        least=least,
        backwards=backwards,
    )


def search(
    graph: DependencyGraph,
    field: Field,
    start: Mapping[int, Way],
    limit: int | None,
    first: int = 0,
) -> tuple[int, tuple[Hit, ...]]:
    """How many nodes are reached, and the nearest `limit` of them (`None`: all).

    `start` stands at distance `first`; at distance 0 it is not a hit itself.
    """
    view = field.adjacency.view(field.least)
    found = levels(start, view.into if field.backwards else view.out, field.free)
    counted = found if first else found[1:]
    total = sum(len(level) - len(level & field.unnamed) for level in counted)
    hits: list[Hit] = []
    ways: dict[int, Way] = {}
    for distance, level in enumerate(found, first):
        if limit is not None and len(hits) >= limit:
            break
        ways = _ways(field, level, ways) if ways else _freely(field, level, dict(start))
        if distance:
            room = None if limit is None else limit - len(hits)
            hits += _described(graph, field, distance, ways)[:room]
    return total, tuple(hits)


def _described(
    graph: DependencyGraph, field: Field, distance: int, ways: Mapping[int, Way]
) -> list[Hit]:
    hits = []
    for node, (confidence, up, down) in ways.items():
        if node not in field.unnamed:
            cause = graph.describe(field.key(up), field.key(down), field.reasons(up, down))
            hits.append(Hit(field.key(node), distance, confidence, cause))
    return sorted(hits, key=lambda hit: (-hit.confidence, str(hit.key)))


def _ways(field: Field, level: set[int], before: Mapping[int, Way]) -> dict[int, Way]:
    """The ways to all nodes of a level, given those to the level before."""
    ways: dict[int, Way] = {}
    for node in level:
        for other, weight in field.adjacency.neighbours(node, not field.backwards).items():
            if weight >= field.least and other in before:
                up, down = (node, other) if field.backwards else (other, node)
                way = (before[other][0] * weight, up, down)
                if node not in ways or way > ways[node]:
                    ways[node] = way
    return _freely(field, level, ways) if field.free else ways


def _freely(field: Field, level: set[int], ways: dict[int, Way]) -> dict[int, Way]:
    """Pass ways on over free steps."""
    for node, way in list(ways.items()):
        for other in field.free.get(node, ()):
            if other in level and (other not in ways or way > ways[other]):
                ways[other] = way
    return ways
