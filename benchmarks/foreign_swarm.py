"""swarm's own graph, projector, connectors and API over a real store, in one process without Ray.

`python -m benchmarks.foreign_swarm SETTINGS` serves until it is killed. What is measured with it is
the way from an orchestrator to a finding; Ray only adds a call between the API and the graph.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from swarm import config
from swarm.actors.connector import ConnectorActor
from swarm.actors.graph import GraphActor
from swarm.actors.handles import DispatchHandle, OutputsHandle
from swarm.actors.projector import ProjectorActor
from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.bootstrap import secret
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.store.projections import open_projections
from swarm.store.projector import open_projector

T = TypeVar("T")


async def _made(kind: type[T], *arguments: Any) -> T:
    """An actor, made as Ray makes it: its constructor is awaited."""
    actor = kind.__new__(kind)
    await kind.__init__(actor, *arguments)  # type: ignore[misc]
    return actor


async def serve(settings: Settings) -> None:
    open_projector(settings.store_url, settings.state_dir).close()
    graph = await _made(GraphActor, settings)
    kept = [
        await _made(ProjectorActor, settings),
        *[await _made(ConnectorActor, one, settings, graph) for one in settings.sources],
    ]
    deps = Deps(
        token=secret(settings, "token").read_text(),
        graph=graph,
        dispatch=DispatchHandle(),
        outputs=OutputsHandle(),
        projections=open_projections(settings.store_url, settings.state_dir),
        clock=SystemClock(),
    )
    api = uvicorn.Config(
        create_app(deps), settings.api.host, settings.api.port, log_level="warning"
    )
    await uvicorn.Server(api).serve()
    del kept


if __name__ == "__main__":
    asyncio.run(serve(config.load(Path(sys.argv[1]), environ={})))
