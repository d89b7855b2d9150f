"""Prefect's event stream, as a reason to look sooner. It is never read for what it says."""

import asyncio
import contextlib

from swarm.connectors.prefect.client import PrefectClient

_GATHER_S = 0.2  # events come in bursts; one pass reads them all
_AGAIN_S = 30.0  # before the next try to follow a stream that broke


class Wake:
    """Follows the stream from the first `wait` to `close`; a broken stream costs only speed."""

    def __init__(self, client: PrefectClient) -> None:
        self._client = client
        self._news = asyncio.Event()
        self._follower: asyncio.Task[None] | None = None

    async def wait(self, timeout_s: float) -> None:
        """Returns soon after an event, at the latest after `timeout_s`."""
        if self._follower is None:
            self._follower = asyncio.create_task(self._follow_again())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
                await asyncio.sleep(_GATHER_S)
        self._news.clear()

    async def close(self) -> None:
        follower, self._follower = self._follower, None
        if follower is not None:
            follower.cancel()
            await asyncio.wait([follower])

    async def _follow_again(self) -> None:
        while True:
            # As a task, because Prefect raises bare `Exception`: how it ended does not matter.
            following = asyncio.create_task(self._follow())
            try:
                await asyncio.wait([following])
            finally:
                following.cancel()
                await asyncio.wait([following])  # else its socket stays open
            if not following.cancelled():
                following.exception()
            await asyncio.sleep(_AGAIN_S)

    async def _follow(self) -> None:
        async with self._client.stream() as events:
            async for _ in events:
                self._news.set()
