"""What connectors keep between passes, and where they go on when a server's clock moved."""

from dataclasses import dataclass, field

from swarm.connectors import cursors
from swarm.connectors.airflow.position import Feed, Position, read_position


@dataclass(frozen=True)
class Cursor:
    since_s: float
    seen: dict[str, str] = field(default_factory=dict)


def test_a_cursor_survives_being_written() -> None:
    cursor = Cursor(5.0, {"a": "b"})
    assert cursors.read(Cursor, cursors.write(cursor)) == cursor


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
    position = Position(runs=Feed(5.0), aliased=(("dag", "task"),))
    assert read_position(position.write()) == position
    older = '{"runs": {}, "tasks": {}, "events": {}}'
    assert read_position(older) == Position()
