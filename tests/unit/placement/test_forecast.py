"""What is scheduled, what comes besides, and when neither is to be believed."""

from random import Random

import pytest

from swarm.placement.forecast import LEVELS, Booking, Forecaster, pinball, planned

QUARTER_S = 900.0


def test_a_booking_counts_where_it_runs() -> None:
    found = planned([Booking(600.0, 2, 900.0)], 4, QUARTER_S)
    assert found == [600.0, 1_200.0, 0.0, 0.0]


def test_what_lasts_past_the_day_counts_at_its_end() -> None:
    assert planned([Booking(900.0, 1, 3_000.0), Booking(5_000.0, 1, 10.0)], 2, QUARTER_S) == [
        0.0,
        3_010.0,
    ]


def told(days: int, rest: float = 0.0, kind: str = "weekday") -> Forecaster:
    forecaster = Forecaster()
    for day in range(days):
        forecaster.observe(day, kind, [100.0, 500.0], [100.0 + rest, 500.0 + rest])
    return forecaster


def test_nothing_is_foretold_from_two_days_or_other_days() -> None:
    assert told(2).ahead(2, "weekday", [100.0, 500.0]) is None
    assert told(9).ahead(9, "Sunday", [100.0, 500.0]) is None


def test_what_comes_besides_is_added_to_tomorrows_own_schedule() -> None:
    ahead = told(5, rest=40.0).ahead(5, "weekday", [300.0, 0.0])
    assert ahead is not None
    assert ahead.at(0.5) == [340.0, 40.0]


def test_no_quantile_is_less_than_nothing() -> None:
    ahead = told(5, rest=-90.0).ahead(5, "weekday", [10.0, 500.0])
    assert ahead is not None
    assert ahead.at(0.5) == [0.0, 410.0]


def test_the_day_itself_and_later_ones_are_not_looked_at() -> None:
    forecaster = told(5)
    forecaster.observe(6, "weekday", [100.0, 500.0], [9_000.0, 9_000.0])
    ahead = forecaster.ahead(5, "weekday", [100.0, 500.0])
    assert ahead is not None
    assert ahead.at(LEVELS[-1]) == [100.0, 500.0]


def test_recent_days_count_more() -> None:
    forecaster = Forecaster()
    for day in range(60):
        forecaster.observe(day, "weekday", [0.0], [10.0 if day < 40 else 50.0])
    ahead = forecaster.ahead(60, "weekday", [0.0])
    assert ahead is not None
    assert ahead.at(0.5) == [50.0]


def noisy(days: int, random: Random, grows: float = 0.0) -> Forecaster:
    forecaster = Forecaster()
    for day in range(days):
        plan = [1_000.0] * 96
        came = [1_000.0 + grows * day + random.gauss(0, 100) for _ in plan]
        forecaster.observe(day, "weekday", plan, came)
    return forecaster


def test_it_is_trusted_while_nine_of_ten_quarters_are_covered() -> None:
    forecaster = noisy(40, Random(1))
    assert forecaster.coverage(40) == pytest.approx(0.9, abs=0.04)
    ahead = forecaster.ahead(40, "weekday", [1_000.0] * 96)
    assert ahead is not None
    assert ahead.trusted


def test_it_is_not_trusted_where_each_day_is_larger_than_all_before() -> None:
    forecaster = noisy(40, Random(1), grows=60.0)
    assert forecaster.coverage(40) < 0.8
    assert not forecaster.trusted(40)


def test_nor_where_it_says_too_much() -> None:
    forecaster = noisy(40, Random(1), grows=-60.0)
    assert forecaster.coverage(40) > 0.97
    assert not forecaster.trusted(40)


def test_nor_before_it_was_ever_scored() -> None:
    assert not told(3).trusted(3)
    assert told(3).loss is None


def test_too_low_costs_nine_times_as_much_as_too_high() -> None:
    assert pinball([110.0], [100.0], 0.9) == pytest.approx(9.0)
    assert pinball([90.0], [100.0], 0.9) == pytest.approx(1.0)
