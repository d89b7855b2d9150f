"""What a warehouse of the lab is, whatever database holds it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from swarm.config import Naming, SqlConnection

Database = Literal["sqlite", "postgres"]
NAMESPACE = "warehouse://lab"
"""What declared assets call the warehouse."""
DEFAULT_SCHEMA = "main"
SCHEMAS = ("crm", "finance", "marketing", "ops", "sales", "staging")
FILE = "warehouse/warehouse.db"
"""Where the pipelines that do not ask the environment expect the SQLite warehouse."""

# Rows a pipeline may find before another one has written for the first time.
_LAKE_SEED = {
    "crm/customers.csv": "id,name,active\n",
    "crm/archive/customers.csv": "id,name\n",
    "marketing/spend.csv": "campaign,amount\n",
    "ops/shipments.json": "[]",
    "ops/suppliers.json": "[]",
    "reports/revenue.csv": "",
}


class Warehouse(Protocol):
    """A warehouse that stands: its tables and views are there."""

    @property
    def connections(self) -> Mapping[str, SqlConnection]:
        """What each way means in which pipelines name it; `default` for all others."""
        ...

    @property
    def naming(self) -> Naming:
        """How the names that tools use for its tables come together."""
        ...

    def variables(self) -> dict[str, str]:
        """What the environment of the pipelines' processes holds about it."""
        ...

    def translate(self, source: str) -> str:
        """A file of the pipelines, written for SQLite, as it is for this database."""
        ...

    def programs(self) -> Mapping[str, str]:
        """Shell lines of the command line tools that cron's lines use for it."""
        ...

    def touched(self, scripts: frozenset[str]) -> list[str]:
        """JSON lines of the audit that the database itself keeps; `scripts` are cron's.
        Raises `LabError` when it cannot vouch for them."""
        ...

    def close(self) -> None:
        """Remove what may not stay when its processes have ended."""
        ...


def statements(definitions: Path) -> str:
    """The SQL that makes and fills the tables."""
    return (definitions / "tables.sql").read_text(encoding="utf-8")


def write_catalog(definitions: Path, target: Path, dialect: str) -> list[dict[str, str]]:
    """Write the definitions of the views, one JSON line each, and return them."""
    lines = (definitions / "views.jsonl").read_text(encoding="utf-8").splitlines()
    views = [{**json.loads(line), "dialect": dialect} for line in lines]
    target.write_text("".join(json.dumps(view) + "\n" for view in views), encoding="utf-8")
    return views


def view_names(catalog: Path) -> frozenset[str]:
    """The views that a catalog defines."""
    lines = catalog.read_text(encoding="utf-8").splitlines()
    return frozenset(str(json.loads(line)["name"]) for line in lines)


def fill_lake(lake: Path) -> None:
    """Make the folder of files beside the warehouse."""
    for name, text in _LAKE_SEED.items():
        file = lake / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
