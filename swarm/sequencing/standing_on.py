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

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

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
# Of a pipeline: which ended runs it has, and since when one is under way.
_Seen = tuple[int, float | None]
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
) -> tuple[Sequence[Node], Habits]:
    """The pipelines with where they are now and what they wait for, and what they show together."""
    return Ground(chain, deadline_s).nodes(world, now_s)


class _Wait(NamedTuple):
    """An edge that somebody waits for, and how soon what it made stale was made again."""

    edge: Edge
    again: tuple[float, ...]
    link: Link


class Ground:
    """What a chain stands on before one deadline. Of what was found stays what no run has moved
    since: asked again and again, it looks only at the pipelines that ran."""

    def __init__(self, chain: Chain, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self._chain = chain
        count = len(chain.ordered)
        self._seen: list[_Seen | None] = [None] * count
        self._standing: list[Today | None] = [None] * count
        self._waits: list[_Wait | None] = [None] * len(chain.edges)
        self._starts: list[Days | None] = [None] * count
        self._found: tuple[Sequence[Node], Habits] | None = None

    def nodes(self, world: World, now_s: float) -> tuple[Sequence[Node], Habits]:
        """The pipelines in their order, and what they show together."""
        moved = set(self._moved(world.history, now_s))
        if moved or self._found is None:
            self._found = self._find(world.history, moved)
        return self._found

    def _moved(self, history: History, now_s: float) -> Iterator[int]:
        """The numbers of those that ran since, which are looked at."""
        for number, key in enumerate(self._chain.ordered):
            seen = history.version(key), history.live(key)
            if seen == self._seen[number]:
                continue
            # What a clock ahead of ours says has ended counts from then on.
            is_told = _last_end_s(history, key) <= now_s
            self._seen[number] = seen if is_told else None
            self._standing[number] = today(history, key, self.deadline_s, now_s)
            yield number

    def _find(self, history: History, moved: Collection[int]) -> tuple[Sequence[Node], Habits]:
        readers = set(moved)
        for number, (edge, before, at) in enumerate(self._chain.edges):
            if before in moved or at in moved:
                self._waits[number] = self._wait(history, edge, before, at)
                readers.add(at)
        found: list[list[_Wait]] = [[] for _ in self._chain.ordered]
        for (*_, at), wait in zip(self._chain.edges, self._waits, strict=True):
            found[at] += [wait] if wait is not None else []
        again = [gap_s for waits in found for wait in waits for gap_s in wait.again]
        share = (1 + sum(gap_s < inf for gap_s in again)) / (2 + len(again))
        nodes = []
        for at, key in enumerate(self._chain.ordered):
            links = tuple(_link(wait, share) for wait in found[at])
            if at in readers:
                self._starts[at] = _starts(at, links, self._standing)
            nodes.append(Node(key, self._standing[at], links, self._starts[at]))
        pace = pace_of(self._standing)
        return nodes, Habits(history.tail, history.retries, Gaps(again), pace)

    def _wait(self, history: History, edge: Edge, before: int, at: int) -> _Wait | None:
        """How the reader waits; None where it does not, or nothing is known of one of both."""
        writer, reader = self._standing[before], self._standing[at]
        if writer is None or reader is None:
            return None
        after = usually_after(reader, writer)
        if not (after or edge.declared):
            return None
        return _Wait(edge, _repairs(history, edge), Link(before, edge.confidence, not after))


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


def _link(wait: _Wait, share: float) -> Link:
    sure = 1.0 if wait.edge.declared else _sure(wait.edge, wait.again, share)
    return wait.link._replace(confidence=sure)


def _last_end_s(history: History, key: PipelineKey) -> float:
    """When the last of its runs ended."""

    def make() -> float:
        return max((ran.ended_at_s for ran in history.ended(key)), default=-inf)

    return history.remember(key, "last end", make)


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
