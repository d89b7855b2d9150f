"""The audit sees what a program really touches, and nothing that it only mentions."""

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from swarm.demo import sqlite_warehouse
from swarm.demo.sqlite_warehouse import SqliteWarehouse
from swarm.demo.warehouse import fill_lake, view_names

DEMO = Path(str(resources.files("swarm.demo")))


@pytest.fixture
def warehouse(tmp_path: Path) -> SqliteWarehouse:
    fill_lake(tmp_path / "lake")
    definitions = DEMO / "pipelines" / "warehouse"
    return sqlite_warehouse.create(tmp_path, definitions, tmp_path / "catalog.jsonl")


def audited(
    warehouse: SqliteWarehouse, program: str, who: str | None = "job"
) -> set[tuple[str, str, str]]:
    """Run a program beside the audit; (task, access, dataset) of every line it left."""
    log = warehouse.main.with_name("audit.jsonl")
    folder = warehouse.views.parent
    env = {
        **warehouse.variables(),
        "PYTHONPATH": str(DEMO / "audit"),
        "LAB_AUDIT": str(log),
        "LAB_LAKE": str(folder / "lake"),
        "PATH": os.environ["PATH"],
    }
    if who is not None:
        env["LAB_CRON_SCRIPT"] = who
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=env,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    errors = Path(f"{log}.errors")
    assert not errors.exists(), errors.read_text()
    lines = log.read_text().splitlines() if log.exists() else []
    entries = [json.loads(line) for line in lines]
    return {(e["task"], e["access"], e["name"]) for e in entries}


def sql(*statements: str) -> str:
    runs = "".join(f"w.execute({statement!r}).fetchall()\n" for statement in statements)
    return f"import os, sqlite3\nw = sqlite3.connect(os.environ['WAREHOUSE'])\n{runs}w.commit()\n"


def test_insert_from_select(warehouse: SqliteWarehouse) -> None:
    program = sql("INSERT INTO crm.churn SELECT customer_id, 1 FROM crm.tickets")
    assert audited(warehouse, program) == {
        ("job", "write", "crm.churn"),
        ("job", "read", "crm.tickets"),
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE crm.tickets SET is_open = is_open - 1 WHERE id > 3",
        "DELETE FROM crm.tickets WHERE id > 3",
        "INSERT INTO crm.tickets SELECT id, customer_id, 0 FROM crm.tickets",
    ],
)
def test_a_statement_does_not_read_its_own_target(
    warehouse: SqliteWarehouse, statement: str
) -> None:
    assert audited(warehouse, sql(statement)) == {("job", "write", "crm.tickets")}


def test_a_later_statement_reads_it(warehouse: SqliteWarehouse) -> None:
    program = sql("DELETE FROM crm.tickets", "SELECT * FROM crm.tickets")
    assert audited(warehouse, program) == {
        ("job", "write", "crm.tickets"),
        ("job", "read", "crm.tickets"),
    }


def test_views_show_the_tables_below_them(warehouse: SqliteWarehouse) -> None:
    found = audited(warehouse, sql("SELECT * FROM sales.v_big_orders"))
    tables = {name for _, _, name in found} - view_names(warehouse.views)
    assert tables == {"sales.orders"}


def test_views_over_several_schemas_do_too(warehouse: SqliteWarehouse) -> None:
    found = audited(warehouse, sql("SELECT * FROM v_customer_360"))
    assert {name for _, _, name in found} == {"sales.orders", "crm.customers"}


def test_bare_names_are_those_of_the_main_schema(warehouse: SqliteWarehouse) -> None:
    found = audited(warehouse, sql("SELECT count(*) FROM web_events"))
    assert found == {("job", "read", "main.web_events")}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'sales.orders' /* FROM sales.orders */ -- FROM sales.orders",
        "WITH web_events AS (SELECT 1) SELECT * FROM web_events",
        "WITH web_events(a) AS (SELECT 1) SELECT count(*) FROM web_events",
        "CREATE TEMP TABLE work AS SELECT 1",
    ],
)
def test_what_is_only_mentioned_is_not_touched(warehouse: SqliteWarehouse, statement: str) -> None:
    assert audited(warehouse, sql(statement)) == set()


def test_files_of_the_lake(warehouse: SqliteWarehouse) -> None:
    program = (
        "from pathlib import Path\n"
        "Path('lake/crm/customers.csv').read_text()\n"
        "open('lake/crm/new.csv', 'w').close()\n"
        "open('other.txt', 'w').close()\n"
    )
    assert audited(warehouse, program) == {
        ("job", "read", "lake/crm/customers.csv"),
        ("job", "write", "lake/crm/new.csv"),
    }


def test_what_no_task_does_is_left_out(warehouse: SqliteWarehouse) -> None:
    assert audited(warehouse, sql("SELECT * FROM sales.orders"), who=None) == set()


def test_other_databases_are_left_alone(warehouse: SqliteWarehouse) -> None:
    program = (
        "import sqlite3\nc = sqlite3.connect('own.db')\n"
        "c.execute('CREATE TABLE t (a)')\nc.execute('SELECT * FROM t')\n"
    )
    assert audited(warehouse, program) == set()
