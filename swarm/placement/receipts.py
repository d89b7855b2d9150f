"""What it cost, and whose it was: every paid second of a node is somebody's, or idle.

A node's price goes to those who held its slots, by slot-seconds; what nobody held is idle and is
shown, never spread over the others. Where more slots were held than the node has, they share it.
So what is attributed and what is idle make the bill, to the cent. Beside it stands what it would
have cost elsewise: every node on demand, or as many nodes as were ever there at once, all the time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from swarm.model.work import CapacityClass

_HOUR_S = 3_600.0


class Stay(NamedTuple):
    """A node that is paid for at one price; another price begins another stay. `ondemand_usd_per_h`
    is what its type costs on demand."""

    node: str
    kind: str  # the instance type
    capacity: CapacityClass
    slots: int
    usd_per_h: float
    ondemand_usd_per_h: float
    from_s: float
    until_s: float


class Spent(StrEnum):
    """What slots were held for."""

    WORK = "work"
    RETRY = "retry"  # a try that ended badly, or was lost with its node
    SENSOR = "sensor"  # waited for something in a slot


class Use(NamedTuple):
    """Slots of a node that somebody held."""

    node: str
    slots: int
    pipeline: str
    run: str
    spent: Spent
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Line:
    """What a run of a pipeline cost; `retry_usd` and `sensor_usd` are part of `usd`."""

    pipeline: str
    run: str
    slot_s: float
    usd: float
    retry_usd: float
    sensor_usd: float
    ondemand_usd: float


@dataclass(frozen=True, slots=True)
class Kind:
    """Nodes of one type, spot or dedicated, together."""

    kind: str
    capacity: CapacityClass
    node_h: float
    usd: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """`bill_usd` is what all lines and `idle_usd` make together. `unpaid` are uses of nodes that
    were not paid for then: a launch or an end that nobody told of. `static_usd`: as many nodes as
    were there at once at most, on demand, from the first second to the last."""

    lines: tuple[Line, ...]
    kinds: tuple[Kind, ...]
    bill_usd: float
    idle_usd: float
    ondemand_usd: float
    static_usd: float
    unpaid: tuple[Use, ...]

    @property
    def spot_saving_usd(self) -> float:
        """Against the same nodes on demand."""
        return self.ondemand_usd - self.bill_usd

    @property
    def idle_share(self) -> float:
        """Of the bill."""
        return self.idle_usd / self.bill_usd if self.bill_usd else 0.0


def receipt(stays: Sequence[Stay], uses: Sequence[Use]) -> Receipt:
    """All of it. Stays of one node must not overlap."""
    of_node: dict[str, list[Use]] = defaultdict(list)
    for use in uses:
        if use.until_s > use.from_s:
            of_node[use.node].append(use)
    lines: dict[tuple[str, str], _Sum] = defaultdict(_Sum)
    idle_usd = 0.0
    for stay in stays:
        idle_usd += _attribute(stay, of_node.get(stay.node, ()), lines)
    return Receipt(
        tuple(found.line(*key) for key, found in sorted(lines.items())),
        _kinds(stays),
        sum(_usd(stay, stay.usd_per_h) for stay in stays),
        idle_usd,
        sum(_usd(stay, stay.ondemand_usd_per_h) for stay in stays),
        _static_usd(stays),
        tuple(_unpaid(stays, of_node)),
    )


def by(lines: Iterable[Line], name: Callable[[Line], str]) -> Mapping[str, float]:
    """USD by team, pipeline or whatever `name` makes of a line, the dearest first."""
    found: dict[str, float] = defaultdict(float)
    for line in lines:
        found[name(line)] += line.usd
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def difference(receipt_usd: float, bill_usd: float) -> float:
    """How far a receipt is from a bill made by others, as a share of that bill."""
    return abs(receipt_usd - bill_usd) / bill_usd if bill_usd else float(receipt_usd > 0)


@dataclass(slots=True)
class _Sum:
    slot_s: float = 0.0
    usd: float = 0.0
    retry_usd: float = 0.0
    sensor_usd: float = 0.0
    ondemand_usd: float = 0.0

    def add(self, stay: Stay, spent: Spent, slot_s: float, node_s: float) -> None:
        usd = node_s / _HOUR_S * stay.usd_per_h
        self.slot_s += slot_s
        self.usd += usd
        self.retry_usd += usd * (spent is Spent.RETRY)
        self.sensor_usd += usd * (spent is Spent.SENSOR)
        self.ondemand_usd += node_s / _HOUR_S * stay.ondemand_usd_per_h

    def line(self, pipeline: str, run: str) -> Line:
        return Line(
            pipeline, run, self.slot_s, self.usd, self.retry_usd, self.sensor_usd, self.ondemand_usd
        )


def _attribute(stay: Stay, uses: Iterable[Use], lines: Mapping[tuple[str, str], _Sum]) -> float:
    """Whose each piece of the stay was; what was nobody's is returned, in USD."""
    inside = [use for use in uses if use.from_s < stay.until_s and use.until_s > stay.from_s]
    edges = {stay.from_s, stay.until_s}
    for use in inside:
        edges |= {max(use.from_s, stay.from_s), min(use.until_s, stay.until_s)}
    times = sorted(edges)
    begins: dict[float, list[Use]] = defaultdict(list)
    for use in inside:
        begins[max(use.from_s, stay.from_s)].append(use)
    held: list[Use] = []
    idle_s = 0.0
    for from_s, until_s in pairwise(times):
        held = [use for use in held if use.until_s > from_s] + begins[from_s]
        span_s, taken = until_s - from_s, sum(use.slots for use in held)
        shares = max(taken, stay.slots)
        for use in held:
            node_s = span_s * use.slots / shares
            lines[use.pipeline, use.run].add(stay, use.spent, span_s * use.slots, node_s)
        idle_s += span_s * (shares - taken) / shares
    return idle_s / _HOUR_S * stay.usd_per_h


def _kinds(stays: Iterable[Stay]) -> tuple[Kind, ...]:
    found: dict[tuple[str, CapacityClass], list[Stay]] = defaultdict(list)
    for stay in stays:
        found[stay.kind, stay.capacity].append(stay)
    return tuple(
        Kind(
            *key,
            sum(stay.until_s - stay.from_s for stay in those) / _HOUR_S,
            sum(_usd(stay, stay.usd_per_h) for stay in those),
        )
        for key, those in sorted(found.items())
    )


def _static_usd(stays: Sequence[Stay]) -> float:
    """The dearest moment, held from the first launch to the last end."""
    moves = [(stay.from_s, stay.ondemand_usd_per_h) for stay in stays]
    moves += [(stay.until_s, -stay.ondemand_usd_per_h) for stay in stays]
    most = now = 0.0
    for _, usd_per_h in sorted(moves):  # an end before a launch at the same moment
        now += usd_per_h
        most = max(most, now)
    if not stays:
        return 0.0
    span_s = max(stay.until_s for stay in stays) - min(stay.from_s for stay in stays)
    return most * span_s / _HOUR_S


def _unpaid(stays: Iterable[Stay], uses: Mapping[str, Sequence[Use]]) -> Iterable[Use]:
    paid: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for stay in sorted(stays, key=lambda stay: stay.from_s):
        paid[stay.node].append((stay.from_s, stay.until_s))
    for node, those in uses.items():
        for use in those:
            at_s = use.from_s
            for from_s, until_s in paid[node]:
                if from_s > at_s and from_s < use.until_s:
                    yield use._replace(from_s=at_s, until_s=from_s)
                if until_s > at_s and from_s < use.until_s:
                    at_s = max(at_s, until_s)
            if at_s < use.until_s:
                yield use._replace(from_s=at_s)


def _usd(stay: Stay, usd_per_h: float) -> float:
    return (stay.until_s - stay.from_s) / _HOUR_S * usd_per_h
