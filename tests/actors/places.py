"""A dispatcher and a worker of this process, with a real journal and real slots."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from swarm.actors import inbox
from swarm.actors.dispatcher import DispatcherActor
from swarm.actors.ports import Answer
from swarm.actors.worker_loops import Worker, WorkerOptions
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.dispatch.events import Event
from swarm.errors import Rejected, Unreachable
from swarm.model.work import (
    CapacityClass,
    Effects,
    LossCause,
    Needs,
    Offer,
    Rearm,
    Resources,
    Submission,
    TaskId,
    WorkerId,
)

BEAT_KEY = b"beats"
KEY = Fernet.generate_key()


class NoWatch:
    """Workers of this process do not die alone."""

    async def until_gone(self, worker: WorkerId, node: str) -> LossCause | None:
        return await asyncio.get_running_loop().create_future()


class Interrupted:
    """A dispatcher that cannot be reached now and then, and by beats only if it is `beaten`."""

    def __init__(self, dispatcher: DispatcherActor, *, beaten: bool = False) -> None:
        self._beaten = beaten
        self.away = False
        self.refused = 0
        self._dispatcher = dispatcher

    async def tell(self, event: Event, cause_id: str) -> Answer:
        self._pass()
        answer = await self._dispatcher.tell(event, cause_id)
        return answer if self._beaten else replace(answer, beats_to="")

    async def tell_all(self, events: Sequence[Event], cause_id: str) -> list[Answer | Rejected]:
        self._pass()
        return await self._dispatcher.tell_all(events, cause_id)

    def _pass(self) -> None:
        if self.away:
            self.refused += 1
            raise Unreachable("the dispatcher did not answer")


@contextlib.asynccontextmanager
async def a_dispatcher(folder: Path, fence_s: float = 60.0) -> AsyncIterator[DispatcherActor]:
    """As Ray makes it: an object whose constructor is awaited. Its loop's end is the end of its
    process, but not of this one."""
    actor = DispatcherActor.__new__(DispatcherActor)
    settings = Settings.model_validate({"state_dir": folder, "worker": {"fence_s": fence_s}})
    arguments = (settings, KEY, NoWatch(), BEAT_KEY, lambda: "127.0.0.1")
    await actor.__init__(*arguments)  # type: ignore[misc]
    try:
        yield actor
    finally:
        actor._loop.remove_done_callback(inbox._die)
        actor._loop.cancel()
        actor._beats.close()


@contextlib.asynccontextmanager
async def a_worker(  # a worker has many sides
    dispatcher: Any,
    folder: Path,
    name: str = "w",
    slots: int = 2,
    fence_s: float = 30.0,
    metadata_url: str = "",
) -> AsyncIterator[Worker]:
    """With a `metadata_url` it is on spot, and asks there whether its machine goes away."""
    offer = Offer(WorkerId(name), f"node-of-{name}", slots, Resources(cpu=float(slots)))
    options = WorkerOptions(folder / name, BEAT_KEY, fence_s=fence_s)
    if metadata_url:
        offer = replace(offer, capacity=CapacityClass.SPOT)
        options = replace(options, notices="aws", notices_url=metadata_url)
    worker = Worker(offer, dispatcher, SystemClock(), options)
    running = asyncio.ensure_future(worker.run())
    try:
        yield worker
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await worker.close()


async def submit(  # noqa: PLR0913  # a task has many sides
    dispatcher: Any,
    name: str,
    argv: Sequence[str],
    effects: Effects = Effects.UNSAFE,
    body: str = "",
    memory_bytes: int | None = None,
    rearm: Rearm = Rearm.SELF,
) -> TaskId:
    task = TaskId(name)
    needs = Needs(resources=Resources(cpu=1.0))
    submission = Submission(task, "team", "digest", 0.0, needs, effects, rearm)
    text = body or json.dumps({"argv": list(argv), "memory_bytes": memory_bytes})
    await dispatcher.submit([submission], {task: text}, "test")
    return task
