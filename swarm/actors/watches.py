"""The dispatcher's watches: one wait at each worker for the proof that its process is gone."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from swarm.actors.ports import Answer, Watch
from swarm.dispatch.events import Event, WorkerLost
from swarm.dispatch.workers import Worker
from swarm.model.work import LossCause, WorkerId

_BETTER_S = 0.05


class Watches:
    """Nobody awaits them: a worker that does not answer holds up nothing."""

    def __init__(self, watch: Watch, tell: Callable[[Event, str], Awaitable[Answer]]) -> None:
        self._watch = watch
        self._tell = tell
        self._waiting: dict[WorkerId, asyncio.Future[None]] = {}

    def follow(self, workers: Mapping[WorkerId, Worker]) -> None:
        """Watch over exactly these."""
        for gone in self._waiting.keys() - workers.keys():
            self._waiting.pop(gone).cancel()
        for id_ in workers.keys() - self._waiting.keys():
            waiting = self._wait(id_, workers[id_].offer.node)
            self._waiting[id_] = asyncio.ensure_future(waiting)

    async def noticed(self, worker: WorkerId) -> None:
        """There is a notice of its death. The watch may know a better cause, if it is quick."""
        if watch := self._waiting.get(worker):
            await asyncio.wait([watch], timeout=_BETTER_S)
        await self._tell(WorkerLost(worker, LossCause.PROCESS_EXIT), f"notice:{worker}")

    async def _wait(self, worker: WorkerId, node: str) -> None:
        cause = await self._watch.until_gone(worker, node)
        if cause is not None:
            await self._tell(WorkerLost(worker, cause), f"watch:{worker}")
