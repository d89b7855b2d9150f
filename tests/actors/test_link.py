"""A plug-in's line to swarm: over real HTTP, to the real API and dispatcher, and to a server that
takes connections and never answers."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import uvicorn

from swarm.actors import inbox
from swarm.actors.projector import ProjectorActor
from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.demo.processes import free_ports
from swarm.dispatch.events import WorkerLost
from swarm.model.work import LossCause
from swarm.plugins.link import Change, Link
from swarm.store.projections import open_projections
from tests.actors.places import KEY, a_dispatcher, a_worker

TOKEN = "token"


@contextlib.asynccontextmanager
async def an_api(folder: Path, dispatcher: object, port: int = 0) -> AsyncIterator[str]:
    projector = ProjectorActor.__new__(ProjectorActor)
    await projector.__init__(Settings(state_dir=folder))  # type: ignore[misc]
    projections = open_projections("", folder)
    parts = (TOKEN, None, dispatcher, None, None, projections, SystemClock())
    deps = Deps(*parts, pass_key=KEY)  # type: ignore[arg-type]
    listening = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(create_app(deps), log_level="warning", lifespan="on"))
    serving = asyncio.ensure_future(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await serving
        projector._loop.remove_done_callback(inbox._die)
        projector._loop.cancel()


@contextlib.contextmanager
def linked(url: str, owner: str = "airflow", token: str = TOKEN) -> Iterator[Link]:
    link = Link(url, token, owner)
    link.start()
    try:
        yield link
    finally:
        link.close()


class Heard:
    """All changes a link told, until a condition on them holds."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.all: list[Change] = []

    async def until(self, condition: Callable[[dict[str, Change]], bool]) -> dict[str, Change]:
        async with asyncio.timeout(180):
            while True:
                self.all += self._link.changes()
                last = {change.id: change for change in self.all}
                if condition(last):
                    return last
                await asyncio.sleep(0.01)


def a_task(name: str, argv: list[str], **more: object) -> dict[str, object]:
    return {"id": name, "argv": argv, "subject": f"dag.{name}", **more}


async def test_tasks_run_and_their_owner_hears_of_it(tmp_path: Path) -> None:
    async with (
        a_dispatcher(tmp_path) as dispatcher,
        a_worker(dispatcher, tmp_path),
        an_api(tmp_path, dispatcher) as url,
    ):
        with linked(url) as link, linked(url, owner="dagster") as other:
            for number in range(20):
                link.submit(a_task(f"t{number}", ["sh", "-c", f"exit {number % 2}"]))
            heard = Heard(link)
            last = await heard.until(lambda last: len(ends(last)) == 20)
            assert other.changes() == []
        assert ends(last) == {f"t{n}": ("failed" if n % 2 else "succeeded") for n in range(20)}
        assert {change.subject for change in last.values()} == {f"dag.t{n}" for n in range(20)}
        with linked(url) as again:  # what is kept is told to who comes later
            last = await Heard(again).until(lambda last: len(ends(last)) == 20)


async def test_a_lost_task_runs_again_when_its_owner_says_so(tmp_path: Path) -> None:
    async with (
        a_dispatcher(tmp_path) as dispatcher,
        a_worker(dispatcher, tmp_path) as worker,
        an_api(tmp_path, dispatcher) as url,
    ):
        with linked(url) as link:
            sleep = ["sh", "-c", "test -s {SWARM_FILES}/job || sleep 300"]
            link.submit(a_task("t", sleep, files={"job": ""}, rearm="owner"))
            heard = Heard(link)
            await heard.until(lambda last: "t" in last and last["t"].state == "running")
            await dispatcher.tell(WorkerLost(worker.id, LossCause.PROCESS_EXIT), "test")
            lost = await heard.until(lambda last: last["t"].state == "lost")
            assert (lost["t"].grant, lost["t"].detail) == (1, "process_exit")
            link.rearm("t", 1, files={"job": "a newer token"})
            ended = await heard.until(lambda last: last["t"].state == "succeeded")
            assert ended["t"].grant == 2


async def test_what_is_refused_does_not_hold_up_the_rest(tmp_path: Path) -> None:
    async with (
        a_dispatcher(tmp_path) as dispatcher,
        a_worker(dispatcher, tmp_path),
        an_api(tmp_path, dispatcher) as url,
    ):
        with linked(url) as link:
            link.submit(a_task("first", ["true"]))
            link.submit(a_task("bad", []))
            link.cancel("nobody")
            link.submit(a_task("last", ["true"]))
            await Heard(link).until(lambda last: ends(last).keys() == {"first", "last"})
            refused = {refusal.id: refusal.why for refusal in link.refusals()}
        assert refused.keys() == {"bad", "nobody"}
        assert "argv" in refused["bad"]


async def test_swarm_comes_later_than_the_plug_in(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with linked(f"http://127.0.0.1:{port}") as link:
        link.submit(a_task("t", ["true"]))
        async with (
            a_dispatcher(tmp_path) as dispatcher,
            a_worker(dispatcher, tmp_path),
            an_api(tmp_path, dispatcher, port),
        ):
            await Heard(link).until(lambda last: ends(last) == {"t": "succeeded"})


async def test_while_swarm_is_silent_a_newer_word_takes_the_place_of_an_older(
    tmp_path: Path,
) -> None:
    (port,) = free_ports(1)
    with linked(f"http://127.0.0.1:{port}") as link:
        for number in range(1_000):
            link.submit(a_task("t", ["test", f"{number}", "=", "999"]))
            link.rearm("nobody", 1, files={"token": f"{number}"})
        assert len(link._letters) == 2
        async with (
            a_dispatcher(tmp_path) as dispatcher,
            a_worker(dispatcher, tmp_path),
            an_api(tmp_path, dispatcher, port),
        ):
            await Heard(link).until(lambda last: ends(last) == {"t": "succeeded"})


@pytest.mark.parametrize("answers", [False, True])
def test_no_call_waits_for_a_swarm_that_never_answers(answers: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        if not answers:
            silent.close()
        with linked(url) as link:
            began_s = time.monotonic()
            for number in range(1_000):
                link.submit(a_task(f"t{number}", ["true"]))
                link.cancel(f"t{number}")
                link.rearm(f"t{number}", 1)
                link.changes()
            link.close()
            assert time.monotonic() - began_s < 9.0  # 4,000 calls; one answer would take 10 s


def ends(last: dict[str, Change]) -> dict[str, str]:
    return {name: c.state for name, c in last.items() if c.state in {"succeeded", "failed"}}
