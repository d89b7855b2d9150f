"""The read models: what the API, the CLI and the dashboard answer from. Nothing here writes.

What is more than a page of one table has a module of its own: the log (`log.py`), what dependencies
were (`history.py`), runs (`runs.py`), findings (`findings.py`), tasks (`stories.py`, `losses.py`)
and the fleet (`fleet.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Table, select

from swarm.model.columns import ColumnLineage
from swarm.model.connectors import ConnectorState, IntentEnded
from swarm.model.facets import Facet
from swarm.model.foreign import ForeignWorker
from swarm.model.graph import (
    CapacitySeen,
    ColumnsSeen,
    DependencyChanged,
    FacetSeen,
    ForeignWorkerSeen,
    PipelineSeen,
    UnresolvedSeen,
)
from swarm.model.intents import Intent
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Dependency, Unresolved
from swarm.model.pipelines import Backfill, Pipeline, Pool
from swarm.model.sequencing import IntentMade, SlaChanged
from swarm.model.sla import SlaState
from swarm.store import read_tables
from swarm.store.census import Census, census
from swarm.store.database import Database
from swarm.store.findings import Findings
from swarm.store.fleet import Fleet
from swarm.store.folds import subject_row_key
from swarm.store.history import History, current_dependencies, decode_row
from swarm.store.log import Log
from swarm.store.losses import Losses
from swarm.store.projector import open_database
from swarm.store.read_tables import pipeline_row_key
from swarm.store.runs import Runs
from swarm.store.stories import Stories


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """A pipeline; `key` is where the next page goes on."""

    key: str
    seen_at_s: float
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class DependencyRow:
    """A dependency as it is now, since `changed_at_s` and graph version `version`."""

    key: str
    version: int
    changed_at_s: float
    dependency: Dependency


@dataclass(frozen=True, slots=True)
class UnresolvedRow:
    """Something that is not understood since `since_s`."""

    key: str
    since_s: float
    unresolved: Unresolved


@dataclass(frozen=True, slots=True)
class FacetRow:
    """A facet; `key` is where the next page goes on."""

    key: str
    facet: Facet


@dataclass(frozen=True, slots=True)
class ColumnsRow:
    """What one writer makes a dataset's columns from; `key` is where the next page goes on."""

    key: str
    lineage: ColumnLineage


@dataclass(frozen=True, slots=True)
class ConnectorRow:
    """A source: its state (None before it told) since `since_s`, how far it has been read, and
    how many statements in it are nobody's."""

    source: str
    kind: str
    state: ConnectorState | None
    message: str
    since_s: float | None
    cursor: str | None
    cursor_moved_at_s: float | None
    unattributed: int = 0


class Projections:
    """Reads of the projections; safe to share among threads, each call one short transaction.

    Pages are in the order of `key`; the next page begins after the last row's `key`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.log = Log(database)
        self.history = History(database)
        self.runs = Runs(database)
        self.findings = Findings(database)
        self.stories = Stories(database)
        self.losses = Losses(database)
        self.fleet = Fleet(database)

    def pipelines(self, limit: int, after: str = "") -> list[PipelineRow]:
        """A page of all pipelines."""
        rows = self._page(read_tables.pipelines, limit, after)
        return [
            PipelineRow(row.key, row.at_s, decode_row(row, PipelineSeen).pipeline) for row in rows
        ]

    def dependencies(
        self,
        limit: int,
        after: str = "",
        min_confidence: float = 0.0,
        declared: bool | None = None,
        pipeline: PipelineKey | None = None,
    ) -> list[DependencyRow]:
        """A page of the dependencies as they are now.

        `declared` None: both kinds; `pipeline`: only those that begin or end there.
        """
        table = read_tables.dependencies
        query = current_dependencies().where(
            table.c.confidence >= min_confidence, table.c.key > after
        )
        if declared is not None:
            query = query.where(table.c.declared.is_(declared))
        if pipeline is not None:
            key = pipeline_row_key(pipeline)
            query = query.where((table.c.upstream_key == key) | (table.c.downstream_key == key))
        return [
            DependencyRow(
                row.key, row.version, row.at_s, decode_row(row, DependencyChanged).dependency
            )
            for row in self._database.rows(query.order_by(table.c.key).limit(limit))
        ]

    def unresolved(self, limit: int, after: str = "") -> list[UnresolvedRow]:
        """A page of what is not understood."""
        rows = self._page(read_tables.unresolved, limit, after)
        return [
            UnresolvedRow(row.key, row.at_s, decode_row(row, UnresolvedSeen).unresolved)
            for row in rows
        ]

    def census(self) -> Census:
        """How many there are of everything."""
        return census(self._database)

    def facets(self, limit: int, after: str = "", subject: str | None = None) -> list[FacetRow]:
        """A page of the facets that are kept, or of those of the task or dataset `subject`."""
        table = read_tables.facets
        query = select(table).where(table.c.key > after).order_by(table.c.key).limit(limit)
        if subject is not None:
            query = query.where(table.c.subject_key == subject_row_key(subject))
        return [
            FacetRow(row.key, decode_row(row, FacetSeen).facet)
            for row in self._database.rows(query)
        ]

    def columns(self, limit: int, after: str = "", dataset: str | None = None) -> list[ColumnsRow]:
        """A page of the column lineage that is kept, or of that of `dataset`."""
        table = read_tables.columns
        query = select(table).where(table.c.key > after).order_by(table.c.key).limit(limit)
        if dataset is not None:
            query = query.where(table.c.dataset_key == subject_row_key(dataset))
        rows = self._database.rows(query)
        return [ColumnsRow(row.key, decode_row(row, ColumnsSeen).lineage) for row in rows]

    def connectors(self) -> list[ConnectorRow]:
        """All sources that ever told their state or moved their cursor."""
        table = read_tables.connectors
        return [
            ConnectorRow(
                row.source,
                row.kind,
                None if row.state is None else ConnectorState(row.state),
                row.message,
                row.since_s,
                row.cursor,
                row.cursor_moved_at_s,
                row.unattributed,
            )
            for row in self._database.rows(select(table).order_by(table.c.source))
        ]

    def capacity(self) -> list[Pool | Backfill]:
        """All pools and the newest backfills."""
        table = read_tables.capacity
        rows = self._database.rows(select(table).order_by(table.c.key))
        return [decode_row(row, CapacitySeen).capacity for row in rows]

    def foreign_workers(self) -> list[ForeignWorker]:
        """The workers of orchestrators that are watched, once for each who tells of them."""
        table = read_tables.foreign_workers
        rows = self._database.rows(select(table).order_by(table.c.key))
        return [decode_row(row, ForeignWorkerSeen).worker for row in rows]

    def slas(self) -> list[SlaState]:
        """How each SLA stands for its next deadline, or the one that has just passed."""
        table = read_tables.slas
        rows = self._database.rows(select(table).order_by(table.c.key))
        return [decode_row(row, SlaChanged).state for row in rows]

    def decisions(self) -> list[tuple[Intent, IntentEnded | None]]:
        """The last intent about each pipeline, and what came of it."""
        table = read_tables.decisions
        rows = self._database.rows(
            select(table).where(table.c.kind != read_tables.PAST).order_by(table.c.key)
        )
        ended = [decode_row(row, IntentEnded) for row in rows if row.kind == IntentEnded.__name__]
        known = {record.intent.id: record for record in ended}
        made = [decode_row(row, IntentMade) for row in rows if row.kind == IntentMade.__name__]
        return [(record.intent, known.get(record.intent.id)) for record in made]

    def holds(self, since_s: float) -> list[tuple[float, Intent]]:
        """The holds and releases since then with when each was decided, the oldest first; only the
        newest are kept."""
        table = read_tables.decisions
        past = (table.c.kind == read_tables.PAST) & (table.c.at_s >= since_s)
        rows = self._database.rows(select(table).where(past).order_by(table.c.at_s, table.c.key))
        return [(row.at_s, decode_row(row, IntentMade).intent) for row in rows]

    def close(self) -> None:
        self.log.close()
        self._database.close()

    def _page(self, table: Table, limit: int, after: str) -> Sequence[Row[Any]]:
        return self._database.rows(
            select(table).where(table.c.key > after).order_by(table.c.key).limit(limit)
        )


def open_projections(url: str, folder: Path) -> Projections:
    """The projections in the PostgreSQL database at `url`, or in `folder` when empty."""
    return Projections(open_database(url, folder))
