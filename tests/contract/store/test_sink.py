"""The fenced sink takes one commit of a task, on both databases."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from swarm import sink

Connect = Callable[[], Any]


@pytest.fixture(params=["sqlite", "postgres"])
def connect(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connect]:
    """Opens the target of some tasks: the table of the sink, and one of effects."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else ""
    with contextlib.ExitStack() as opened:

        def connect() -> Any:
            made = psycopg.connect(url) if url else sqlite3.connect(tmp_path / "target.db")
            return opened.enter_context(contextlib.closing(made))

        first = connect()
        for table in ("effects", "swarm_commits"):
            first.execute(f"DROP TABLE IF EXISTS {table}")
        sink.prepare(first)
        first.execute("CREATE TABLE effects (grant_no INTEGER)")
        first.commit()
        yield connect


def run(connection: Any, grant: int) -> bool:
    """The end of a task under a grant; whether its effect was made."""
    taken = sink.commits(connection, "t", grant)
    if taken:
        connection.execute(f"INSERT INTO effects VALUES ({grant})")
    connection.commit()
    return taken


def came(connection: Any, grant: int) -> None:
    sink.came(connection, "t", grant)
    connection.commit()


def effects(connection: Any) -> list[int]:
    return [grant for (grant,) in connection.execute("SELECT grant_no FROM effects")]


def test_what_ran_again_after_its_commit_is_refused(connect: Connect) -> None:
    first, second = connect(), connect()
    came(first, 1)
    assert run(first, 1)
    came(second, 2)  # its worker died before it could say so
    assert not run(second, 2)
    assert not run(first, 1)
    assert effects(first) == [1]


def test_an_older_grant_is_refused_and_the_newer_commits(connect: Connect) -> None:
    zombie, second = connect(), connect()
    came(zombie, 1)
    came(second, 2)
    came(zombie, 1)
    assert not run(zombie, 1)
    assert run(second, 2)
    assert effects(second) == [2]


def test_a_commit_that_was_rolled_back_was_none(connect: Connect) -> None:
    first, second = connect(), connect()
    came(first, 1)
    assert sink.commits(first, "t", 1)
    first.rollback()
    came(second, 2)
    assert run(second, 2)
    assert effects(second) == [2]


def test_who_did_not_come_does_not_commit(connect: Connect) -> None:
    assert not run(connect(), 1)
