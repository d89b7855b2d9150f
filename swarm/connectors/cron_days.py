"""The times of day that a cron text names, for deadlines that repeat by the day of the week.

Five fields, their order and names as crontab(5) has them. What depends on the day of the month or
on the month has no such times, nor has what comes round more often than `MOST` times a day.
"""

from collections.abc import Sequence

MOST = 4
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMED = {"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0"}


def times_of(cron: str) -> tuple[tuple[float, ...], tuple[int, ...]] | None:
    """Seconds after midnight, and days of the week (0: Monday); None for any other cron text."""
    fields = _NAMED.get(cron.strip(), cron).split()
    if len(fields) != 5 or fields[2:4] != ["*", "*"]:
        return None
    try:
        minutes = _values(fields[0], 0, 59)
        hours = _values(fields[1], 0, 23)
        days = _values(fields[4].lower(), 0, 7, _DAYS)
    except ValueError:
        return None
    if len(minutes) * len(hours) > MOST:
        return None
    times = tuple(hour * 3_600.0 + minute * 60.0 for hour in hours for minute in minutes)
    return times, tuple(sorted({(day - 1) % 7 for day in days}))


def _values(field: str, least: int, most: int, names: Sequence[str] = ()) -> list[int]:
    """Those of a field; raises `ValueError` where it has another form."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            low, high = least, most
        else:
            low = _number(first, names)
            high = _number(last, names) if last else (most if step else low)
        if not least <= low <= high <= most:
            raise ValueError(field)
        found |= set(range(low, high + 1, int(step) if step else 1))
    return sorted(found)


def _number(text: str, names: Sequence[str]) -> int:
    return names.index(text) if text in names else int(text)
