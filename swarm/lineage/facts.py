"""What is known before anything is concluded from it, with the indexes that conclusions need."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from swarm.lineage.columns import Columns
from swarm.lineage.expansion import Names
from swarm.lineage.facets import Facets
from swarm.lineage.order import Order
from swarm.lineage.run_history import RunHistory
from swarm.lineage.stated_views import StatedViews
from swarm.lineage.tables import Tables
from swarm.model.graph import (
    ColumnsGone,
    ColumnsSeen,
    CoverageSeen,
    EvidenceGone,
    EvidenceSeen,
    FacetGone,
    FacetSeen,
    GraphRecord,
    OrderGone,
    OrderSeen,
    PipelineGone,
    PipelineSeen,
    RunSeen,
    RunsKept,
    UnresolvedGone,
    UnresolvedSeen,
    ViewGone,
    ViewSeen,
)
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved
from swarm.model.pipelines import DeclaredEdge, JobOrder, Pipeline
from swarm.model.runs import Run

# What makes two observations the same one, within a task.
Mark = tuple[Access, DatasetKey, Channel]

# What texts no longer show is remembered for so many accesses of a task, the newest first.
DROPPED_KEPT = 64


@dataclass(slots=True)
class Change:
    """What records have touched: the scope of what must be concluded anew."""

    tasks: set[TaskKey] = field(default_factory=set)
    pipelines: set[PipelineKey] = field(default_factory=set)
    names: set[DatasetKey] = field(default_factory=set)  # became known or unknown
    views: set[DatasetKey] = field(default_factory=set)  # were defined anew or dropped
    reordered: set[PipelineKey | TaskKey] = field(default_factory=set)
    ran: set[PipelineKey] = field(default_factory=set)


class Facts:
    """Pipelines, evidence, coverage, views, facets, columns and what could not be understood."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.names = Names(self.tables)
        self.stated = StatedViews(self.tables)
        self.order = Order()
        self.facets = Facets(self.tables)
        self.columns = Columns(self.tables)
        self.runs = RunHistory(self.tables)
        self.pipelines: dict[PipelineKey, Pipeline] = {}
        self.evidence: dict[TaskKey, dict[Mark, Evidence]] = {}
        self.orders: dict[TaskKey, JobOrder] = {}
        self.coverage: dict[TaskKey, dict[Channel, Coverage]] = {}
        self.unresolved: dict[str, set[Unresolved]] = {}
        # What complete readings no longer show, and when an earlier one last did.
        self.dropped: dict[TaskKey, dict[Mark, float]] = {}
        self._of_orchestrator: dict[str, set[PipelineKey]] = {}
        self._tasks_of: dict[PipelineKey, set[TaskKey]] = {}
        self._ordered: dict[PipelineKey, set[TaskKey]] = {}
        self._touching: dict[tuple[Access, DatasetKey], set[TaskKey]] = {}

    def pipelines_of(self, orchestrator: str) -> list[PipelineKey]:
        return sorted(self._of_orchestrator.get(orchestrator, ()))

    def tasks_of(self, pipeline: PipelineKey) -> list[TaskKey]:
        """The tasks of `pipeline` that evidence or coverage speaks of."""
        return sorted(self._tasks_of.get(pipeline, ()))

    def ordered(self, pipeline: PipelineKey) -> list[TaskKey]:
        """The tasks of `pipeline` that state their own order."""
        return sorted(self._ordered.get(pipeline, ()))

    def touching(self, access: Access, name: DatasetKey) -> set[TaskKey]:
        """The tasks with evidence under exactly this name. Not to be changed."""
        return self._touching.get((access, name), set())

    def all_touching(self, name: DatasetKey) -> set[TaskKey]:
        return self.touching(Access.READ, name) | self.touching(Access.WRITE, name)

    def exists(self, task: TaskKey) -> bool:
        """Is the pipeline listed, or is there at least evidence of the task?"""
        return task.pipeline_key in self.pipelines or task in self.evidence

    def coverage_of(self, task: TaskKey) -> dict[Channel, Coverage]:
        return self.coverage.get(task, {})

    def apply(self, record: GraphRecord, change: Change) -> None:
        """Take in one record and say in `change` what it touched."""
        match record:
            case PipelineSeen(pipeline):
                self._put_pipeline(pipeline.key, pipeline, change)
            case PipelineGone(key):
                self._put_pipeline(key, None, change)
                self.runs.drop(key)
                for task in self.tasks_of(key):
                    self._drop_task(task, change)
            case EvidenceSeen(seen):
                self._put_evidence(seen, change)
            case EvidenceGone(task, access, dataset, channel, last_seen_s):
                self._drop_evidence(task, (access, dataset, channel), change)
                self._remember(task, (access, dataset, channel), last_seen_s, change)
            case CoverageSeen(cover):
                covers = self.coverage.get(cover.task, {})
                self.tables.put(self.coverage, cover.task, {**covers, cover.channel: cover})
                self.tables.add(self._tasks_of, cover.task.pipeline_key, cover.task)
                change.tasks.add(cover.task)
            case ViewSeen(view, source):
                self.stated.put(source, view)
                self._define_view(view.dataset, change)
            case ViewGone(dataset, source):
                self.stated.drop(source, dataset)
                self._define_view(dataset, change)
            case _:
                self._apply_aside(record, change)

    def _apply_aside(self, record: GraphRecord, change: Change) -> None:
        """What is told besides definitions and accesses."""
        match record:
            case OrderSeen(order):
                self._put_order(order.by, order, change)
            case OrderGone(by):
                self._put_order(by, None, change)
            case UnresolvedSeen(item):
                self.tables.add(self.unresolved, item.subject, item)
            case UnresolvedGone(item):
                self.tables.discard(self.unresolved, item.subject, item)
            case RunSeen(Run() as run):
                if self.runs.see(run):
                    change.ran.add(run.pipeline)
            case RunsKept(pipeline, runs):
                self.runs.keep(pipeline, runs)
            case FacetSeen() | FacetGone():
                self.facets.apply(record)
            case ColumnsSeen() | ColumnsGone():
                self.columns.apply(record)
            case _:
                pass  # tries of tasks, capacity, dependencies and verdicts are no facts of lineage

    def records(self) -> Iterator[GraphRecord]:
        """Records that rebuild the facts."""
        for pipeline in self.pipelines.values():
            yield PipelineSeen(pipeline)
        yield from map(OrderSeen, self.orders.values())
        yield from self.stated.records()
        for marks in self.evidence.values():
            yield from map(EvidenceSeen, marks.values())
        for covers in self.coverage.values():
            yield from map(CoverageSeen, covers.values())
        for task, marks_gone in self.dropped.items():
            for mark, last_seen_s in marks_gone.items():
                yield EvidenceGone(task, *mark, last_seen_s)
        for items in self.unresolved.values():
            for item in sorted(items, key=lambda i: (i.reason, i.place, i.detail)):
                yield UnresolvedSeen(item)
        yield from self.facets.records()
        yield from self.columns.records()
        yield from self.runs.records()

    def _define_view(self, dataset: DatasetKey, change: Change) -> None:
        old, new = self.names.views.get(dataset), self.stated.view(dataset)
        if old == new:
            return
        change.names |= self.names.put_view(new) if new else self.names.drop_view(dataset)
        change.views.add(dataset)

    def _put_pipeline(self, key: PipelineKey, new: Pipeline | None, change: Change) -> None:
        old = self.pipelines.get(key)
        change.pipelines.add(key)
        self._reorder(old.declared if old else (), new.declared if new else (), change)
        listed = {task.key for task in new.tasks} if new else set()
        for task in old.tasks if old else ():
            if task.key not in listed:
                self._drop_task(task.key, change)
        self.tables.put(self.pipelines, key, new)
        change_index = self.tables.add if new else self.tables.discard
        change_index(self._of_orchestrator, key.orchestrator, key)

    def _put_order(self, by: TaskKey, new: JobOrder | None, change: Change) -> None:
        old = self.orders.get(by)
        self._reorder(old.edges if old else (), new.edges if new else (), change)
        self.tables.put(self.orders, by, new)
        change_index = self.tables.add if new else self.tables.discard
        change_index(self._ordered, by.pipeline_key, by)

    def _reorder(
        self, before: tuple[DeclaredEdge, ...], after: tuple[DeclaredEdge, ...], change: Change
    ) -> None:
        if before == after:
            return
        lost, gained = set(before) - set(after), set(after) - set(before)
        change.reordered |= self.order.beside(lost) if lost else set()
        self.order.replace(before, after)
        self.tables.note(lambda: self.order.replace(after, before))
        change.reordered |= self.order.beside(gained) if gained else set()

    def _put_evidence(self, seen: Evidence, change: Change) -> None:
        marks = self.evidence.get(seen.task)
        if marks is None:
            marks = {}
            self.tables.put(self.evidence, seen.task, marks)
        mark = (seen.access, seen.dataset, seen.channel)
        if mark not in marks:
            self.tables.add(self._touching, (seen.access, seen.dataset), seen.task)
            self.tables.add(self._tasks_of, seen.task.pipeline_key, seen.task)
            if self.names.learn(seen.dataset):
                change.names.add(seen.dataset)
        self.tables.put(marks, mark, seen)
        dropped = self.dropped.get(seen.task, {})
        if mark in dropped:
            rest = {known: at_s for known, at_s in dropped.items() if known != mark}
            self.tables.put(self.dropped, seen.task, rest or None)
        change.tasks.add(seen.task)

    def _remember(self, task: TaskKey, mark: Mark, last_seen_s: float, change: Change) -> None:
        if not last_seen_s:
            return  # the record is of an older version, which did not say when
        known = self.dropped.get(task, {})
        dropped = {**known, mark: max(last_seen_s, known.get(mark, 0.0))}
        newest = sorted(dropped.items(), key=lambda item: (-item[1], item[0]))[:DROPPED_KEPT]
        self.tables.put(self.dropped, task, dict(newest))
        self.tables.add(self._tasks_of, task.pipeline_key, task)
        change.tasks.add(task)

    def _drop_evidence(self, task: TaskKey, mark: Mark, change: Change) -> None:
        marks = self.evidence.get(task, {})
        if mark not in marks:
            return
        access, dataset, _ = mark
        self.tables.put(marks, mark, None)
        if not any(m[:2] == mark[:2] for m in marks):
            self.tables.discard(self._touching, (access, dataset), task)
        if not marks:
            self.tables.put(self.evidence, task, None)
            self._unlist(task)
        if self.names.forget(dataset):
            change.names.add(dataset)
        change.tasks.add(task)

    def _drop_task(self, task: TaskKey, change: Change) -> None:
        for mark in list(self.evidence.get(task, ())):
            self._drop_evidence(task, mark, change)
        self.tables.put(self.coverage, task, None)
        self.tables.put(self.dropped, task, None)
        self._unlist(task)
        change.tasks.add(task)

    def _unlist(self, task: TaskKey) -> None:
        if not any(task in table for table in (self.evidence, self.coverage, self.dropped)):
            self.tables.discard(self._tasks_of, task.pipeline_key, task)
