"""How a replay looks outside."""

from typing import Self

from pydantic import Field

from swarm.api.schemas import Shape
from swarm.sequencing.savings import HazardCost, Measure, Savings, SlaKept


class MeasureRow(Shape):
    """A sum without and with swarm, and what is saved, with its 95 % interval."""

    without: float
    within: float
    saved: float
    low: float
    high: float

    @classmethod
    def of(cls, measure: Measure, price: float = 1.0) -> Self:
        values = (measure.without, measure.within, measure.saved, measure.low, measure.high)
        names = ("without", "within", "saved", "low", "high")
        return cls(
            **{name: round(value * price, 4) for name, value in zip(names, values, strict=True)}
        )


class HazardCostRow(Shape):
    """What the unkept order of a writer and a reader has cost."""

    writer: str
    reader: str
    sure: bool = Field(description="Sure enough to hold for; else a person has to accept it first.")
    stale: int
    failed: int
    prevented: int
    old_data_min: float
    slot_h: float
    usd: float | None

    @classmethod
    def of(cls, one: HazardCost, price: float | None) -> Self:
        return cls(
            writer=str(one.writer),
            reader=str(one.reader),
            sure=one.sure,
            stale=one.stale,
            failed=one.failed,
            prevented=one.prevented,
            old_data_min=round(one.old_data_min, 2),
            slot_h=round(one.slot_h, 4),
            usd=None if price is None else round(one.slot_h * price, 4),
        )


class SlaKeptRow(Shape):
    """On how many days an SLA was due, and how often it was missed."""

    name: str
    pipeline: str
    days: int
    missed_without: int
    missed_within: int

    @classmethod
    def of(cls, one: SlaKept) -> Self:
        return cls(
            name=one.sla.name,
            pipeline=str(one.sla.pipeline),
            days=one.days,
            missed_without=one.without,
            missed_within=one.within,
        )


class SavingsRow(Shape):
    """The last days twice: as they were, and as they would have been with swarm."""

    from_s: float
    until_s: float
    days: int
    runs: int = Field(description="Planned runs; a repeated one counts once.")
    held: int
    held_median_min: float
    stale_reads: MeasureRow
    failures: MeasureRow = Field(description="Of runs that lacked what they were to read.")
    sla_misses: MeasureRow
    old_data_min: MeasureRow = Field(description="Old data stood where new was planned.")
    slot_h: MeasureRow = Field(description="Hours that runs took.")
    usd: MeasureRow | None = Field(description="Those hours at the price given.")
    hazards: list[HazardCostRow]
    slas: list[SlaKeptRow]

    @classmethod
    def of(cls, found: Savings, price_usd_per_h: float | None) -> Self:
        return cls(
            from_s=found.from_s,
            until_s=found.until_s,
            days=found.days,
            runs=found.runs,
            held=found.held,
            held_median_min=round(found.held_min, 2),
            stale_reads=MeasureRow.of(found.stale_reads),
            failures=MeasureRow.of(found.failures),
            sla_misses=MeasureRow.of(found.sla_misses),
            old_data_min=MeasureRow.of(found.old_data_min),
            slot_h=MeasureRow.of(found.slot_h),
            usd=None if price_usd_per_h is None else MeasureRow.of(found.slot_h, price_usd_per_h),
            hazards=[HazardCostRow.of(one, price_usd_per_h) for one in found.hazards],
            slas=[SlaKeptRow.of(one) for one in found.slas],
        )
