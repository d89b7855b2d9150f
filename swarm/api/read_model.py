"""What the API answers from: the current graph in memory, following the projections' log."""

import difflib
from dataclasses import dataclass, field
from typing import Self

from swarm.dispatch.floor import Floor
from swarm.errors import Rejected, UnknownKey
from swarm.graph.index import DependencyGraph
from swarm.model.dispatch import (
    DispatchRecord,
    Ended,
    Granted,
    Lost,
    Rearmed,
    Started,
    Submitted,
)
from swarm.model.journal import (
    ConnectorChanged,
    CursorMoved,
    DependencyChanged,
    DependencyGone,
    Entry,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
    Record,
    UnresolvedGone,
    UnresolvedSeen,
)
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Unresolved
from swarm.model.pipelines import Pipeline
from swarm.store.projections import Projections


@dataclass(slots=True)
class ReadModel:
    """A fold of the log. `seq` is the global sequence number it stands at,
    `caught_up` whether it has reached the log's end once. `drawn` is the whole graph as it was
    asked for, by the least confidence, until the graph moves."""

    seq: int = 0
    caught_up: bool = False
    graph: DependencyGraph = field(default_factory=DependencyGraph)
    unresolved: dict[Unresolved, None] = field(default_factory=dict)
    connectors: dict[str, tuple[ConnectorChanged, float]] = field(default_factory=dict)
    floor: Floor = field(default_factory=Floor)
    unattributed: dict[str, int] = field(default_factory=dict)
    drawn: dict[float, bytes] = field(default_factory=dict)
    _loaded_at: int = 0
    _moved: dict[str, int] = field(default_factory=dict)
    _names: dict[str, dict[PipelineKey | TaskKey, None]] = field(default_factory=dict)

    @classmethod
    def load(cls, projections: Projections) -> Self:
        """The state now, without the way there."""
        model = cls()
        model.seq, state = projections.snapshot()
        model._loaded_at = model.seq
        for at_s, record in state:
            model.apply(record, at_s)
        return model

    def follow(self, seq: int, entry: Entry) -> None:
        """Take in the next entry of the log."""
        if (owner := self._owner(entry.record)) is not None:
            self._moved[owner] = seq
        self.apply(entry.record, entry.at_s)
        self.seq = seq

    def moved_at(self, owner: str) -> int:
        """The global number at which a task of `owner` may have moved last."""
        return self._moved.get(owner, self._loaded_at)

    def apply(self, record: Record, at_s: float) -> None:
        match record:
            case PipelineSeen(pipeline):
                self._name(pipeline.key, pipeline)
                self._draw(record)
            case PipelineGone(key):
                self._name(key, None)
                self._draw(record)
            case DependencyChanged() | DependencyGone():
                self._draw(record)
            case UnresolvedSeen(unresolved):
                self.unresolved[unresolved] = None
            case UnresolvedGone(unresolved):
                self.unresolved.pop(unresolved, None)
            case ConnectorChanged():
                self.connectors[record.source] = (record, at_s)
            case CursorMoved():
                self.unattributed[record.source] = record.unattributed
            case record if isinstance(record, DispatchRecord):
                self.floor.apply(record)

    def _draw(self, record: GraphRecord) -> None:
        self.drawn.clear()
        self.graph.apply(record)

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
            case Submitted(submission):
                return submission.owner
            case Granted(token) | Started(token) | Lost(token) | Rearmed(token) | Ended(token):
                task = self.floor.tasks.get(token.task)
                return None if task is None else task.submission.owner
            case _:
                return None

    def _name(self, key: PipelineKey, now: Pipeline | None) -> None:
        before = self.graph.pipelines.get(key)
        for name, named in _names_of(before) if before else ():
            del self._names[name][named]
            if not self._names[name]:
                del self._names[name]
        for name, named in _names_of(now) if now else ():
            self._names.setdefault(name, {})[named] = None


def _names_of(pipeline: Pipeline) -> set[tuple[str, PipelineKey | TaskKey]]:
    """All that a pipeline and its tasks may be called."""
    key = pipeline.key
    return {(key.name, key), (str(key), key), *((str(t.key), t.key) for t in pipeline.tasks)}
