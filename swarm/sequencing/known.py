"""The world as somebody knows it who has read it all: made at once, not record by record."""

from collections.abc import Iterable

from swarm.model.graph import DependencyChanged, PipelineSeen
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Dependency
from swarm.model.past_runs import ran_of
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Ran, Run, RunState
from swarm.sequencing.world import World


def known_world(
    pipelines: Iterable[Pipeline], dependencies: Iterable[Dependency], runs: Iterable[Run]
) -> World:
    """The graph, and the runs in any order."""
    world = World()
    for pipeline in pipelines:
        world.apply(PipelineSeen(pipeline))
    for dependency in dependencies:
        world.apply(DependencyChanged(0, dependency))
    ended: dict[PipelineKey, list[Ran]] = {}
    for run in runs:
        if run.state is RunState.RUNNING:
            world.history.see(run)
        elif (ran := ran_of(run)) is not None:
            ended.setdefault(run.pipeline, []).append(ran)
    for key, rans in ended.items():
        world.history.keep(key, sorted(rans, key=lambda ran: ran.started_at_s))
    return world
