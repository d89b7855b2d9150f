"""What the API answers from: the current graph in memory, following the projections' log."""

import difflib
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from swarm.dispatch.floor import Floor
from swarm.errors import Rejected, UnknownKey
from swarm.graph.index import DependencyGraph
from swarm.model import dispatch
from swarm.model.connectors import ConnectorChanged, CursorMoved
from swarm.model.graph import (
    DependencyChanged,
    DependencyGone,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
    UnresolvedGone,
    UnresolvedSeen,
)
from swarm.model.journal import Entry, Record
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import DependencyKey, Unresolved
from swarm.model.pipelines import Pipeline
from swarm.store.projections import Projections

_DRAWN_MAX = 8

T = TypeVar("T")


@dataclass(slots=True)
class ReadModel:
    """A fold of the log. `seq` is the global sequence number it stands at,
    `data_seq` that of the last record that was not of dispatch, `caught_up` whether it has reached
    the log's end once."""

    seq: int = 0
    data_seq: int = 0
    caught_up: bool = False
    graph: DependencyGraph = field(default_factory=DependencyGraph)
    unresolved: dict[Unresolved, None] = field(default_factory=dict)
    connectors: dict[str, tuple[ConnectorChanged, float]] = field(default_factory=dict)
    floor: Floor = field(default_factory=Floor)
    unattributed: dict[str, int] = field(default_factory=dict)
    _drawn: dict[Hashable, Any] = field(default_factory=dict)
    _loaded_at: int = 0
    _moved: dict[str, int] = field(default_factory=dict)
    # What may be called so, and how many pipelines and dependencies have it.
    _names: dict[str, dict[PipelineKey | TaskKey, int]] = field(default_factory=dict)
    _told: dict[PipelineKey, int] = field(default_factory=dict)  # by how many dependencies

    @classmethod
    def load(cls, projections: Projections) -> Self:
        """The state now, without the way there."""
        model = cls()
        model.seq, state = projections.log.snapshot()
        model._loaded_at = model.data_seq = model.seq
        for at_s, record in state:
            model.apply(record, at_s)
        return model

    def follow(self, seq: int, entry: Entry) -> None:
        """Take in the next entry of the log."""
        if (owner := self._owner(entry.record)) is not None:
            self._moved[owner] = seq
        self.apply(entry.record, entry.at_s)
        self.seq = seq
        if not isinstance(entry.record, dispatch.DispatchRecord):
            self.data_seq = seq

    def moved_at(self, owner: str) -> int:
        """The global number at which a task of `owner` may have moved last."""
        return self._moved.get(owner, self._loaded_at)

    def apply(self, record: Record, at_s: float) -> None:
        match record:
            case PipelineSeen() | PipelineGone() | DependencyChanged() | DependencyGone():
                self._drawn.clear()
                self._rename(record)
                self.graph.apply(record)
            case UnresolvedSeen(unresolved):
                self.unresolved[unresolved] = None
            case UnresolvedGone(unresolved):
                self.unresolved.pop(unresolved, None)
            case ConnectorChanged():
                self.connectors[record.source] = (record, at_s)
            case CursorMoved():
                self.unattributed[record.source] = record.unattributed
            case record if isinstance(record, dispatch.DispatchRecord):
                self.floor.apply(record)

    def pipelines(self) -> list[tuple[Pipeline, bool]]:
        """Those that an orchestrator lists, and those that only data tells of: whether listed."""
        listed = self.graph.pipelines
        others = (Pipeline(key) for key in self._told if key not in listed)
        return [*((one, True) for one in listed.values()), *((one, False) for one in others)]

    def drawn(self, what: Hashable, draw: Callable[[], T]) -> T:
        """What `draw` makes of the graph: made once, until the graph moves."""
        if what not in self._drawn:
            if len(self._drawn) >= _DRAWN_MAX:
                self._drawn.clear()
            self._drawn[what] = draw()
        found: T = self._drawn[what]
        return found

    def find(self, name: str) -> PipelineKey | TaskKey:
        """The pipeline or task called `name`: `orchestrator/pipeline[/task]`, or a pipeline's bare
        name where only one orchestrator has it. Raises `UnknownKey` or `Rejected`."""
        found = self._names.get(name, {})
        exact = next((key for key in found if str(key) == name), None)
        if exact is not None:
            return exact
        if len(found) == 1:
            return next(iter(found))
        if found:
            candidates = ", ".join(sorted(str(key) for key in found))
            raise Rejected(f"`{name}` is the name of several pipelines; say which: {candidates}")
        close = difflib.get_close_matches(name, self._names, n=3)
        hint = f" Did you mean {', '.join(close)}?" if close else ""
        raise UnknownKey(f"No pipeline or task is called `{name}`.{hint}")

    def _owner(self, record: Record) -> str | None:
        """Whose task the record moves; None where it moves none."""
        match record:
            case dispatch.Submitted(submission):
                return submission.owner
            case (
                dispatch.Granted(token)
                | dispatch.Started(token)
                | dispatch.CopyLeads(token)
                | dispatch.Lost(token)
                | dispatch.Rearmed(token)
                | dispatch.Ended(token)
            ):
                task = self.floor.tasks.get(token.task)
                return None if task is None else task.submission.owner
            case _:
                return None

    def _rename(self, record: GraphRecord) -> None:
        """What may be called how from now on; the graph does not have `record` yet."""
        match record:
            case PipelineSeen(pipeline):
                self._name(pipeline.key, pipeline)
            case PipelineGone(key):
                self._name(key, None)
            case DependencyChanged(_, dependency):
                if dependency.key not in self.graph.dependencies:
                    self._tell(dependency.key, 1)
            case DependencyGone(_, gone):
                if gone in self.graph.dependencies:
                    self._tell(gone, -1)

    def _name(self, key: PipelineKey, now: Pipeline | None) -> None:
        before = self.graph.pipelines.get(key)
        for pipeline, more in ((before, -1), (now, 1)):
            if pipeline is not None:
                self._call(_names_of(key, (task.key for task in pipeline.tasks)), more)

    def _tell(self, key: DependencyKey, more: int) -> None:
        """Both ends of a dependency have names, also where no orchestrator lists them."""
        for end in (key.upstream, key.downstream):
            self._call(_names_of(end.pipeline_key, (end,) if end.task else ()), more)
            _count(self._told, end.pipeline_key, more)

    def _call(self, names: Iterable[tuple[str, PipelineKey | TaskKey]], more: int) -> None:
        for name, named in names:
            called = self._names.setdefault(name, {})
            _count(called, named, more)
            if not called:
                del self._names[name]


def _count(of: dict[T, int], one: T, more: int) -> None:
    of[one] = of.get(one, 0) + more
    if not of[one]:
        del of[one]


def _names_of(key: PipelineKey, tasks: Iterable[TaskKey]) -> set[tuple[str, PipelineKey | TaskKey]]:
    """All that a pipeline and its tasks may be called."""
    return {(key.name, key), (str(key), key), *((str(task), task) for task in tasks)}
