"""Actors as Ray makes them, but in this process: objects whose constructor is awaited."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from swarm.actors import inbox

WAIT_S = 180.0


@contextlib.asynccontextmanager
async def an_actor(kind: type, *arguments: Any) -> AsyncIterator[Any]:
    """The end of its loops is the end of its process, but not of this one."""
    actor = kind.__new__(kind)
    await actor.__init__(*arguments)
    try:
        yield actor
    finally:
        loops = [one for one in vars(actor).values() if isinstance(one, asyncio.Future)]
        loops += getattr(actor, "_loops", [])
        for loop in loops:
            loop.remove_done_callback(inbox._die)
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what other threads bring about."""
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
