"""The projector actor: follows every stream, alone writes the projections."""

import asyncio

from swarm.actors.inbox import start
from swarm.config import Settings
from swarm.store.journal import open_journal
from swarm.store.projections import open_projector

_IDLE_S = 0.1  # how long a change may stay unseen by readers
_BATCH = 500


class ProjectorActor:
    """Brings streams into one global order."""

    async def __init__(self, settings: Settings) -> None:
        self._journal = open_journal(settings.store_url, settings.state_dir)
        self._projector = open_projector(settings.store_url, settings.state_dir)
        self._loop = start(self._run())

    async def _run(self) -> None:
        while True:
            if not await asyncio.to_thread(self._step):
                await asyncio.sleep(_IDLE_S)

    def _step(self) -> int:
        cursors = self._projector.cursors()
        moved = 0
        for stream in self._journal.streams():
            entries = self._journal.read(stream, cursors.get(stream, 0), _BATCH)
            if entries:
                self._projector.apply(entries)
                moved += len(entries)
        return moved
