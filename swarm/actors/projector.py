"""The projector actor: follows every stream, alone writes the projections."""

import asyncio

from swarm.actors.inbox import start
from swarm.actors.journaled import opened
from swarm.config import Settings
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.projector import open_projector

_IDLE_S = 0.1  # how long a change may stay unseen by readers


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
            if not await asyncio.to_thread(self._follower.step):
                await asyncio.sleep(_IDLE_S)
