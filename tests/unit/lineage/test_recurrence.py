"""Does an access that was seen on some days still happen?"""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.lineage.recurrence import (
    ONE_OFF,
    STEP,
    WINDOW,
    Days,
    alive,
    days_of,
    never,
    with_sightings,
)
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Evidence

DAY_S = 86_400.0


def days(*numbers: int) -> Days:
    found = [Days(number, 1) for number in numbers]
    first, *rest = found
    for one in rest:
        first = first | one
    return first


def seen(at_s: float) -> Evidence:
    task, dataset = TaskKey("o", "p", "t"), DatasetKey("pg://w", "s.t")
    return Evidence(task, Access.READ, dataset, Channel.SQL_RUN, at_s, "f:1")


def test_what_the_last_look_showed_still_happens() -> None:
    assert alive(days(1, 5, 9), days(*range(1, 10))) == 1.0


def test_a_task_seen_for_the_first_time_did_what_it_does() -> None:
    assert alive(days(7), days(7)) == 1.0


def test_a_first_sighting_after_looks_without_it_may_be_a_one_off() -> None:
    assert alive(days(9), days(*range(1, 10))) == pytest.approx(1 - ONE_OFF, abs=0.06)


@pytest.mark.parametrize(("every", "half_after"), [(1, (1, 3)), (3, (4, 14)), (7, (9, 28))])
def test_the_rhythm_of_an_access_is_its_half_life(every: int, half_after: tuple[int, int]) -> None:
    sightings = days(*range(0, 29, every))
    last = sightings.newest
    silent = next(n for n in range(1, WINDOW) if alive(sightings, days(*range(last + n + 1))) < 0.5)
    assert half_after[0] <= silent <= half_after[1]


@given(
    st.sets(st.integers(0, 80), min_size=1),
    st.sets(st.integers(0, 80)),
    st.integers(1, 10),
)
def test_silence_never_makes_it_likelier(sights: set[int], looks: set[int], more: int) -> None:
    found = alive(days(*sights), days(*sights, *looks))
    assert 0 < found <= 1
    newest = max(sights | looks)
    later = alive(days(*sights), days(*sights, *looks, *range(newest + 1, newest + 1 + more)))
    assert later <= found


@given(st.lists(st.floats(0, 100 * DAY_S), min_size=1, max_size=8), st.randoms())
def test_sightings_join_in_any_order_and_twice(times: list[float], dice: object) -> None:
    def joined(order: list[float]) -> Evidence:
        first, *rest = map(seen, order)
        for one in rest:
            first = with_sightings(first, one)
        return first

    shuffled = times + times[:2]
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert joined(times) == joined(shuffled)
    assert joined(times).observed_at_s == max(times)
    assert days_of(joined(times)).count == len(
        {int(t // DAY_S) for t in times if int(t // DAY_S) > int(max(times) // DAY_S) - WINDOW}
    )


def test_a_day_far_back_costs_nothing() -> None:
    assert (Days(10**15, 1) | Days(0, 1)) == Days(10**15, 1)


def test_looks_without_an_access_are_news_by_doublings() -> None:
    """Each day a little less likely would be a record a day for every edge of the task."""
    told = [never(looks) for looks in range(1, WINDOW + 1)]
    assert len(set(told)) == 6
    assert told == sorted(told, reverse=True)
    assert 0.1 < told[0] < 0.3
    assert told[29] < 0.02


def test_each_day_of_silence_moves_by_steps_or_not_at_all() -> None:
    """What moved a little would be a record a day for every edge of the task."""
    sightings = days(*range(0, 29, 7))
    silence = [alive(sightings, days(*range(29 + more))) for more in range(1, WINDOW)]
    steps = [log(still / (1 - still)) / STEP for still in silence]
    assert steps == pytest.approx([round(step) for step in steps])
    assert len(set(silence)) < len(silence) / 2
