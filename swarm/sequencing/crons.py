"""When does the clock of a place start something, by cron fields?

Rules
1. Five fields, or `@daily` and the like, as Debian's cron reads them (`cronsim`).
2. Where the clock is put forward, a time that is left out is the moment of the change; where it is
   put back, one that comes twice counts the first time. Some orchestrators start half an hour or
   an hour later then: who asks too early harms nobody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from swarm.model.pipelines import Cron
from swarm.model.weekdays import DAY_S

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS = 5
_MOST_TIMES = 4  # a day: what comes round more often is no time of day
_SAMPLE = 8  # starts that show how close together they come
_WEEK_S = 7 * DAY_S
_QUARTER_S = 900  # zones are whole quarters of an hour off UTC
_WEST, _EAST = -48, 57  # and so many of them at most


def cron(text: str, zone: str) -> Cron | None:
    """What `text` says by the clock of `zone`; None where nobody can be sure what it says."""
    fields = _NICKNAMES.get(text.strip().lower(), " ".join(text.split()))
    made = Cron(fields, zone)
    if len(fields.split()) != _FIELDS:
        return None
    try:
        return made if next(_starts(made, 0.0), None) is not None else None
    except (CronSimError, ValueError, KeyError, OSError):  # the last two: no such zone
        return None


@lru_cache(4_096)
def cron_by_next(text: str, next_s: float) -> Cron | None:
    """What `text` says where it is only told that `next_s` is one of its starts: the clock that
    fits now. None where none does, or several that differ."""
    as_utc = cron(text, "UTC")
    if as_utc is None:
        return None
    fitting: dict[tuple[float, ...], Cron] = {}
    for quarters in sorted(range(_WEST, _EAST), key=abs):
        if _is_start(as_utc, next_s + quarters * _QUARTER_S):
            made = replace(as_utc, timezone=_offset(quarters * _QUARTER_S))
            fitting.setdefault(tuple(islice(_starts(made, next_s), _SAMPLE)), made)
    return next(iter(fitting.values())) if len(fitting) == 1 else None


def times_of(text: str) -> tuple[tuple[float, ...], tuple[int, ...]] | None:
    """The times of day it names, in seconds after midnight, and the days of the week (0: Monday).
    None where nobody can be sure what it says, where that hangs on the day of the month or on the
    month, or where it names more than a few times a day."""
    one = cron(text, "UTC")
    if one is None or one.fields.split()[2:4] != ["*", "*"]:
        return None
    named = CronSim(one.fields, datetime.fromtimestamp(0.0, UTC))
    days = {(day - 1) % 7 for day in named.weekdays if isinstance(day, int)}
    times = tuple(
        hour * 3_600.0 + minute * 60.0
        for hour in sorted(named.hours)
        for minute in sorted(named.minutes)
    )
    of_month = any(not isinstance(day, int) for day in named.weekdays)  # the second Monday
    return None if of_month or len(times) > _MOST_TIMES else (times, tuple(sorted(days)))


def next_of(crons: Sequence[Cron], after_s: float) -> float | None:
    """The first start after a time."""
    firsts = (next(_starts(one, after_s), None) for one in crons)
    return min((first for first in firsts if first is not None), default=None)


def closest_s(crons: Sequence[Cron], at_s: float) -> float | None:
    """How close together starts come in the weeks around a time; None where there are none."""
    return _closest_s(tuple(crons), at_s // _WEEK_S * _WEEK_S)


@lru_cache(4_096)
def _closest_s(crons: tuple[Cron, ...], from_s: float) -> float | None:
    starts = sorted({at for one in crons for at in islice(_starts(one, from_s), _SAMPLE)})
    return min((after - before for before, after in pairwise(starts)), default=None)


def _starts(one: Cron, after_s: float) -> Iterator[float]:
    """All starts after a time, in order."""
    for at in CronSim(one.fields, datetime.fromtimestamp(after_s, _zone(one.timezone))):
        at_s = at.timestamp()
        if at_s > after_s:  # in an hour that comes twice the first one may be over
            yield at_s


def _is_start(one: Cron, at_s: float) -> bool:
    at = datetime.fromtimestamp(at_s, _zone(one.timezone))
    fields = CronSim(one.fields, at)
    is_time = at.minute in fields.minutes and at.hour in fields.hours and not at.second
    return is_time and at.month in fields.months and fields.match_day(at.date())


def _offset(seconds: int) -> str:
    sign, minutes = "-" if seconds < 0 else "+", abs(seconds) // 60
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"


@lru_cache(1_024)
def _zone(name: str) -> tzinfo:
    if name in ("UTC", "+00:00"):
        return UTC
    if name[:1] in ("+", "-"):
        hours, _, minutes = name[1:].partition(":")
        ahead = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(ahead if name[0] == "+" else -ahead)
    return ZoneInfo(name)
