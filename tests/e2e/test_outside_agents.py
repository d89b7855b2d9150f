"""Agents hosted by processes that know no Ray: one that is killed loses its items to others."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from swarm.client import Client
from tests.actors.test_slot import alive
from tests.e2e.conftest import Swarm
from tests.e2e.test_tasks import ENDED, printed
from tests.e2e.test_up import eventually

pytestmark = pytest.mark.parametrize("swarm", ["shared"], indirect=True)

CODE = """
import os, pathlib, time
import swarm

@swarm.agent(capability="far", slots=2)
class Far:
    def handle(self, item, context):
        print("item of", context.task)
        pathlib.Path(f"{context.task}.{context.grant}").write_text(str(os.getpid()))
        while not pathlib.Path("go").exists():
            time.sleep(0.05)
        return context.grant
"""


@contextlib.contextmanager
def a_host(swarm: Swarm, folder: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that hosts one agent, as on another machine: all it has is a URL and a token."""
    token = folder / "token"
    token.write_text(swarm.token)
    files = folder / name
    asked = ["agents", "run", "far:Far", "--cwd", str(folder), "--folder", str(files)]
    with (folder / f"{name}.log").open("wb") as log:
        host = subprocess.Popen(
            [sys.executable, "-m", "swarm", *asked],
            env=os.environ | {"SWARM_URL": swarm.url, "SWARM_TOKEN_FILE": str(token)},
            stdout=log,
            stderr=log,
        )
    try:
        yield host
    finally:
        with contextlib.suppress(ProcessLookupError):
            host.send_signal(signal.SIGCONT)
            host.kill()
        host.wait()


def far(client: Client) -> set[str]:
    """The agents there are."""
    return {row["worker"] for row in client.workers() if row["capabilities"] == ["far"]}


def running(swarm: Swarm, folder: Path, tasks: list[str], grant: int) -> int:
    """Wait until they run under a grant; the pid of their agent."""
    files = [folder / f"{task}.{grant}" for task in tasks]
    # Behind a host that stands still a fence is waited for.
    eventually(lambda: all(file.exists() and file.read_text() for file in files), 300.0)
    return int(files[0].read_text())


def finished(swarm: Swarm, task: str, grant: int) -> str:
    """What the dispatcher says to the end of a grant."""
    said = {"kind": "finish", "task": task, "grant": grant, "outcome": "failed"}
    headers = {"Authorization": f"Bearer {swarm.token}"}
    url = f"{swarm.url}/api/v1/agents/tell"
    told = httpx.post(url, json={"events": [said]}, headers=headers, timeout=120).json()
    return str(told["answers"][0]["receipt"])


def test_items_outlive_the_agents_and_hosts_that_held_them(swarm: Swarm, tmp_path: Path) -> None:
    (tmp_path / "far.py").write_text(CODE)
    client = swarm.client
    item: dict[str, Any] = {"capability": "far", "item": 1, "wait_for_capacity": True}
    tasks = client.submit([item, item])
    with a_host(swarm, tmp_path, "a") as first:
        killed = running(swarm, tmp_path, tasks, 1)
        os.kill(killed, signal.SIGKILL)
        second = running(swarm, tmp_path, tasks, 2)
        assert second != killed
        before = far(client)
        first.send_signal(signal.SIGSTOP)
        with a_host(swarm, tmp_path, "b") as other:
            third = running(swarm, tmp_path, tasks, 3)
            assert {finished(swarm, task, 2) for task in tasks} == {"stale"}
            first.send_signal(signal.SIGCONT)
            eventually(lambda: not alive(second))
            eventually(lambda: len(far(client) - before) == 2)  # b's, and a's anew
            other.kill()
            eventually(lambda: not alive(third))
            running(swarm, tmp_path, tasks, 4)
        (tmp_path / "go").touch()
        eventually(lambda: {client.task(task)["state"] for task in tasks} <= {*ENDED})
        first.terminate()
        assert first.wait(300) == 0
    assert [client.task(task)["result"] for task in tasks] == [4, 4]
    for task in tasks:
        printed(swarm, task, f"item of {task}\n".encode())
    for task in tasks:
        story = [line["text"] for line in client.task(task)["story"]]
        assert [line for line in story if line.startswith("succeeded")] == story[-1:]
        assert [line.partition(": ")[2] for line in story if " lost: " in line] == [
            "process_exit",
            "self_fenced",
            "self_fenced",
        ]
    eventually(lambda: not far(client))


def test_a_host_that_is_not_let_in_says_so(swarm: Swarm, tmp_path: Path) -> None:
    (tmp_path / "far.py").write_text(CODE)
    wrong = tmp_path / "wrong"
    wrong.write_text("x" * 40)
    for token, name, words in (
        (wrong, "far:Far", "lets no agent in: 401"),
        (swarm.state / "token", "far:Near", "has no function Near"),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "swarm", "agents", "run", name, "--cwd", str(tmp_path)],
            env=os.environ
            | {"SWARM_URL": swarm.url, "SWARM_TOKEN_FILE": str(token)}
            | {"XDG_STATE_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert ran.returncode == 2, ran.stderr
        assert words in ran.stderr
