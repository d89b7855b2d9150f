"""Which deadlines are offered: the close ends at about twenty to seven, from Monday to Friday."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from swarm.model.graph import GraphRecord, PipelineSeen, RunSeen
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Run, RunState
from swarm.model.sla import Sla, Terms
from swarm.sequencing.offers import Offer, offer, offers
from swarm.sequencing.world import World
from tests.unit.sequencing.mornings import (
    DAY_S,
    HOUR_S,
    MIN_S,
    daily,
    depends,
    listed,
    ran,
)

CLOSE, REPORT = PipelineKey("air", "close"), PipelineKey("dag", "report")
WEEKS = 8
MONDAY = 20_003  # days since the epoch
TODAY = MONDAY + 7 * WEEKS
WORKING_DAYS = [day for day in range(MONDAY, TODAY) if (day - MONDAY) % 7 < 5]
NOTHING = Terms()
BERLIN = "Europe/Berlin"


def close(days: Iterable[int] = WORKING_DAYS, begins_h: float = 6.0) -> Iterator[GraphRecord]:
    """It takes from 30 to 50 minutes."""
    for day in days:
        took_s = (30 + day * 8 % 21) * MIN_S
        yield ran(CLOSE, day * DAY_S + begins_h * HOUR_S, took_s)


def world(*records: GraphRecord) -> World:
    made = World()
    for record in (listed(CLOSE), *records):
        made.apply(record)
    return made


def offered(*records: GraphRecord, terms: Terms = NOTHING) -> Offer | None:
    found = offers(world(*records), terms, TODAY * DAY_S)
    return found[0] if found else None


def sure(*records: GraphRecord) -> Offer:
    found = offered(*records)
    assert found is not None
    return found


def test_what_is_done_at_the_same_time_each_working_day_is_offered() -> None:
    found = sure(*close())
    assert (found.sla.at, found.sla.timezone, found.sla.days) == ("06:50", "UTC", (0, 1, 2, 3, 4))
    assert found.days == 40
    assert found.kept >= 38
    assert found.spare_s == 9 * MIN_S
    assert 0.7 < found.confidence < 1.0


def test_more_days_are_surer() -> None:
    assert sure(*close(WORKING_DAYS[-10:])).confidence < sure(*close()).confidence
    assert offered(*close(WORKING_DAYS[-9:])) is None, "nine days show nothing"


def test_what_ends_at_any_time_of_day_is_not_offered() -> None:
    anywhen = (ran(CLOSE, day * DAY_S + day * 7 % 24 * HOUR_S) for day in range(MONDAY, TODAY))
    assert offered(*anywhen) is None


def test_what_takes_now_half_an_hour_and_now_eight_has_no_habit() -> None:
    runs = (ran(CLOSE, d * DAY_S, (30 + d * 5 % 8 * 60) * MIN_S) for d in range(MONDAY, TODAY))
    assert offered(*runs) is None


def test_what_runs_every_other_hour_has_no_time_of_day() -> None:
    every = (ran(CLOSE, MONDAY * DAY_S + n * 2 * HOUR_S, 300) for n in range(12 * 7 * WEEKS))
    assert offered(*every) is None


def test_what_runs_on_some_days_only_is_not_offered() -> None:
    some = (day for day in WORKING_DAYS if day * 7 % 5 < 2)
    assert offered(*close(some)) is None


def test_what_no_longer_runs_is_not_offered() -> None:
    assert offered(*close(WORKING_DAYS[:-10])) is None


def test_a_day_of_the_week_that_is_later_than_the_others_is_left_out() -> None:
    saturdays = range(MONDAY + 5, TODAY, 7)
    found = sure(*close(), *close(saturdays, begins_h=9.0))
    assert (found.sla.at, found.sla.days) == ("06:50", (0, 1, 2, 3, 4))


def test_a_weekly_pipeline_is_offered_its_day() -> None:
    mondays = range(MONDAY - 7 * 3, TODAY, 7)
    found = sure(*close(mondays))
    assert (found.days, found.sla.days) == (11, (0,))


def test_a_few_late_days_do_not_move_it_and_are_counted() -> None:
    late = [ran(CLOSE, day * DAY_S + 11 * HOUR_S) for day in WORKING_DAYS[5:7]]
    found = sure(*close([*WORKING_DAYS[:5], *WORKING_DAYS[7:]]), *late)
    assert (found.sla.at, found.kept, found.days) == ("06:50", 38, 40)


def test_a_schedule_that_was_moved_is_not_offered_as_it_was() -> None:
    moved = close(WORKING_DAYS[-2:], begins_h=7.5)
    assert offered(*close(WORKING_DAYS[:-2]), *moved) is None


def test_runs_by_hand_and_reruns_of_a_day_that_was_done_count_for_nothing() -> None:
    by_hand = [ran(CLOSE, day * DAY_S + 15 * HOUR_S) for day in WORKING_DAYS[::4]]
    assert sure(*close(), *by_hand).sla == sure(*close()).sla


def test_a_day_that_failed_first_is_done_when_it_was_repaired() -> None:
    failed = [ran(CLOSE, day * DAY_S + 6 * HOUR_S, failed=True) for day in WORKING_DAYS[-3:-2]]
    repaired = close(WORKING_DAYS[-3:-2], begins_h=12.0)
    kept = [*WORKING_DAYS[:-3], *WORKING_DAYS[-2:]]
    found = sure(*close(kept), *failed, *repaired)
    assert (found.days, found.sla.at) == (40, "06:50")
    assert found.kept == found.days - 1


def test_what_runs_through_midnight_is_due_on_the_day_after() -> None:
    found = sure(*close(begins_h=23.5))
    assert (found.sla.at, found.sla.days) == ("00:20", (1, 2, 3, 4, 5))


def test_what_follows_a_clock_that_was_changed_is_offered_by_that_clock() -> None:
    """Berlin's clock goes back on 25 October 2026; by UTC the close comes an hour later then."""
    zone = ZoneInfo(BERLIN)
    first = datetime(2026, 9, 28, 6, 0, tzinfo=zone)
    days = [first + timedelta(days=n) for n in range(56)]
    runs = [ran(CLOSE, d.timestamp(), (30 + d.day % 21) * MIN_S) for d in days if d.weekday() < 5]
    told = PipelineSeen(Pipeline(REPORT, schedule=f"0 9 * * * {BERLIN}"))
    now_s = (days[-1] + timedelta(days=1)).timestamp()
    [found] = offers(world(told, *runs), Terms(), now_s)
    assert (found.sla.timezone, found.sla.at, found.spare_s < HOUR_S) == (BERLIN, "06:50", True)
    [blind] = offers(world(*runs), Terms(), now_s)
    assert (blind.sla.timezone, blind.sla.at) == ("UTC", "05:50")


def test_the_clock_of_its_own_schedule_is_taken_where_nothing_tells_them_apart() -> None:
    told = PipelineSeen(Pipeline(CLOSE, schedule=f"0 7 * * * {BERLIN}"))
    after_the_change = WORKING_DAYS[20:]
    assert sure(told, *close(after_the_change)).sla.timezone == BERLIN
    other = PipelineSeen(Pipeline(REPORT, schedule=f"0 7 * * * {BERLIN}"))
    assert sure(other, *close(after_the_change)).sla.timezone == "UTC"


def test_a_few_odd_days_after_a_change_of_the_clock_do_not_overrule_the_schedule() -> None:
    """By UTC it is done at the same time before and after; by Berlin's clock, which goes forward
    on 29 March 2026, three days are later, by a little less than a quarter of an hour."""
    told = PipelineSeen(Pipeline(CLOSE, schedule=f"0 7 * * 1-5 {BERLIN}"))
    last = datetime(2026, 4, 1, 6, tzinfo=UTC)
    days = [last - timedelta(days=n) for n in range(55, -1, -1)]
    usual = [ran(CLOSE, d.timestamp(), (30 + d.day * 8 % 21) * MIN_S) for d in days[:-3]]
    odd = [ran(CLOSE, d.timestamp(), 1 * MIN_S) for d in days[-3:]]
    runs = [record for record, day in zip(usual + odd, days, strict=True) if day.weekday() < 5]
    [found] = offers(world(told, *runs), NOTHING, last.timestamp() + DAY_S)
    assert found.sla.timezone == BERLIN


def test_it_says_who_hangs_on_it_and_when_it_is_read() -> None:
    found = sure(
        listed(REPORT),
        depends(CLOSE, REPORT),
        *daily(REPORT, 8.0, range(MONDAY, TODAY)),
        *close(),
    )
    assert (found.behind, found.nearest) == (1, (REPORT,))
    assert found.read_after_s == pytest.approx(80 * MIN_S, abs=MIN_S)


def test_what_most_hangs_on_comes_first() -> None:
    found = offers(
        world(
            listed(REPORT),
            depends(CLOSE, REPORT),
            *daily(REPORT, 8.0, range(MONDAY, TODAY)),
            *close(),
        ),
        Terms(),
        TODAY * DAY_S,
    )
    assert [one.sla.pipeline for one in found] == [CLOSE, REPORT]


def test_nothing_is_offered_of_what_is_promised_or_was_declined() -> None:
    promised = Terms((Sla(CLOSE, 7 * HOUR_S),))
    declined = Terms(declined=frozenset({CLOSE}))
    assert offered(*close(), terms=promised) is None
    assert offered(*close(), terms=declined) is None
    asked = offer(world(*close()), CLOSE, declined, TODAY * DAY_S)
    assert asked is not None, "who asks for it is told all the same"
    assert asked.sla.at == "06:50"


def test_backfills_tell_nothing_of_when_it_is_done() -> None:
    """A run that made good for another day, at noon, is not when that day was done."""

    def run(day: int, planned: int, at_h: float) -> GraphRecord:
        at_s = day * DAY_S + at_h * HOUR_S
        planned_s = planned * DAY_S + 6 * HOUR_S
        end_s = at_s + 40 * MIN_S
        return RunSeen(Run(CLOSE, f"{at_s}", RunState.SUCCEEDED, planned_s, at_s, end_s))

    usual = [run(day, day, 6.0) for day in WORKING_DAYS]
    backfilled = [run(day, day - 20, 1.0) for day in WORKING_DAYS[:12]]
    assert sure(*usual, *backfilled).sla.at == "06:40"
