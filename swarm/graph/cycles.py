"""Pipelines that wait for each other in a ring, which no single orchestrator can see."""

from dataclasses import dataclass

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


def cycles(graph: DependencyGraph, min_confidence: float = MIN_CONFIDENCE) -> list[Cycle]:
    """All of them, those over the most orchestrators first. A cycle is a finding, no error."""
    level = graph.by_pipeline
    rows = level.adjacency.view(least_weight(min_confidence)).out
    found = []
    for part in condensed(rows)[0]:
        if len(part) > 1:
            inside = set(part)
            edges = [
                graph.edge(level.nodes[up], level.nodes[down])
                for up in part
                for down in rows[up]
                if down in inside
            ]
            edges.sort(key=lambda edge: (str(edge.upstream), str(edge.downstream)))
            names = tuple(sorted(level.nodes[node] for node in part))
            found.append(Cycle(names, tuple(edges), tuple(sorted({n.orchestrator for n in names}))))
    return sorted(found, key=lambda c: (-len(c.orchestrators), -len(c.pipelines), c.pipelines))
