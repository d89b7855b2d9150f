"""The lab's warehouse: one SQLite file per schema, seen as one database by every pipeline."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

SCHEMAS = ("crm", "finance", "marketing", "ops", "sales", "staging")
# Rows a pipeline may find before another one has written for the first time.
_LAKE_SEED = {
    "crm/customers.csv": "id,name,active\n",
    "crm/archive/customers.csv": "id,name\n",
    "marketing/spend.csv": "campaign,amount\n",
    "ops/shipments.json": "[]",
    "ops/suppliers.json": "[]",
    "reports/revenue.csv": "",
}


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Where it lies: `main` is the file that pipelines connect to, `lake` the folder of files,
    `views` the definitions of its views, one JSON line each."""

    main: Path
    lake: Path
    views: Path

    def view_names(self) -> frozenset[str]:
        lines = self.views.read_text(encoding="utf-8").splitlines()
        return frozenset(str(json.loads(line)["name"]) for line in lines)


def create(folder: Path, definitions: Path) -> Warehouse:
    """Make the tables and views of `definitions` in `folder`, and the lake beside them.

    A view over tables of one schema lives in its file. SQLite keeps no view over several, so
    those, named `main.*`, are made by whoever connects.
    """
    home = folder / "warehouse"
    home.mkdir(parents=True)
    warehouse = Warehouse(home / "warehouse.db", folder / "lake", folder / "catalog.jsonl")
    catalog = (definitions / "views.jsonl").read_text(encoding="utf-8")
    warehouse.views.write_text(catalog, encoding="utf-8")
    for schema in SCHEMAS:
        _write_ahead(home / f"{schema}.db")
    _write_ahead(warehouse.main)
    connection = sqlite3.connect(warehouse.main)
    try:
        for schema in SCHEMAS:
            connection.execute(f"ATTACH DATABASE ? AS {schema}", (str(home / f"{schema}.db"),))
        tables = (definitions / "tables.sql").read_text(encoding="utf-8")
        connection.executescript(f"BEGIN; {tables}; COMMIT")
        for line in catalog.splitlines():
            view = json.loads(line)
            if not view["name"].startswith("main."):
                connection.execute(f"CREATE VIEW {view['name']} AS {view['sql']}")
        connection.commit()
    finally:
        connection.close()
    for name, text in _LAKE_SEED.items():
        file = warehouse.lake / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return warehouse


def _write_ahead(file: Path) -> None:
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
