"""The lab's warehouse as one SQLite file per schema, seen as one database by every pipeline."""

import json
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swarm.config import Naming, SqlConnection
from swarm.demo.warehouse import (
    DEFAULT_SCHEMA,
    FILE,
    NAMESPACE,
    SCHEMAS,
    statements,
    write_catalog,
)

# The command line tool is not on every machine; this is what it does with a script on stdin.
_SHELL = """\
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.executescript(sys.stdin.read())
connection.close()
"""


@dataclass(frozen=True, slots=True)
class SqliteWarehouse:
    """Where it lies: `main` is the file that pipelines connect to, `views` its catalog. What
    touches it is recorded by each process itself, in the audit of the files."""

    main: Path
    views: Path

    @property
    def connections(self) -> Mapping[str, SqlConnection]:
        here = SqlConnection(dialect="sqlite", namespace=NAMESPACE, default_schema=DEFAULT_SCHEMA)
        return dict.fromkeys(("default", "warehouse", "WAREHOUSE", FILE), here)

    @property
    def naming(self) -> Naming:
        return Naming(default_namespace=NAMESPACE)

    def variables(self) -> dict[str, str]:
        return {
            "WAREHOUSE": str(self.main),
            "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "sqlite", "host": str(self.main)}),
            "LAB_WAREHOUSE": str(self.main),
            "LAB_VIEWS": str(self.views),
        }

    def translate(self, source: str) -> str:
        return source

    def programs(self) -> Mapping[str, str]:
        shell = self.main.with_name("sqlite-shell")
        shell.write_text(_SHELL)
        return {"sqlite3": f'exec {sys.executable} {shell} "$@"'}

    def touched(self, scripts: frozenset[str]) -> list[str]:
        return []

    def close(self) -> None:
        """Its files stay beside the lab's logs."""


def create(folder: Path, definitions: Path, catalog: Path) -> SqliteWarehouse:
    """Make the tables and views of `definitions` in `folder`, and write the `catalog`.

    A view over tables of one schema lives in its file. SQLite keeps no view over several, so
    those, named `main.*`, are made by whoever connects.
    """
    main = folder / FILE
    home = main.parent
    home.mkdir(parents=True)
    views = write_catalog(definitions, catalog, "sqlite")
    for schema in SCHEMAS:
        _write_ahead(home / f"{schema}.db")
    _write_ahead(main)
    connection = sqlite3.connect(main)
    try:
        for schema in SCHEMAS:
            connection.execute(f"ATTACH DATABASE ? AS {schema}", (str(home / f"{schema}.db"),))
        connection.executescript(f"BEGIN; {statements(definitions)}; COMMIT")
        for view in views:
            if not view["name"].startswith("main."):
                connection.execute(f"CREATE VIEW {view['name']} AS {view['sql']}")
        connection.commit()
    finally:
        connection.close()
    return SqliteWarehouse(main, catalog)


def _write_ahead(file: Path) -> None:
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
