"""What a batch of entries changes in the read models: rows to write and keys to delete.

Pure: the projector executes it. Within a batch only the last state of a key is written, except
for dependencies, whose every state is kept.
"""

from dataclasses import dataclass, field
from typing import Any

from swarm.model.columns import ColumnLineage
from swarm.model.connectors import ConnectorChanged, CursorMoved, IntentEnded
from swarm.model.dispatch import DispatchRecord
from swarm.model.facets import Facet
from swarm.model.foreign import ForeignWorker, Presence
from swarm.model.graph import (
    CapacitySeen,
    ColumnsGone,
    ColumnsSeen,
    DependencyChanged,
    DependencyGone,
    FacetGone,
    FacetSeen,
    FindingChanged,
    ForeignWorkerSeen,
    PipelineGone,
    PipelineSeen,
    RunSeen,
    UnresolvedGone,
    UnresolvedSeen,
)
from swarm.model.intents import Act
from swarm.model.journal import RECORD_VERSION, Record
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import DependencyKey, Unresolved
from swarm.model.pipelines import Pool
from swarm.model.runs import Run, TaskRun
from swarm.model.scaling import PlanMade, Scaled
from swarm.model.sequencing import IntentMade, SlaChanged
from swarm.model.sla import Standing
from swarm.store.read_tables import PAST, digest, pipeline_row_key, plain, row_key
from swarm.store.rents import RentChanges
from swarm.store.stories import TaskChanges
from swarm.store.usage import UsageChanges

Row = dict[str, Any]


@dataclass(slots=True)
class Rows:
    """The outcome for one table: keys to delete, then the last row of each key to write.

    `since_first`: a row that is written again keeps the time it was first written at.
    """

    since_first: bool = False
    gone: set[str] = field(default_factory=set)
    last: dict[str, Row] = field(default_factory=dict)

    def put(self, key: str, at_s: float, body: str, **columns: object) -> None:
        if self.since_first and key in self.last:
            at_s = self.last[key]["at_s"]
        stored = {"key": key, "at_s": at_s, "record_version": RECORD_VERSION, "body": body}
        self.last[key] = stored | columns

    def drop(self, key: str) -> None:
        self.gone.add(key)
        self.last.pop(key, None)


@dataclass(slots=True)
class Changes:
    """The outcome of a batch. `dependencies` are new states in order, `closed` when and at which
    version the state before the batch ended. `since` is the state of each connector and its
    beginning; it starts as what is known before the batch."""

    pipelines: Rows = field(default_factory=Rows)
    unresolved: Rows = field(default_factory=lambda: Rows(since_first=True))
    facets: Rows = field(default_factory=Rows)
    columns: Rows = field(default_factory=Rows)
    capacity: Rows = field(default_factory=Rows)
    findings: Rows = field(default_factory=Rows)
    foreign_workers: Rows = field(default_factory=Rows)
    slas: Rows = field(default_factory=Rows)
    decisions: Rows = field(default_factory=Rows)
    scaling: Rows = field(default_factory=Rows)
    tasks: TaskChanges = field(default_factory=TaskChanges)
    usage: UsageChanges = field(default_factory=UsageChanges)
    rents: RentChanges = field(default_factory=RentChanges)
    runs: Rows = field(default_factory=Rows)
    # The event that ends a try need not tell when it began; the one before it did.
    task_runs: Rows = field(default_factory=lambda: Rows(since_first=True))
    connectors: dict[str, Row] = field(default_factory=dict)
    cursors: dict[str, Row] = field(default_factory=dict)
    dependencies: list[Row] = field(default_factory=list)
    closed: dict[str, Row] = field(default_factory=dict)
    version: int = 0
    since: dict[str, tuple[str | None, float]] = field(default_factory=dict)
    _current: dict[str, Row] = field(default_factory=dict)

    def add(self, record: Record, body: str, at_s: float, number: int) -> None:
        """Take in one record; `body` is its JSON text, `number` its global one."""
        match record:
            case PipelineSeen(pipeline):
                self.pipelines.put(pipeline_row_key(pipeline.key), at_s, body)
            case PipelineGone(key):
                self.pipelines.drop(pipeline_row_key(key))
            case RunSeen() | CapacitySeen():
                self._add_execution(record, body, at_s)
            case DependencyChanged() | DependencyGone():
                self._add_dependency(record, body, at_s)
            case CursorMoved() | ConnectorChanged():
                self._add_connector(record, at_s)
            case FindingChanged() | SlaChanged():
                self._add_told(record, body, at_s)
            case PlanMade() | Scaled():
                self._add_scaling(record, body, at_s, number)
            case record if isinstance(record, DispatchRecord):
                self.tasks.add(record, body, at_s, number)
                self.usage.add(record, at_s)
            case _:
                self._add_aside(record, body, at_s)

    def _add_aside(self, record: Record, body: str, at_s: float) -> None:
        """What stands beside pipelines and dependencies."""
        match record:
            case UnresolvedSeen(seen):
                self.unresolved.put(_unresolved_key(seen), at_s, body)
            case UnresolvedGone(gone):
                self.unresolved.drop(_unresolved_key(gone))
            case ForeignWorkerSeen(worker):
                self._add_foreign(worker, body, at_s)
            case IntentMade(intent) | IntentEnded(intent):
                kind, target = type(record).__name__, intent.target
                apart = [str(intent.act)] if intent.act is Act.TRIGGER else []
                key = row_key(target.orchestrator, target.name, kind, *apart)
                self.decisions.put(key, at_s, body, kind=kind)
                if kind == IntentMade.__name__ and intent.act in (Act.HOLD, Act.RELEASE):
                    key = row_key(target.orchestrator, target.name, PAST, f"{intent.number:019}")
                    self.decisions.put(key, at_s, body, kind=PAST)
            case FacetSeen(facet):
                self._add_facet(facet, body, at_s)
            case FacetGone():
                self.facets.drop(_facet_key(record))
            case ColumnsSeen(lineage):
                self._add_columns(lineage, body, at_s)
            case ColumnsGone():
                self.columns.drop(_columns_key(record))
            case _:
                pass  # evidence, coverage, views and verdicts act through the dependencies

    def _add_told(self, record: FindingChanged | SlaChanged, body: str, at_s: float) -> None:
        """What people are told."""
        if isinstance(record, FindingChanged):
            closed = record.finding.closed_at_s is not None
            self.findings.put(plain(record.finding.id), at_s, body, closed=closed)
        elif record.state.standing is Standing.DROPPED:
            self.slas.drop(plain(record.state.sla.name))
        else:
            self.slas.put(plain(record.state.sla.name), at_s, body)

    def _add_scaling(self, record: PlanMade | Scaled, body: str, at_s: float, number: int) -> None:
        """Of plans the newest, of steps all."""
        kind = type(record).__name__
        step = f"{number:019}/{digest(body)}" if isinstance(record, Scaled) else ""
        self.scaling.put(f"{kind}/{step}", at_s, body, kind=kind)
        if isinstance(record, Scaled):
            self.rents.add(record, at_s)

    def _add_facet(self, facet: Facet, body: str, at_s: float) -> None:
        if facet.content or facet.left_out:
            subject = subject_row_key(str(facet.subject))
            self.facets.put(_facet_key(facet), at_s, body, subject_key=subject)
        else:  # its sender deleted it
            self.facets.drop(_facet_key(facet))

    def _add_foreign(self, worker: ForeignWorker, body: str, at_s: float) -> None:
        key = row_key(worker.orchestrator, worker.name, worker.seen_by)
        if worker.presence is Presence.STOPPED:
            self.foreign_workers.drop(key)
        else:
            self.foreign_workers.put(key, at_s, body)

    def _add_columns(self, lineage: ColumnLineage, body: str, at_s: float) -> None:
        if lineage.columns or lineage.whole or lineage.left_out:
            dataset = subject_row_key(str(lineage.dataset))
            self.columns.put(_columns_key(lineage), at_s, body, dataset_key=dataset)
        else:  # its sender took it back
            self.columns.drop(_columns_key(lineage))

    def _add_execution(self, record: RunSeen | CapacitySeen, body: str, at_s: float) -> None:
        if isinstance(record, CapacitySeen):
            seen = record.capacity
            if isinstance(seen, Pool):
                key = row_key("pool", seen.orchestrator, seen.name)
            else:
                owner = seen.pipeline
                key = row_key("backfill", owner.orchestrator, owner.name, seen.backfill_id)
            self.capacity.put(key, at_s, body, kind=type(seen).__name__)
        elif isinstance(record.run, Run):
            self._add_run(record.run, body, at_s)
        else:
            self._add_task_run(record.run, body, at_s)

    def _add_run(self, run: Run, body: str, at_s: float) -> None:
        times = (run.started_at_s, run.scheduled_for_s, at_s)
        sort_s = next(time for time in times if time is not None)
        self.runs.put(
            run_row_key(run.pipeline, run.run_id),
            sort_s,
            body,
            pipeline_key=pipeline_row_key(run.pipeline),
        )

    def _add_task_run(self, run: TaskRun, body: str, at_s: float) -> None:
        task, pipeline = run.task, run.task.pipeline_key
        task_key = task_row_key(task)
        self.task_runs.put(
            digest(task_key, run.run_id, str(run.attempt)),
            at_s if run.started_at_s is None else run.started_at_s,
            body,
            run_key=run_row_key(pipeline, run.run_id),
            task_key=task_key,
            pipeline_key=pipeline_row_key(pipeline),
        )

    def _add_dependency(
        self, record: DependencyChanged | DependencyGone, body: str, at_s: float
    ) -> None:
        changed = record.dependency if isinstance(record, DependencyChanged) else None
        names = changed.key if changed else record.key  # type: ignore[union-attr]
        key = dependency_row_key(names)
        row = {
            "key": key,
            "upstream_key": pipeline_row_key(names.upstream.pipeline_key),
            "downstream_key": pipeline_row_key(names.downstream.pipeline_key),
            "gone": changed is None,
            "declared": changed.declared if changed else False,
            "confidence": changed.confidence if changed else 0.0,
            "verdict": changed.verdict if changed else None,
            "version": record.version,
            "at_s": at_s,
            "until_version": None,
            "until_s": None,
            "record_version": RECORD_VERSION,
            "body": body,
        }
        before = self._current.get(key)
        if before is None:
            self.closed[key] = {"of": key, "ended_s": at_s, "ended_version": record.version}
        else:
            before.update(until_s=at_s, until_version=record.version)
        self._current[key] = row
        self.dependencies.append(row)
        self.version = max(self.version, record.version)

    def _add_connector(self, record: CursorMoved | ConnectorChanged, at_s: float) -> None:
        key = row_key(record.source)
        if isinstance(record, CursorMoved):
            self.cursors[key] = {
                "key": key,
                "source": plain(record.source),
                "kind": "",
                "message": "",
                "cursor": plain(record.cursor),
                "cursor_moved_at_s": at_s,
                "unattributed": record.unattributed,
            }
            return
        before, since_s = self.since.get(key, (None, at_s))
        if before != record.state:
            since_s = at_s
        self.since[key] = (record.state, since_s)
        self.connectors[key] = {
            "key": key,
            "source": plain(record.source),
            "kind": record.kind,
            "state": record.state,
            "message": plain(record.message),
            "since_s": since_s,
        }


def run_row_key(pipeline: PipelineKey, run_id: str) -> str:
    return digest(pipeline.orchestrator, pipeline.name, run_id)


def task_row_key(task: TaskKey) -> str:
    return digest(task.orchestrator, task.pipeline, task.task)


def dependency_row_key(key: DependencyKey) -> str:
    up, down, dataset = key.upstream, key.downstream, key.dataset
    return row_key(
        *(up.orchestrator, up.pipeline, up.task),
        *(down.orchestrator, down.pipeline, down.task),
        *(dataset.namespace, dataset.name),
    )


def subject_row_key(subject: str) -> str:
    return digest(subject)


def _facet_key(facet: Facet | FacetGone) -> str:
    return row_key(str(facet.subject), facet.job, facet.of, facet.name)


def _columns_key(lineage: ColumnLineage | ColumnsGone) -> str:
    task = lineage.task
    who = (task.orchestrator, task.pipeline, task.task) if task else ()
    return row_key(str(lineage.dataset), *who, lineage.job)


def _unresolved_key(seen: Unresolved) -> str:
    return row_key(seen.subject, seen.reason, seen.place, seen.detail)
