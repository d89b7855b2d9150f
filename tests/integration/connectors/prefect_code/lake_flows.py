"""Prefect flows that the connector's tests read; they really touch a SQLite warehouse."""

import os
import sqlite3

from prefect import flow, task
from prefect.assets import materialize

LAKE = os.environ.get("TEST_LAKE", "/tmp/lake.db")


@task
def load_visits() -> int:
    with sqlite3.connect(LAKE) as db:
        db.execute("CREATE TABLE IF NOT EXISTS visits (d text, n int)")
        db.execute("INSERT INTO visits SELECT d, count(*) FROM raw_visits GROUP BY d")
    return 1


@task(name="sum up")
def summarise(rows: int) -> int:
    with sqlite3.connect(LAKE) as db:
        db.execute("CREATE TABLE IF NOT EXISTS visit_totals (n int)")
        db.execute("INSERT INTO visit_totals SELECT sum(n) FROM visits")
    return rows


@flow(name="visits")
def visits() -> int:
    with sqlite3.connect(LAKE) as db:
        db.execute("CREATE TABLE IF NOT EXISTS raw_visits (d text)")
    return summarise(load_visits())


@materialize("postgres://lake/orders")
def make_orders() -> int:
    return 1


@materialize("postgres://lake/report", asset_deps=["postgres://lake/orders"])
def make_report() -> int:
    return 1


@flow(name="assets", log_prints=False)
def assets() -> int:
    make_orders()
    return make_report()


@task
def bad() -> None:
    raise ValueError("as the test wants")


@flow(name="failing")
def failing() -> None:
    bad()


@materialize("postgres://lake/parts")
def make_parts() -> int:
    return 1


@flow(name="inner")
def inner() -> int:
    return make_parts()


@flow(name="nested")
def nested() -> int:
    return inner()
