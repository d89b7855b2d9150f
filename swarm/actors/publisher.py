"""The publisher actor: tells another catalogue of the dependencies that swarm finds. It follows the
log of the projections and alone writes the stream `publisher`; nobody calls it.

That a task was told of is journaled after the catalogue took it, so a crash tells it once more.
"""

import asyncio
from dataclasses import replace

import structlog

from swarm.actors.inbox import start
from swarm.actors.journaled import Journaled, opened
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.connectors.publishing import Catalogue
from swarm.errors import ConnectorError, StoreError, Trimmed
from swarm.lineage.openlineage.telling import Telling
from swarm.model.graph import DependencyChanged, DependencyGone
from swarm.store.projections import Projections, open_projections

STREAM = "publisher"
_SNAPSHOT_EVERY = 1_000  # records
_BATCH = 1_000
_IDLE_S = 1.0
_RETRY_S = 1.0  # the first time, then twice as long each time
_RETRY_MAX_S = 300.0

log = structlog.get_logger()


class PublisherActor:
    """Keeps a catalogue as swarm sees things."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        self._clock = SystemClock()
        self._catalogue = Catalogue(settings.publish)
        namespaces = {
            source.instance: source.lineage_namespace or source.instance
            for source in settings.sources
        }

        def begin() -> tuple[Telling, Journaled, Projections]:
            state = Telling(settings.publish.at_least, namespaces)
            journaled = Journaled(settings, STREAM, state, snapshot_every=_SNAPSHOT_EVERY)
            return state, journaled, open_projections(settings.store_url, settings.state_dir)

        self._telling, self._journaled, self._projections = await opened(begin)
        self._read_to: int | None = None
        self._loops = [start(self._run())]

    async def _run(self) -> None:
        wait_s = _RETRY_S
        while True:
            try:
                while await asyncio.to_thread(self._read):
                    pass
            except StoreError as error:  # it is read again
                log.warning("no lineage is published: it cannot be read", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            try:
                await self._tell()
            except ConnectorError as error:
                log.warning("no lineage is published", error=str(error))
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _RETRY_MAX_S)
            else:
                wait_s = _RETRY_S
                await asyncio.sleep(_IDLE_S)

    def _read(self) -> bool:
        """Take in what is new; may there be more?"""
        try:
            if self._read_to is not None:
                entries = self._projections.log.read(self._read_to, _BATCH)
                for seq, entry in entries:
                    if isinstance(entry.record, DependencyChanged | DependencyGone):
                        self._telling.apply(entry.record)
                    self._read_to = seq
                return len(entries) == _BATCH
        except Trimmed:
            pass
        self._telling.restart()
        self._read_to, state = self._projections.log.snapshot()
        for _, record in state:
            if isinstance(record, DependencyChanged):
                self._telling.apply(record)
        return True

    async def _tell(self) -> None:
        for told, event in list(self._telling.due(self._clock.now_s())):
            refused = await asyncio.to_thread(self._catalogue.tell, event)
            if refused:
                log.warning("an event was refused", task=str(told.task), why=refused)
            record = replace(told, refused=refused)
            await self._journaled.append([record], self._clock.now_s(), STREAM)
