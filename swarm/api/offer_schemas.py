"""How offered and accepted SLAs look outside."""

from typing import Self

from pydantic import Field, model_validator

from swarm.api.schemas import Shape
from swarm.config import KnownZone, TimeOfDay, Weekday
from swarm.model.sla import Sla
from swarm.sequencing.offers import Offer


class SlaTerms(Shape):
    """By when a pipeline is to be done."""

    name: str
    pipeline: str
    at: str = Field(description="Time of day by the clock, `07:30`.")
    timezone: str = Field(description="Whose clock.")
    days: list[str] = Field(description="The days on which that time falls.")
    value: float = Field(description="What keeping it is worth beside other SLAs.")

    @classmethod
    def of(cls, sla: Sla) -> Self:
        return cls(
            name=sla.name,
            pipeline=str(sla.pipeline),
            at=sla.at,
            timezone=sla.timezone,
            days=list(sla.weekdays),
            value=sla.value,
        )


class OfferRow(Shape):
    """A deadline that a pipeline has kept without having promised it."""

    sla: SlaTerms
    kept: int = Field(description="On how many of the newest `days` good days it was kept.")
    days: int
    confidence: float = Field(
        description="How sure it is that nine of ten days keep it, if days go on as those did."
    )
    spare_s: float = Field(description="How long before the deadline it is usually done.")
    behind: int = Field(description="How many pipelines hang on it.")
    nearest: list[str] = Field(description="Some of them.")
    read_after_s: float | None = Field(
        description="How long after its usual end its first daily reader begins."
    )

    @classmethod
    def of(cls, offer: Offer) -> Self:
        return cls(
            sla=SlaTerms.of(offer.sla),
            kept=offer.kept,
            days=offer.days,
            confidence=offer.confidence,
            spare_s=offer.spare_s,
            behind=offer.behind,
            nearest=[str(key) for key in offer.nearest],
            read_after_s=offer.read_after_s,
        )


class AcceptBody(Shape):
    """Somebody promises what is offered of a pipeline or, with `at`, something else."""

    pipeline: str = Field(min_length=1, max_length=2_000, description="`orchestrator/name`.")
    at: TimeOfDay | None = Field(None, description="Time of day; without it, that of the offer.")
    timezone: KnownZone | None = Field(None, description="Whose clock `at` is read from.")
    days: tuple[Weekday, ...] | None = Field(None, min_length=1, description="Those of `at`.")
    value: float = Field(1.0, gt=0, le=1_000_000)
    by: str = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.at is None and (self.timezone, self.days) != (None, None):
            raise ValueError("`timezone` and `days` are those of `at`; say `at` too")
        return self


class DeclineBody(Shape):
    """Somebody wants no SLA of a pipeline."""

    pipeline: str = Field(min_length=1, max_length=2_000, description="`orchestrator/name`.")
    by: str = Field(min_length=1, max_length=200)
