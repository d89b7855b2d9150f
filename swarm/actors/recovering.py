"""Carries out what is to be done about runs that died with a worker, for one connector.

The graph actor has the intents in its journal; what became of each goes to the connector's. A crash
in between has the intent tried again, and the connector first looks whether it still has to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container

import structlog

from swarm.actors.ports import Graph
from swarm.clock import Clock
from swarm.connectors.base import Recovers
from swarm.errors import ConnectorError, Unreachable
from swarm.model.connectors import RecoveryEnded
from swarm.model.recovery import Recovered, Recovery

_LOOK_S = 0.5

log = structlog.get_logger()


async def recover(
    orchestrator: str,
    connector: Recovers,
    graph: Graph,
    clock: Clock,
    ended: Container[str],
    record: Callable[[RecoveryEnded], Awaitable[None]],
) -> None:
    """Look for intents for ever; `ended` has the ids of those that were carried out."""
    waiting: dict[str, Recovery] = {}
    while True:
        await asyncio.sleep(_LOOK_S)
        try:
            found = await graph.recoveries(orchestrator)
        except Unreachable:
            continue
        waiting = {one.id: one for one in (*waiting.values(), *found) if one.id not in ended}
        for one in waiting.values():
            if outcome := await _tried(one, connector, clock.now_s()):
                log.info("recovery", run=one.run_id, outcome=outcome[0], detail=outcome[1])
                await record(RecoveryEnded(one, *outcome))


async def _tried(one: Recovery, connector: Recovers, now_s: float) -> tuple[Recovered, str] | None:
    """How it ended; None when it has to be tried again."""
    if now_s > one.valid_until_s:
        return Recovered.EXPIRED, "its orchestrator did not answer in time"
    try:
        return await connector.recover(one)
    except ConnectorError as error:
        log.warning("recovery has to wait", run=one.run_id, error=str(error))
        return None
