"""How many rows were made of data of before."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

from swarm.demo import sqlite_warehouse
from swarm.demo.morning import PAIRS, hurried
from swarm.demo.stale_rows import StaleRows
from swarm.demo.warehouse import FILE, SCHEMAS

PIPELINES = Path(str(resources.files("swarm.demo"))) / "pipelines"
CUSTOMERS = "SELECT 7, 'small' UNION SELECT 8, 'big'"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    sqlite_warehouse.create(tmp_path, PIPELINES / "warehouse", tmp_path / "catalog")
    main = tmp_path / FILE
    with closing(sqlite3.connect(main, isolation_level=None)) as connection:
        for schema in SCHEMAS:
            connection.execute(f"ATTACH ? AS {schema}", (str(main.with_name(f"{schema}.db")),))
        yield connection


def write(warehouse: sqlite3.Connection) -> None:
    warehouse.execute("DELETE FROM crm.segments")
    warehouse.execute(f"INSERT INTO crm.segments {CUSTOMERS}")


def read(warehouse: sqlite3.Connection) -> None:
    warehouse.execute("DELETE FROM crm.churn")
    warehouse.execute("INSERT INTO crm.churn SELECT customer_id, 0.5 FROM crm.segments")


def test_rows_made_of_what_was_there_before_are_stale(
    warehouse: sqlite3.Connection, tmp_path: Path
) -> None:
    pair = PAIRS[1]
    write(warehouse)
    rows = StaleRows(tmp_path, pair.source, pair.target)
    write(warehouse)
    rows.fill()
    read(warehouse)
    early = rows.read(0.0)
    assert (early.rows, early.stale, early.after_s) == (2, 2, None)
    write(warehouse)
    read(warehouse)
    assert (rows.read(0.0).rows, rows.read(0.0).stale) == (4, 2), "also what is there no more"
    rows.fill()
    write(warehouse)
    read(warehouse)
    ready_s, by_time = warehouse.execute("SELECT ready_s, (SELECT max(at_s) FROM crm.kept)"
        " FROM crm.filling WHERE number = 2").fetchone()  # fmt: skip
    late = rows.read(by_time)
    assert (late.rows >= 1, late.stale) == (True, 0)
    assert late.after_s == pytest.approx(by_time - ready_s)
    assert len(warehouse.execute("SELECT * FROM crm.segments").fetchall()) == 2


def test_the_schedules_of_the_mornings_are_those_of_the_lab() -> None:
    sources = [file.read_text() for file in PIPELINES.rglob("*.py")]
    ours = "".join(map(hurried, sources))
    assert ours.count("-59/3 * * * *") == 2 * len(PAIRS)
    for pair in PAIRS:
        assert pair.dag in ours
        assert pair.job in ours
