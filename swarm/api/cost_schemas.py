"""How a receipt looks outside."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Self

from pydantic import Field

from swarm.api.schemas import Shape
from swarm.model.work import CapacityClass
from swarm.placement.minutes import Minute
from swarm.placement.receipts import Day, Kind, Line, Receipt, Unpriced, date_of


class By(StrEnum):
    """Whose it is."""

    PIPELINE = "pipeline"
    TEAM = "team"
    DAY = "day"
    RUN = "run"

    def name_of(self, line: Line) -> str:
        match self:
            case By.PIPELINE:
                return line.pipeline
            case By.TEAM:
                return line.team
            case By.DAY:
                return date_of(line.day)
            case By.RUN:
                return f"{line.pipeline} {line.run}".strip()


class CostRow(Shape):
    """What one cost. `retry_usd` and `sensor_usd` are part of `usd`."""

    name: str = Field(description="Empty: what was handed in without one.")
    usd: float
    retry_usd: float
    sensor_usd: float
    ondemand_usd: float
    slot_h: float

    @classmethod
    def of(cls, name: str, line: Line) -> Self:
        return cls(
            name=name,
            usd=_usd(line.usd),
            retry_usd=_usd(line.retry_usd),
            sensor_usd=_usd(line.sensor_usd),
            ondemand_usd=_usd(line.ondemand_usd),
            slot_h=_usd(line.slot_s / 3_600.0),
        )


class CostKind(Shape):
    """All nodes of one type, spot or dedicated."""

    type: str
    capacity: CapacityClass
    node_h: float
    usd: float

    @classmethod
    def of(cls, kind: Kind) -> Self:
        return cls(
            type=kind.kind,
            capacity=kind.capacity,
            node_h=_usd(kind.node_h),
            usd=_usd(kind.usd),
        )


class CostDay(Shape):
    """A day (UTC): the bill, and what it would have been elsewise."""

    day: str
    bill_usd: float
    idle_usd: float
    ondemand_usd: float
    static_usd: float
    node_h: float
    utilisation: float = Field(description="Share of the nodes' time that was held.")

    @classmethod
    def of(cls, day: Day) -> Self:
        return cls(
            day=date_of(day.day),
            bill_usd=_usd(day.bill_usd),
            idle_usd=_usd(day.idle_usd),
            ondemand_usd=_usd(day.ondemand_usd),
            static_usd=_usd(day.static_usd),
            node_h=_usd(day.node_h),
            utilisation=_usd(day.utilisation),
        )


class UnpricedRow(Shape):
    """Nodes that no sum of money holds, because nobody told what they cost."""

    pool: str
    capacity: CapacityClass
    node_h: float

    @classmethod
    def of(cls, one: Unpriced) -> Self:
        return cls(pool=one.pool, capacity=one.capacity, node_h=_usd(one.node_h))


class Grouped(NamedTuple):
    """All lines by what they are summed up by, the dearest first, and how many are shown."""

    by: By
    rows: Mapping[str, Line]
    limit: int


class CostNow(Shape):
    """What the nodes that are there now cost an hour; those without a price are in no sum."""

    nodes: int
    usd_per_h: float
    unpriced: int


class CostMinute(Shape):
    """The mean over a minute that begins at `at_s`."""

    at_s: float
    nodes: float
    slots: float
    held: float = Field(description="Slots that tasks held.")
    usd_per_h: float
    unpriced: float = Field(description="Nodes that `usd_per_h` lacks: nobody told their price.")

    @classmethod
    def of(cls, minute: Minute) -> Self:
        return cls(
            at_s=minute.at_s,
            nodes=round(minute.nodes, 3),
            slots=round(minute.slots, 3),
            held=round(minute.held, 3),
            usd_per_h=_usd(minute.usd_per_h),
            unpriced=round(minute.unpriced, 3),
        )


class Cost(Shape):
    """A receipt: `rows`, `left_out_usd` and `idle_usd` make `bill_usd`."""

    from_s: float
    until_s: float
    by: By
    bill_usd: float
    idle_usd: float
    retry_usd: float
    sensor_usd: float
    spot_saving_usd: float = Field(description="Against the same nodes on demand.")
    ondemand_usd: float
    static_usd: float = Field(
        description="As many nodes as were there at once at most, on demand, all the time."
    )
    utilisation: float = Field(description="Share of the nodes' time that was held.")
    rows: list[CostRow]
    left_out: int = Field(description="Rows beyond the limit.")
    left_out_usd: float
    kinds: list[CostKind]
    days: list[CostDay]
    unpriced: list[UnpricedRow]
    now: CostNow
    notes: list[str] = Field(description="What keeps a sum from being exact.")

    @classmethod
    def of(
        cls,
        found: Receipt,
        span: tuple[float, float],
        grouped: Grouped,
        now: CostNow,
        notes: Sequence[str],
    ) -> Self:
        rows, limit = grouped.rows, grouped.limit
        shown, left_out = list(rows.items())[:limit], list(rows.values())[limit:]
        return cls(
            from_s=span[0],
            until_s=span[1],
            by=grouped.by,
            bill_usd=_usd(found.bill_usd),
            idle_usd=_usd(found.idle_usd),
            retry_usd=_usd(sum(line.retry_usd for line in found.lines)),
            sensor_usd=_usd(sum(line.sensor_usd for line in found.lines)),
            spot_saving_usd=_usd(found.spot_saving_usd),
            ondemand_usd=_usd(found.ondemand_usd),
            static_usd=_usd(found.static_usd),
            utilisation=_usd(found.utilisation),
            rows=[CostRow.of(name, line) for name, line in shown],
            left_out=len(left_out),
            left_out_usd=_usd(sum(line.usd for line in left_out)),
            kinds=[CostKind.of(kind) for kind in found.kinds],
            days=[CostDay.of(day) for day in found.days],
            unpriced=[UnpricedRow.of(one) for one in found.unpriced],
            now=now,
            notes=list(notes),
        )


def _usd(amount: float) -> float:
    """To a hundredth of a cent: small enough that sums of rows make the bill."""
    return round(amount, 6)
