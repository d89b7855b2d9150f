"""A log that a real PostgreSQL wrote, read while the server runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from swarm.clock import SystemClock
from swarm.config import Settings, Source, SqlConnection
from swarm.connectors.history.connector import QueryHistory
from swarm.lineage.history.evidence import WINDOW_CONFIDENCE
from swarm.model.keys import TaskKey
from swarm.model.lineage import Channel, Evidence
from swarm.model.runs import RunState, TaskRun

pytestmark = pytest.mark.postgres

SETTINGS = {
    "logging_collector": "on",
    "log_destination": "csvlog",
    "log_directory": "log",
    "log_filename": "server.log",
    "log_timezone": "UTC",
    "log_disconnections": "on",
}
SETUP = """
CREATE SCHEMA raw; CREATE SCHEMA mart;
CREATE TABLE raw.orders (id int, note text); CREATE TABLE raw.other (id int);
CREATE TABLE mart.daily (id int); CREATE TABLE mart.totals (n bigint);
CREATE VIEW mart.recent AS SELECT * FROM raw.orders;
"""
# How a server may be told to log: before each statement, after it, or both.
WAYS = {
    "log_statement": ["SET log_statement = 'all'"],
    "log_min_duration": ["SET log_min_duration_statement = 0"],
    "both": ["SET log_statement = 'all'", "SET log_min_duration_statement = 0"],
}


@pytest.fixture(scope="module")
def server(start_postgres: Callable[..., Any]) -> tuple[str, Path]:
    started = start_postgres(**SETTINGS)
    with psycopg.connect(started.url, autocommit=True) as connection:
        connection.execute(SETUP)
    return started.url, started.data / "log"


def run(url: str, application: str, *texts: str, ways: list[str]) -> None:
    with psycopg.connect(url, autocommit=True, application_name=application) as connection:
        for text in (*ways, *texts):
            try:
                connection.execute(text)
            except psycopg.errors.UndefinedTable:
                assert "missing" in text


def accesses(items: list[object]) -> set[tuple[str, str, str]]:
    return {(str(i.task), i.access.value, str(i.dataset)) for i in items if isinstance(i, Evidence)}


@pytest.mark.parametrize("way", WAYS)
def test_the_log_gives_exactly_what_each_task_touched(server: tuple[str, Path], way: str) -> None:
    url, folder = server
    source = Source(kind="query_history", path=folder)
    lake = SqlConnection(dialect="postgres", namespace="postgres://lake:5432")
    connector = QueryHistory(source, Settings(connections={"lake": lake}), SystemClock())
    cursor = None

    def read() -> list[object]:
        async def observe() -> list[object]:
            nonlocal cursor
            items: list[object] = []
            async for batch in connector.observe(cursor):
                items += batch.items
                cursor = batch.cursor
            return items

        return asyncio.run(observe())

    read()  # what other tests left
    before = connector.unattributed
    ways = WAYS[way]
    run(
        url,
        f"airflow/{way}/load",
        "INSERT INTO mart.daily SELECT id FROM raw.orders WHERE note <> 'FROM raw.other'",
        "INSERT INTO mart.missing SELECT id FROM raw.other",
        "EXPLAIN DELETE FROM mart.totals",
        ways=ways,
    )
    run(
        url,
        "psql",
        f'/* {{"dag_id": "{way}", "task_id": "sum"}} */ SET search_path TO mart',
        f"-- airflow: {way}.sum\nCREATE TEMP TABLE part AS\nSELECT * FROM recent",
        f"-- airflow: {way}.sum\nINSERT INTO totals SELECT count(*) FROM part",
        ways=ways,
    )
    run(url, "psql", "SELECT * FROM raw.other", ways=ways)
    wanted = {
        (f"airflow/{way}/load", "write", "postgres://lake:5432/postgres.mart.daily"),
        (f"airflow/{way}/load", "read", "postgres://lake:5432/postgres.raw.orders"),
        (f"airflow/{way}/sum", "write", "postgres://lake:5432/postgres.mart.totals"),
        (f"airflow/{way}/sum", "read", "postgres://lake:5432/postgres.mart.recent"),
    }
    items: list[object] = []
    for _ in range(1_200):  # the log's collector writes when it gets to it
        asyncio.run(connector.wait(0.05))
        items += read()
        if wanted <= accesses(items) and connector.unattributed > before:
            break
    assert accesses(items) == wanted
    assert {i.channel for i in items if isinstance(i, Evidence)} == {Channel.QUERY_LOG}
    assert [i for i in items if not isinstance(i, Evidence)] == []
    assert read() == []


def test_a_statement_of_the_only_run_at_its_time_is_that_runs(server: tuple[str, Path]) -> None:
    """The run began before the statement and ended after it, by the clocks of one machine."""
    url, folder = server
    clock = SystemClock()
    task = TaskKey("airflow", "windowed", "load")
    begun_s = clock.now_s()
    run(url, "", "INSERT INTO mart.daily SELECT id FROM raw.other", ways=WAYS["log_min_duration"])
    ended_s = clock.now_s()
    window = TaskRun(task, "r", 1, RunState.SUCCEEDED, begun_s, ended_s)
    lake = SqlConnection(dialect="postgres", namespace="postgres://lake:5432")
    source = Source(kind="query_history", path=folder)
    wanted = {
        (str(task), "write", "postgres://lake:5432/postgres.mart.daily"),
        (str(task), "read", "postgres://lake:5432/postgres.raw.other"),
    }
    for _ in range(1_200):
        connector = QueryHistory(source, Settings(connections={"lake": lake}), clock)
        connector.learn_runs(lambda from_s, to_s: [window], 0.0)

        async def observe(connector: QueryHistory = connector) -> list[object]:
            return [item async for batch in connector.observe(None) for item in batch.items]

        items = asyncio.run(observe())
        mine = [i for i in items if isinstance(i, Evidence) and i.task == task]
        if accesses(list(mine)) == wanted:
            break
        asyncio.run(connector.wait(0.05))
    assert accesses(list(mine)) == wanted
    assert {evidence.confidence for evidence in mine} == {WINDOW_CONFIDENCE}
