"""Starts by a clock, also on the days on which it is changed (2026: 29 March and 25 October)."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from swarm.model.pipelines import Cron
from swarm.sequencing.crons import closest_s, cron, cron_by_next, next_of, times_of

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


def there(*parts: int) -> float:
    return datetime(*parts, tzinfo=BERLIN).timestamp()  # type: ignore[arg-type, misc]


def utc(text: str) -> float:
    return datetime.fromisoformat(text + "+00:00").timestamp()


def after(text: str, at_s: float, count: int, zone: str = "Europe/Berlin") -> list[float]:
    made = cron(text, zone)
    assert made is not None
    found: list[float] = []
    while len(found) < count:
        next_s = next_of([made], found[-1] if found else at_s)
        assert next_s is not None
        found.append(next_s)
    return found


def test_six_in_the_morning_is_another_hour_of_utc_once_the_clock_was_changed() -> None:
    starts = after("0 6 * * *", there(2026, 3, 27, 12), 3)
    assert starts == [utc("2026-03-28T05:00"), utc("2026-03-29T04:00"), utc("2026-03-30T04:00")]
    starts = after("0 6 * * *", there(2026, 10, 23, 12), 3)
    assert starts == [utc("2026-10-24T04:00"), utc("2026-10-25T05:00"), utc("2026-10-26T05:00")]


def test_an_hour_that_is_left_out_is_the_moment_of_the_change() -> None:
    starts = after("30 2 * * *", there(2026, 3, 28, 12), 2)
    assert starts == [utc("2026-03-29T01:00"), utc("2026-03-30T00:30")]


def test_an_hour_that_comes_twice_counts_once_and_the_first_time() -> None:
    starts = after("30 2 * * *", there(2026, 10, 24, 12), 2)
    assert starts == [utc("2026-10-25T00:30"), utc("2026-10-26T01:30")]
    within = utc("2026-10-25T01:10")  # ten past two for the second time
    assert after("30 2 * * *", within, 1) == [utc("2026-10-26T01:30")]


def test_every_hour_is_every_hour_of_such_days() -> None:
    assert after("0 * * * *", there(2026, 10, 25), 25)[-1] == there(2026, 10, 26)
    assert after("0 * * * *", there(2026, 3, 29), 23)[-1] == there(2026, 3, 30)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("@daily", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
        ("  0   6 * * mon-fri ", "0 6 * * mon-fri"),
        ("15 4 1 */3 *", "15 4 1 */3 *"),
    ],
)
def test_nicknames_are_five_fields_as_well(text: str, fields: str) -> None:
    assert cron(text, "UTC") == Cron(fields, "UTC")


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("every day", "UTC"),
        ("Asset", "UTC"),
        ("1 day, 0:00:00", "UTC"),
        ("* * * * * 5", "UTC"),
        ("61 * * * *", "UTC"),
        ("0 0 30 2 *", "UTC"),
        ("", "UTC"),
        ("0 6 * * *", "Europe/Nowhere"),
        ("0 6 * * *", "../etc/passwd"),
        ("0 6 * * *", ""),
    ],
)
def test_what_is_no_cron_or_no_zone_is_none(text: str, zone: str) -> None:
    assert cron(text, zone) is None


def test_how_close_starts_come() -> None:
    crons = [Cron("0 6 * * *", "UTC"), Cron("30 7 * * 1-5", "UTC")]
    assert closest_s(crons, 0.0) == 90 * 60
    assert closest_s((), 0.0) is None


@pytest.mark.parametrize(
    ("text", "next_", "zone"),
    [
        ("0 6 * * *", "2026-03-28T05:00", "+01:00"),
        ("0 6 * * *", "2026-03-29T04:00", "+02:00"),  # told before the clock is changed
        ("0 6 * * *", "2026-03-29T06:00", "+00:00"),
        ("0 6 * * 1", "2026-03-30T00:30", "+05:30"),
        ("0 20 * * *", "2026-03-29T04:00", "-08:00"),
        ("30 * * * *", "2026-03-29T04:30", "+00:00"),
    ],
)
def test_a_zone_that_is_not_told_follows_from_the_next_start(
    text: str, next_: str, zone: str
) -> None:
    made = cron_by_next(text, utc(next_))
    assert made == Cron(text, zone)
    assert next_of([made], utc(next_) - 1) == utc(next_)


@pytest.mark.parametrize("text", ["0 6,9 * * *", "Asset"])
def test_where_several_zones_fit_none_is_taken(text: str) -> None:
    assert cron_by_next(text, utc("2026-03-31T04:00")) is None


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
        "0 7 * * 1#2,3",
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
