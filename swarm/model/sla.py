"""By when a pipeline has to be done, and how that stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

from swarm.model.keys import PipelineKey

WEEK = (0, 1, 2, 3, 4, 5, 6)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def clock_s(at: str) -> float:
    """Seconds after midnight of a time of day that is written `HH:MM`."""
    hours, minutes = map(int, at.split(":"))
    return hours * 3600.0 + minutes * 60.0


def weekdays(days: Iterable[str]) -> tuple[int, ...]:
    """Days of the week (0: Monday) that are written by their first letters."""
    return tuple(_DAYS.index(day) for day in days)


@dataclass(frozen=True, slots=True)
class Sla:
    """`pipeline` is to be done at `by_s` seconds after midnight in `timezone` (an IANA name), on
    the `days` of the week (0: Monday) on which that time falls. `value`: how much that is worth
    beside other SLAs."""

    pipeline: PipelineKey
    by_s: float
    timezone: str = "UTC"
    days: tuple[int, ...] = WEEK
    value: float = 1.0

    @classmethod
    def told(
        cls, pipeline: str, by: str, timezone: str, days: Iterable[str], value: float = 1.0
    ) -> Self:
        """As people write it: `orchestrator/name`, `HH:MM`, and the first letters of days."""
        key = PipelineKey.told(pipeline)
        return cls(key, clock_s(by), timezone, weekdays(days), value)

    @property
    def at(self) -> str:
        """Its time of day as people write it."""
        hours, rest = divmod(int(self.by_s), 3600)
        return f"{hours:02}:{rest // 60:02}"

    @property
    def weekdays(self) -> tuple[str, ...]:
        """Its days as people write them."""
        return tuple(_DAYS[day] for day in self.days)

    @property
    def name(self) -> str:
        """Names it among all others."""
        return f"{self.pipeline} by {self.at} {self.timezone}"


class Origin(StrEnum):
    """Who says that an SLA is one."""

    SETTINGS = "settings"
    ACCEPTED = "accepted"  # a person
    STATED = "stated"  # the pipeline itself


@dataclass(frozen=True, slots=True)
class Terms:
    """What is promised, and of which pipelines somebody wants nothing to be offered."""

    slas: tuple[Sla, ...] = ()
    declined: frozenset[PipelineKey] = frozenset()


class Standing(StrEnum):
    """How an SLA stands for its next deadline, or the one that has just passed."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    MET = "met"
    MISSED = "missed"
    UNKNOWN = "unknown"  # too few runs to tell
    DROPPED = "dropped"  # nobody promises it any more


class Week(NamedTuple):
    """The deadlines of an SLA in the week that begins at `starts_s`: how many there were, were
    warned of, were missed, and both (`right`); of those, how long before the warning came."""

    starts_s: float
    deadlines: int
    warned: int
    right: int
    missed: int
    leads_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SlaState:
    """How an SLA stands. `chance` is the probability that it is missed, `expected_s` when the
    pipeline is done as likely as not (0: not known). `path` are the pipelines that decide that, the
    last one its own; `late` the first of them that is not where it usually is by now.

    `warned_at_s` is when it was first at risk of missing this deadline; `weeks` how its last
    deadlines ended, the oldest first, this one among them once it `is_judged`.
    """

    sla: Sla
    deadline_s: float
    standing: Standing
    chance: float = 0.0
    expected_s: float = 0.0
    path: tuple[PipelineKey, ...] = ()
    late: PipelineKey | None = None
    warned_at_s: float | None = None
    is_judged: bool = False
    weeks: tuple[Week, ...] = ()
    origin: Origin = Origin.SETTINGS

    def __str__(self) -> str:
        because = f", since {self.late} is late" if self.late else ""
        return f"{self.sla.name}: missed at {self.chance:.0%}{because}"
