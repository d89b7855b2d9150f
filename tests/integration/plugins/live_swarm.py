"""A real swarm whose workers may be killed."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
import yaml

from swarm.client import ApiError, Client
from swarm.demo.processes import free_ports

T = TypeVar("T")
WITHIN_S = 180.0
_ENDED = ("succeeded", "failed", "cancelled", "parked")


@dataclass(frozen=True)
class LiveSwarm:
    """A running swarm, and where its token is."""

    client: Client
    url: str
    pid: int
    token_file: Path

    def environ(self) -> dict[str, str]:
        """How its plug-ins find it."""
        return {"SWARM_URL": self.url, "SWARM_TOKEN_FILE": str(self.token_file)}

    def task(self, task: str) -> dict[str, Any]:
        """The task as readers see it; empty until they do."""
        try:
            return self.client.task(task)
        except ApiError as error:
            if error.status != 404:
                raise
            return {}

    def in_state(self, task: str, *states: str) -> dict[str, Any]:
        """The task, once it is in one of these states."""
        return eventually(lambda: (found := self.task(task)).get("state") in states and found)

    def ended(self, task: str) -> dict[str, Any]:
        return self.in_state(task, *_ENDED)

    def kill_worker(self) -> float:
        """SIGKILL the worker; the time of day at which it was done."""
        family = psutil.Process(self.pid).children(recursive=True)
        worker = next(p for p in family if p.name().startswith("ray::WorkerActor"))
        killed_s = time.time()
        worker.kill()
        return killed_s

    def kill_slot(self, task: str) -> None:
        """SIGKILL the process around a task that runs: its machine is lost to it alone."""
        mark = {"SWARM_TASK": task}
        one = next(p for p in psutil.process_iter() if mark.items() <= _environ(p).items())
        slot = next(p for p in one.parents() if "slot_process" in " ".join(p.cmdline()))
        slot.kill()


def _environ(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except psutil.Error:
        return {}  # it has ended, or is somebody else's


@contextlib.contextmanager
def running_swarm(folder: Path, slots: int = 4) -> Iterator[LiveSwarm]:
    """`swarm up` on a free port, down at the end."""
    settings, state = folder / "swarm.yaml", folder / "state"
    (port,) = free_ports(1)
    wanted = {"state_dir": str(state), "api": {"port": port}, "worker": {"slots": slots}}
    settings.write_text(yaml.safe_dump(wanted))
    _cli("up", settings)
    try:
        running = json.loads((state / "up.json").read_text())
        token_file = Path(running["token_file"])
        with Client(running["url"], token_file.read_text().strip()) as client:
            yield LiveSwarm(client, running["url"], int(running["pid"]), token_file)
    finally:
        _cli("down", settings)


def eventually(look: Callable[[], T], within_s: float = WITHIN_S) -> Any:
    """The first true answer of `look`."""
    deadline_s = time.monotonic() + within_s
    while not (answer := look()):
        assert time.monotonic() < deadline_s, f"did not happen within {within_s:.0f} s"
        time.sleep(0.1)
    return answer


def _cli(command: str, settings: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "swarm", command],
        env=os.environ | {"NO_COLOR": "1", "SWARM_CONFIG": str(settings)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
