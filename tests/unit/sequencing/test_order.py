"""Did the reader begin after its writer was done? Days of made-up runs, hour by hour."""

import pytest

from swarm.model.runs import Ran
from swarm.sequencing.order import Order, order

DAY_S, MIN_S = 86_400.0, 60.0
FIRST_S = 5 * DAY_S + 5 * 3_600.0  # a morning, five o'clock


def nights(count: int, **late_min: float) -> list[Ran]:
    """A writer that takes half an hour every morning at five; `day3=90`: 90 minutes late then."""
    return [
        Ran(None, FIRST_S + day * DAY_S, FIRST_S + day * DAY_S + took_s, failed=False)
        for day in range(count)
        for took_s in [MIN_S * (30 + late_min.get(f"day{day}", 0.0))]
    ]


def mornings(count: int, hour: float = 6.0) -> list[float]:
    return [day * DAY_S + FIRST_S + (hour - 5.0) * 3_600.0 for day in range(count)]


def found(writer: list[Ran], starts: list[float], every_s: float = DAY_S) -> Order:
    order_ = order(writer, starts, every_s)
    assert order_ is not None
    return order_


def test_who_always_waited_long_enough_read_nothing_stale() -> None:
    kept = found(nights(30), mornings(30))
    assert kept == Order(runs=30, stale=(), chance=0.0, slack_s=(1_800.0, 1_800.0))


def test_a_run_before_the_late_writer_was_done_is_stale() -> None:
    starts = mornings(30)
    late = found(nights(30, day3=90.0, day17=31.0), starts)
    assert late.stale == (starts[3], starts[17])
    assert late.runs == 30
    assert late.chance == pytest.approx(2 / 30)


def test_a_run_that_only_just_waited_long_enough_is_not_stale() -> None:
    assert found(nights(30, day3=29.0), mornings(30)).stale == ()


@pytest.mark.parametrize("failed", [True, False])
def test_a_writer_that_failed_or_did_not_come_leaves_a_stale_read(failed: bool) -> None:
    runs = nights(30)
    day = runs.pop(20)
    if failed:
        runs.insert(20, day._replace(failed=True))
    starts = mornings(30)
    assert found(runs, starts).stale == (starts[20],)


def test_a_writer_that_rests_at_weekends_is_not_missed_then() -> None:
    runs = [ran for day, ran in enumerate(nights(28)) if day % 7 not in (5, 6)]
    assert found(runs, mornings(28)).stale == ()


def test_a_run_is_not_missed_before_a_week_shows_that_it_was_due() -> None:
    runs = nights(12)
    del runs[6]
    assert found(runs, mornings(12)).stale == ()


def test_the_run_under_way_is_stale_while_its_writer_has_not_come() -> None:
    starts = mornings(21)
    assert found(nights(20), starts).stale == (starts[20],)


def test_a_reader_that_begins_before_its_writer_is_meant_to_read_the_day_before() -> None:
    assert order(nights(30), mornings(30, hour=4.0), DAY_S) is None


def test_a_reader_that_begins_while_its_writer_runs_never_reads_what_is_new() -> None:
    starts = mornings(30, hour=5.25)
    assert found(nights(30), starts).stale == tuple(starts[1:])


def test_half_a_day_apart_there_is_no_habit_of_who_is_first() -> None:
    assert order(nights(30), mornings(30, hour=17.0), DAY_S) is None


def test_few_runs_show_no_habit() -> None:
    assert order(nights(30), mornings(4), DAY_S) is None


def test_the_chance_pairs_durations_and_gaps_of_different_days() -> None:
    """The writer's longest run and the reader's earliest start were never on one day, so nothing
    was stale; they will meet on one day in a hundred."""
    runs = nights(10, day2=40.0)
    starts = mornings(10)
    starts[2] += 30 * MIN_S  # by luck, on the day of the long run
    kept = found(runs, starts)
    assert kept.stale == ()
    assert kept.chance == pytest.approx(9 / 100)
