"""The log as server-sent events: who listens holds a place in it, and nothing is kept for them.

Rules:
1. An event's id is the global number of its record. After `Last-Event-ID` comes the next one that
   is news; ids have gaps, what they tell has none.
2. The newest blocks are in memory once for all listeners, older ones are read from the log.
3. A listener that takes nothing for `_TAKE_S` is cut off, and each stream ends after `_MOST_BYTES`,
   so no proxy between can heap up more than that for a slow one. Both go on where they were.
4. Where the log no longer has what follows a place, the answer is 410, or the event `resync` where
   the stream is under way: read everything anew, and listen without an id.
"""

import asyncio
from collections.abc import AsyncIterator

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from swarm.api.deps import Deps
from swarm.api.news import block
from swarm.errors import Overloaded, StoreError, Trimmed

LISTENERS_MAX = 250  # of a replica; each is one of its thousand requests under way
_MOST_BYTES = 1_000_000
_AT_ONCE = 500
_TAKE_S = 10.0
_ALIVE_S = 15.0

log = structlog.get_logger()


async def events(deps: Deps, after: int) -> AsyncIterator[bytes]:
    """Blocks of what came after number `after`, and signs of life between them."""
    sent = 0
    # Its id is a place to come back to before anything has happened.
    yield b"retry: 1000\nid: %d\n\n" % after
    while sent < _MOST_BYTES:
        try:
            after, text = await _next(deps, after)
        except Trimmed:
            yield b"event: resync\ndata: {}\n\n"
            return
        except StoreError as error:
            log.warning("the log cannot be read for listeners", error=str(error))
            return
        sent += len(text)
        yield text or b": alive\nid: %d\n\n" % after


class EventStream(StreamingResponse):
    """Sends `events`; counts among the listeners of `deps` while it does."""

    media_type = "text/event-stream"

    def __init__(self, deps: Deps, after: int, take_s: float = _TAKE_S) -> None:
        if deps.listeners >= LISTENERS_MAX:
            raise Overloaded(f"{LISTENERS_MAX} others listen already; `GET` what you need instead.")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events(deps, after), headers=headers)
        self._deps = deps
        self._take_s = take_s

    async def stream_response(self, send: Send) -> None:
        async def in_time(message: Message) -> None:
            async with asyncio.timeout(self._take_s):
                await send(message)

        self._deps.listeners += 1
        try:
            await super().stream_response(in_time)
        except TimeoutError:
            log.info("a listener took nothing and was cut off", seconds=self._take_s)
        finally:
            self._deps.listeners -= 1


async def begin(deps: Deps, after: int | None) -> EventStream:
    """A stream from `after` on, or from now on. Raises `Trimmed` where the log does not have it."""
    if after is None:
        after = deps.model.seq
    elif not deps.recent.begins <= after <= deps.model.seq:
        await asyncio.to_thread(deps.projections.log.read, after, 1)
    return EventStream(deps, after)


async def _next(deps: Deps, after: int) -> tuple[int, bytes]:
    """What follows `after`, and up to where; nothing after a while in which nothing came."""
    try:
        async with asyncio.timeout(_ALIVE_S):
            while True:
                while deps.model.seq <= after:
                    await deps.news.wait()
                if deps.recent.begins <= after < deps.recent.ends:
                    after, text = deps.recent.after(after, _AT_ONCE)
                else:
                    after, text = await _from_log(deps, after)
                if text:
                    return after, text
    except TimeoutError:
        if after > deps.model.seq:  # this replica is behind, or the log has begun anew
            await asyncio.to_thread(deps.projections.log.read, after, 1)
        return after, b""


async def _from_log(deps: Deps, after: int) -> tuple[int, bytes]:
    entries = await asyncio.to_thread(deps.projections.log.read, after, _AT_ONCE)
    return (entries[-1][0] if entries else after), b"".join(block(*one) for one in entries)
