"""How Ctrl-C ends a command, by its exit code and what it says."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from swarm.client import Client
from tests.integration.client.conftest import PATIENCE_S, World, until
from tests.unit.api.conftest import TOKEN

Process = asyncio.subprocess.Process
When = Callable[[Process], Awaitable[None]]


async def interrupted(url: str, folder: Path, *words: str, when: When) -> tuple[int, str]:
    """What a command ends with and says that gets Ctrl-C once that is over."""
    (folder / "a.token").write_text(TOKEN)
    environ = os.environ | {"SWARM_URL": url, "SWARM_TOKEN_FILE": str(folder / "a.token")}
    argv = [sys.executable, "-m", "swarm", *words]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, env=environ, stdout=pipe, stderr=pipe)
    await when(process)
    process.send_signal(signal.SIGINT)
    said = (await asyncio.wait_for(process.communicate(), PATIENCE_S))[1]
    return process.returncode or 0, said.decode()


async def test_ctrl_c_leaves_the_task_and_says_so(
    world: World, client: Client, tmp_path: Path
) -> None:
    async def prints(process: Process) -> None:
        until(lambda: list(client.tasks(state="queued")))
        await world.start("t1")
        await world.prints("t1", 0, b"hello\n")
        assert process.stdout is not None
        assert await process.stdout.readline() == b"hello\n"

    await world.join()
    words = ("tasks", "run", "--id", "t1", "sleep", "9")
    assert await interrupted(world.url, tmp_path, *words, when=prints) == (
        130,
        "t1 goes on: `swarm tasks logs -f t1` follows it, `swarm tasks cancel t1` ends it.\n",
    )
    until(lambda: client.task("t1")["state"] == "running")


async def test_ctrl_c_ends_well_what_only_follows(
    world: World, client: Client, tmp_path: Path
) -> None:
    async def listens(_: Process) -> None:
        until(lambda: world.deps.listeners)

    assert await interrupted(world.url, tmp_path, "events", when=listens) == (0, "")


@pytest.mark.parametrize(
    "words",
    [("status",), ("replay", "--days", "7"), ("simulate", "--late", "airflow/a=45m")],
    ids=lambda words: words[0],
)
async def test_ctrl_c_ends_the_wait_for_an_answer(tmp_path: Path, words: tuple[str, ...]) -> None:
    """On a pipe, which nothing is drawn on, it is ended without a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent, contextlib.ExitStack() as kept:
        silent.settimeout(PATIENCE_S)

        async def waits(_: Process) -> None:
            assert kept.enter_context(silent.accept()[0]).recv(1)

        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert await interrupted(url, tmp_path, *words, when=waits) == (130, "")
