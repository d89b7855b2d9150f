"""The projector actor: follows every stream, alone writes the projections."""

import asyncio

import structlog

from swarm.actors.inbox import start
from swarm.actors.journaled import opened
from swarm.config import Settings
from swarm.errors import StoreError
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.projector import open_projector

log = structlog.get_logger()

_RETRY_S = 1.0
_WAIT_S = 0.5


class ProjectorActor:
    """Brings streams into one global order."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        self._follower = await opened(
            lambda: Follower(
                open_journal(settings.store_url, settings.state_dir),
                open_projector(settings.store_url, settings.state_dir),
            )
        )
        self._loop = start(self._run())

    async def _run(self) -> None:
        while True:
            try:
                moved = await asyncio.to_thread(self._follower.step)
            except StoreError as error:  # a batch is one transaction: it is read again
                log.warning("the projections stand still", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            if not moved:
                await asyncio.to_thread(self._follower.wait, _WAIT_S)
