"""What the parts of `orchestrator_failover` share: a swarm whose worker can be killed, and what one
kill led to."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from swarm.bootstrap import secret
from swarm.cli.process import launch, stop
from swarm.cli.tasks import shown
from swarm.client import Client
from swarm.config import Api, Settings
from swarm.demo.processes import LabError, free_ports

_LOOK_S = 0.05
_TIMEOUT_S = 180.0
ROOT = Path(__file__).parents[1]  # what a plug-in's Python has on its path


@dataclass(frozen=True, slots=True)
class Kill:
    """What the death of a worker led to: seconds since then until swarm had seen it, and until the
    user's code ran again; of these the seconds that the orchestrator's own program took to come to
    it; tries that the orchestrator counts beyond the first; steps that had ended before and ran
    once more."""

    detected_s: float
    again_s: float
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

    def told_at_s(self, task: str, words: str) -> float:
        """When the line of a task's story that begins with `words` was written."""

        def told() -> list[float]:
            story = (shown(self.client, task) or {"story": []})["story"]
            return [line["at_s"] for line in story if line["text"].startswith(words)]

        return until(f"task {task}: {words}", told)[0]


T = TypeVar("T")


def until(what: str, look: Callable[[], T]) -> T:
    """What `look` finds, once it finds something."""
    deadline_s = time.monotonic() + _TIMEOUT_S
    while not (found := look()):
        if time.monotonic() > deadline_s:
            raise LabError(f"Not within {_TIMEOUT_S:.0f} s: {what}.")
        time.sleep(_LOOK_S)
    return found


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
