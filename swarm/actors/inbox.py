"""One loop per stateful actor: take an event, decide, append, apply, answer. No Ray here.

Rule 1: public methods only enqueue; state changes only in the loop, one event at a time.
Rule 2: nothing is answered before it is durable, and memory never runs ahead of the journal.
Rule 3: if the loop ends, the process ends: a dead loop in a live process would hang its callers.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from swarm.errors import Overloaded, Rejected
from swarm.telemetry import log_as_json

EventT = TypeVar("EventT")

log = structlog.get_logger()


class Inbox(Generic[EventT]):
    """A bounded queue in front of `handle`, which returns the journal's last sequence number."""

    def __init__(self, handle: Callable[[EventT], Awaitable[int]], *, size_max: int) -> None:
        self._handle = handle
        self._queue: asyncio.Queue[tuple[EventT, asyncio.Future[int]]] = asyncio.Queue(size_max)

    async def send(self, event: EventT) -> int:
        """Return once `event` is durable and applied. Raises `Overloaded` when the queue is full
        and whatever `Rejected` the handler raised."""
        reply: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((event, reply))
        except asyncio.QueueFull:
            raise Overloaded("too many requests wait already; send it again in a second") from None
        return await asyncio.shield(reply)

    def remind(self, event: EventT) -> None:
        """Handle `event` when nothing waits, without an answer to anybody; else leave it out."""
        if self._queue.empty():
            self._queue.put_nowait((event, asyncio.get_running_loop().create_future()))

    async def run(self) -> None:
        while True:
            event, reply = await self._queue.get()
            try:
                seq = await self._handle(event)
            except Rejected as refusal:  # decided before anything was written: state is unchanged
                if not reply.done():
                    reply.set_exception(refusal)
                continue
            if not reply.done():
                reply.set_result(seq)


def start(loop: Awaitable[None]) -> asyncio.Future[None]:
    """Run an actor's loop in the background; its end is the end of the process."""
    log_as_json()
    task = asyncio.ensure_future(loop)
    task.add_done_callback(_die)
    return task


def _die(task: asyncio.Future[None]) -> None:
    fault = None if task.cancelled() else task.exception()
    log.error("actor loop ended; the process exits and replays", fault=repr(fault), exc_info=fault)
    os._exit(70)
