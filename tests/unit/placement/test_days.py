"""Days as they went by, and what is to be planned for that nobody announced."""

from random import Random

import pytest

from swarm.model.learned import DayBooked, Trust
from swarm.placement.days import QUARTER_S, QUARTERS, Days
from swarm.placement.forecast import Booking

DAY_S = QUARTER_S * QUARTERS
MONDAY = 18_267  # 2020-01-06
T = MONDAY * DAY_S
WEEKDAYS = [MONDAY + week * 7 + day for week in range(3) for day in range(5)]
AFTER = MONDAY + 21


def booked(number: int, came: list[float]) -> DayBooked:
    return DayBooked(number, QUARTERS, QUARTERS - 1, (0.0,) * QUARTERS, tuple(came))


def noisy(random: Random, least: float = 3.0, most: float = 6.0) -> list[float]:
    """So many slots in each quarter, of nobody's plan."""
    return [random.uniform(least, most) * QUARTER_S for _ in range(QUARTERS)]


def lived(days: Days) -> Days:
    """Three weeks of days with three to six slots always taken by chance work."""
    random = Random(7)
    days.recall([booked(number, noisy(random)) for number in WEEKDAYS])
    days.look([], AFTER * DAY_S)
    return days


def test_what_nearly_always_comes_has_room_when_it_comes() -> None:
    now_s = AFTER * DAY_S
    foretold = lived(Days()).ahead([], 0, now_s, now_s + 3_600.0)
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
    alone = days.ahead([], 0, now_s, now_s + 3_600.0)
    beside = days.ahead([Booking(now_s + 900.0, 4, 900.0)], 0, now_s, now_s + 3_600.0)
    assert beside.slots == alone.slots


def test_on_days_of_another_kind_nothing_is_said() -> None:
    days, saturday_s = lived(Days()), (MONDAY + 26) * DAY_S
    days.look([], saturday_s)
    foretold = days.ahead([], 0, saturday_s, saturday_s + 3_600.0)
    assert (foretold.trust, foretold.slots) == (Trust.TOO_NEW, ())


@pytest.mark.parametrize(("last", "margin"), [(20.0, 1), (0.5, 0)])
def test_without_trust_there_is_a_margin_only_where_too_much_came(last: float, margin: int) -> None:
    random, days, now_s = Random(7), Days(), AFTER * DAY_S
    before, recent = WEEKDAYS[:5], WEEKDAYS[5:]
    days.recall([booked(one, noisy(random)) for one in before])
    worse = [noisy(random, last * 2**at, last * 2**at) for at in range(len(recent))]
    if last < 1:
        worse = [noisy(random, 0.0, 1.0 / 2**at) for at in range(len(recent))]
    days.recall([booked(one, came) for one, came in zip(recent, worse, strict=True)])
    days.look([], now_s)
    foretold = days.ahead([], 19, now_s, now_s + 3_600.0)
    assert foretold.trust is Trust.UNTRUSTED
    assert [count for _, count in foretold.slots] == [margin] * bool(margin)


def test_a_day_that_was_hardly_watched_tells_nothing() -> None:
    days = Days()
    for number in WEEKDAYS:
        days.look([], number * DAY_S + DAY_S / 2)
        days.came(number * DAY_S + DAY_S / 2, 4, 600.0)
    days.look([], AFTER * DAY_S)
    assert days.ahead([], 0, AFTER * DAY_S, AFTER * DAY_S + 3_600.0).trust is Trust.TOO_NEW


def test_work_counts_for_when_it_was_handed_in_and_as_long_as_it_took() -> None:
    days = Days()
    days.look([Booking(T + 60.0, 2, 300.0)], T)
    days.came(T + 600.0, 2, 600.0)
    (today,) = days.open()
    assert today.came[:3] == (600.0, 600.0, 0.0)
    assert today.planned[:2] == (600.0, 0.0)


def test_the_plan_of_a_quarter_is_what_was_known_when_it_began() -> None:
    days = Days()
    days.look([], T)
    days.look([Booking(T + 60.0, 2, 300.0)], T + 60.0)
    assert days.open()[0].planned[0] == 0.0


def test_what_is_kept_is_recalled_and_told_twice_it_changes_nothing() -> None:
    days, now_s = lived(Days()), AFTER * DAY_S
    days.came(now_s, 1, 60.0)
    other = Days()
    for _ in range(2):
        other.recall(days.kept())
    other.look([], now_s + 1.0)
    until_s = now_s + 3_600.0
    assert other.ahead([], 0, now_s + 1.0, until_s) == days.ahead([], 0, now_s + 1.0, until_s)
    days.recall(days.kept())
    assert days.kept() == other.kept()
