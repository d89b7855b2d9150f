"""The times of day and the days that a cron text names."""

import pytest

from swarm.connectors.cron_days import times_of

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("cron", "hours", "days"),
    [
        ("30 7 * * 1-5", [7.5], (0, 1, 2, 3, 4)),
        ("0 6 * * *", [6.0], EVERY_DAY),
        ("15 6,18 * * MON,wed", [6.25, 18.25], (0, 2)),
        ("0 */8 * * *", [0.0, 8.0, 16.0], EVERY_DAY),
        ("0 9-10 * * 7", [9.0, 10.0], (6,)),
        ("0 6 * * 0", [6.0], (6,)),
        ("@daily", [0.0], EVERY_DAY),
        ("@weekly", [0.0], (6,)),
    ],
)
def test_a_time_of_day_on_days_of_the_week(
    cron: str, hours: list[float], days: tuple[int, ...]
) -> None:
    assert times_of(cron) == (tuple(hour * 3_600 for hour in hours), days)


@pytest.mark.parametrize(
    "cron",
    [
        "0 7 1 * *",  # the first of the month
        "0 7 * 1 *",
        "0 * * * *",
        "*/5 6 * * *",
        "0 7 * * 1#2",
        "0 7 * * fri-mon",
        "0 25 * * *",
        "0 7 * *",
        "0 7 * * * *",
        "0 7-3 * * *",
        "1/0 7 * * *",
        "Asset",
        "",
    ],
)
def test_what_names_no_such_times_is_told(cron: str) -> None:
    assert times_of(cron) is None
