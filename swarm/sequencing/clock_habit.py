"""By what time of day a pipeline is done, by the clock of a place.

Rules
1. Only what runs once a day or less often has a time of day: its runs come 20 hours apart or more.
2. A day begins six hours before the pipeline usually does, so that what runs through midnight is in
   one piece. Its end is that of the first run that ended well: a later one (by hand, a repair)
   makes again what was there. A day on which none ended well tells nothing.
3. Its days of the week are those on which it ended well three times out of four, about as late as
   on the others. The newest `DAYS_MOST` days on them count, of the last `LOOK_BACK_DAYS`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import atan2, cos, pi, sin
from statistics import median
from zoneinfo import ZoneInfo

from swarm.model.runs import Ran
from swarm.model.weekdays import DAY_S
from swarm.sequencing.history import cadence_s

LOOK_BACK_DAYS, DAYS_MOST = 90, 40
ONCE_A_DAY_S = 20 * 3_600.0
_EARLY_S = 6 * 3_600.0
# A weekday belongs to the habit from so many of its days on, and so close to the others.
_SHARE, _NEAR_S = 0.75, 3_600.0
# What has not ended well for longer has lost the habit.
_QUIET_DAYS = 8


@dataclass(frozen=True, slots=True)
class Habit:
    """When its good days ended, the oldest first, in seconds after the midnight of `timezone` with
    which the day began: over 86,400 where it runs through the next. `weekdays` (0: Monday) are
    those of the days' beginnings."""

    timezone: str
    ends_s: tuple[float, ...]
    weekdays: tuple[int, ...]


def habit_of(ended: Sequence[Ran], timezone: str, now_s: float) -> Habit | None:
    """What the ended runs of a pipeline, the oldest first, tell; None where that is no habit."""
    zone = ZoneInfo(timezone)
    recent = [ran for ran in ended if ran.started_at_s >= now_s - LOOK_BACK_DAYS * DAY_S]
    if not is_daily(recent):
        return None
    cut_s = usually_at_s(recent, zone) - _EARLY_S
    ends = _ends(recent, zone, cut_s)
    today = datetime.fromtimestamp(now_s, zone).date()
    if not ends or (today - max(ends)).days > _QUIET_DAYS:
        return None
    weekdays = _weekdays(ends)
    newest = [ends[day] for day in sorted(ends) if day.weekday() in weekdays][-DAYS_MOST:]
    return Habit(timezone, tuple(newest), weekdays)


def is_daily(ended: Sequence[Ran]) -> bool:
    """Do its runs come a day apart, or more?"""
    every_s = cadence_s([ran.started_at_s for ran in ended])
    return every_s is not None and every_s >= ONCE_A_DAY_S


def usually_at_s(ended: Iterable[Ran], zone: ZoneInfo) -> float:
    """The time of day at which runs begin, in seconds after midnight: the mean direction of the
    clock's hand, to which midnight is a time as any other."""
    turns = [2 * pi * _clock_s(ran.started_at_s, zone) / DAY_S for ran in ended]
    angle = atan2(sum(map(sin, turns)), sum(map(cos, turns)))
    return angle / (2 * pi) * DAY_S % DAY_S


def _ends(ended: Iterable[Ran], zone: ZoneInfo, cut_s: float) -> dict[date, float]:
    """When each day was done first."""
    ends: dict[date, float] = {}
    for ran in ended:
        if ran.failed:
            continue
        began = datetime.fromtimestamp(ran.started_at_s, zone)
        day = (began - timedelta(seconds=cut_s)).date()
        over = datetime.fromtimestamp(ran.ended_at_s, zone).date() - day
        end_s = over.days * DAY_S + _clock_s(ran.ended_at_s, zone)
        ends[day] = min(end_s, ends.get(day, end_s))
    return ends


def _weekdays(ends: Mapping[date, float]) -> tuple[int, ...]:
    first, last = min(ends), max(ends)
    usual_s = median(ends.values())
    passed = [(first + timedelta(days=n)).weekday() for n in range((last - first).days + 1)]
    found = []
    for weekday in range(7):
        own = [end_s for day, end_s in ends.items() if day.weekday() == weekday]
        often = len(own) >= _SHARE * passed.count(weekday)
        if own and often and abs(median(own) - usual_s) <= _NEAR_S:
            found.append(weekday)
    return tuple(found)


def _clock_s(at_s: float, zone: ZoneInfo) -> float:
    there = datetime.fromtimestamp(at_s, zone)
    return there.hour * 3_600.0 + there.minute * 60.0 + there.second + there.microsecond / 1e6
