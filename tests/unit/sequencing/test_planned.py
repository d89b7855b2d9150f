"""Whoever's schedule is declared is held rightly from its first day on, and when clocks change.

The export runs from five to half past five UTC, the close by a clock of Berlin.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from swarm.model.graph import GraphRecord, PipelineSeen
from swarm.model.intents import Act
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Cron, Pipeline
from swarm.sequencing.holds import LEAD_S
from tests.unit.sequencing.mornings import (
    DAY_S,
    HOUR_S,
    MIN_S,
    begun,
    daily,
    depends,
    listed,
    ran,
)
from tests.unit.sequencing.test_decisions import CLOSE, EXPORT, Shell

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY = datetime(2026, 3, 29, tzinfo=UTC).timestamp() // DAY_S  # the clock is put forward
AUTUMN = datetime(2026, 10, 25, tzinfo=UTC).timestamp() // DAY_S  # and back


def told(key: PipelineKey, *fields: str, zone: str = "Europe/Berlin") -> GraphRecord:
    return PipelineSeen(Pipeline(key, crons=tuple(Cron(one, zone) for one in fields)))


def there(day: float, hour: float) -> float:
    """That hour by the clock of Berlin."""
    date = datetime.fromtimestamp(day * DAY_S, UTC)
    return date.replace(hour=int(hour), minute=round(hour % 1 * 60), tzinfo=BERLIN).timestamp()


def exporting(until_day: float) -> list[GraphRecord]:
    return [listed(EXPORT), *daily(EXPORT, 5.0, range(int(until_day) - 14, int(until_day)))]


def new(fields: str, day: float, zone: str = "Europe/Berlin") -> Shell:
    """The close never ran; its first start is on that day."""
    return Shell(*exporting(day), told(CLOSE, fields, zone=zone), depends(EXPORT, CLOSE))


def test_on_its_first_day_it_is_held_for_the_run_that_is_planned_before_it() -> None:
    shell = new("0 8 * * *", SUNDAY - 3)
    start_s = there(SUNDAY - 3, 8.0)
    assert shell.look(start_s - HOUR_S) == []
    assert shell.decisions.next_s == start_s - LEAD_S
    intent = shell.only(start_s - LEAD_S)
    assert (intent.act, intent.due_s, intent.waits_for) == (Act.HOLD, (start_s,), (EXPORT,))
    shell.take(ran(EXPORT, (SUNDAY - 3) * DAY_S + 5 * HOUR_S, 3 * HOUR_S))
    assert shell.only(start_s + HOUR_S).reason == "air/export is there"


@pytest.mark.parametrize(("day", "utc"), [(SUNDAY - 1, 7), (SUNDAY, 6), (AUTUMN, 7)])
def test_it_is_held_by_its_own_clock_on_the_day_that_this_is_changed(day: float, utc: int) -> None:
    shell = new("0 8 * * *", day)
    intent = shell.only(there(day, 8.0) - LEAD_S)
    assert intent.due_s == (day * DAY_S + utc * HOUR_S,)


def test_what_is_declared_counts_more_than_weeks_of_habit() -> None:
    days = range(int(SUNDAY) - 28, int(SUNDAY))
    habit = [listed(CLOSE), *daily(CLOSE, 7.0, days), depends(EXPORT, CLOSE)]
    shell = Shell(*exporting(SUNDAY), *habit)
    assert shell.look(SUNDAY * DAY_S + 6 * HOUR_S - LEAD_S) == []
    shell.take(told(CLOSE, "0 8 * * *"))
    assert shell.only(SUNDAY * DAY_S + 6 * HOUR_S - LEAD_S).due_s == (SUNDAY * DAY_S + 6 * HOUR_S,)


def test_where_the_data_is_there_nobody_is_held() -> None:
    shell = new("0 8 * * *", SUNDAY)
    shell.take(ran(EXPORT, SUNDAY * DAY_S + 5 * HOUR_S))
    assert shell.look(there(SUNDAY, 8.0) - LEAD_S) == []


def test_a_start_before_the_writer_is_planned_to_be_done_needs_the_run_before() -> None:
    shell = new("15 7 * * *", SUNDAY)  # a quarter past five of UTC, while the export runs
    shell.take(begun(EXPORT, SUNDAY * DAY_S + 5 * HOUR_S))
    assert shell.look(there(SUNDAY, 7.25) - LEAD_S) == []


def test_a_start_that_was_before_anybody_knew_it_is_none() -> None:
    shell = new("0 8 * * *", SUNDAY)
    assert shell.look(there(SUNDAY, 8.0) + MIN_S) == []
    assert shell.decisions.next_s == there(SUNDAY + 1, 8.0) - LEAD_S


def test_who_never_ran_or_is_paused_is_not_waited_for() -> None:
    fresh = [listed(EXPORT), told(CLOSE, "0 8 * * *"), depends(EXPORT, CLOSE)]
    assert Shell(*fresh).look(there(SUNDAY, 8.0) - LEAD_S) == []
    paused = PipelineSeen(Pipeline(EXPORT, paused=True))
    shell = new("0 8 * * *", SUNDAY)
    shell.take(paused)
    assert shell.look(there(SUNDAY, 8.0) - LEAD_S) == []


def test_each_start_of_an_uneven_schedule_is_told_and_none_is_held_twice() -> None:
    shell = new("0 8,9,17 * * *", SUNDAY - 3, zone="UTC")
    day_s = (SUNDAY - 3) * DAY_S
    first = shell.only(day_s + 8 * HOUR_S - LEAD_S)
    assert first.due_s == (day_s + 8 * HOUR_S,)
    more = shell.only(day_s + 9 * HOUR_S - LEAD_S)
    assert more.due_s == (day_s + 8 * HOUR_S, day_s + 9 * HOUR_S)
    assert shell.only(day_s + 10 * HOUR_S).let_go_s == (day_s + 8 * HOUR_S,)
    shell.take(begun(CLOSE, day_s + 10 * HOUR_S))
    assert shell.only(day_s + 11 * HOUR_S).act is Act.RELEASE
    shell.take(begun(CLOSE, day_s + 11 * HOUR_S))
    assert shell.look(day_s + 12 * HOUR_S) == []
    assert shell.only(day_s + 17 * HOUR_S - LEAD_S).due_s == (day_s + 17 * HOUR_S,)


def test_a_persons_hold_lists_the_declared_starts() -> None:
    shell = new("0 8 * * *", SUNDAY - 1)
    from_s = there(SUNDAY - 1, 7.0)
    made = shell.decisions.hold(CLOSE, "kim", from_s + 30 * HOUR_S, from_s)
    assert made.intent.due_s == (there(SUNDAY - 1, 8.0), there(SUNDAY, 8.0))


def test_a_reader_of_habit_needs_what_it_did_before() -> None:
    """Nothing moves for whoever has both."""
    days = range(int(SUNDAY) - 14, int(SUNDAY))
    habit = [*exporting(SUNDAY), *daily(CLOSE, 6.0, days), depends(EXPORT, CLOSE)]
    inferred = Shell(*habit, listed(CLOSE)).only(SUNDAY * DAY_S + 6 * HOUR_S - LEAD_S)
    declared = Shell(*habit, told(CLOSE, "0 6 * * *", zone="UTC"))
    assert declared.only(SUNDAY * DAY_S + 6 * HOUR_S - LEAD_S) == inferred
