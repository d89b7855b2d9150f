"""A process dies of kill -9: how soon does its work run elsewhere, and is any of it lost?

Three workers, each with room for all that the others run. A round hands in a fenced, an idempotent
and an unsafe task, which all beat under their grant, kills the worker that runs them, and waits for
the first line of each task's new process: its own time of day against that of the kill. Then a new
worker takes the place of the dead one. In between, in turns, the same user code runs in an actor of
plain Ray (`max_restarts=-1, max_task_retries=-1`, all else as it comes) that is killed likewise.
At the end the dispatcher is killed again and again under 50 tasks; each time one more is handed in.
Nodes that are killed or cut off are not measured here.

- `process_elsewhere_*_ms`: kill -9 of the worker to user code elsewhere, all tasks;
  `fenced_...`, `idempotent_...`, `unsafe_...`: by their effects.
- `detected_*_ms`: to the decision that the grants are lost, which is journaled with them.
- `ray_process_elsewhere_*_ms`: the same kill on plain Ray.
- `lost`: acknowledged tasks without an outcome. `duplicate_commits`: tasks of which a sink that
  refuses older grants took two commits; `refused_commits`: what it refused.
- `false_deaths`: workers called dead that nobody killed, in `worker_hours`.
- `dispatcher_back_*_ms`: kill -9 of the dispatcher to the next acknowledged task;
  `attempts_killed_by_dispatcher_loss`: of the tasks that run meanwhile, how many ran again.
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from benchmarks.report import Figures, Options, progress, run
from swarm.actors.ports import actor_name
from swarm.bootstrap import ray_environment
from swarm.config import Settings
from swarm.model.dispatch import Lost, WorkerGone
from swarm.model.work import Effects

if TYPE_CHECKING:
    from benchmarks.failover_world import World

_WORKERS = 3
_SLOTS = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """How many kills, and how many tasks run while the dispatcher dies."""

    worker_kills: int
    dispatcher_kills: int
    running: int


FULL = Scale(worker_kills=200, dispatcher_kills=20, running=50)
QUICK = Scale(worker_kills=30, dispatcher_kills=3, running=50)


@dataclass(slots=True)
class Times:
    """Milliseconds since a kill, by what they lead to."""

    ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, what: str, seconds: float) -> None:
        self.ms[what].append(seconds * 1e3)

    def figures(self) -> dict[str, float]:
        found = {}
        for what, values in self.ms.items():
            cuts = quantiles(values, n=100, method="inclusive")
            found[f"{what}_p50_ms"], found[f"{what}_p99_ms"] = cuts[49], cuts[98]
            found[f"{what}_max_ms"] = max(values)
        return found


async def worker_dies(world: "World", times: Times) -> None:
    """One round on swarm."""
    tasks = await world.submit(list(Effects))
    await world.started(tasks, grant=1)
    holders = world.holders(tasks)
    victim = holders[tasks[0]]
    moved = [task for task in tasks if holders[task] == victim]
    at_s = world.kill_worker(victim)
    for task, running_s in zip(moved, await world.started(moved, grant=2), strict=True):
        times.add("process_elsewhere", running_s - at_s)
        kind = list(Effects)[tasks.index(task)]
        times.add(f"{kind}_elsewhere", running_s - at_s)
    lost_s = min(at for at, record in world.records(Lost) if record.token.task in moved)
    times.add("detected", lost_s - at_s)
    for task in tasks:
        world.go(task)
    await world.add_worker(_SLOTS)


async def dispatcher_dies(world: "World", times: Times, scale: Scale) -> int:
    """All its rounds; returns how many running tasks did not outlive them."""
    for _ in range(_WORKERS):
        await world.add_worker(scale.running // _WORKERS + 1)
    tasks = await world.submit([Effects.UNSAFE] * scale.running)
    await world.started(tasks, grant=1)
    for number in range(scale.dispatcher_kills):
        at_s = await world.kill_dispatcher()
        (probe,) = await world.submit([Effects.IDEMPOTENT])
        times.add("dispatcher_back", time.time() - at_s)
        (running_s,) = await world.started([probe], grant=1)
        times.add("dispatcher_first_grant", running_s - at_s)
        world.go(probe)
        progress(f"dispatcher killed {number + 1} times")
    granted = world.grants(tasks)
    for task in tasks:
        world.go(task)
    return sum(
        grant != 1 or len(world.processes(task, grant=1)) != 1 for task, grant in granted.items()
    )


async def play(scale: Scale, folder: Path) -> Figures:
    from benchmarks.failover_world import PlainRay, a_world  # Ray has its environment now

    times = Times()
    async with a_world(folder) as world:
        for _ in range(_WORKERS):
            await world.add_worker(_SLOTS)
        plain = PlainRay(world)
        for number in range(scale.worker_kills):
            if number % 2:
                times.add("ray_process_elsewhere", await plain.dies())
            await worker_dies(world, times)
            if not number % 2:
                times.add("ray_process_elsewhere", await plain.dies())
            progress(f"worker killed {number + 1} times: {times.ms['process_elsewhere'][-1]:.0f}")
        killed = await dispatcher_dies(world, times, scale)
        lost = await world.all_ended()
        gone = {actor_name(record.worker) for _, record in world.records(WorkerGone)}
        duplicates, refused = world.commits()
        false_deaths = len(gone - world.killed)
        acknowledged = len(world.acknowledged)
    return times.figures() | {
        "acknowledged": acknowledged,
        "lost": len(lost),
        "duplicate_commits": duplicates,
        "refused_commits": refused,
        "false_deaths": false_deaths,
        "worker_hours": world.worker_s / 3600,
        "attempts_killed_by_dispatcher_loss": killed,
    }


def measure(options: Options) -> Figures:
    scale = QUICK if options.quick else FULL
    if options.own.kills is not None:
        scale = replace(scale, worker_kills=options.own.kills)
    folder = Path(tempfile.mkdtemp(prefix="swarm-fo-"))  # short: Ray makes sockets below it
    os.environ.update(ray_environment(Settings(state_dir=folder / "state")))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Ray tells of every death
            return asyncio.run(play(scale, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=int, help="of workers, and as many of the plain actor")


if __name__ == "__main__":
    run("failover", (__doc__ or "").splitlines()[0], measure, arguments=_add_arguments)
