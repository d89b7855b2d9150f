"""How many there are of everything: for metrics, off the way of readers."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Table, func, select

from swarm.model.findings import FindingKind
from swarm.model.graph import FindingChanged
from swarm.model.lineage import Level
from swarm.store.database import Database
from swarm.store.history import decode_row
from swarm.store.read_tables import dependencies, findings, pipelines, unresolved


@dataclass(frozen=True, slots=True)
class Census:
    """`findings` are those that are open."""

    findings: Counter[tuple[FindingKind, Level]]
    declared: int
    implicit: int
    pipelines: int
    unresolved: int


def census(database: Database) -> Census:
    """Count. Reads each finding that is open."""
    table = dependencies
    now = table.c.until_s.is_(None) & table.c.gone.is_(False)
    with database.reading() as connection:
        is_open = select(findings).where(findings.c.closed.is_(False))
        rows = connection.execute(is_open).all()
        edges = connection.execute(
            select(table.c.declared, func.count()).where(now).group_by(table.c.declared)
        ).all()

        def size(of: Table) -> int:
            return connection.scalar(select(func.count()).select_from(of)) or 0

        counts = size(pipelines), size(unresolved)
    found = (decode_row(row, FindingChanged).finding for row in rows)
    of_edges = {bool(declared): int(count) for declared, count in edges}
    return Census(
        Counter((one.kind, one.level) for one in found),
        of_edges.get(True, 0),
        of_edges.get(False, 0),
        *counts,
    )
