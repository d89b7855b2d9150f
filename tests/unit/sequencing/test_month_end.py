"""A close that takes two hours on the last working day of a month, and half an hour on others."""

from datetime import UTC, datetime

import pytest

from swarm.model.keys import PipelineKey
from swarm.model.weekdays import DAY_S, MonthEnd, is_weekend, month_end
from swarm.sequencing.days import today
from swarm.sequencing.history import History
from tests.unit.sequencing.mornings import HOUR_S, MIN_S, ran

CLOSE = PipelineKey("dag", "close")
LONG_S, USUAL_S = 2 * HOUR_S, 30 * MIN_S
ALWAYS, ENDS, NEVER = "always", "month ends", "never"


def at_s(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("day", "found"),
    [
        ("2026-10-30", MonthEnd.LAST),  # a Friday, two days before its end
        ("2026-10-31", None),
        ("2026-11-01", None),
        ("2026-11-02", MonthEnd.FIRST),
        ("2026-11-03", None),
        ("2026-11-30", MonthEnd.LAST),
        ("2026-12-01", MonthEnd.FIRST),
        ("2026-12-31", MonthEnd.LAST),
        ("2027-01-01", MonthEnd.FIRST),
        ("2027-02-26", MonthEnd.LAST),
        ("2027-02-25", None),
    ],
)
def test_which_working_days_end_and_begin_a_month(day: str, found: MonthEnd | None) -> None:
    assert month_end(at_s(day)) is found
    assert month_end(at_s(day) + DAY_S - 1) is found


def closes(until: str, days: int, long: str = ENDS, runs: str = ALWAYS) -> History:
    """Each working day at five, for so many days before that one."""
    history = History()
    for ago in range(days, 0, -1):
        day_s = at_s(until) - ago * DAY_S
        is_end = month_end(day_s) is MonthEnd.LAST
        if not is_weekend(day_s) and (is_end or runs == ALWAYS):
            is_long = long == ALWAYS or (is_end and long == ENDS)
            took_s = LONG_S if is_long else USUAL_S
            history.see(ran(CLOSE, day_s + 5 * HOUR_S, took_s).run)
    return history


def took_s(history: History, day: str) -> set[float] | None:
    """How long it takes on that day, due at eight, asked at four."""
    stands = today(history, CLOSE, at_s(day) + 8 * HOUR_S, at_s(day) + 4 * HOUR_S)
    return None if stands is None else set(stands.days.took_s)


def test_at_the_end_of_a_month_the_ends_of_months_tell_how_long_it_takes() -> None:
    assert took_s(closes("2026-11-30", 95), "2026-11-30") == {LONG_S}


def test_on_any_other_day_all_days_do() -> None:
    assert took_s(closes("2026-12-02", 95), "2026-12-02") == {USUAL_S, LONG_S}


def test_where_the_ends_of_months_are_like_other_days_all_days_tell() -> None:
    history = closes("2026-11-30", 95, NEVER)
    stands = today(history, CLOSE, at_s("2026-11-30") + 8 * HOUR_S, at_s("2026-11-30"))
    assert stands is not None
    assert len(stands.days) > 30


def test_two_ends_of_months_tell_nothing() -> None:
    assert took_s(closes("2026-11-30", 62), "2026-11-30") == {USUAL_S, LONG_S}


def test_what_runs_at_the_end_of_a_month_alone_is_expected_then_and_on_no_other_day() -> None:
    history = closes("2026-11-30", 95, ALWAYS, ENDS)
    assert took_s(history, "2026-11-30") == {LONG_S}
    assert took_s(history, "2026-11-27") is None
