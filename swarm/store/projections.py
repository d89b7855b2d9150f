"""The read models: what the API, the CLI and the dashboard answer from. Nothing here writes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Select, Table, func, select, tuple_

from swarm.errors import Trimmed
from swarm.model.columns import ColumnLineage
from swarm.model.connectors import ConnectorChanged, ConnectorState, CursorMoved, IntentEnded
from swarm.model.facets import Facet
from swarm.model.findings import Finding
from swarm.model.foreign import ForeignWorker
from swarm.model.graph import (
    CapacitySeen,
    ColumnsSeen,
    DependencyChanged,
    FacetSeen,
    FindingChanged,
    ForeignWorkerSeen,
    PipelineSeen,
    RunSeen,
    UnresolvedSeen,
)
from swarm.model.intents import Intent
from swarm.model.journal import Entry, Record
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Dependency, DependencyKey, Unresolved
from swarm.model.pipelines import Backfill, Pipeline, Pool
from swarm.model.runs import Run, RunState, TaskRun
from swarm.model.scaling import PlanMade, Scaled
from swarm.model.sequencing import IntentMade, SlaChanged
from swarm.model.sla import SlaState
from swarm.placement.metering import HOUR_S, Metered, Stay
from swarm.placement.minutes import Held
from swarm.store import codec, read_tables
from swarm.store.census import Census, census
from swarm.store.database import Database
from swarm.store.folds import (
    dependency_row_key,
    run_row_key,
    subject_row_key,
)
from swarm.store.history import History, decode_row
from swarm.store.losses import Losses
from swarm.store.projector import open_database
from swarm.store.read_tables import cursors, log, pipeline_row_key, position
from swarm.store.stories import Stories, live_records
from swarm.store.usage import metered, standing
from swarm.store.watch import Watch

_LONGEST_RUN_S = 86_400.0
_RUNS_AT_ONCE = 50_000
_KEYS_AT_ONCE = 500
_MOVED = select(position.c.last_seq, position.c.trimmed_seq)


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
class FindingRow:
    """A finding; `key` is where the next page goes on."""

    key: tuple[float, str]
    finding: Finding


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run; `key` is where the next page goes on."""

    key: tuple[float, str]
    run: Run


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step of the fleet; `key` is where the next page goes on."""

    key: str
    step: Scaled


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
        self._watch = Watch(lambda: database.sign(_MOVED))
        self.history = History(database)
        self.stories = Stories(database)
        self.losses = Losses(database)

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
        query = _now(table).where(table.c.confidence >= min_confidence, table.c.key > after)
        if declared is not None:
            query = query.where(table.c.declared.is_(declared))
        if pipeline is not None:
            key = pipeline_row_key(pipeline)
            query = query.where((table.c.upstream_key == key) | (table.c.downstream_key == key))
        return [
            DependencyRow(
                row.key, row.version, row.at_s, decode_row(row, DependencyChanged).dependency
            )
            for row in self._rows(query.order_by(table.c.key).limit(limit))
        ]

    def unresolved(self, limit: int, after: str = "") -> list[UnresolvedRow]:
        """A page of what is not understood."""
        rows = self._page(read_tables.unresolved, limit, after)
        return [
            UnresolvedRow(row.key, row.at_s, decode_row(row, UnresolvedSeen).unresolved)
            for row in rows
        ]

    def findings(
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
            for row in self._rows(query.order_by(table.c.at_s, table.c.key).limit(limit))
        ]

    def dependencies_of(self, found: Iterable[Finding]) -> dict[DependencyKey, Dependency]:
        """The dependencies that show these findings, as far as they still exist."""
        keys = sorted({dependency_row_key(key) for finding in found for key in finding.evidence})
        table = read_tables.dependencies
        now = _now(table)
        dependencies = (
            decode_row(row, DependencyChanged).dependency
            for at in range(0, len(keys), _KEYS_AT_ONCE)
            for row in self._rows(now.where(table.c.key.in_(keys[at : at + _KEYS_AT_ONCE])))
        )
        return {dependency.key: dependency for dependency in dependencies}

    def open_findings(self) -> int:
        """How many findings are open."""
        table = read_tables.findings
        query = select(func.count()).select_from(table).where(table.c.closed.is_(False))
        return int(self._rows(query)[0][0])

    def census(self) -> Census:
        """How many there are of everything."""
        return census(self._database)

    def facets(self, limit: int, after: str = "", subject: str | None = None) -> list[FacetRow]:
        """A page of the facets that are kept, or of those of the task or dataset `subject`."""
        table = read_tables.facets
        query = select(table).where(table.c.key > after).order_by(table.c.key).limit(limit)
        if subject is not None:
            query = query.where(table.c.subject_key == subject_row_key(subject))
        return [FacetRow(row.key, decode_row(row, FacetSeen).facet) for row in self._rows(query)]

    def columns(self, limit: int, after: str = "", dataset: str | None = None) -> list[ColumnsRow]:
        """A page of the column lineage that is kept, or of that of `dataset`."""
        table = read_tables.columns
        query = select(table).where(table.c.key > after).order_by(table.c.key).limit(limit)
        if dataset is not None:
            query = query.where(table.c.dataset_key == subject_row_key(dataset))
        rows = self._rows(query)
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
            for row in self._rows(select(table).order_by(table.c.source))
        ]

    def runs(self, pipeline: PipelineKey, limit: int) -> list[Run]:
        """The newest runs of `pipeline`, newest first."""
        table = read_tables.runs
        query = (
            select(table)
            .where(table.c.pipeline_key == pipeline_row_key(pipeline))
            .order_by(table.c.at_s.desc(), table.c.key.desc())
            .limit(limit)
        )
        found = (decode_row(row, RunSeen).run for row in self._rows(query))
        return [run for run in found if isinstance(run, Run)]

    def all_runs(
        self,
        limit: int,
        since_s: float,
        before: tuple[float, str] | None = None,
        *,
        newest: bool = False,
    ) -> list[RunRow]:
        """A page of the runs of all pipelines that began at `since_s` or later, newest first, or
        only the `newest` of each."""
        table = read_tables.runs
        query = select(table).where(table.c.at_s >= since_s)
        if before is not None:
            query = query.where(tuple_(table.c.at_s, table.c.key) < tuple_(*before))
        if newest:
            last = select(table.c.pipeline_key, func.max(table.c.at_s).label("at_s"))
            of = last.group_by(table.c.pipeline_key).subquery()
            same = (table.c.pipeline_key == of.c.pipeline_key) & (table.c.at_s == of.c.at_s)
            query = query.join(of, same)
        rows = self._rows(query.order_by(table.c.at_s.desc(), table.c.key.desc()).limit(limit))
        found = ((row, decode_row(row, RunSeen).run) for row in rows)
        return [RunRow((row.at_s, row.key), run) for row, run in found if isinstance(run, Run)]

    def task_runs(self, pipeline: PipelineKey, run_id: str) -> list[TaskRun]:
        """Every try of a task that is kept of a run, oldest first."""
        table = read_tables.task_runs
        query = (
            select(table)
            .where(table.c.run_key == run_row_key(pipeline, run_id))
            .order_by(table.c.at_s, table.c.key)
        )
        found = (decode_row(row, RunSeen).run for row in self._rows(query))
        return [run for run in found if isinstance(run, TaskRun)]

    def task_runs_between(self, from_s: float, to_s: float) -> list[TaskRun]:
        """The tries that were under way at any time between, of those that began up to a day
        before; the newest when they are very many."""
        table = read_tables.task_runs
        query = (
            select(table)
            .where(table.c.at_s >= from_s - _LONGEST_RUN_S, table.c.at_s <= to_s)
            .order_by(table.c.at_s.desc())
            .limit(_RUNS_AT_ONCE)
        )
        tries = (_under_way(row) for row in self._rows(query))
        return [
            run
            for run in tries
            if run is not None and (run.ended_at_s is None or run.ended_at_s >= from_s)
        ]

    def capacity(self) -> list[Pool | Backfill]:
        """All pools and the newest backfills."""
        table = read_tables.capacity
        rows = self._rows(select(table).order_by(table.c.key))
        return [decode_row(row, CapacitySeen).capacity for row in rows]

    def foreign_workers(self) -> list[ForeignWorker]:
        """The workers of orchestrators that are watched, once for each who tells of them."""
        table = read_tables.foreign_workers
        rows = self._rows(select(table).order_by(table.c.key))
        return [decode_row(row, ForeignWorkerSeen).worker for row in rows]

    def slas(self) -> list[SlaState]:
        """How each SLA stands for its next deadline, or the one that has just passed."""
        table = read_tables.slas
        rows = self._rows(select(table).order_by(table.c.key))
        return [decode_row(row, SlaChanged).state for row in rows]

    def decisions(self) -> list[tuple[Intent, IntentEnded | None]]:
        """The last intent about each pipeline, and what came of it."""
        table = read_tables.decisions
        rows = self._rows(select(table).order_by(table.c.key))
        ended = [decode_row(row, IntentEnded) for row in rows if row.kind == IntentEnded.__name__]
        known = {record.intent.id: record for record in ended}
        made = [decode_row(row, IntentMade) for row in rows if row.kind == IntentMade.__name__]
        return [(record.intent, known.get(record.intent.id)) for record in made]

    def plan(self) -> PlanMade | None:
        """The newest plan of the fleet; None where none was made."""
        table = read_tables.scaling
        rows = self._rows(select(table).where(table.c.kind == PlanMade.__name__))
        return decode_row(rows[0], PlanMade) if rows else None

    def steps(self, limit: int, before: str = "") -> list[StepRow]:
        """A page of what was done about the fleet, newest first."""
        table = read_tables.scaling
        query = select(table).where(table.c.kind == Scaled.__name__)
        if before:
            query = query.where(table.c.key < before)
        rows = self._rows(query.order_by(table.c.key.desc()).limit(limit))
        return [StepRow(row.key, decode_row(row, Scaled)) for row in rows]

    def usage(self, from_s: float, until_s: float, *, runs: bool = False) -> Metered:
        """Whose the nodes were, by the hours from `from_s` on; `runs`: each run by itself."""
        with self._database.reading() as connection:
            return metered(connection, int(from_s // HOUR_S), until_s, runs=runs)

    def standing(self, from_s: float, until_s: float) -> tuple[list[Stay], list[Held]]:
        """The nodes of the last hour, or a part of it, and what was held of them."""
        with self._database.reading() as connection:
            return standing(connection, from_s, until_s)

    def log(self, after: int, limit: int) -> list[tuple[int, Entry]]:
        """At most `limit` entries after global number `after`, with their numbers, in order.

        Raises `Trimmed` when entries after `after` are gone, or when the numbering has begun
        anew: the reader takes `snapshot` and goes on from there.
        """
        with self._database.reading() as connection:
            at = connection.execute(select(position.c.last_seq, position.c.trimmed_seq)).one()
            rows = connection.execute(
                select(log).where(log.c.global_seq > after).order_by(log.c.global_seq).limit(limit)
            ).all()
        if not at.trimmed_seq <= after <= at.last_seq:
            raise Trimmed(
                f"{self._database.place}: the log is kept from {at.trimmed_seq + 1} to "
                f"{at.last_seq}, not after {after}; start from the snapshot."
            )
        return [(row.global_seq, _entry(row)) for row in rows]

    def moved(self, most_s: float) -> bool:
        """Wait, at most so long, until there may be more in the log than when this last said so.
        For one follower."""
        return self._watch.moved(most_s)

    def last(self) -> int:
        """The last global sequence number, 0 at the start."""
        with self._database.reading() as connection:
            return connection.scalar(select(position.c.last_seq)) or 0

    def cursors(self) -> Mapping[str, int]:
        """The last seq of each stream that is in the projections."""
        rows = self._rows(select(cursors.c.stream, cursors.c.seq))
        return {row.stream: row.seq for row in rows}

    def snapshot(self) -> tuple[int, list[tuple[float, Record]]]:
        """The current state as (at_s, record) that rebuild it, and the global number to follow on
        from. Holds pipelines, dependencies, unresolved, capacity, connectors, live workers and
        live tasks, not runs and findings."""
        now = _now(read_tables.dependencies)
        with self._database.reading() as connection:
            last = connection.scalar(select(position.c.last_seq)) or 0
            state: list[tuple[float, Record]] = [
                (row.at_s, decode_row(row, kind))
                for query, kind in (
                    (select(read_tables.pipelines), PipelineSeen),
                    (now, DependencyChanged),
                    (select(read_tables.unresolved), UnresolvedSeen),
                    (select(read_tables.capacity), CapacitySeen),
                )
                for row in connection.execute(query)
            ]
            sources = connection.execute(select(read_tables.connectors)).all()
            state += live_records(connection)
        for row in sources:
            state += _connector_records(row)
        return last, state

    def close(self) -> None:
        self._watch.close()
        self._database.close()

    def _page(self, table: Table, limit: int, after: str) -> Sequence[Row[Any]]:
        return self._rows(
            select(table).where(table.c.key > after).order_by(table.c.key).limit(limit)
        )

    def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        with self._database.reading() as connection:
            return connection.execute(query).all()


def open_projections(url: str, folder: Path) -> Projections:
    """The projections in the PostgreSQL database at `url`, or in `folder` when empty."""
    return Projections(open_database(url, folder))


def _under_way(row: Row[Any]) -> TaskRun | None:
    """The try of a row if it ever began; the row tells when, where its last news does not."""
    run = decode_row(row, RunSeen).run
    if not isinstance(run, TaskRun) or run.state in (RunState.QUEUED, RunState.SKIPPED):
        return None
    return run if run.started_at_s is not None else replace(run, started_at_s=row.at_s)


def _now(dependencies: Table) -> Select[Any]:
    return select(dependencies).where(
        dependencies.c.until_s.is_(None), dependencies.c.gone.is_(False)
    )


def _entry(row: Row[Any]) -> Entry:
    place = f"log, number {row.global_seq}"
    record = codec.decode(row.type, row.record_version, row.body, place)
    return Entry(row.stream, row.seq, row.at_s, row.cause_id, record)


def _connector_records(row: Row[Any]) -> Iterator[tuple[float, Record]]:
    if row.state is not None:
        state = ConnectorState(row.state)
        yield row.since_s, ConnectorChanged(row.source, row.kind, state, row.message)
    if row.cursor is not None:
        yield row.cursor_moved_at_s, CursorMoved(row.source, row.cursor, row.unattributed)
