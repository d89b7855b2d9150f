"""Who comes after whom, and when everybody ran: the world of the sequencer, read from the
projections."""

import asyncio
from collections.abc import Iterable

from swarm.api.deps import Deps
from swarm.model.keys import PipelineKey
from swarm.model.sla import Sla
from swarm.sequencing.history import RUNS_KEPT
from swarm.sequencing.known import known_world
from swarm.sequencing.world import World


async def world_of(deps: Deps, ran: Iterable[PipelineKey] | None = None) -> World:
    """The world as it stands: a copy, since the read model moves on. With `ran` only the runs of
    these pipelines are in it."""
    graph = deps.model.graph
    pipelines, dependencies = list(graph.pipelines.values()), list(graph.dependencies.values())
    projections = deps.projections

    def read() -> World:
        of = (one.key for one in pipelines) if ran is None else ran
        runs = (run for key in of for run in projections.runs.of(key, RUNS_KEPT))
        return known_world(pipelines, dependencies, runs)

    return await asyncio.to_thread(read)


def promised(deps: Deps) -> list[Sla]:
    """The SLAs that there are, whoever says so."""
    return [state.sla for state in deps.projections.slas()]
