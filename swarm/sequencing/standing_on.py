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

from collections.abc import Iterable, Sequence
from math import inf
from statistics import median

from swarm.graph.index import DependencyGraph, Edge
from swarm.graph.reach import behind
from swarm.model.keys import PipelineKey
from swarm.model.lineage import WARN_FROM
from swarm.sequencing.days import Past, Today, today, usually_after
from swarm.sequencing.forecast import Habits, Link, Node
from swarm.sequencing.history import History, cadence_s
from swarm.sequencing.pace import pace_of
from swarm.sequencing.repairs import Gaps, repairs
from swarm.sequencing.world import World

# How often a run is followed by another one that nothing made necessary.
AGAIN_ANYWAY = 0.05
_SURE = 0.02  # as near to never or always as what was seen of a few dozen runs can be


def upstream_of(graph: DependencyGraph, pipeline: PipelineKey) -> list[PipelineKey]:
    """Everything it stands on through edges of `WARN_FROM` and more, each before what stands on it,
    itself last; empty where it is not known. In a ring there is no order: any will do."""
    level = graph.by_pipeline
    start = level.find(pipeline)
    if start is None:
        return []
    found, _, parts = behind([start], level.adjacency.view(WARN_FROM))
    ordered = [found[at] for part in reversed(parts) for at in part if found[at] != start]
    return [level.nodes[node] for node in [*ordered, start]]


def nodes_of(
    world: World, ordered: Sequence[PipelineKey], deadline_s: float, now_s: float
) -> list[Node]:
    """The pipelines with where they are now and what they wait for."""
    standing = [today(world.history, key, deadline_s, now_s) for key in ordered]
    found = list(_edges(world, ordered, standing))
    again = [gap_s for edge, *_ in found for gap_s in _repairs(world.history, edge)]
    share = (1 + sum(gap_s < inf for gap_s in again)) / (2 + len(again))
    links: dict[int, list[Link]] = {}
    for edge, number, at, inside in found:
        confidence = 1.0 if edge.declared else _sure(edge, _repairs(world.history, edge), share)
        links.setdefault(at, []).append(Link(number, confidence, inside))
    return [
        Node(key, standing[at], (waits := tuple(links.get(at, ()))), _starts(at, waits, standing))
        for at, key in enumerate(ordered)
    ]


def habits_of(world: World, nodes: Sequence[Node]) -> Habits:
    """What the pipelines show together."""
    graph, history = world.graph, world.history
    gaps = Gaps()
    for node in nodes:
        for link in node.upstream:
            for gap_s in _repairs(history, graph.edge(nodes[link.number].key, node.key)):
                gaps.see(gap_s)
    return Habits(history.tail, history.retries, gaps, pace_of([node.today for node in nodes]))


def _edges(
    world: World, ordered: Sequence[PipelineKey], standing: Sequence[Today | None]
) -> Iterable[tuple[Edge, int, int, bool]]:
    """The edges that somebody waits for: from which number, to which, and whether inside."""
    number = {key: at for at, key in enumerate(ordered)}
    level = world.graph.by_pipeline
    into = level.adjacency.view(WARN_FROM).into
    for at, key in enumerate(ordered):
        node = level.find(key)
        for up in into[node] if node is not None else ():
            before = number.get(level.nodes[up], at)
            writer, reader = standing[before], standing[at]
            if before >= at or writer is None or reader is None:
                continue
            edge = world.graph.edge(level.nodes[up], key)
            after = usually_after(reader, writer)
            if after or edge.declared:
                yield edge, before, at, not after


def _starts(
    at: int, links: Iterable[Link], standing: Sequence[Today | None]
) -> dict[int, Past] | None:
    """The days on which it began by itself."""
    mine = standing[at]
    writers = [standing[link.number] for link in links if not link.inside]
    if mine is None or not writers:
        return None
    usual_s = median(past.began_s for past in mine.days.values())
    found = {}
    for ago, past in mine.days.items():
        ends = [w.days[ago].ends_s for w in writers if w is not None and ago in w.days]
        if not any(usual_s < end_s <= past.began_s for end_s in ends):
            found[ago] = past
    return found


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
