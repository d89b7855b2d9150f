"""Days as they went by, and what is to be planned for that nobody announced."""

from random import Random

import pytest

from swarm.model.learned import DayBooked, Foretold, Trust
from swarm.placement.days import QUARTER_S, QUARTERS, Days, rest_of_day
from swarm.placement.forecast import Booking

DAY_S = QUARTER_S * QUARTERS
MONDAY = 18_267  # 2020-01-06
T = MONDAY * DAY_S
WEEKDAYS = [MONDAY + week * 7 + day for week in range(3) for day in range(5)]
AFTER = MONDAY + 21


MOST = 1_000  # slots of a fleet


def look(days: Days, now_s: float, *known: Booking) -> None:
    days.look(rest_of_day(known, now_s), now_s)


def ahead(days: Days, now_s: float, *known: Booking, lives: int = 0, most: int = MOST) -> Foretold:
    """Within the hour."""
    return days.ahead(rest_of_day(known, now_s), lives, most, now_s, now_s + 3_600.0)


def booked(number: int, came: list[float]) -> DayBooked:
    return DayBooked(number, QUARTERS, QUARTERS - 1, (0.0,) * QUARTERS, tuple(came))


def noisy(random: Random, least: float = 3.0, most: float = 6.0) -> list[float]:
    """So many slots in each quarter, of nobody's plan."""
    return [random.uniform(least, most) * QUARTER_S for _ in range(QUARTERS)]


def lived(days: Days) -> Days:
    """Three weeks of days with three to six slots always taken by chance work."""
    random = Random(7)
    days.recall([booked(number, noisy(random)) for number in WEEKDAYS])
    look(days, AFTER * DAY_S)
    return days


def test_what_nearly_always_comes_has_room_when_it_comes() -> None:
    now_s = AFTER * DAY_S
    foretold = ahead(lived(Days()), now_s)
    assert foretold.trust is Trust.TRUSTED
    assert foretold.coverage is not None
    assert 0.8 <= foretold.coverage <= 0.97
    assert [at_s - now_s for at_s, _ in foretold.slots] == [900.0, 1_800.0, 2_700.0]
    assert {count for _, count in foretold.slots} <= {3, 4}


def test_what_is_known_to_come_is_not_planned_for_twice() -> None:
    """The plan of the past days had none of it, so the rest is what it was; on top of it stands
    what is known now, which is in the plan already."""
    now_s = AFTER * DAY_S
    days = lived(Days())
    alone = ahead(days, now_s)
    beside = ahead(days, now_s, Booking(now_s + 900.0, 4, 900.0))
    assert beside.slots == alone.slots


def test_on_days_of_another_kind_nothing_is_said() -> None:
    days, saturday_s = lived(Days()), (MONDAY + 26) * DAY_S
    look(days, saturday_s)
    foretold = ahead(days, saturday_s)
    assert (foretold.trust, foretold.slots) == (Trust.TOO_NEW, ())


def wrong(days: Days, last: float) -> Days:
    """A week like any, and then two in which from day to day twice (from 1 on) or half as much
    comes as on the day before."""
    random = Random(7)
    before, recent = WEEKDAYS[:5], WEEKDAYS[5:]
    days.recall([booked(one, noisy(random)) for one in before])
    for at, one in enumerate(recent):
        least, most = (last * 2**at,) * 2 if last >= 1 else (0.0, 1.0 / 2**at)
        days.recall([booked(one, noisy(random, least, most))])
    look(days, AFTER * DAY_S)
    return days


@pytest.mark.parametrize("last", [20.0, 0.5])
def test_without_trust_there_is_a_margin_whether_too_much_came_or_too_little(last: float) -> None:
    days, now_s = wrong(Days(), last), AFTER * DAY_S
    foretold = ahead(days, now_s, lives=19)
    assert foretold == Foretold(Trust.UNTRUSTED, foretold.coverage, ((now_s, 1),))
    assert foretold.coverage is not None
    assert (foretold.coverage < 0.8) is (last > 1)
    assert ahead(days, now_s, lives=9).slots == (), "less than a slot is none"


def test_before_it_was_scored_there_is_no_margin() -> None:
    days, now_s = Days(), AFTER * DAY_S
    days.recall([booked(one, noisy(Random(7))) for one in WEEKDAYS[-3:]])
    look(days, now_s)
    assert ahead(days, now_s, lives=1_000) == Foretold(Trust.UNTRUSTED)


def test_nothing_is_foretold_beyond_what_the_fleet_may_have() -> None:
    now_s = AFTER * DAY_S
    margin = ahead(wrong(Days(), 20.0), now_s, lives=1_000_000, most=40)
    assert margin.slots == ((now_s, 4),), "a tenth of the fleet, not of the queue"
    assert {count for _, count in ahead(lived(Days()), now_s, most=2).slots} == {2}


def test_a_day_that_was_hardly_watched_tells_nothing() -> None:
    days = Days()
    for number in WEEKDAYS:
        look(days, number * DAY_S + DAY_S / 2)
        days.came(number * DAY_S + DAY_S / 2, 4, 600.0)
    look(days, AFTER * DAY_S)
    assert ahead(days, AFTER * DAY_S).trust is Trust.TOO_NEW


def test_work_counts_for_when_it_was_handed_in_and_as_long_as_it_took() -> None:
    days = Days()
    look(days, T, Booking(T + 60.0, 2, 300.0))
    days.came(T + 600.0, 2, 600.0)
    (today,) = days.open()
    assert today.came[:3] == (600.0, 600.0, 0.0)
    assert today.planned[:2] == (600.0, 0.0)


def test_the_plan_of_a_quarter_is_what_was_known_when_it_began() -> None:
    days = Days()
    look(days, T)
    look(days, T + 60.0, Booking(T + 60.0, 2, 300.0))
    assert days.open()[0].planned[0] == 0.0


def test_what_is_kept_is_recalled_and_told_twice_it_changes_nothing() -> None:
    days, now_s = lived(Days()), AFTER * DAY_S
    days.came(now_s, 1, 60.0)
    other = Days()
    for _ in range(2):
        other.recall(days.kept())
    look(other, now_s + 1.0)
    assert ahead(other, now_s + 1.0) == ahead(days, now_s + 1.0)
    days.recall(days.kept())
    assert days.kept() == other.kept()
