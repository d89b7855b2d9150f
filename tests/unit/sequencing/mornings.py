"""Made-up mornings: pipelines that run on the minute, day after day."""

from collections.abc import Iterator

from swarm.model.graph import DependencyChanged, GraphRecord, PipelineSeen, RunSeen
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey
from swarm.model.pipelines import DeclaredEdge, Pipeline
from swarm.model.runs import Run, RunState

DAY_S, HOUR_S, MIN_S = 86_400.0, 3_600.0, 60.0
MONDAY = 20_002  # days since the epoch


def begun(key: PipelineKey, at_s: float) -> GraphRecord:
    return RunSeen(Run(key, f"r{at_s}", RunState.RUNNING, None, at_s))


def ran(
    key: PipelineKey, at_s: float, took_s: float = 1_800.0, *, failed: bool = False
) -> GraphRecord:
    state = RunState.FAILED if failed else RunState.SUCCEEDED
    return RunSeen(Run(key, f"r{at_s}", state, None, at_s, at_s + took_s))


def daily(
    key: PipelineKey, hour: float, days: range, took_s: float = 1_800.0
) -> Iterator[GraphRecord]:
    for day in days:
        yield ran(key, day * DAY_S + hour * HOUR_S, took_s)


def depends(up: PipelineKey, down: PipelineKey, confidence: float = 1.0) -> GraphRecord:
    upstream, downstream = TaskKey(up.orchestrator, up.name, "t"), TaskKey(*_parts(down), "t")
    key = DependencyKey(upstream, downstream, DatasetKey("pg", up.name))
    return DependencyChanged(1, Dependency(key, False, confidence, ()))


def listed(key: PipelineKey, *waits_for: PipelineKey) -> GraphRecord:
    end = TaskKey(*_parts(key), "")
    edges = tuple(DeclaredEdge(TaskKey(*_parts(up), ""), end, "sensor") for up in waits_for)
    return PipelineSeen(Pipeline(key, declared=edges))


def _parts(key: PipelineKey) -> tuple[str, str]:
    return key.orchestrator, key.name
