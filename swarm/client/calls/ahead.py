"""How long things take, what is to come, and what would have been."""

from typing import Any, TypedDict

from swarm.client.call import Call, get, post


class Duration(TypedDict):
    """How long the good runs of a pipeline took."""

    pipeline: str
    runs: int
    p50_s: float
    p90_s: float


class Spread(TypedDict):
    """What half of all are below, and nine of ten; seconds."""

    p50_s: float
    p90_s: float


class OddDay(TypedDict):
    """A kind of day on which a pipeline takes longer or shorter, or fails more often, than on
    others: a weekday, or the `last` or `first` working day of a month."""

    kind: str
    days: int
    runs: int
    failed: int
    took: Spread | None


class TaskProfile(TypedDict):
    """How long the good tries of a task took, how many of those that ended did badly, in how many
    runs there was more than one, and how long after the start of their runs they began."""

    task: str
    runs: int
    tries: int
    failed: int
    failure_rate: float
    retried: int
    took: Spread | None
    after: Spread | None


class Profile(TypedDict):
    """What the runs of a pipeline tell that are kept; None where they do not. `apart` made good for
    another time and count nowhere."""

    pipeline: str
    runs: int
    failed: int
    failure_rate: float | None
    apart: int
    from_s: float | None
    until_s: float | None
    every_s: float | None
    took: Spread | None
    late: Spread | None
    begins: Spread | None
    odd_days: list[OddDay]
    tasks: list[TaskProfile]


class Ends(TypedDict):
    """When a pipeline is done; None: never."""

    p50_s: float | None
    p90_s: float | None


class Ahead(Ends):
    """When a pipeline is done on a day that is not over."""

    pipeline: str


class PipelineOutlook(TypedDict):
    """A pipeline without (None: it is new) and with the change."""

    pipeline: str
    before: Ends | None
    after: Ends
    later_share: float
    moved_s: float | None


class SlaOutlook(TypedDict):
    """The probability that an SLA is missed, without and with the change; None: not known."""

    name: str
    pipeline: str
    deadline_s: float
    before: float | None
    after: float | None


class Outlook(TypedDict):
    """The day ahead, as it usually goes and with the change; most moved first."""

    begins_s: float
    days: int
    draws: int
    slots: dict[str, int]
    slas: list[SlaOutlook]
    pipelines: list[PipelineOutlook]
    unknown: list[str]


class Measure(TypedDict):
    """A sum without and with swarm, and what is saved, with its 95 % interval."""

    without: float
    within: float
    saved: float
    low: float
    high: float


class HazardCost(TypedDict):
    """What the unkept order of a writer and a reader has cost."""

    writer: str
    reader: str
    sure: bool
    stale: int
    failed: int
    prevented: int
    old_data_min: float
    slot_h: float
    usd: float | None


class SlaKept(TypedDict):
    """On how many days an SLA was due, and how often it was missed."""

    name: str
    pipeline: str
    days: int
    missed_without: int
    missed_within: int


class Savings(TypedDict):
    """The last days twice: as they were, and as they would have been with swarm."""

    from_s: float
    until_s: float
    days: int
    runs: int
    held: int
    held_median_min: float
    stale_reads: Measure
    failures: Measure
    sla_misses: Measure
    old_data_min: Measure
    slot_h: Measure
    usd: Measure | None
    hazards: list[HazardCost]
    slas: list[SlaKept]


def durations() -> Call[list[Duration]]:
    """How long the good runs of each pipeline took: `p50_s`, `p90_s`, of how many `runs`."""
    return get("durations")


def profile(name: str) -> Call[Profile]:
    """What the pipeline `name` usually does: how often it runs, how long, how late, how often it
    fails, on which days it is otherwise; and the same of its tasks."""
    return get("profile", name=name)


def ahead() -> Call[list[Ahead]]:
    """When each pipeline is yet to be done, today and on the next day: `p50_s`, `p90_s`."""
    return get("ahead")


def simulate(**changes: Any) -> Call[Outlook]:
    """The day ahead as it usually goes and with something changed: `late=[...]`, `slots={...}`,
    `losses=[...]`, `backfills=[...]`, `added=[...]` as the API's schema has them."""
    return post("simulate", changes, repeatable=True)


def replay(days: int = 30, price_usd_per_h: float | None = None) -> Call[Savings]:
    """The last days twice, without and with swarm: what would not have gone wrong."""
    return get("replay", days=days, price_usd_per_h=price_usd_per_h)
