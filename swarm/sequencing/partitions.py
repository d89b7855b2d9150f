"""The stretches of time that runs are for, in the time of a place.

A stretch is told by its two ends in seconds since the epoch, so a day on which the clock changes
has 23 or 25 hours. A midnight that a change of the clock leaves out is the moment of the change.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from swarm.model.links import Grain

_HOUR_S = 3600.0
_SATURDAY = 5
_ORDER = (Grain.RUN, Grain.HOUR, Grain.DAY, Grain.BUSINESS_DAY, Grain.WEEK, Grain.MONTH)


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """From `start_s` to before `end_s`. `label` is for people, and tells it from all of its
    grain."""

    start_s: float
    end_s: float
    label: str


def divides(every: Grain, per: Grain) -> bool:
    """Is each stretch of `per` made of whole ones of `every`? A week's end is no business day's,
    but those of a week lie within it."""
    return every is Grain.RUN or (per is not Grain.RUN and _ORDER.index(every) <= _ORDER.index(per))


def partition_of(
    at_s: float, grain: Grain, timezone: str, holidays: Collection[str] = ()
) -> Partition:
    """The stretch that a moment lies in."""
    zone = _zone(timezone)
    there = datetime.fromtimestamp(at_s, zone)
    match grain:
        case Grain.RUN:
            return Partition(at_s, at_s, datetime.fromtimestamp(at_s, UTC).isoformat())
        case Grain.HOUR:
            start_s = at_s - (there.minute * 60 + there.second + there.microsecond / 1e6)
            start = datetime.fromtimestamp(start_s, zone)
            return Partition(start_s, start_s + _HOUR_S, start.isoformat(timespec="minutes"))
        case Grain.DAY:
            return _days(there.date(), there.date(), zone)
        case Grain.BUSINESS_DAY:
            return _business_day(there.date(), zone, holidays)
        case Grain.WEEK:
            monday = there.date() - timedelta(days=there.weekday())
            year, week, _ = monday.isocalendar()
            return _days(monday, monday + timedelta(days=6), zone, f"{year}-W{week:02d}")
        case Grain.MONTH:
            first = there.date().replace(day=1)
            last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
            return _days(first, last, zone, f"{first:%Y-%m}")


def inside(
    whole: Partition, grain: Grain, timezone: str, holidays: Collection[str] = ()
) -> Iterator[Partition]:
    """The stretches of `grain` that end within `whole`, in order."""
    at_s = whole.start_s
    while at_s < whole.end_s:
        part = partition_of(at_s, grain, timezone, holidays)
        if part.end_s <= whole.end_s:
            yield part
        at_s = part.end_s


def _business_day(day: date, zone: ZoneInfo, holidays: Collection[str]) -> Partition:
    last = day
    while _is_off(last, holidays):
        last += timedelta(days=1)
    first = day
    while _is_off(first - timedelta(days=1), holidays):
        first -= timedelta(days=1)
    return _days(first, last, zone)


def _is_off(day: date, holidays: Collection[str]) -> bool:
    return day.weekday() >= _SATURDAY or day.isoformat() in holidays


def _days(first: date, last: date, zone: ZoneInfo, label: str = "") -> Partition:
    end = last + timedelta(days=1)
    return Partition(_midnight_s(first, zone), _midnight_s(end, zone), label or last.isoformat())


def _midnight_s(day: date, zone: ZoneInfo) -> float:
    return datetime.combine(day, time.min, zone).timestamp()


@lru_cache(256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
