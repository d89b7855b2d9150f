"""What was found, and the dependencies that show it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select

from swarm.model.findings import Finding
from swarm.model.graph import DependencyChanged, FindingChanged
from swarm.model.lineage import Dependency, DependencyKey
from swarm.store import read_tables
from swarm.store.database import Database
from swarm.store.folds import dependency_row_key
from swarm.store.history import current_dependencies, decode_row

_KEYS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding; `key` is where the next page goes on."""

    key: tuple[float, str]
    finding: Finding


class Findings:
    """Reads of the findings that are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, limit: int, after: tuple[float, str] = (0.0, ""), since_s: float | None = None
    ) -> list[FindingRow]:
        """A page of the open findings, or of all that changed at `since_s` or later, closed ones
        too; the one that changed last is last."""
        table, (at_s, key) = read_tables.findings, after
        query = select(table).where(
            (table.c.at_s > at_s) | ((table.c.at_s == at_s) & (table.c.key > key)),
            table.c.closed.is_(False) if since_s is None else table.c.at_s >= since_s,
        )
        return [
            FindingRow((row.at_s, row.key), decode_row(row, FindingChanged).finding)
            for row in self._database.rows(query.order_by(table.c.at_s, table.c.key).limit(limit))
        ]

    def dependencies_of(self, found: Iterable[Finding]) -> dict[DependencyKey, Dependency]:
        """The dependencies that show these findings, as far as they still exist."""
        keys = sorted({dependency_row_key(key) for finding in found for key in finding.evidence})
        table = read_tables.dependencies
        now = current_dependencies()
        dependencies = (
            decode_row(row, DependencyChanged).dependency
            for at in range(0, len(keys), _KEYS_AT_ONCE)
            for row in self._database.rows(
                now.where(table.c.key.in_(keys[at : at + _KEYS_AT_ONCE]))
            )
        )
        return {dependency.key: dependency for dependency in dependencies}

    def open_count(self) -> int:
        """How many findings are open."""
        table = read_tables.findings
        query = select(func.count()).select_from(table).where(table.c.closed.is_(False))
        return int(self._database.rows(query)[0][0])
