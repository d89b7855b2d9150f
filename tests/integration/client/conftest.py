"""The real API over real stores, behind a real HTTP server; the test is its worker."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvicorn

from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.client import Client
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.dispatch.events import Acquire, Event, Finish, Register, Renew
from swarm.model.connectors import Batch
from swarm.model.graph import PipelineSeen
from swarm.model.outputs import Output, Part
from swarm.model.pipelines import Pipeline
from swarm.model.work import Offer, Outcome, Resources, TaskId, Token, WorkerId
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.outputs import open_outputs
from swarm.store.projector import open_projector
from tests.integration.client.both import Either, either
from tests.unit.api.conftest import TOKEN, local_deps

T = TypeVar("T")
WORKER = WorkerId("w")
PATIENCE_S = 180.0


@dataclass
class World:
    """A running API. What is written is shown to its readers as the projector does it."""

    url: str
    deps: Deps
    loop: asyncio.AbstractEventLoop
    asked: int = 0

    async def _there(self, does: Callable[[], Awaitable[T]]) -> T:
        """In the loop of the API, where its state is."""

        async def run() -> T:
            return await does()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self.loop))

    async def tell(self, event: Event) -> None:
        await self._there(lambda: self.deps.dispatch.tell(event, "worker"))

    async def know(self, pipeline: Pipeline) -> None:
        """The graph hears of it, and so the sequencer."""
        await self._there(lambda: self.deps.graph.offer(Batch("test", "", (pipeline,)), "cause"))
        sequencer: Any = self.deps.sequencer
        sequencer.state.apply(PipelineSeen(pipeline))

    async def join(self, slots: int = 4) -> None:
        await self.tell(Register(Offer(WORKER, "node", slots, Resources(cpu=float(slots)))))

    async def start(self, *tasks: str) -> None:
        """The worker takes what waits, and runs these."""
        self.asked += 1
        await self.tell(Acquire(WORKER, self.asked))
        tokens = tuple(Token(TaskId(task), 1) for task in tasks)
        await self.tell(Renew(WORKER, self.asked, tokens, tokens))

    async def prints(self, task: str, at: int, text: bytes, *, last: bool = False) -> None:
        part = Part(Output(Token(TaskId(task), 1)), at, text, last)
        await self._there(lambda: self.deps.outputs.put([part]))

    async def ends(self, task: str, outcome: Outcome = Outcome.SUCCEEDED) -> None:
        await self.tell(Finish(Token(TaskId(task), 1), outcome, "exit code 0"))


@pytest.fixture
def deps(tmp_path: Path) -> Deps:
    clock: Any = SystemClock()
    deps = replace(local_deps(Settings(state_dir=tmp_path), clock), pass_key=b"of the store")
    deps.output = open_outputs("", tmp_path).read
    return deps


@pytest.fixture
def world(deps: Deps, tmp_path: Path) -> Iterator[World]:
    runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
    loop = runner.get_loop()
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(deps), log_level="warning"))
    over = threading.Event()
    threads = [
        threading.Thread(target=_serve, args=(runner, server, listening)),
        threading.Thread(target=_project, args=(tmp_path, over)),
    ]
    for thread in threads:
        thread.start()
    yield World(f"http://127.0.0.1:{listening.getsockname()[1]}", deps, loop)
    over.set()
    server.should_exit = server.force_exit = True
    for thread in threads:
        thread.join()


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    """As a program sees it, once the server answers."""
    with Client(world.url, TOKEN) as client:
        until(client.ready)
        yield client


def until(holds: Callable[[], object]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, "in vain"


@pytest.fixture(params=["waiting", "awaiting"])
async def swarm(world: World, request: pytest.FixtureRequest) -> AsyncIterator[Either]:
    async with either(request.param, world.url, TOKEN) as client:
        while not await client.call("ready"):  # the server starts in a thread
            pass
        yield client


def _serve(runner: asyncio.Runner, server: uvicorn.Server, listening: socket.socket) -> None:
    with runner:
        runner.run(server.serve([listening]))


def _project(folder: Path, over: threading.Event) -> None:
    with contextlib.closing(open_journal("", folder)) as journal:
        follower = Follower(journal, open_projector("", folder))
        while not over.is_set():
            follower.catch_up()
            follower.wait(0.05)
