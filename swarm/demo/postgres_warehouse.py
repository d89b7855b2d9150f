"""The lab's warehouse as a database of a PostgreSQL server that the lab starts itself."""

import csv
import io
import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from swarm.config import Naming, SqlConnection
from swarm.demo import postgres_audit, postgres_server
from swarm.demo.postgres_audit import Task
from swarm.demo.postgres_server import HOST, Postgres
from swarm.demo.processes import LabError, Processes
from swarm.demo.warehouse import (
    DEFAULT_SCHEMA,
    FILE,
    NAMESPACE,
    SCHEMAS,
    statements,
    write_catalog,
)

DATABASE = "warehouse"
ROLE = "pipelines"
ALL_SCHEMAS = (DEFAULT_SCHEMA, *SCHEMAS)
_LOG_TIMEOUT_S = 30.0
_PLACEHOLDER = re.compile(r"(?<=[ (])\?(?=[,)])")


@dataclass(frozen=True, slots=True)
class PostgresWarehouse:
    """The server and its folder, the password of the role that pipelines connect as, and the
    file in which their processes write down which connection is whose."""

    server: Postgres
    home: TemporaryDirectory[str]
    password: str
    connectors: Path

    @property
    def address(self) -> str:
        """Where pipelines connect to; the password is a variable of its own."""
        return f"postgresql://{ROLE}@{HOST}:{self.server.port}/{DATABASE}"

    @property
    def connections(self) -> Mapping[str, SqlConnection]:
        here = SqlConnection(
            dialect="postgres",
            namespace=self._namespace,
            default_catalog=DATABASE,
            default_schema=DEFAULT_SCHEMA,
        )
        return dict.fromkeys(("default", "warehouse", "WAREHOUSE", self.address), here)

    @property
    def naming(self) -> Naming:
        space = self._namespace
        return Naming(default_namespace=space, namespaces={NAMESPACE: space})

    @property
    def _namespace(self) -> str:
        return f"postgres://{HOST}:{self.server.port}"

    def variables(self) -> dict[str, str]:
        airflow = {
            "conn_type": "postgres",
            "host": HOST,
            "port": self.server.port,
            "login": ROLE,
            "password": self.password,
            "schema": DATABASE,
        }
        return {
            "WAREHOUSE": self.address,
            "PGPASSWORD": self.password,
            "AIRFLOW_CONN_WAREHOUSE": json.dumps(airflow),
            "LAB_CONNECTIONS": str(self.connectors),
        }

    def translate(self, source: str) -> str:
        """The same program as somebody writes it who has psycopg and psql."""
        words = {
            "import sqlite3\n": "import psycopg\n",
            "sqlite3.connect(": "psycopg.connect(",
            f'"{FILE}"': f'"{self.address}"',
            f"sqlite3 {FILE}": f"psql -q -v ON_ERROR_STOP=1 {self.address}",
            'kinds={"sqlite"}': 'kinds={"postgres"}',
        }
        for old, new in words.items():
            source = source.replace(old, new)
        return _PLACEHOLDER.sub("%s", source)

    def programs(self) -> Mapping[str, str]:
        return {"psql": f'exec {self.server.programs}/psql "$@"'}

    def touched(self, scripts: frozenset[str]) -> list[str]:
        schemas = frozenset(ALL_SCHEMAS)
        return postgres_audit.accesses(self.logged(), ROLE, self.tasks(scripts), schemas)

    def tasks(self, scripts: frozenset[str]) -> dict[str, Task]:
        """Who is behind which application name."""
        # psql cannot say more of itself than the name that its environment gives it.
        tasks: dict[str, Task] = {script: ("cron", script, script) for script in scripts}
        if self.connectors.exists():
            for line in self.connectors.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                tasks[entry["name"]] = (entry["orchestrator"], entry["pipeline"], entry["task"])
        return tasks

    def logged(self) -> list[list[str]]:
        """The rows that the server has logged until now."""
        # It writes them later than it answers, but in order: this one comes after all others.
        mark = f"the audit is read {secrets.token_hex(8)}"
        with psycopg.connect(self.server.url(DATABASE)) as connection:
            connection.execute(f"DO $$BEGIN RAISE LOG '{mark}'; END$$".encode())
        deadline_s = time.monotonic() + _LOG_TIMEOUT_S
        while mark not in (text := self.server.log.read_text(encoding="utf-8")):
            if time.monotonic() > deadline_s:
                raise LabError(f"PostgreSQL does not write its log: {self.server.log}")
            time.sleep(0.02)
        return list(csv.reader(io.StringIO(text, newline="")))

    def close(self) -> None:
        self.home.cleanup()


def create(
    processes: Processes, folder: Path, definitions: Path, catalog: Path
) -> PostgresWarehouse:
    """Start the server in `folder`, make the tables and views of `definitions` in it and write
    the `catalog`.

    The pipelines' role may read and change rows and make temporary tables, nothing else.
    """
    views = write_catalog(definitions, catalog, "postgres")
    home = postgres_server.make_home(folder)
    try:
        server = postgres_server.start(processes, Path(home.name))
        connectors = folder / "connections.jsonl"
        warehouse = PostgresWarehouse(server, home, secrets.token_hex(16), connectors)
        _make_role(warehouse)
        _make_tables(warehouse, statements(definitions), views)
    except BaseException:
        processes.stop_all()
        home.cleanup()
        raise
    return warehouse


def _make_role(warehouse: PostgresWarehouse) -> None:
    with psycopg.connect(warehouse.server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{warehouse.password}'".encode())
        audited = {"log_statement": "'all'", "auto_explain.log_min_duration": "0"}
        for name, value in {"search_path": DEFAULT_SCHEMA, **audited}.items():
            connection.execute(f"ALTER ROLE {ROLE} SET {name} = {value}".encode())


def _make_tables(
    warehouse: PostgresWarehouse, tables: str, views: Sequence[Mapping[str, str]]
) -> None:
    named = ", ".join(ALL_SCHEMAS)
    with psycopg.connect(warehouse.server.url(DATABASE)) as connection:
        for schema in ALL_SCHEMAS:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        connection.execute(tables.encode())
        for view in views:
            connection.execute(f"CREATE VIEW {view['name']} AS {view['sql']}".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA {named} TO {ROLE}".encode())
        rights = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES"
        connection.execute(f"GRANT {rights} IN SCHEMA {named} TO {ROLE}".encode())
