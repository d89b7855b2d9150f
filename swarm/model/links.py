"""Links: a pipeline starts when what others make for a stretch of time is there."""

from dataclasses import dataclass
from enum import StrEnum

from swarm.model.keys import PipelineKey


class Grain(StrEnum):
    """Stretches of time that runs are for; of a link's time zone. `RUN`: each is for itself."""

    RUN = "run"
    HOUR = "hour"
    DAY = "day"
    BUSINESS_DAY = "business_day"  # with the other days since the one before
    WEEK = "week"  # from Monday on
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Link:
    """One run of `downstream` begins for each `per` for which all `upstreams` have succeeded: once
    for each `every` in it.

    A run is for the stretch that its planned time lies in, `shift_s` seconds later (earlier where
    that is negative); without a planned time its start counts. `holidays` (ISO dates) are no
    business days. `by` is who made it, `made_at_s` when: what was over before starts nothing.
    """

    upstreams: tuple[PipelineKey, ...]
    downstream: PipelineKey
    every: Grain = Grain.RUN
    per: Grain = Grain.RUN
    timezone: str = "UTC"
    shift_s: float = 0.0
    holidays: tuple[str, ...] = ()
    by: str = ""
    made_at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Awaited:
    """How a link stands: the newest stretch for which something is there and not all, and how many
    runs of whom it still waits for. `last` is the newest stretch that started a run. What is in a
    `ring` of links, from its downstream back to it, starts nothing."""

    link: Link
    label: str = ""
    missing: tuple[tuple[PipelineKey, int], ...] = ()
    last: str = ""
    ring: tuple[PipelineKey, ...] = ()
