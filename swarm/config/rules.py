"""Settings of what is promised, held and linked."""

from datetime import date
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from swarm.config.section import WEEK, KnownZone, Section, TimeOfDay, Weekday


class Promise(Section):
    """A time of day by which a pipeline is to be done."""

    pipeline: str = Field(pattern=r"^[^/]+/.+$", description="The pipeline, `orchestrator/name`.")
    by: TimeOfDay = Field(description='Time of day by the clock, `"07:30"`.')
    timezone: KnownZone = Field("UTC", description="Whose clock, an IANA name.")
    days: tuple[Weekday, ...] = Field(WEEK, description="On which days.")
    value: float = Field(
        1.0, gt=0, le=1_000_000, description="What keeping it is worth beside other SLAs."
    )


class PipelineRule(Section):
    """How far swarm may go with some pipelines."""

    match: str = Field(
        min_length=1,
        description="Which: `orchestrator/name`, `*` stands for any part; the first that fits "
        "counts.",
    )
    mode: Literal["observe", "warn", "shadow", "gate"] = Field(
        "warn",
        description="`observe` shows, `warn` also tells, `shadow` also notes what it would do, "
        "`gate` does it.",
    )
    wait_max_s: float = Field(
        7_200.0,
        ge=60,
        le=86_400,
        description="Seconds after its planned start at which a held run starts at the latest.",
    )
    at_latest: Literal["run", "skip", "ask"] = Field(
        "run",
        description="What then becomes of it: `run` starts it, `skip` leaves it out, `ask` tells "
        "somebody as soon as it is held and starts it without an answer.",
    )


_PipelineName = Annotated[str, Field(pattern=r"^[^/]+/.+$")]


_Grain = Literal["run", "hour", "day", "business_day", "week", "month"]


class LinkRule(Section):
    """A pipeline that starts when what others make is there."""

    upstreams: tuple[_PipelineName, ...] = Field(
        min_length=1, description="The pipelines it waits for, each `orchestrator/name`."
    )
    downstream: _PipelineName = Field(description="The pipeline that starts; it has no other link.")
    every: _Grain = Field(
        "run",
        description="One success of each upstream is needed for every `hour`, `day`, "
        "`business_day` (with the days off before it), `week` or `month`; `run`: any will do.",
    )
    per: _Grain = Field("run", description="What it starts once for; `run`: for each success.")
    timezone: KnownZone = Field("UTC", description="Whose hours and days, an IANA name.")
    shift_s: float = Field(
        0.0,
        ge=-31 * 86_400,
        le=31 * 86_400,
        description="Seconds from an upstream's planned start to a time that its run is for.",
    )
    holidays: tuple[date, ...] = Field((), description="Days off besides weekends, ISO dates.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        order = get_args(_Grain)
        if self.every != "run" and order.index(self.every) > order.index(self.per):
            raise ValueError(
                f"`every: {self.every}` is longer than `per: {self.per}`; say in `per` at least "
                f"`{self.every}`"
            )
        if self.per == "run" and len(self.upstreams) > 1:
            raise ValueError("with several upstreams say in `per` what belongs together: `day`")
        if self.downstream in self.upstreams:
            raise ValueError(f"{self.downstream} would wait for itself")
        return self
