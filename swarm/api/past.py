"""Who comes after whom, and when everybody ran: the world of the sequencer, read from the
projections."""

import asyncio

from swarm.api.deps import Deps
from swarm.model.sla import Sla
from swarm.sequencing.history import RUNS_KEPT
from swarm.sequencing.known import known_world
from swarm.sequencing.world import World


async def world_of(deps: Deps) -> World:
    """The world as it stands: a copy, since the read model moves on."""
    graph = deps.model.graph
    pipelines, dependencies = list(graph.pipelines.values()), list(graph.dependencies.values())
    projections = deps.projections

    def read() -> World:
        runs = (run for one in pipelines for run in projections.runs(one.key, RUNS_KEPT))
        return known_world(pipelines, dependencies, runs)

    return await asyncio.to_thread(read)


def promised(deps: Deps) -> list[Sla]:
    """The SLAs that there are, whoever says so."""
    return [state.sla for state in deps.projections.slas()]
