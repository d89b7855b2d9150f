"""The PostgreSQL server's own log tells what each task touches, or that it cannot tell."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import psycopg
import pytest

from swarm.demo import postgres_audit, postgres_server, postgres_warehouse
from swarm.demo.postgres_warehouse import ALL_SCHEMAS, ROLE, PostgresWarehouse
from swarm.demo.processes import LabError, Processes, marked

DEMO = Path(str(resources.files("swarm.demo")))
SCRIPTS = frozenset({"job"})

pytestmark = pytest.mark.postgres

Touched = set[tuple[str, str, str]]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresWarehouse]:
    try:
        postgres_server.find_programs()
    except LabError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("lab")
    (folder / "lake").mkdir()
    processes = Processes(str(folder), folder)
    made = None
    try:
        definitions = DEMO / "pipelines" / "warehouse"
        made = postgres_warehouse.create(processes, folder, definitions, folder / "catalog.jsonl")
        yield made
    finally:
        processes.stop_all()
        if made:
            made.close()
    assert marked(str(folder)) == []
    assert not made.server.home.exists()


def environ(warehouse: PostgresWarehouse, who: str | None) -> dict[str, str]:
    folder = warehouse.connectors.parent
    env = {
        **warehouse.variables(),
        "PYTHONPATH": str(DEMO / "audit"),
        "LAB_AUDIT": str(folder / "audit.jsonl"),
        "LAB_LAKE": str(folder / "lake"),
        "PATH": os.environ["PATH"],
    }
    return env if who is None else {**env, "LAB_CRON_SCRIPT": who}


@pytest.fixture
def audited(warehouse: PostgresWarehouse) -> Callable[..., Touched]:
    """Runs a program; (task, access, table) of everything that came into the log by it."""

    def run(*argv: str, who: str | None = "job", stdin: str = "", fails: bool = False) -> Touched:
        before = len(warehouse.logged())
        done = subprocess.run(
            argv,
            # Python's connections are named by the audit, those of psql by who starts it.
            env=environ(warehouse, who)
            | ({} if argv[0] == sys.executable else {"PGAPPNAME": "job"}),
            cwd=warehouse.connectors.parent,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert fails == (done.returncode != 0), done.stderr
        assert not Path(environ(warehouse, who)["LAB_AUDIT"] + ".errors").exists()
        rows = warehouse.logged()[before:]
        lines = postgres_audit.accesses(
            rows, ROLE, warehouse.tasks(SCRIPTS), frozenset(ALL_SCHEMAS)
        )
        return {(e["task"], e["access"], e["name"]) for e in map(json.loads, lines)}

    return run


def python(*statements: str) -> tuple[str, str, str]:
    """A program that runs statements with psycopg."""
    runs = "".join(f"w.execute({statement!r})\n" for statement in statements)
    start = "import os, psycopg\nw = psycopg.connect(os.environ['WAREHOUSE'])\n"
    return sys.executable, "-c", f"{start}{runs}w.commit()\n"


def test_insert_from_select(audited: Callable[..., Touched]) -> None:
    assert audited(*python("INSERT INTO crm.churn SELECT customer_id, 1 FROM crm.tickets")) == {
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
    audited: Callable[..., Touched], statement: str
) -> None:
    assert audited(*python(statement)) == {("job", "write", "crm.tickets")}


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("SELECT * FROM sales.v_big_orders", {"sales.orders"}),  # a view over a view
        ("SELECT * FROM v_customer_360", {"sales.orders", "crm.customers"}),
        ("SELECT margin FROM v_margin", {"finance.ledger", "marketing.spend"}),  # a subquery
        ("SELECT count(*) FROM web_events", {"main.web_events"}),
        ("SELECT day FROM calendar WHERE day = '2026-11-20'", {"main.calendar"}),  # by its index
        ("/* all */ -- of it\n(SELECT id FROM ops.orders)", {"ops.orders"}),
    ],
)
def test_what_is_read_are_tables(
    audited: Callable[..., Touched], statement: str, tables: set[str]
) -> None:
    assert audited(*python(statement)) == {("job", "read", table) for table in tables}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'sales.orders' /* FROM sales.orders */ -- FROM sales.orders",
        "WITH web_events AS (SELECT 1) SELECT * FROM web_events",
        "CREATE TEMP TABLE web_events AS SELECT 1 AS id",
    ],
)
def test_what_is_only_mentioned_is_not_touched(
    audited: Callable[..., Touched], statement: str
) -> None:
    assert audited(*python(statement)) == set()


def test_many_rows_with_parameters(audited: Callable[..., Touched]) -> None:
    program = (
        "import os, psycopg\n"
        "with psycopg.connect(os.environ['WAREHOUSE']) as w:\n"
        "    w.cursor().executemany('INSERT INTO ops.orders VALUES (%s, %s)', [(1, 'a')] * 9)\n"
        "    w.execute('SELECT * FROM ops.shipments WHERE days > %s', (3,)).fetchall()\n"
    )
    assert audited(sys.executable, "-c", program) == {
        ("job", "write", "ops.orders"),
        ("job", "read", "ops.shipments"),
    }


def test_a_script_of_psql(warehouse: PostgresWarehouse, audited: Callable[..., Touched]) -> None:
    script = "DELETE FROM crm.churn;\n-- from crm.tickets\nINSERT INTO crm.churn VALUES (1, 0.5);"
    psql = str(warehouse.server.programs / "psql")
    assert audited(psql, warehouse.address, stdin=script) == {("job", "write", "crm.churn")}


def test_a_statement_that_fails_touches_nothing(audited: Callable[..., Touched]) -> None:
    assert audited(*python("SELECT * FROM crm.nothing"), fails=True) == set()
    assert audited(*python("TRUNCATE crm.tickets"), fails=True) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "COPY crm.tickets TO STDOUT",
        "DO $$BEGIN DELETE FROM crm.tickets; END$$",
        "EXPLAIN SELECT * FROM crm.tickets",
        "SELECT 1\\; COPY crm.tickets TO STDOUT",  # both in one message
        "COMMIT\\; COPY crm.tickets TO STDOUT",
    ],
)
def test_what_it_cannot_see_voids_the_audit(
    warehouse: PostgresWarehouse, audited: Callable[..., Touched], statement: str
) -> None:
    psql = str(warehouse.server.programs / "psql")
    with pytest.raises(LabError, match=r"does not see what this touched .*tickets"):
        audited(psql, warehouse.address, stdin=f"{statement};")


def test_a_read_that_is_cut_off_voids_the_audit(audited: Callable[..., Touched]) -> None:
    program = (
        "import os, psycopg\n"
        "w = psycopg.connect(os.environ['WAREHOUSE'])\n"
        "w.execute('SELECT * FROM ops.shipments WHERE days > %s', (3,))\n"
        "os._exit(0)\n"
    )
    with pytest.raises(LabError, match="does not see what this touched"):
        audited(sys.executable, "-c", program)


def test_a_connection_of_nobody_voids_the_audit(audited: Callable[..., Touched]) -> None:
    with pytest.raises(LabError, match=r"No task opened .* sales\.orders"):
        audited(*python("SELECT * FROM sales.orders"), who=None)
    assert audited(*python("SELECT 1"), who=None) == set()


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, of this test alone: others start servers meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # a server may run as a user of its own
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.mark.usefixtures("warehouse")
def test_a_start_that_fails_leaves_nothing(tmp_path: Path, temporary: Path) -> None:
    definitions = tmp_path / "definitions"
    definitions.mkdir()
    (definitions / "views.jsonl").touch()
    (definitions / "tables.sql").write_text("CREATE TABLE nowhere.t (a INTEGER)")
    processes = Processes(str(tmp_path), tmp_path)
    with pytest.raises(psycopg.errors.InvalidSchemaName):
        postgres_warehouse.create(processes, tmp_path, definitions, tmp_path / "catalog.jsonl")
    assert processes.sessions
    assert marked(str(tmp_path)) == []
    assert not list(tmp_path.glob("swarm-postgres-*"))
    assert list(temporary.iterdir()) == []
