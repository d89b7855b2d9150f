"""What the API answers from: the current graph in memory, following the projections' log."""

import difflib
from dataclasses import dataclass, field
from typing import Self

from swarm.errors import Rejected, UnknownKey
from swarm.graph.index import DependencyGraph
from swarm.model.journal import (
    ConnectorChanged,
    DependencyChanged,
    DependencyGone,
    PipelineGone,
    PipelineSeen,
    Record,
    UnresolvedGone,
    UnresolvedSeen,
)
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Unresolved
from swarm.store.projections import Projections


@dataclass(slots=True)
class ReadModel:
    """A fold of the log. `seq` is the global sequence number it stands at,
    `caught_up` whether it has reached the log's end once."""

    seq: int = 0
    caught_up: bool = False
    graph: DependencyGraph = field(default_factory=DependencyGraph)
    unresolved: dict[Unresolved, None] = field(default_factory=dict)
    connectors: dict[str, tuple[ConnectorChanged, float]] = field(default_factory=dict)

    @classmethod
    def load(cls, projections: Projections) -> Self:
        """The state now, without the way there."""
        model = cls()
        model.seq, state = projections.snapshot()
        for at_s, record in state:
            model.apply(record, at_s)
        return model

    def apply(self, record: Record, at_s: float) -> None:
        match record:
            case PipelineSeen() | PipelineGone() | DependencyChanged() | DependencyGone():
                self.graph.apply(record)
            case UnresolvedSeen(unresolved):
                self.unresolved[unresolved] = None
            case UnresolvedGone(unresolved):
                self.unresolved.pop(unresolved, None)
            case ConnectorChanged():
                self.connectors[record.source] = (record, at_s)

    def find(self, name: str) -> PipelineKey | TaskKey:
        """The pipeline or task called `name`: `orchestrator/pipeline[/task]`, or a pipeline's bare
        name where only one orchestrator has it. Raises `UnknownKey` or `Rejected`."""
        bare = [key for key in self.graph.pipelines if key.name == name]
        full: list[PipelineKey | TaskKey] = [
            key for key in self.graph.pipelines if str(key) == name
        ]
        full += [
            task.key
            for pipeline in self.graph.pipelines.values()
            for task in pipeline.tasks
            if str(task.key) == name
        ]
        if full:
            return full[0]
        if len(bare) == 1:
            return bare[0]
        if bare:
            candidates = ", ".join(sorted(str(key) for key in bare))
            raise Rejected(f"`{name}` is the name of several pipelines; say which: {candidates}")
        names = [str(key) for key in self.graph.pipelines] + [
            key.name for key in self.graph.pipelines
        ]
        close = difflib.get_close_matches(name, names, n=3)
        hint = f" Did you mean {', '.join(close)}?" if close else ""
        raise UnknownKey(f"No pipeline or task is called `{name}`.{hint}")
