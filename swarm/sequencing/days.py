"""A pipeline before a deadline: on the days before, and where it is now.

The days that are like today are working days for a working day, and weekends for a weekend; and on
the last or the first working day of a month the same day of other months, for a pipeline that takes
much longer or shorter then, or runs on no other day. On a day counts the last run that began in the
24 hours before the deadline's time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import log
from statistics import median, quantiles
from typing import NamedTuple

from swarm.model.keys import PipelineKey
from swarm.model.runs import Ran
from swarm.model.weekdays import DAY_S, is_weekend, month_end
from swarm.sequencing.history import History

LOOK_BACK_DAYS = 56
# Three ends of months, which show that they are other days if they take so many times as long.
_MONTHS_BACK_DAYS, _OTHER = 100, 1.5
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


class Days(dict[int, Past]):
    """The runs of earlier days, by how many days ago, and what follows from them alone. It stays
    as it was made: forecasts ask the same days again and again as today goes on."""

    @cached_property
    def took_s(self) -> list[float]:
        """How long they took, the shortest first."""
        return sorted(past.took_s for past in self.values())

    @cached_property
    def usual_s(self) -> float:
        """How long they usually took."""
        return median(self.took_s)

    @cached_property
    def began_s(self) -> list[float]:
        """When they began beside their deadlines, the earliest first."""
        return sorted(past.began_s for past in self.values())

    @cached_property
    def usually_began_s(self) -> float:
        return median(self.began_s)

    @cached_property
    def ends_s(self) -> dict[int, float]:
        """When each day's ended beside its deadline."""
        return {ago: past.ends_s for ago, past in self.items()}

    @cached_property
    def log_ratios(self) -> dict[int, float]:
        """How much longer than usual each day's took, as logarithms."""
        return {ago: self.log_ratio(past.took_s) for ago, past in self.items()}

    def log_ratio(self, took_s: float) -> float:
        return log(max(took_s, 1.0) / max(self.usual_s, 1.0))


@dataclass(frozen=True, slots=True)
class Today:
    """What a pipeline usually does before the deadline, by how many days ago, and what it has done.

    `done` are today's good runs, `begun_s` is when the one under way began. `failed_s` is when the
    last one ended, if all ended badly and none is under way.
    """

    days: Days
    done: tuple[Done, ...] = ()
    begun_s: float | None = None
    failed_s: float | None = None

    def is_late(self, deadline_s: float, now_s: float) -> bool:
        """Is it behind nine of ten days, or broken?"""
        if self.done or self.failed_s is not None:
            return not self.done
        if self.begun_s is not None:
            return now_s - self.begun_s > _ninth(self.days.took_s)
        return now_s - deadline_s > _ninth(self.days.began_s)


def today(history: History, pipeline: PipelineKey, deadline_s: float, now_s: float) -> Today | None:
    """None where its runs do not tell, or do not let expect one before this deadline."""
    ended = history.ended(pipeline)
    days = history.remember(pipeline, deadline_s, lambda: _days_like(ended, deadline_s))
    if not days:
        return None
    from_s = deadline_s + days.began_s[0] - EARLY_S
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
    ends_s = writer.days.ends_s
    after = [past.began_s >= ends_s[ago] for ago, past in reader.days.items() if ago in ends_s]
    return 2 * sum(after) > len(after)


def _days_like(ended: tuple[Ran, ...], deadline_s: float) -> Days:
    """The days that are like that of the deadline; none where they are too few."""
    usual = _usual_days(ended, deadline_s)
    end = month_end(deadline_s)
    if end is None:
        return usual
    ends = _days(ended, deadline_s, _MONTHS_BACK_DAYS, lambda then_s: month_end(then_s) is end)
    if len(ends) < DAYS_LEAST:
        return usual
    is_as_usual = usual and 1 / _OTHER < ends.usual_s / max(usual.usual_s, 1.0) < _OTHER
    return usual if is_as_usual else ends


def _usual_days(ended: tuple[Ran, ...], deadline_s: float) -> Days:
    is_off = is_weekend(deadline_s)
    days = _days(ended, deadline_s, LOOK_BACK_DAYS, lambda then_s: is_weekend(then_s) is is_off)
    if len(days) < DAYS_LEAST:
        return Days()
    oldest = (deadline_s - ended[0].started_at_s) / DAY_S
    weeks = range(7, int(min(oldest, LOOK_BACK_DAYS)) + 1, 7)
    if weeks and not any(week in days for week in weeks):
        return Days()  # never on this day of the week
    return days


def _days(
    ended: tuple[Ran, ...], deadline_s: float, back_days: int, is_like: Callable[[float], bool]
) -> Days:
    """Its good days of the last `back_days` whose deadlines are alike."""
    began = [ran.started_at_s for ran in ended]
    days = Days()
    for ago in range(1, back_days + 1):
        then_s = deadline_s - ago * DAY_S
        at = bisect_right(began, then_s) - 1
        if at < 0:
            break
        if not is_like(then_s) or began[at] <= then_s - DAY_S:
            continue
        if not ended[at].failed:
            days[ago] = Past(began[at] - then_s, ended[at].ended_at_s - began[at])
    return days


def _ninth(values: list[float]) -> float:
    """What nine of ten are below."""
    return quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else median(values)
