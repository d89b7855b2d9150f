"""Pipelines that wait for each other in a ring, which no single orchestrator can see."""

from collections.abc import Set
from dataclasses import dataclass

from swarm.graph.adjacency import levels
from swarm.graph.index import DependencyGraph, Edge
from swarm.graph.query import MIN_CONFIDENCE, least_weight
from swarm.graph.reach import condensed
from swarm.model.keys import PipelineKey


@dataclass(frozen=True, slots=True)
class Cycle:
    """Pipelines each of which is downstream of every other, and the edges between them."""

    pipelines: tuple[PipelineKey, ...]
    edges: tuple[Edge, ...]
    orchestrators: tuple[str, ...]


def cycles(
    graph: DependencyGraph,
    min_confidence: float = MIN_CONFIDENCE,
    among: Set[PipelineKey] | None = None,
) -> list[Cycle]:
    """All of them, or those of the pipelines `among`, where no other pipeline is in one with them;
    those over the most orchestrators first. A cycle is a finding, no error."""
    level = graph.by_pipeline
    rows = level.adjacency.view(least_weight(min_confidence)).out
    if among is None:
        nodes = list(range(len(rows)))
    else:
        nodes = sorted(node for key in among if (node := level.find(key)) is not None)
    place = {node: number for number, node in enumerate(nodes)}
    inner = [tuple(place[down] for down in rows[node] if down in place) for node in nodes]
    found = []
    for part in condensed(inner)[0]:
        if len(part) > 1:
            inside = set(part)
            edges = [
                graph.edge(level.nodes[nodes[up]], level.nodes[nodes[down]])
                for up in part
                for down in inner[up]
                if down in inside
            ]
            edges.sort(key=lambda edge: (str(edge.upstream), str(edge.downstream)))
            names = tuple(sorted(level.nodes[nodes[node]] for node in part))
            found.append(Cycle(names, tuple(edges), tuple(sorted({n.orchestrator for n in names}))))
    return sorted(found, key=lambda c: (-len(c.orchestrators), -len(c.pipelines), c.pipelines))


def on_ring_with(
    graph: DependencyGraph, pair: tuple[PipelineKey, PipelineKey], min_confidence: float
) -> set[PipelineKey]:
    """Every pipeline that is in a ring with both of `pair`; none where no ring holds both."""
    level = graph.by_pipeline
    up, down = level.find(pair[0]), level.find(pair[1])
    if up is None or down is None:
        return set()
    view = level.adjacency.view(least_weight(min_confidence))
    below = set().union(*levels([up], view.out))
    if down not in below:
        return set()
    ring = below & set().union(*levels([up], view.into))
    return {level.nodes[node] for node in ring} if down in ring else set()
