"""What a pipeline stands on before a deadline, as a forecast wants it."""

from collections.abc import Sequence

from swarm.graph.adjacency import levels
from swarm.graph.index import DependencyGraph, Edge
from swarm.graph.reach import condensed
from swarm.model.keys import PipelineKey
from swarm.model.lineage import WARN_FROM
from swarm.sequencing.days import Today, today, usually_after
from swarm.sequencing.forecast import Link, Node
from swarm.sequencing.world import World


def upstream_of(graph: DependencyGraph, pipeline: PipelineKey) -> list[PipelineKey]:
    """Everything it stands on through edges of `WARN_FROM` and more, each before what stands on it,
    itself last; empty where it is not known. In a ring there is no order: any will do."""
    level = graph.by_pipeline
    start = level.find(pipeline)
    if start is None:
        return []
    view = level.adjacency.view(WARN_FROM)
    found = sorted(set().union(*levels([start], view.into)))
    number = {node: at for at, node in enumerate(found)}
    rows = [tuple(number[down] for down in view.out[node] if down in number) for node in found]
    components, _ = condensed(rows)  # downstream first
    ordered = [found[at] for part in reversed(components) for at in part if found[at] != start]
    return [level.nodes[node] for node in [*ordered, start]]


def nodes_of(
    world: World, ordered: Sequence[PipelineKey], deadline_s: float, now_s: float
) -> list[Node]:
    """The pipelines with where they are now and what they wait for."""
    standing = [today(world.history, key, deadline_s, now_s) for key in ordered]
    number = {key: at for at, key in enumerate(ordered)}
    level = world.graph.by_pipeline
    into = level.adjacency.view(WARN_FROM).into
    nodes = []
    for at, key in enumerate(ordered):
        node = level.find(key)
        before = [level.nodes[up] for up in into[node]] if node is not None else []
        links = (
            _link(world.graph.edge(up, key), number[up], standing[number[up]], standing[at])
            for up in before
            if number.get(up, at) < at
        )
        nodes.append(Node(key, standing[at], tuple(link for link in links if link is not None)))
    return nodes


def _link(edge: Edge, number: int, writer: Today | None, reader: Today | None) -> Link | None:
    """None where the reader does not wait: it usually begins before the writer is done, and nobody
    told an orchestrator to let it wait."""
    if writer is None or reader is None:
        return None
    if usually_after(reader, writer):
        return Link(number, 1.0 if edge.declared else edge.confidence)
    return Link(number, 1.0, inside=True) if edge.declared else None
