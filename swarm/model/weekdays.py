"""Which days are alike."""

from datetime import UTC, datetime
from enum import Enum

DAY_S = 86_400.0


def weekday(at_s: float) -> int:
    """On which day of a week of UTC (0: Monday) a time lies, in seconds since the epoch."""
    return (int(at_s // DAY_S) + 3) % 7  # the first day of the epoch was a Thursday


def is_weekend(at_s: float) -> bool:
    """Does a time, in seconds since the epoch, lie on a Saturday or Sunday of UTC?"""
    return weekday(at_s) >= 5


class MonthEnd(Enum):
    """The working day on which a month of UTC ends, or the next one begins."""

    LAST = "last"
    FIRST = "first"


def month_end(at_s: float) -> MonthEnd | None:
    """Which of both a time, in seconds since the epoch, lies on; None: on neither."""
    if is_weekend(at_s):
        return None
    month = _month(at_s)
    if _month(at_s + (3 if is_weekend(at_s + DAY_S) else 1) * DAY_S) != month:
        return MonthEnd.LAST
    if _month(at_s - (3 if is_weekend(at_s - DAY_S) else 1) * DAY_S) != month:
        return MonthEnd.FIRST
    return None


def _month(at_s: float) -> int:
    return datetime.fromtimestamp(at_s, UTC).month
