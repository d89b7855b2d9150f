"""What connectors keep between passes, and where they go on when a server's clock moved."""

from dataclasses import dataclass, field

import pytest

from swarm.connectors import cursors
from swarm.connectors.airflow.position import Feed, Position, read_position
from swarm.store.retention import DEFAULT


@dataclass(frozen=True)
class Cursor:
    since_s: float
    seen: dict[str, str] = field(default_factory=dict)
    back: cursors.Back = field(default_factory=cursors.Back)
    tasks_back: cursors.Back = field(default_factory=cursors.Back)


def test_a_cursor_survives_being_written() -> None:
    cursor = Cursor(5.0, {"a": "b"}, cursors.Back(7.0, 6.0, 5.0, "p"), cursors.Back(7.0, 5.0))
    assert cursors.read(Cursor, cursors.write(cursor)) == cursor


def test_a_cursor_of_before_there_was_a_second_past_keeps_the_first() -> None:
    first = cursors.Back(7.0, 6.0, 5.0, "p")
    text = cursors.write(Cursor(5.0, {}, first)).replace(',"tasks_back":', ',"other":')
    assert cursors.read(Cursor, text) is None
    older = text[: text.index(',"other":')] + "}"
    assert cursors.read(Cursor, older) == Cursor(5.0, {}, first)
    # What the second is about is wanted of before the same first contact.
    assert cursors.Back().begun(first.begun_s).window(3) == (
        first.begun_s - 2 * cursors.FIRST_S,
        first.begun_s - cursors.FIRST_S,
    )


def test_a_cursor_of_another_version_is_none() -> None:
    for text in (None, "", "7", '{"other": 1}', "{", "[]"):
        assert cursors.read(Cursor, text) is None


def test_a_clock_that_was_set_back_has_the_time_since_the_last_pass_read_again() -> None:
    assert cursors.resumed(100.0, 200.0) == 100.0
    assert cursors.resumed(100.0, None) == 100.0
    assert cursors.resumed(20_000.0, 10_000.0) == 10_000.0 - cursors.SET_BACK_S


def test_airflow_is_not_waited_for_when_its_clock_was_set_back() -> None:
    begun = Feed(since_s=20_000.0).started(now_s=10_000.0)
    assert begun.since_s == 10_000.0 - cursors.SET_BACK_S
    assert begun.finished().since_s < 10_000.0


def test_the_tasks_that_write_through_an_alias_are_kept() -> None:
    back = cursors.Back(7.0, 6.0, 5.0, "p")
    position = Position(runs=Feed(5.0), aliased=(("dag", "task"),), tasks_back=back)
    assert read_position(position.write()) == position
    older = '{"runs": {}, "tasks": {}, "events": {}}'
    assert read_position(older) == Position()


DAY_S = 86_400.0
NOW_S = 1_000 * DAY_S


def read_back(pages: list[int], days: int) -> list[tuple[float, float, str]]:
    """The windows in days before now, where one after the other has so many pages (then one)."""
    back, asked, left = cursors.Back().begun(NOW_S), [], iter(pages)
    while (window := back.window(days)) is not None:
        count = next(left, 1)
        for page in range(1, count + 1):
            assert back.window(days) == window
            from_s, to_s = ((NOW_S - at_s) / DAY_S for at_s in window)
            asked.append((from_s, to_s, back.page))
            back = back.after(str(page) if page < count else "", window[0])
    return asked


def test_what_ran_before_is_read_window_by_window_the_newest_first() -> None:
    assert read_back([3, 1, 1, 2], 20) == [
        (2, 1, ""),
        (2, 1, "1"),
        (2, 1, "2"),
        (3, 2, ""),
        (5, 3, ""),
        (9, 5, ""),
        (9, 5, "1"),
        (10, 9, ""),
        (12, 10, ""),
        (16, 12, ""),
        (20, 16, ""),
    ]


def test_a_server_with_little_history_is_asked_little() -> None:
    assert len(read_back([], 60)) == 6


@pytest.mark.parametrize("days", [0, 1])
def test_no_more_is_read_back_than_is_wanted(days: int) -> None:
    assert read_back([], days) == []


def test_more_history_that_is_wanted_later_is_read_on() -> None:
    back = cursors.Back().begun(NOW_S)
    while (window := back.window(5)) is not None:
        back = back.after("", window[0])
    assert back.begun(NOW_S + DAY_S) == back
    assert back.window(5) is None
    assert back.window(6) == (NOW_S - 6 * DAY_S, NOW_S - 5 * DAY_S)


def test_of_the_past_no_more_is_read_than_is_kept() -> None:
    assert DEFAULT.runs_per_pipeline == cursors.TRIED_RUNS
