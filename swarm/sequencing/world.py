"""What everything in sequencing is about: who comes after whom, and when everybody ran."""

from dataclasses import dataclass, field

from swarm.graph.index import DependencyGraph
from swarm.model.graph import GraphRecord, PipelineGone, RunSeen, RunsKept
from swarm.model.runs import Run
from swarm.sequencing.history import History


@dataclass(frozen=True, slots=True)
class World:
    """The graph and the runs as they stand; both move with `apply`."""

    graph: DependencyGraph = field(default_factory=DependencyGraph)
    history: History = field(default_factory=History)

    def apply(self, record: GraphRecord) -> None:
        self.graph.apply(record)
        match record:
            case RunSeen(Run() as run):
                self.history.see(run)
            case RunsKept(pipeline, runs):
                self.history.keep(pipeline, runs)
            case PipelineGone(key):
                self.history.drop(key)
            case _:
                pass
