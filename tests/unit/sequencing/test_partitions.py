"""The stretches of time that runs are for."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from swarm.model.links import Grain
from swarm.sequencing.partitions import divides, inside, partition_of

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def label(text: str, grain: Grain, zone: str = BERLIN, **more: tuple[str, ...]) -> str:
    return partition_of(at(text, zone), grain, zone, **more).label


@pytest.mark.parametrize(
    ("moment", "grain", "found"),
    [
        ("2026-11-22T23:59:59", Grain.HOUR, "2026-11-22T23:00+01:00"),
        ("2026-11-22T23:59:59", Grain.DAY, "2026-11-22"),
        ("2026-11-23T00:00:00", Grain.DAY, "2026-11-23"),
        ("2026-11-20T12:00:00", Grain.BUSINESS_DAY, "2026-11-20"),  # a Friday
        ("2026-11-21T12:00:00", Grain.BUSINESS_DAY, "2026-11-23"),
        ("2026-11-23T12:00:00", Grain.BUSINESS_DAY, "2026-11-23"),
        ("2026-11-22T12:00:00", Grain.WEEK, "2026-W47"),
        ("2026-12-31T23:00:00", Grain.MONTH, "2026-12"),
        ("2027-01-01T12:00:00", Grain.WEEK, "2026-W53"),
    ],
)
def test_a_moment_lies_in_one_stretch_of_each_grain(moment: str, grain: Grain, found: str) -> None:
    assert label(moment, grain) == found


def test_the_place_decides_what_a_day_is() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC).timestamp()
    assert partition_of(late, Grain.DAY, "UTC").label == "2026-11-22"
    assert partition_of(late, Grain.DAY, BERLIN).label == "2026-11-23"
    assert partition_of(late, Grain.HOUR, "Asia/Kolkata").label == "2026-11-23T05:00+05:30"


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-22", 24)]
)
def test_a_day_on_which_the_clock_changes_has_its_own_number_of_hours(day: str, hours: int) -> None:
    whole = partition_of(at(f"{day}T12:00:00"), Grain.DAY, BERLIN)
    parts = list(inside(whole, Grain.HOUR, BERLIN))
    assert (len(parts), len({part.label for part in parts})) == (hours, hours)
    assert (parts[0].start_s, parts[-1].end_s) == (whole.start_s, whole.end_s)


def test_an_hour_that_comes_twice_is_two() -> None:
    first, second = (at("2026-10-25T02:30:00", fold=fold) for fold in (0, 1))
    labels = [partition_of(s, Grain.HOUR, BERLIN).label for s in (first, second)]
    assert labels == ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"]


def test_a_midnight_that_is_left_out_is_the_moment_of_the_change() -> None:
    zone = "America/Santiago"
    whole = partition_of(at("2026-09-06T12:00:00", zone), Grain.DAY, zone)
    before = partition_of(at("2026-09-05T12:00:00", zone), Grain.DAY, zone)
    assert whole.start_s == before.end_s
    assert (whole.end_s - whole.start_s) / 3600 == 23


def test_holidays_are_of_the_next_business_day() -> None:
    days = {"holidays": ("2026-12-25",)}  # a Friday
    assert label("2026-12-24T12:00:00", Grain.BUSINESS_DAY, **days) == "2026-12-24"
    assert label("2026-12-25T12:00:00", Grain.BUSINESS_DAY, **days) == "2026-12-28"
    monday = partition_of(at("2026-12-28T12:00:00"), Grain.BUSINESS_DAY, BERLIN, **days)
    assert [part.label for part in inside(monday, Grain.DAY, BERLIN)] == [
        "2026-12-25",
        "2026-12-26",
        "2026-12-27",
        "2026-12-28",
    ]


def test_a_week_has_five_business_days_and_a_month_the_weeks_that_end_in_it() -> None:
    week = partition_of(at("2026-11-18T12:00:00"), Grain.WEEK, BERLIN)
    days = [part.label[-2:] for part in inside(week, Grain.BUSINESS_DAY, BERLIN)]
    assert days == ["16", "17", "18", "19", "20"]
    month = partition_of(at("2026-11-18T12:00:00"), Grain.MONTH, BERLIN)
    weeks = [part.label for part in inside(month, Grain.WEEK, BERLIN)]
    assert weeks == ["2026-W44", "2026-W45", "2026-W46", "2026-W47", "2026-W48"]


@pytest.mark.parametrize("grain", [g for g in Grain if g is not Grain.RUN])
def test_stretches_follow_on_one_another_through_a_year(grain: Grain) -> None:
    at_s, end_s = at("2026-01-05T00:00:00"), at("2027-01-04T00:00:00")
    while at_s < end_s:
        part = partition_of(at_s, grain, BERLIN)
        assert part.start_s <= at_s < part.end_s
        assert partition_of(part.end_s - 1, grain, BERLIN) == part
        at_s = part.end_s


def test_what_may_be_made_of_what() -> None:
    assert divides(Grain.HOUR, Grain.DAY)
    assert divides(Grain.RUN, Grain.DAY)
    assert divides(Grain.RUN, Grain.RUN)
    assert not divides(Grain.DAY, Grain.HOUR)
    assert not divides(Grain.DAY, Grain.RUN)
