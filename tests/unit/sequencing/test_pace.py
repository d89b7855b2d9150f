"""How fast a day is for everybody."""

import pytest

from swarm.sequencing.days import Days, Done, Past, Today
from swarm.sequencing.pace import PIPELINES_LEAST, Pace, pace_of

SLOW_DAY = 5


def a_pipeline(number: int, today: float | None = None) -> Today:
    """Takes some minutes, half as long again five days ago, and `today` times as long today."""
    took_s = 600.0 + 60.0 * number
    wobble = 1.0 + 0.02 * (number % 3 - 1)
    days = {
        ago: Past(-3_600.0, took_s * wobble * (1.5 if ago == SLOW_DAY else 1.0))
        for ago in range(1, 21)
    }
    done = () if today is None else (Done(0.0, took_s * today),)
    return Today(Days(days), done)


def test_a_slow_day_is_known_among_others() -> None:
    pace = pace_of([a_pipeline(number) for number in range(12)])
    assert pace.days[SLOW_DAY] == pytest.approx(1.5, rel=0.02)
    assert pace.days[1] == pytest.approx(1.0, rel=0.02)


def likely(pace: Pace) -> float:
    paces, weights = pace.today
    return sum(one * weight for one, weight in zip(paces, weights, strict=True)) / sum(weights)


def test_before_anything_ran_today_may_be_like_any_day() -> None:
    assert likely(pace_of([a_pipeline(number) for number in range(12)])) == pytest.approx(
        1.025, rel=0.02
    )


def test_what_ran_today_tells_how_fast_it_is() -> None:
    slow = [a_pipeline(number, today=1.5 if number < 4 else None) for number in range(12)]
    assert likely(pace_of(slow)) == pytest.approx(1.5, rel=0.02)


def test_a_single_long_run_makes_no_slow_day() -> None:
    one = [a_pipeline(0, today=4.0), *(a_pipeline(n, today=1.0) for n in range(1, 12))]
    assert likely(pace_of(one)) == pytest.approx(1.0, rel=0.02)


def test_few_pipelines_do_not_tell() -> None:
    assert pace_of([a_pipeline(n, today=1.5) for n in range(PIPELINES_LEAST - 1)]) == Pace()
    assert pace_of([None] * 20) == Pace()
