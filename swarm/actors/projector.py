"""The projector actor: follows every stream, alone writes the projections."""

import asyncio
from collections.abc import Iterable

import structlog

from swarm.actors.figures import of_log
from swarm.actors.inbox import start
from swarm.actors.journaled import opened
from swarm.actors.measuring import measured
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.errors import StoreError
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.projections import Projections, open_projections
from swarm.store.projector import open_projector
from swarm.telemetry import Figure

log = structlog.get_logger()

_RETRY_S = 1.0
_WAIT_S = 0.5


class ProjectorActor:
    """Brings streams into one global order."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        self._clock = SystemClock()
        self._lag_s = 0.0  # the longest since it was measured last

        def begin() -> tuple[Follower, Projections]:
            place = settings.store_url, settings.state_dir
            follower = Follower(open_journal(*place), open_projector(*place))
            return follower, open_projections(*place)

        self._follower, self._projections = await opened(begin)
        self._loop = start(self._run())
        self._measured = measured(self._figures)

    async def _figures(self) -> Iterable[Figure]:
        lag_s, self._lag_s = self._lag_s, 0.0
        return of_log(await asyncio.to_thread(self._projections.census), lag_s)

    async def _run(self) -> None:
        while True:
            try:
                moved = await asyncio.to_thread(self._follower.step)
            except StoreError as error:  # a batch is one transaction: it is read again
                log.warning("the projections stand still", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            if (oldest_s := self._follower.oldest_at_s) is not None:
                self._lag_s = max(self._lag_s, self._clock.now_s() - oldest_s)
            if not moved:
                await asyncio.to_thread(self._follower.wait, _WAIT_S)
