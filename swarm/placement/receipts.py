"""What it cost, and whose it was: every paid second of a node is somebody's, or idle.

A receipt puts prices on what was metered (`metering.py`): what is attributed and what is idle make
the bill, to the cent. Beside it stands what it would have cost elsewise: every node on demand, or
as many nodes as were ever there at once, all the time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from swarm.model.weekdays import DAY_S
from swarm.model.work import CapacityClass
from swarm.placement.metering import HOUR_S, FleetHour, HeldHour, Metered, Spent

_HOURS_A_DAY = int(DAY_S / HOUR_S)


class Price(NamedTuple):
    """Of a node: its instance type, what it costs, and what that type costs on demand."""

    kind: str
    usd_per_h: float
    ondemand_usd_per_h: float


# The price of a node of a pool and class in an hour since the epoch; None: nobody told it.
PriceOf = Callable[[str, CapacityClass, int], Price | None]


@dataclass(frozen=True, slots=True)
class Line:
    """What a run of a pipeline cost on a day (its number since the epoch); `retry_usd` and
    `sensor_usd` are part of `usd`."""

    team: str
    pipeline: str
    run: str
    day: int
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
class Day:
    """All nodes of a day; `static_usd` is that day's part of the receipt's."""

    day: int
    bill_usd: float
    idle_usd: float
    ondemand_usd: float
    static_usd: float
    node_h: float
    idle_node_h: float

    @property
    def utilisation(self) -> float:
        """Share of the nodes' time that was held."""
        return 1.0 - self.idle_node_h / self.node_h if self.node_h else 0.0


class Unpriced(NamedTuple):
    """Nodes whose price nobody told: they are in no sum of money."""

    pool: str
    capacity: CapacityClass
    node_h: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """`bill_usd` is what all lines and `idle_usd` make together. `static_usd`: as many nodes as
    were there at once at most, on demand, from the first hour to the last."""

    lines: tuple[Line, ...]
    kinds: tuple[Kind, ...]
    days: tuple[Day, ...]
    unpriced: tuple[Unpriced, ...]

    @property
    def bill_usd(self) -> float:
        return sum(day.bill_usd for day in self.days)

    @property
    def idle_usd(self) -> float:
        return sum(day.idle_usd for day in self.days)

    @property
    def ondemand_usd(self) -> float:
        return sum(day.ondemand_usd for day in self.days)

    @property
    def static_usd(self) -> float:
        return sum(day.static_usd for day in self.days)

    @property
    def spot_saving_usd(self) -> float:
        """Against the same nodes on demand."""
        return self.ondemand_usd - self.bill_usd

    @property
    def utilisation(self) -> float:
        """Share of the nodes' time that was held."""
        node_h = sum(day.node_h for day in self.days)
        return 1.0 - sum(day.idle_node_h for day in self.days) / node_h if node_h else 0.0


def receipt(metered: Metered, price: PriceOf) -> Receipt:
    """All of it."""
    days: dict[int, _DaySum] = defaultdict(_DaySum)
    kinds: dict[tuple[str, CapacityClass], list[float]] = defaultdict(lambda: [0.0, 0.0])
    unpriced: dict[tuple[str, CapacityClass], float] = defaultdict(float)
    for nodes in metered.fleet:
        found = price(nodes.pool, nodes.capacity, nodes.hour)
        days[nodes.hour // _HOURS_A_DAY].add(nodes, found)
        if found is None:
            unpriced[nodes.pool, nodes.capacity] += nodes.node_s / HOUR_S
            continue
        both = kinds[found.kind, nodes.capacity]
        both[0] += nodes.node_s / HOUR_S
        both[1] += nodes.node_s / HOUR_S * found.usd_per_h
    lines: dict[tuple[str, str, str, int], _LineSum] = defaultdict(_LineSum)
    for held in metered.held:
        found, day = price(held.pool, held.capacity, held.hour), held.hour // _HOURS_A_DAY
        usd = lines[held.team, held.pipeline, held.run, day].add(held, found)
        days[day].hold(held, usd)
    static = _static_usd(metered.fleet, price)
    days |= {day: _DaySum() for day in static if day not in days}  # a day without nodes, between
    return Receipt(
        tuple(found.line(*key) for key, found in sorted(lines.items())),
        tuple(Kind(*key, *both) for key, both in sorted(kinds.items())),
        tuple(found.day(day, static.get(day, 0.0)) for day, found in sorted(days.items())),
        tuple(Unpriced(*key, node_h) for key, node_h in sorted(unpriced.items())),
    )


def by(lines: Iterable[Line], name: Callable[[Line], str]) -> Mapping[str, Line]:
    """Lines summed by team, pipeline or whatever `name` makes of one, the dearest first. What they
    do not have in common is empty in a sum (0 for the day)."""
    found: dict[str, Line] = {}
    for line in lines:
        key = name(line)
        found[key] = _joined(found[key], line) if key in found else line
    return dict(sorted(found.items(), key=lambda one: (-one[1].usd, -one[1].slot_s, one[0])))


def date_of(day: int) -> str:
    """ISO date of a day since the epoch."""
    return datetime.fromtimestamp(day * DAY_S, UTC).date().isoformat()


def difference(receipt_usd: float, bill_usd: float) -> float:
    """How far a receipt is from a bill made by others, as a share of that bill."""
    return abs(receipt_usd - bill_usd) / bill_usd if bill_usd else float(receipt_usd > 0)


@dataclass(slots=True)
class _LineSum:
    slot_s: float = 0.0
    usd: float = 0.0
    of: dict[Spent, float] = field(default_factory=lambda: defaultdict(float))
    ondemand_usd: float = 0.0

    def add(self, held: HeldHour, price: Price | None) -> float:
        self.slot_s += held.slot_s
        if price is None:
            return 0.0
        usd = held.node_s / HOUR_S * price.usd_per_h
        self.usd += usd
        self.of[held.spent] += usd
        self.ondemand_usd += held.node_s / HOUR_S * price.ondemand_usd_per_h
        return usd

    def line(self, team: str, pipeline: str, run: str, day: int) -> Line:
        return Line(
            *(team, pipeline, run, day, self.slot_s, self.usd),
            *(self.of[Spent.RETRY], self.of[Spent.SENSOR], self.ondemand_usd),
        )


@dataclass(slots=True)
class _DaySum:
    bill_usd: float = 0.0
    held_usd: float = 0.0
    ondemand_usd: float = 0.0
    node_s: float = 0.0
    held_node_s: float = 0.0

    def add(self, nodes: FleetHour, price: Price | None) -> None:
        self.node_s += nodes.node_s
        if price is not None:
            self.bill_usd += nodes.node_s / HOUR_S * price.usd_per_h
            self.ondemand_usd += nodes.node_s / HOUR_S * price.ondemand_usd_per_h

    def hold(self, held: HeldHour, usd: float) -> None:
        self.held_usd += usd
        self.held_node_s += held.node_s

    def day(self, day: int, static_usd: float) -> Day:
        return Day(
            day,
            self.bill_usd,
            self.bill_usd - self.held_usd,
            self.ondemand_usd,
            static_usd,
            self.node_s / HOUR_S,
            (self.node_s - self.held_node_s) / HOUR_S,
        )


def _static_usd(fleet: Iterable[FleetHour], price: PriceOf) -> Mapping[int, float]:
    """By day: the dearest hour's nodes, from the first hour to the last. Of those two counts how
    long anything was there."""
    usd_per_h: dict[int, float] = defaultdict(float)
    there_s: dict[int, float] = defaultdict(float)
    for nodes in fleet:
        found = price(nodes.pool, nodes.capacity, nodes.hour)
        if found is not None:
            usd_per_h[nodes.hour] += nodes.nodes * found.ondemand_usd_per_h
            there_s[nodes.hour] = max(there_s[nodes.hour], nodes.there_s)
    if not usd_per_h:
        return {}
    first, last, most = min(there_s), max(there_s), max(usd_per_h.values())
    static: dict[int, float] = defaultdict(float)
    for hour in range(first, last + 1):
        stood_s = there_s[hour] if hour in (first, last) else HOUR_S
        static[hour // _HOURS_A_DAY] += most * stood_s / HOUR_S
    return static


def _joined(one: Line, other: Line) -> Line:
    return Line(
        one.team if one.team == other.team else "",
        one.pipeline if one.pipeline == other.pipeline else "",
        one.run if one.run == other.run else "",
        one.day if one.day == other.day else 0,
        one.slot_s + other.slot_s,
        one.usd + other.usd,
        one.retry_usd + other.retry_usd,
        one.sensor_usd + other.sensor_usd,
        one.ondemand_usd + other.ondemand_usd,
    )
