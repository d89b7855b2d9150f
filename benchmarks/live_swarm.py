"""A real swarm of one's own whose worker may be killed; for tests, too."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

from swarm.cli.tasks import shown
from swarm.client import Client
from swarm.client.calls.tasks import TaskStory
from swarm.demo.processes import LabError, free_ports

T = TypeVar("T")
_LOOK_S = 0.05
_TIMEOUT_S = 180.0


def until(what: str, look: Callable[[], T | None], timeout_s: float = _TIMEOUT_S) -> T:
    """What `look` finds, once it finds something. Raises `LabError`."""
    deadline_s = time.monotonic() + timeout_s
    while not (found := look()):
        if time.monotonic() > deadline_s:
            raise LabError(f"Not within {timeout_s:.0f} s: {what}.")
        time.sleep(_LOOK_S)
    return found


@dataclass(frozen=True, slots=True)
class LiveSwarm:
    """A running swarm, and where its token is."""

    client: Client
    url: str
    token_file: Path
    pid: int

    def environ(self) -> dict[str, str]:
        """How its plug-ins find it."""
        return {"SWARM_URL": self.url, "SWARM_TOKEN_FILE": str(self.token_file)}

    def task(self, task: str) -> Mapping[str, Any]:
        """The task as readers see it; empty until they do."""
        found = shown(self.client, task)
        return {} if found is None else found

    def story(self, task: str) -> list[str]:
        """What happened to a task, without the workers' names."""
        lines = self.task(task).get("story", [])
        return [str(line["text"]).partition(" to worker")[0] for line in lines]

    def in_state(self, task: str, *states: str) -> Mapping[str, Any]:
        """The task, once it is in one of these states."""

        def found() -> Mapping[str, Any]:
            seen = self.task(task)
            return seen if seen.get("state") in states else {}

        return until(f"task {task} is {' or '.join(states)}", found)

    def ended(self, task: str) -> TaskStory:
        return self.client.wait(task, _TIMEOUT_S)

    def running_task(self) -> str:
        """The task that was handed in last, of those that run."""
        return str(until("a task runs", lambda: list(self.client.tasks("running")))[0]["id"])

    def kill_worker(self) -> float:
        """End the worker's process by SIGKILL; when that was, in seconds since the epoch."""
        family = psutil.Process(self.pid).children(recursive=True)
        worker = next(p for p in family if _name(p).startswith("ray::WorkerActor"))
        at_s = time.time()
        worker.kill()
        return at_s

    def kill_slot(self, task: str) -> None:
        """SIGKILL the process around a task that runs: its machine is lost to it alone."""
        mark = {"SWARM_TASK": task}
        one = next(p for p in psutil.process_iter() if mark.items() <= _environ(p).items())
        slot = next(p for p in one.parents() if "slot_process" in " ".join(p.cmdline()))
        slot.kill()


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""  # a program of a task, say, that has just ended


def _environ(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except psutil.Error:
        return {}  # it has ended, or is somebody else's


@contextlib.contextmanager
def running_swarm(folder: Path, slots: int = 2, **settings: object) -> Iterator[LiveSwarm]:
    """`swarm up` on a free port, down at the end. `folder` is short: Ray makes sockets below it."""
    (port,) = free_ports(1)
    file, state = folder / "swarm.yaml", folder / "state"
    wanted = {"state_dir": str(state), "api": {"port": port}, "worker": {"slots": slots}}
    file.write_text(json.dumps(wanted | settings))  # which is YAML, too
    _swarm("up", file)
    try:
        up = json.loads((state / "up.json").read_text())
        token_file = Path(up["token_file"])
        with Client(up["url"], token_file.read_text()) as client:
            yield LiveSwarm(client, up["url"], token_file, int(up["pid"]))
    finally:
        _swarm("down", file)


def _swarm(command: str, settings: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "swarm", command],
        env=os.environ | {"NO_COLOR": "1", "SWARM_CONFIG": str(settings)},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise LabError(f"swarm {command} failed:\n{done.stderr}")
