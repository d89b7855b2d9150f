"""A pipeline before a deadline: on the days before, and where it is now.

The days that are like today are working days for a working day, and weekends for a weekend. On a
day counts the last run that began in the 24 hours before the deadline's time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median, quantiles
from typing import NamedTuple

from swarm.model.keys import PipelineKey
from swarm.model.runs import Ran
from swarm.model.weekdays import DAY_S, is_weekend
from swarm.sequencing.history import History

LOOK_BACK_DAYS = 56
# So many days like today tell when a pipeline runs.
DAYS_LEAST = 3
# A run that begins so much before the earliest of all days is another one.
EARLY_S = 2 * 3_600.0


class Past(NamedTuple):
    """A run of an earlier day: when it began beside that day's deadline, and how long it took."""

    began_s: float
    took_s: float

    @property
    def ends_s(self) -> float:
        return self.began_s + self.took_s


class Done(NamedTuple):
    """A run of today that ended well."""

    began_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class Today:
    """What a pipeline usually does before the deadline, by how many days ago, and what it has done.

    `done` are today's good runs, `begun_s` is when the one under way began. `failed_s` is when the
    last one ended, if all ended badly and none is under way.
    """

    days: Mapping[int, Past]
    done: tuple[Done, ...] = ()
    begun_s: float | None = None
    failed_s: float | None = None

    def is_late(self, deadline_s: float, now_s: float) -> bool:
        """Is it behind nine of ten days, or broken?"""
        if self.done or self.failed_s is not None:
            return not self.done
        if self.begun_s is not None:
            return now_s - self.begun_s > _ninth([past.took_s for past in self.days.values()])
        return now_s - deadline_s > _ninth([past.began_s for past in self.days.values()])


def today(history: History, pipeline: PipelineKey, deadline_s: float, now_s: float) -> Today | None:
    """None where its runs do not tell, or do not let expect one before this deadline."""
    ended = history.ended(pipeline)
    days = history.remember(pipeline, deadline_s, lambda: _days(ended, deadline_s))
    if len(days) < DAYS_LEAST:
        return None
    oldest = (deadline_s - ended[0].started_at_s) / DAY_S
    weeks = range(7, int(min(oldest, LOOK_BACK_DAYS)) + 1, 7)
    if weeks and not any(week in days for week in weeks):
        return None  # never on this day of the week
    from_s = deadline_s + min(past.began_s for past in days.values()) - EARLY_S
    at = bisect_left(ended, from_s, key=lambda ran: ran.started_at_s)
    since = [ran for ran in ended[at:] if ran.ended_at_s <= now_s]
    done = tuple(Done(ran.started_at_s, ran.ended_at_s) for ran in since if not ran.failed)
    begun_s = history.live(pipeline)
    if begun_s is not None and begun_s < from_s:
        begun_s = None
    is_broken = bool(since) and not done and begun_s is None
    return Today(days, done, begun_s, max(r.ended_at_s for r in since) if is_broken else None)


def usually_after(reader: Today, writer: Today) -> bool:
    """Did the reader begin after the writer was done, on most of the days that both ran?"""
    both = reader.days.keys() & writer.days.keys()
    after = sum(reader.days[ago].began_s >= writer.days[ago].ends_s for ago in both)
    return 2 * after > len(both)


def _days(ended: tuple[Ran, ...], deadline_s: float) -> dict[int, Past]:
    began = [ran.started_at_s for ran in ended]
    days = {}
    for ago in range(1, LOOK_BACK_DAYS + 1):
        then_s = deadline_s - ago * DAY_S
        at = bisect_right(began, then_s) - 1
        if at < 0:
            break
        if is_weekend(then_s) is not is_weekend(deadline_s) or began[at] <= then_s - DAY_S:
            continue
        if not ended[at].failed:
            days[ago] = Past(began[at] - then_s, ended[at].ended_at_s - began[at])
    return days


def _ninth(values: list[float]) -> float:
    """What nine of ten are below."""
    return quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else median(values)
