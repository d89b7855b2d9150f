"""The demo's second part: a worker is killed under a running program, which ends elsewhere."""

import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import psutil

from swarm.cli.tasks import ENDED, shown
from swarm.client import Client

# What swarm promises, and what is published of it.
PROMISED_SEEN_S, PROMISED_AGAIN_S = 5.0, 30.0

# Says when it begins. Under its first grant it would run for long; under a later one it ends.
_PROGRAM = ("sh", "-c", 'date +%s.%N; test "$SWARM_GRANT" -gt 1 || sleep 600')
_WITHIN_S = 60.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Survival:
    """Seconds from the kill until swarm had seen the death, and until the program ran again."""

    seen_s: float
    again_s: float
    outcome: str
    grants: int

    @property
    def kept(self) -> bool:
        """Was the promise kept?"""
        return (
            self.outcome == "succeeded"
            and self.seen_s <= PROMISED_SEEN_S
            and self.again_s <= PROMISED_AGAIN_S
        )


def survive(swarm: Client, pid: int) -> Survival:
    """Kill the worker of the swarm with process `pid` by SIGKILL while a program runs on it."""
    (task,) = swarm.submit([{"argv": list(_PROGRAM), "team": "demo"}])
    _in_state(swarm, task, "running")
    killed_at_s = time.time()
    os.kill(_worker_pid(pid), signal.SIGKILL)
    story = _in_state(swarm, task, *ENDED)
    at_s = {line["text"].partition(":")[0]: line["at_s"] for line in story["story"]}
    return Survival(
        seen_s=at_s["grant 1 lost"] - killed_at_s,
        again_s=float(swarm.output(task, story["grant"])) - killed_at_s,
        outcome=story["state"],
        grants=story["grant"],
    )


def _worker_pid(swarm_pid: int) -> int:
    """The worker's process; Ray names an actor's process after its class."""
    family = psutil.Process(swarm_pid).children(recursive=True)
    return next(p.pid for p in family if p.name().startswith("ray::WorkerActor"))


def _in_state(swarm: Client, task: str, *states: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + _WITHIN_S
    while (found := shown(swarm, task)) is None or found["state"] not in states:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"the task was not {' or '.join(states)} within {_WITHIN_S:.0f} s")
        time.sleep(_LOOK_S)
    return found
