"""What the parts of `orchestrator_failover` share: what the user's code tells, how it is killed,
and what one kill of swarm's worker led to."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import psutil

from benchmarks.live_swarm import LiveSwarm, until
from swarm.demo.processes import Server

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


def after_kill(
    swarm: LiveSwarm, task: str, at_s: float, again_s: float, retries: int, repeated: int
) -> Kill:
    """What the kill at `at_s` led to, with the task's own story."""
    marks = ("grant 1 lost", "may run again", "grant 2 to", "grant 2 runs")

    def told() -> list[float]:
        story = swarm.task(task).get("story", [])
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
