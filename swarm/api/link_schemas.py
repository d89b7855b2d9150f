"""How links look outside."""

from typing import Self

from pydantic import Field

from swarm.api.schemas import Shape
from swarm.config import LinkRule
from swarm.model.links import Awaited


class LinkBody(LinkRule):
    """Somebody has a pipeline start by what others make."""

    by: str = Field(min_length=1, max_length=200)


class UnlinkBody(Shape):
    """Somebody takes a pipeline's link away."""

    downstream: str = Field(
        max_length=2_000, pattern=r"^[^/]+/.+$", description="`orchestrator/name`."
    )
    by: str = Field(min_length=1, max_length=200)


class MissingRow(Shape):
    """Of whom successes are missing, and how many."""

    pipeline: str
    runs: int


class LinkRow(Shape):
    """A link and how it stands."""

    upstreams: list[str]
    downstream: str
    every: str
    per: str
    timezone: str
    shift_s: float
    holidays: list[str]
    by: str = Field(description="Who made it; `settings`: it is in the settings.")
    made_at_s: float
    waits_in: str = Field(description="The newest stretch of time that is not complete, if any.")
    missing: list[MissingRow] = Field(description="What that stretch waits for.")
    last: str = Field(description="The newest stretch that it was started for.")
    ring: list[str] = Field(
        description="The way round by links, back to the pipeline; such a link starts nothing."
    )

    @classmethod
    def of(cls, told: Awaited) -> Self:
        link = told.link
        return cls(
            upstreams=[str(key) for key in link.upstreams],
            downstream=str(link.downstream),
            every=link.every,
            per=link.per,
            timezone=link.timezone,
            shift_s=link.shift_s,
            holidays=list(link.holidays),
            by=link.by,
            made_at_s=link.made_at_s,
            waits_in=told.label,
            missing=[MissingRow(pipeline=str(key), runs=count) for key, count in told.missing],
            last=told.last,
            ring=[str(key) for key in told.ring],
        )
