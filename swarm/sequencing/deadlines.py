"""The deadlines of an SLA, in the time of its place."""

from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from swarm.model.sla import Sla

_DAYS = 8  # a week and a day reach the next deadline from anywhere


def next_deadline_s(sla: Sla, after_s: float) -> float | None:
    """The first deadline later than `after_s`, seconds since the epoch; None where it has no days.

    A time that a change of the clock leaves out is as long after midnight as it says; of one that
    comes twice, the first counts.
    """
    zone = _zone(sla.timezone)
    today = datetime.fromtimestamp(after_s, zone).date()
    for ahead in range(_DAYS + 1):
        day = today + timedelta(days=ahead)
        if day.weekday() in sla.days:
            at_s = (datetime.combine(day, time.min, zone) + timedelta(seconds=sla.by_s)).timestamp()
            if at_s > after_s:
                return at_s
    return None


@lru_cache(256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
