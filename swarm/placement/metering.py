"""Whose every second of a node was, hour by hour, before anybody says what it cost.

A node's time goes to those who held its slots, by slot-seconds; what nobody held, its boot too, is
idle and never spread over the others. Where more slots were held than the node has, they share it.
So what was held and what was idle make the time that nodes were there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby, pairwise
from math import ceil
from typing import NamedTuple

from swarm.model.work import CapacityClass

HOUR_S = 3_600.0

Kind = tuple[int, str, CapacityClass]  # hour since the epoch, pool, class


class Spent(StrEnum):
    """What slots were held for."""

    WORK = "work"
    RETRY = "retry"  # a try that ended badly, or was lost with its node
    SENSOR = "sensor"  # waited for something in a slot


class Stay(NamedTuple):
    """A node that was there, with as many slots."""

    node: str
    pool: str
    capacity: CapacityClass
    slots: int
    from_s: float
    until_s: float


class Use(NamedTuple):
    """Slots of a node that somebody held; `slots` may be a part of one more."""

    node: str
    slots: float
    team: str
    pipeline: str
    run: str
    spent: Spent
    from_s: float
    until_s: float


class Presence(NamedTuple):
    """A worker that was there. `runs_programs`: its slots are the node's own; those of others
    (agents) are only counted where none of these is there."""

    node: str
    pool: str
    capacity: CapacityClass
    slots: int
    runs_programs: bool
    from_s: float
    until_s: float


class Rent(NamedTuple):
    """A node that was seen to boot: paid for from then until it left, with or without a worker."""

    node: str
    offering: str
    from_s: float
    until_s: float


class FleetHour(NamedTuple):
    """The nodes of a pool and class in an hour: for how long, together; how many at once at most;
    and for how long any was there."""

    hour: int
    pool: str
    capacity: CapacityClass
    node_s: float
    nodes: int
    there_s: float


class HeldHour(NamedTuple):
    """What a run held of them; `node_s` is its share of nodes."""

    hour: int
    pool: str
    capacity: CapacityClass
    team: str
    pipeline: str
    run: str
    spent: Spent
    node_s: float
    slot_s: float


@dataclass(frozen=True, slots=True)
class Metered:
    fleet: tuple[FleetHour, ...] = ()
    held: tuple[HeldHour, ...] = ()


def stays(workers: Iterable[Presence], rents: Iterable[Rent] = ()) -> list[Stay]:
    """The nodes that were there. One is from its first worker to its last, also while one took the
    place of another; its pool and class are those of the newest. What was rented is there before
    the first as well, without slots, and after the last. Where no worker ever came its offering
    is its pool, and its class that of others of it; dedicated, the dearest, where there are none.
    """
    of_node: dict[str, list[Presence]] = defaultdict(list)
    for worker in workers:
        if worker.until_s > worker.from_s:
            of_node[worker.node].append(worker)
    found = {node: list(_of_one(those)) for node, those in of_node.items()}
    classes = {stay.pool: stay.capacity for there in found.values() for stay in there}
    empty = []
    for rent in rents:
        if there := found.get(rent.node):
            first, last = there[0], there[-1]
            there[-1] = last._replace(until_s=max(last.until_s, rent.until_s))
            if rent.from_s < first.from_s:
                there.insert(0, first._replace(slots=0, from_s=rent.from_s, until_s=first.from_s))
        elif rent.until_s > rent.from_s:
            capacity = classes.get(rent.offering, CapacityClass.DEDICATED)
            empty.append(Stay(rent.node, rent.offering, capacity, 0, rent.from_s, rent.until_s))
    return [*(stay for there in found.values() for stay in there), *empty]


def meter(there: Iterable[Stay], uses: Iterable[Use]) -> Metered:
    """All of it. Stays of one node must not overlap."""
    return meter_nodes(there, sorted(uses, key=lambda use: (use.node, use.from_s)))


def meter_nodes(there: Iterable[Stay], uses: Iterable[Use]) -> Metered:
    """The same where uses come node by node: those of one node are in memory at a time."""
    held: dict[tuple[Kind, str, str, str, Spent], _Amount] = defaultdict(_Amount)
    fleet: dict[Kind, _Nodes] = defaultdict(_Nodes)
    of_node: dict[str, list[Stay]] = defaultdict(list)
    for stay in there:
        if stay.until_s <= stay.from_s:
            continue
        of_node[stay.node].append(stay)
        for from_s, until_s in hours(stay.from_s, stay.until_s):
            fleet[_kind(stay, from_s)].moves.extend(((from_s, 1), (until_s, -1)))
    for node, group in groupby(uses, key=lambda use: use.node):
        on_it = [use for use in group if use.until_s > use.from_s]
        for stay in of_node.get(node, ()):
            for from_s, until_s, those in _pieces(stay, on_it):
                shares = max(sum(use.slots for use in those), float(stay.slots))
                for use in those:
                    whose = (_kind(stay, from_s), use.team, use.pipeline, use.run, use.spent)
                    held[whose].add((until_s - from_s) * use.slots, shares)
    return Metered(
        tuple(FleetHour(*kind, *nodes.counted()) for kind, nodes in sorted(fleet.items())),
        tuple(
            HeldHour(*kind, team, pipeline, run, spent, amount.node_s, amount.slot_s)
            for (kind, team, pipeline, run, spent), amount in sorted(held.items())
        ),
    )


def hours(from_s: float, until_s: float) -> Iterator[tuple[float, float]]:
    """The parts of a span that lie in one hour each; none where it has no length."""
    if until_s <= from_s:
        return
    for hour in range(int(from_s // HOUR_S), ceil(until_s / HOUR_S)):
        yield max(from_s, hour * HOUR_S), min(until_s, (hour + 1) * HOUR_S)


@dataclass(slots=True)
class _Amount:
    node_s: float = 0.0
    slot_s: float = 0.0

    def add(self, slot_s: float, shares: float) -> None:
        self.slot_s += slot_s
        self.node_s += slot_s / shares


@dataclass(slots=True)
class _Nodes:
    moves: list[tuple[float, int]] = field(default_factory=list)

    def counted(self) -> tuple[float, int, float]:
        """Their time together, how many at most, and how long any was there."""
        together = there_s = 0.0
        now = most = 0
        self.moves.sort()  # an end before a beginning at the same moment
        for (from_s, move), (until_s, _) in pairwise(self.moves):
            now += move
            most = max(most, now)
            together += now * (until_s - from_s)
            there_s += (until_s - from_s) * (now > 0)
        return together, most, there_s


def _of_one(workers: Sequence[Presence]) -> Iterator[Stay]:
    last: Stay | None = None
    edges = sorted({edge for worker in workers for edge in (worker.from_s, worker.until_s)})
    for from_s, until_s in pairwise(edges):
        here = [w for w in workers if w.from_s <= from_s and w.until_s >= until_s]
        own = [worker for worker in here if worker.runs_programs] or here
        if own:
            newest = max(own, key=lambda worker: worker.from_s)
            slots = sum(worker.slots for worker in own)
            stay = Stay(newest.node, newest.pool, newest.capacity, slots, from_s, until_s)
        else:
            assert last is not None  # the first edge is a beginning
            stay = last._replace(from_s=from_s, until_s=until_s)
        if last is not None and stay[:4] == last[:4]:
            last = last._replace(until_s=until_s)
            continue
        if last is not None:
            yield last
        last = stay
    if last is not None:
        yield last


def _pieces(stay: Stay, uses: Sequence[Use]) -> Iterator[tuple[float, float, list[Use]]]:
    """The pieces of a stay, none longer than its hour, and who held slots in each."""
    inside = [use for use in uses if use.from_s < stay.until_s and use.until_s > stay.from_s]
    if not inside:
        return
    edges = {edge for hour in hours(stay.from_s, stay.until_s) for edge in hour}
    for use in inside:
        edges |= {max(use.from_s, stay.from_s), min(use.until_s, stay.until_s)}
    begins: dict[float, list[Use]] = defaultdict(list)
    for use in inside:
        begins[max(use.from_s, stay.from_s)].append(use)
    held: list[Use] = []
    for from_s, until_s in pairwise(sorted(edges)):
        held = [use for use in held if use.until_s > from_s] + begins[from_s]
        if held:
            yield from_s, until_s, held


def _kind(stay: Stay, at_s: float) -> Kind:
    return int(at_s // HOUR_S), stay.pool, stay.capacity
