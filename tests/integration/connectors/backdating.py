"""A server's past, made by copying a run of today in its own SQLite database, and how a connector
reads it."""

import re
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from swarm.connectors.base import Connector
from swarm.model.connectors import Item
from swarm.model.runs import Run

DAYS, A_DAY = 50, 8
_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_EPOCH = frozenset({"start_time", "end_time"})  # where Dagster keeps seconds

Row = dict[str, object]
Named = Callable[[str, Row], Row]


def copied(database: Path, tables: Mapping[str, str], named: Named) -> None:
    """Give a run `DAYS` days of past, `A_DAY` runs on each, a copy of it and of what is below it.

    `tables` are the conditions that its rows are found by; `named(name, row)` gives what makes a
    row that of the copy `name`.
    """
    with closing(sqlite3.connect(database, timeout=60.0)) as connection, connection:
        connection.row_factory = sqlite3.Row
        for table, condition in tables.items():
            rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table} {condition}")]
            assert rows, f"{table} has no row {condition}"
            for number in range(DAYS * A_DAY):
                # An hour more than whole days: none is near the end of a day of before.
                ago_s = (number + A_DAY) / A_DAY * 86_400.0 + 3_600.0
                for row in rows:
                    copy = {key: _earlier(key, value, ago_s) for key, value in row.items()}
                    copy |= named(f"past-{number:04}", copy)
                    names, marks = ", ".join(copy), ", ".join("?" * len(copy))
                    connection.execute(
                        f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(copy.values())
                    )


def new_id(name: str, of: object = "") -> str:
    """The id of the copy `name` of what is called `of`."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name} {of}"))


def _earlier(key: str, value: object, ago_s: float) -> object:
    if isinstance(value, str) and _STAMP.match(value):
        at = datetime.fromisoformat(value) - timedelta(seconds=ago_s)
        return at.isoformat(" ", "microseconds")
    if isinstance(value, float) and key in _EPOCH:
        return value - ago_s
    return value


async def passes(connector: Connector, cursor: str | None) -> AsyncIterator[tuple[list[Item], str]]:
    """Passes until one tells nothing: what each told, and its cursor."""
    while True:
        items: list[Item] = []
        async for batch in connector.observe(cursor):
            items += batch.items
            cursor = batch.cursor
        if cursor is None or not items:
            return
        yield items, cursor


def past_of(items: list[Item], now_s: float) -> dict[str, float]:
    """The runs of more than a day ago among `items`, and how many days ago each began."""
    found: dict[str, float] = {}
    for item in items:
        if isinstance(item, Run) and (item.started_at_s or now_s) < now_s - 86_400.0:
            assert item.run_id not in found
            found[item.run_id] = (now_s - (item.started_at_s or 0.0)) / 86_400.0
    return found
