"""Settings of what runs tasks: workers, agents, teams, the fleet and its prices."""

from typing import Literal, Self

from pydantic import Field, model_validator

from swarm.config.section import Section


class Worker(Section):
    """What this machine runs of the tasks that are handed in."""

    slots: int = Field(
        2,
        ge=0,
        le=1000,
        description="Tasks at the same time on the machine of `swarm up`, one CPU each; 0 runs "
        "none there. Other nodes run one for each of their CPUs.",
    )
    fence_s: float = Field(
        15.0,
        ge=5,
        le=3600,
        description="Seconds without contact after which a worker ends what it runs.",
    )
    notices: Literal["none", "aws", "gcp"] = Field(
        "none",
        description="Whose metadata service workers on spot ask whether their machine goes away; "
        "they then hand over what they run. `none`: nobody is asked.",
    )


class Team(Section):
    """What a team may have of the workers; others have the defaults."""

    weight: float = Field(
        1.0, gt=0, le=1000, description="Its share of the workers beside other teams' weights."
    )
    waiting_max: int = Field(
        100_000, ge=0, le=10_000_000, description="Tasks of it that may wait at the same time."
    )


class OfferingRule(Section):
    """A kind of worker that can be had."""

    name: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[\w.-]+$",
        description="Its name: the node type of Ray's cluster file, or the label `swarm/pool` of "
        "its nodes.",
    )
    slots: int = Field(2, ge=1, le=1_000, description="Tasks at the same time, one CPU each.")
    memory_bytes: int = Field(0, ge=0, description="Memory of a worker that tasks may ask for.")
    gpu: float = Field(0.0, ge=0, le=64, description="GPUs of a worker.")
    price_usd_per_h: float = Field(ge=0, le=10_000, description="Price of a worker in USD an hour.")
    boot_s: int = Field(
        180, ge=0, le=3_600, description="Seconds from its order until it takes work."
    )
    market: Literal["spot", "on-demand"] = Field(
        "on-demand", description="What its label `ray.io/market-type` says; `spot` may be taken."
    )
    most: int | None = Field(
        None, ge=0, le=10_000, description="How many there may be at a time; none: any number."
    )


class Placement(Section):
    """How many workers there are to be, and what they may cost."""

    pool: Literal["off", "static", "ray"] = Field(
        "off",
        description="`ray` has Ray's autoscaler order nodes and return them, `static` plans for "
        "those that stand, `off` does not plan.",
    )
    offerings: tuple[OfferingRule, ...] = Field((), description="The kinds of workers there are.")
    most_workers: int = Field(
        10, ge=1, le=10_000, description="Workers at a time, those that swarm did not order too."
    )
    most_usd_per_h: float | None = Field(
        None, gt=0, le=1_000_000, description="USD an hour at most; none: no limit."
    )
    most_leaving: int | None = Field(
        None, ge=1, le=10_000, description="Workers that are drained at a time; none: any number."
    )
    late_usd: float = Field(
        100.0,
        gt=0,
        le=1_000_000,
        description="USD it costs to miss an SLA of value 1, and again for each hour of delay.",
    )
    minute_usd: float = Field(
        0.1,
        ge=0,
        le=10_000,
        description="USD that it is worth if all with a deadline is done a minute sooner.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [one.name for one in self.offerings]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two offerings are called `{twice[0]}`; each needs a name of its own")
        if self.pool == "ray" and not names:
            raise ValueError("`pool: ray` needs `offerings`: the node types of the cluster file")
        return self


class PoolPrices(Section):
    """What the nodes of a pool are, and what an hour of one costs."""

    type: str = Field("", description="Instance type, `m5.2xlarge`.")
    region: str = Field("", description="AWS region, `us-east-1`.")
    zone: str = Field("", description="Its zone, for spot prices; empty: the mean of the region's.")
    usd_per_h: float | None = Field(
        None, ge=0, le=10_000, description="On demand, in USD; by default as the table that ships."
    )
    spot_usd_per_h: float | None = Field(
        None, ge=0, le=10_000, description="On spot, in USD; by default as AWS's market asked."
    )


class Agents(Section):
    """Agents of one class that are to live on this machine."""

    path: str = Field(
        min_length=3, pattern=r"^[\w.]+:[\w.]+$", description="Their class, `package.module:Class`."
    )
    count: int = Field(1, ge=0, le=1000, description="How many.")
    memory_bytes: int = Field(0, ge=0, description="Memory of each; over it, it dies. 0: any.")
    cwd: str = Field("", description="Folder to import the class from.")
