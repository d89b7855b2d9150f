"""The graph as records make it: pipelines, dependencies and two views of who comes after whom.

Rules
1. State is the listed pipelines and the current dependencies; everything else is derived from them
   edge by edge, so a record costs what it touches.
2. Two levels: between pipelines, and between tasks. A declared edge of a whole pipeline leaves its
   end (after each of its tasks) and leads to a start (before each of its tasks).
3. An edge is as strong as its strongest reason; a declared edge is certain. A dependency that a
   person rejected has confidence 0 and is no edge.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from swarm.graph.adjacency import Adjacency
from swarm.model.graph import (
    DependencyChanged,
    DependencyGone,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
)
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey
from swarm.model.pipelines import DeclaredEdge, Pipeline

# What an edge rests on.
Reason = DependencyKey | DeclaredEdge

# A task; or, where its task is empty, the end (`True`) or start (`False`) of a pipeline.
TaskNode = tuple[TaskKey, bool]

N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class Edge:
    """One step between two pipelines, or two tasks.

    `declared`: an orchestrator keeps the order. `dependencies` are the data that flow here,
    strongest first; empty where the edge is only declared.
    """

    upstream: PipelineKey | TaskKey
    downstream: PipelineKey | TaskKey
    confidence: float
    declared: bool
    dependencies: tuple[DependencyKey, ...]


class Level(Generic[N]):
    """Edges between nodes of one kind, each with the reasons it rests on."""

    def __init__(self) -> None:
        self.adjacency = Adjacency()
        self.nodes: list[N] = []
        self._ids: dict[N, int] = {}
        self._reasons: dict[tuple[int, int], dict[Reason, float]] = {}

    def find(self, node: N) -> int | None:
        return self._ids.get(node)

    def node(self, node: N) -> int:
        """The number of `node`, given to it at its first mention."""
        number = self._ids.get(node)
        if number is None:
            number = self._ids[node] = self.adjacency.add_node()
            self.nodes.append(node)
        return number

    def support(self, up: int, down: int, reason: Reason, confidence: float) -> None:
        """`reason` now gives the edge this confidence; 0: it no longer does."""
        reasons = self._reasons.setdefault((up, down), {})
        if confidence:
            reasons[reason] = confidence
        else:
            reasons.pop(reason, None)
        strongest = max(reasons.values(), default=0.0)
        if not reasons:
            del self._reasons[up, down]
        if strongest != self.adjacency.weight(up, down):
            self.adjacency.set_edge(up, down, strongest)

    def reasons(self, up: int, down: int) -> Mapping[Reason, float]:
        return self._reasons.get((up, down), {})

    def pairs(self) -> Iterator[tuple[int, int]]:
        yield from self._reasons


class DependencyGraph:
    """Follows the records of the graph stream; other records leave it as it is."""

    def __init__(self, records: Iterable[GraphRecord] = ()) -> None:
        self._pipelines: dict[PipelineKey, Pipeline] = {}
        self._dependencies: dict[DependencyKey, Dependency] = {}
        self._version = 0
        self._readers: dict[DatasetKey, dict[DependencyKey, None]] = {}
        self.by_pipeline: Level[PipelineKey] = Level()
        self.by_task: Level[TaskNode] = Level()
        # Steps between tasks that cost no distance: into a start's tasks, out to an end.
        self.free_out: dict[int, list[int]] = {}
        self.free_into: dict[int, list[int]] = {}
        self._tasks_of: dict[TaskKey, list[int]] = {}
        self.starts: set[int] = set()
        self.ends: set[int] = set()
        for record in records:
            self.apply(record)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DependencyGraph):
            return NotImplemented
        mine, theirs = self._dependencies, other._dependencies
        return self._pipelines == other._pipelines and mine == theirs

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def version(self) -> int:
        return self._version

    @property
    def pipelines(self) -> Mapping[PipelineKey, Pipeline]:
        return self._pipelines

    @property
    def dependencies(self) -> Mapping[DependencyKey, Dependency]:
        return self._dependencies

    def through(self, dataset: DatasetKey) -> list[Dependency]:
        """The dependencies that `dataset` carries."""
        return [self._dependencies[key] for key in self._readers.get(dataset, ())]

    def apply(self, record: GraphRecord) -> None:
        match record:
            case PipelineSeen(pipeline):
                self._put_pipeline(pipeline.key, pipeline)
            case PipelineGone(key):
                self._put_pipeline(key, None)
            case DependencyChanged(version, dependency):
                self._version = version
                self._dependencies[dependency.key] = dependency
                self._readers.setdefault(dependency.key.dataset, {})[dependency.key] = None
                self._connect(dependency.key, dependency.confidence)
            case DependencyGone(version, key):
                self._version = version
                if self._dependencies.pop(key, None) is not None:
                    self._forget_reader(key)
                    self._connect(key, 0.0)
            case _:
                pass  # evidence, verdicts and runs are the ledger's and the projections'

    def ends_of(self, reason: Reason) -> tuple[int, int]:
        """The numbers, between tasks, of where an edge leaves and where it leads."""
        up, down = reason.upstream, reason.downstream
        return self._task(up, ended=not up.task), self._task(down, ended=False)

    def edges(self) -> Iterator[Edge]:
        """All edges between different pipelines."""
        for up, down in self.by_pipeline.pairs():
            yield self.edge(self.by_pipeline.nodes[up], self.by_pipeline.nodes[down])

    def edge(self, upstream: PipelineKey, downstream: PipelineKey) -> Edge:
        """The edge between two pipelines; KeyError when there is none."""
        up, down = self.by_pipeline.find(upstream), self.by_pipeline.find(downstream)
        if up is None or down is None or not self.by_pipeline.reasons(up, down):
            raise KeyError(f"{upstream} -> {downstream}")
        return self.describe(upstream, downstream, self.by_pipeline.reasons(up, down))

    def describe(
        self,
        upstream: PipelineKey | TaskKey,
        downstream: PipelineKey | TaskKey,
        reasons: Mapping[Reason, float],
    ) -> Edge:
        """The edge that rests on `reasons`."""
        keys = [reason for reason in reasons if isinstance(reason, DependencyKey)]
        keys.sort(key=lambda key: (-reasons[key], key))
        listed = len(keys) < len(reasons)
        ordered = bool(keys) and all(self._dependencies[key].declared for key in keys)
        confidence = max(reasons.values(), default=1.0)
        return Edge(upstream, downstream, confidence, listed or ordered, tuple(keys))

    def _forget_reader(self, key: DependencyKey) -> None:
        readers = self._readers[key.dataset]
        del readers[key]
        if not readers:
            del self._readers[key.dataset]

    def _put_pipeline(self, key: PipelineKey, new: Pipeline | None) -> None:
        old = self._pipelines.get(key)
        before = dict.fromkeys(old.declared if old else ())
        after = dict.fromkeys(new.declared if new else ())
        for edge in before.keys() - after.keys():
            self._connect(edge, 0.0)
        if new is None:
            self._pipelines.pop(key, None)
            return
        self._pipelines[key] = new
        self.by_pipeline.node(key)
        for task in new.tasks:
            self._task(task.key, ended=False)
        for edge in after:
            if edge not in before:
                self._connect(edge, 1.0)

    def _connect(self, reason: Reason, confidence: float) -> None:
        up, down = reason.upstream, reason.downstream
        first, last = self.ends_of(reason)
        self.by_task.support(first, last, reason, confidence)
        if up.pipeline_key != down.pipeline_key:
            above = self.by_pipeline.node(up.pipeline_key)
            below = self.by_pipeline.node(down.pipeline_key)
            self.by_pipeline.support(above, below, reason, confidence)

    def _task(self, key: TaskKey, *, ended: bool) -> int:
        """The number of a task, or of its pipeline's end or start.

        Ends and starts are made when an edge first needs them: most pipelines have none.
        """
        number = self.by_task.find((key, ended))
        if number is not None:
            return number
        number = self.by_task.node((key, ended))
        whole = TaskKey(key.orchestrator, key.pipeline, "")
        start, end = self.by_task.find((whole, False)), self.by_task.find((whole, True))
        if key.task:
            self._tasks_of.setdefault(whole, []).append(number)
            if start is not None:
                self._step_free(start, number)
            if end is not None:
                self._step_free(number, end)
            return number
        (self.ends if ended else self.starts).add(number)
        for task in self._tasks_of.get(whole, ()):
            self._step_free(*((task, number) if ended else (number, task)))
        if start is not None and end is not None:
            self._step_free(start, end)
        return number

    def _step_free(self, up: int, down: int) -> None:
        self.free_out.setdefault(up, []).append(down)
        self.free_into.setdefault(down, []).append(up)
