"""What the parts of `orchestrator_failover` share: a swarm whose worker can be killed, and what one
kill led to."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import TypeVar

import psutil

from swarm.bootstrap import secret
from swarm.cli.process import launch, stop
from swarm.cli.tasks import shown
from swarm.client import Client
from swarm.config import Api, Settings
from swarm.demo.processes import LabError, Server, free_ports

_LOOK_S = 0.05
_TIMEOUT_S = 180.0
ROOT = Path(__file__).parents[1]  # what a plug-in's Python has on its path


@dataclass(frozen=True, slots=True)
class Kill:
    """What the death of a worker led to.

    Seconds since then until swarm had seen it, and until the user's code ran again. The way from
    one to the other: until the task might run again (where its owner has to say so), until a worker
    had it, until its process was started, and what the orchestrator's own program took from there
    to the user's code. Tries that the orchestrator counts beyond the first; steps that had ended
    before and ran once more.
    """

    detected_s: float
    again_s: float
    rearmed_s: float
    granted_s: float
    process_s: float
    start_s: float
    retries: int
    repeated: int


@dataclass(frozen=True, slots=True)
class World:
    """A running swarm. `folder` is for one part alone."""

    client: Client
    url: str
    token_file: Path
    pid: int
    folder: Path

    def kill_worker(self) -> float:
        """End the worker's process by SIGKILL; when that was."""
        family = psutil.Process(self.pid).children(recursive=True)
        worker = next(p for p in family if p.name().startswith("ray::WorkerActor"))
        at_s = time.time()
        worker.kill()
        return at_s

    def running_task(self) -> str:
        """The task that was handed in last, of those that run."""
        return str(until("a task runs", lambda: list(self.client.tasks("running")))[0]["id"])

    def kill(self, task: str, at_s: float, again_s: float, retries: int, repeated: int) -> Kill:
        """What the kill at `at_s` led to, with the task's own story."""
        marks = ("grant 1 lost", "may run again", "grant 2 to", "grant 2 runs")

        def told() -> list[float]:
            story = (shown(self.client, task) or {"story": []})["story"]
            times = [[x["at_s"] for x in story if x["text"].startswith(mark)] for mark in marks]
            return [found[0] for found in times] if all(times) else []

        lost_s, rearmed_s, granted_s, runs_s = until(f"the story of {task}", told)
        return Kill(
            lost_s - at_s,
            again_s - at_s,
            rearmed_s - lost_s,
            granted_s - rearmed_s,
            runs_s - granted_s,
            again_s - runs_s,
            retries,
            repeated,
        )


T = TypeVar("T")


def until(what: str, look: Callable[[], T], timeout_s: float = _TIMEOUT_S) -> T:
    """What `look` finds, once it finds something."""
    deadline_s = time.monotonic() + timeout_s
    while not (found := look()):
        if time.monotonic() > deadline_s:
            raise LabError(f"Not within {timeout_s:.0f} s: {what}.")
        time.sleep(_LOOK_S)
    return found


def p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[18] if len(values) > 1 else values[0]


def told(file: Path) -> list[tuple[float, int]]:
    """What the user's code writes down whenever it runs: when, and the pid of its process."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [(float(at_s), int(pid)) for at_s, pid in map(str.split, lines)]


def times_s(file: Path) -> list[float]:
    """When the user's code ran, in seconds since the epoch."""
    return [at_s for at_s, _ in told(file)]


def kill_below(server: Server, file: Path) -> float:
    """End by SIGKILL the process that wrote `file`, and what stands between it and the server that
    had it started; when that was."""
    process = psutil.Process(told(file)[-1][1])
    above = [one.pid for one in process.parents()]
    family = [process.pid, *above[: above.index(server.process.pid)]]
    at_s = time.time()
    for pid in reversed(family):
        os.kill(pid, signal.SIGKILL)
    return at_s


@contextlib.contextmanager
def a_world(folder: Path) -> Iterator[World]:
    """A swarm with one worker of two slots, whose state is in `folder`."""
    (port,) = free_ports(1)
    settings = Settings(state_dir=folder / "state", api=Api(port=port))
    url = f"http://{settings.api.host}:{port}"
    token_file = secret(settings, "token")
    pid = launch(settings)
    try:
        with Client(url, token_file.read_text()) as client:
            yield World(client, url, token_file, pid, folder)
    finally:
        stop(settings, pid)
