"""The demo's second part: a worker is killed under a running program and a running task of Airflow,
which end elsewhere."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import psutil

from swarm.cli.tasks import shown
from swarm.client import Client
from swarm.client.calls.tasks import TaskStory
from swarm.demo import survivor
from swarm.demo.airflow_server import Airflow

T = TypeVar("T")

# What swarm promises, and what is published of it.
PROMISED_SEEN_S, PROMISED_AGAIN_S = 5.0, 30.0

# Says when it begins. Under its first grant it would run for long; under a later one it ends.
_PROGRAM = ("sh", "-c", 'date +%s.%N; test "$SWARM_GRANT" -gt 1 || sleep 600')
_WITHIN_S = 120.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Survival:
    """Seconds from the kill until swarm had seen the death, and until the program ran again, and
    Airflow's task; how both ended; the tries that Airflow counts."""

    seen_s: float
    again_s: float
    outcome: str
    grants: int
    airflow_again_s: float
    airflow_outcome: str
    airflow_tries: int

    @property
    def kept(self) -> bool:
        """Was the promise kept?"""
        return (
            self.outcome == "succeeded"
            and self.seen_s <= PROMISED_SEEN_S
            and self.again_s <= PROMISED_AGAIN_S
            and (self.airflow_outcome, self.airflow_tries) == ("success", 1)
        )


def survive(swarm: Client, pid: int, airflow: Airflow, run: str) -> Survival:
    """Kill the worker of the swarm with process `pid` by SIGKILL while a program runs on it and the
    task of `run`."""
    (task,) = swarm.submit([{"argv": list(_PROGRAM), "team": "demo"}])
    _in_state(swarm, task, "running")
    _once("Airflow's task did not run", lambda: survivor.runs(airflow, run))
    killed_at_s = time.time()
    os.kill(_worker_pid(pid), signal.SIGKILL)
    story = swarm.wait(task, _WITHIN_S)
    at_s = {line["text"].partition(":")[0]: line["at_s"] for line in story["story"]}
    end = _once("Airflow's task did not end", lambda: survivor.ended(airflow, run))
    return Survival(
        seen_s=at_s["grant 1 lost"] - killed_at_s,
        again_s=float(swarm.output(task, story["grant"])) - killed_at_s,
        outcome=story["state"],
        grants=story["grant"],
        airflow_again_s=end.began_s - killed_at_s,
        airflow_outcome=end.state,
        airflow_tries=end.tries,
    )


def _worker_pid(swarm_pid: int) -> int:
    """The worker's process; Ray names an actor's process after its class."""
    family = psutil.Process(swarm_pid).children(recursive=True)
    return next(p.pid for p in family if p.name().startswith("ray::WorkerActor"))


def _in_state(swarm: Client, task: str, *states: str) -> TaskStory:
    def look() -> TaskStory | None:
        found = shown(swarm, task)
        return found if found is not None and found["state"] in states else None

    return _once(f"the task was not {' or '.join(states)}", look)


def _once(otherwise: str, look: Callable[[], T | None]) -> T:
    deadline_s = time.monotonic() + _WITHIN_S
    while not (found := look()):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{otherwise} within {_WITHIN_S:.0f} s")
        time.sleep(_LOOK_S)
    return found
