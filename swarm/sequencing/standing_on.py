"""What a pipeline stands on before a deadline, as a forecast wants it.

Rules
1. A reader that usually begins after its writer is done waits for it; one that begins before does
   only where an orchestrator lets it wait inside.
2. A reader that began later than usual, after a writer that was later than that, began late for
   that reason: such a day does not tell when it begins by itself.
3. What is made again after it read what was not new shows that the dependency is real, and what is
   not made again speaks against it: by how often things are made again here at all, beside
   `AGAIN_ANYWAY`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from swarm.graph.index import DependencyGraph, Edge
from swarm.graph.reach import behind
from swarm.model.keys import PipelineKey
from swarm.model.lineage import WARN_FROM
from swarm.sequencing.days import Days, Today, today, usually_after
from swarm.sequencing.forecast import Habits, Link, Node
from swarm.sequencing.history import History, cadence_s
from swarm.sequencing.pace import pace_of
from swarm.sequencing.repairs import Gaps, repairs
from swarm.sequencing.world import World

# How often a run is followed by another one that nothing made necessary.
AGAIN_ANYWAY = 0.05
_SURE = 0.02  # as near to never or always as what was seen of a few dozen runs can be


@dataclass(frozen=True, slots=True)
class Chain:
    """Pipelines, each before what stands on it, and the edges between them with the numbers of both
    ends. Both stay until the graph moves."""

    ordered: Sequence[PipelineKey] = ()
    edges: Sequence[tuple[Edge, int, int]] = ()


def upstream_of(graph: DependencyGraph, pipeline: PipelineKey) -> Chain:
    """Everything it stands on through edges of `WARN_FROM` and more, itself last; empty where it is
    not known. In a ring there is no order: any will do."""
    level = graph.by_pipeline
    start = level.find(pipeline)
    if start is None:
        return Chain()
    found, _, parts = behind([start], level.adjacency.view(WARN_FROM))
    ordered = [found[at] for part in reversed(parts) for at in part if found[at] != start]
    return chain_of(graph, [level.nodes[node] for node in [*ordered, start]])


def chain_of(graph: DependencyGraph, ordered: Sequence[PipelineKey]) -> Chain:
    """Pipelines in their order, with what is between them."""
    return Chain(ordered, tuple(_edges(graph, ordered)))


def nodes_of(
    world: World, chain: Chain, deadline_s: float, now_s: float
) -> tuple[list[Node], Habits]:
    """The pipelines with where they are now and what they wait for, and what they show together."""
    history = world.history
    standing = [today(history, key, deadline_s, now_s) for key in chain.ordered]
    found = [
        (edge, _repairs(history, edge), before, at, inside)
        for edge, before, at, inside in _waits(chain, standing)
    ]
    again = [gap_s for _, gaps, *_ in found for gap_s in gaps]
    share = (1 + sum(gap_s < inf for gap_s in again)) / (2 + len(again))
    links: dict[int, list[Link]] = {}
    for edge, gaps, before, at, inside in found:
        confidence = 1.0 if edge.declared else _sure(edge, gaps, share)
        links.setdefault(at, []).append(Link(before, confidence, inside))
    nodes = [
        Node(key, standing[at], (waits := tuple(links.get(at, ()))), _starts(at, waits, standing))
        for at, key in enumerate(chain.ordered)
    ]
    return nodes, Habits(history.tail, history.retries, Gaps(again), pace_of(standing))


def _edges(
    graph: DependencyGraph, ordered: Sequence[PipelineKey]
) -> Iterator[tuple[Edge, int, int]]:
    number = {key: at for at, key in enumerate(ordered)}
    level = graph.by_pipeline
    into = level.adjacency.view(WARN_FROM).into
    for at, key in enumerate(ordered):
        node = level.find(key)
        for up in into[node] if node is not None else ():
            before = number.get(level.nodes[up], at)
            if before < at:
                yield graph.edge(level.nodes[up], key), before, at


def _waits(chain: Chain, standing: Sequence[Today | None]) -> Iterator[tuple[Edge, int, int, bool]]:
    """The edges that somebody waits for: from which number, to which, and whether inside."""
    for edge, before, at in chain.edges:
        writer, reader = standing[before], standing[at]
        if writer is None or reader is None:
            continue
        after = usually_after(reader, writer)
        if after or edge.declared:
            yield edge, before, at, not after


def _starts(at: int, links: Iterable[Link], standing: Sequence[Today | None]) -> Days | None:
    """The days on which it began by itself."""
    mine = standing[at]
    writers = [standing[link.number] for link in links if not link.inside]
    if mine is None or not writers:
        return None
    usual_s = mine.days.usually_began_s
    late = {ago: past.began_s for ago, past in mine.days.items() if past.began_s > usual_s}
    waited = {
        ago
        for writer in writers
        if writer is not None
        for ago, began_s in late.items()
        if usual_s < writer.days.ends_s.get(ago, usual_s) <= began_s
    }
    return Days((ago, past) for ago, past in mine.days.items() if ago not in waited)


def _sure(edge: Edge, again: Sequence[float], share: float) -> float:
    """How sure an edge is after the reader was run again, or was not, where it began too early;
    `share` of the time somebody does that here."""
    if edge.confidence >= 1.0 or not again:
        return edge.confidence
    share = min(max(share, _SURE), 1 - _SURE)
    done = sum(gap_s < inf for gap_s in again)
    real = share**done * (1 - share) ** (len(again) - done)
    other = AGAIN_ANYWAY**done * (1 - AGAIN_ANYWAY) ** (len(again) - done)
    odds = edge.confidence / (1 - edge.confidence) * real / other
    return odds / (1 + odds)


def _repairs(history: History, edge: Edge) -> tuple[float, ...]:
    """How soon the reader was run again whenever it began too early for the writer."""
    writer, reader = edge.upstream, edge.downstream
    assert isinstance(writer, PipelineKey)
    assert isinstance(reader, PipelineKey)

    def make() -> tuple[float, ...]:
        runs = history.ended(reader)
        every_s = cadence_s([ran.started_at_s for ran in runs])
        return () if every_s is None else repairs(history.ended(writer), runs, every_s)

    return history.remember(reader, (writer, history.version(writer)), make)
