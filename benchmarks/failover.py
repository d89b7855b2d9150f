"""A process or a host dies or is cut off: how soon does its work run elsewhere, is any of it lost?

Processes. Three workers, each with room for all that the others run. A round hands in a fenced, an
idempotent and an unsafe task, which all beat under their grant, kills the worker that runs them
with -9, and waits for the first line of each task's new process: its own time of day against that
of the kill. Then a new worker takes the place of the dead one. In between the same user code runs
in an actor of plain Ray (`max_restarts=-1, max_task_retries=-1`, all else as it comes), killed
likewise.

Hosts. Network namespaces on a bridge, each with a Ray node and a worker (as root, or not at all).
A round cuts the link of one, both ways, or kills everything on it, all at once; there is no proof
of either. Plain Ray has its actor on some of the killed hosts. A full cut waits for an unsafe task.

The dispatcher is killed again and again under 50 tasks; each time one more is handed in. And a
crowd of light workers, many a process and without tasks, beats while every core is busy:
`worker_hours` are mostly theirs.

- `process_elsewhere_*`: kill -9 of the worker to user code elsewhere, all tasks; `fenced_...`,
  `idempotent_...`, `unsafe_...`: by their effects. `detected_*`: to the decision, in the journal.
- `node_kill_elsewhere_*`, `node_cut_elsewhere_*`: of tasks that tolerate two runs;
  `unsafe_cut_elsewhere_*`: of those that do not, after their worker has fenced itself (15 s).
- `ray_...`: the same fault, plain Ray. `busy_...`: while every core is busy.
- `gap_tail_ms`, `busy_gap_tail_ms`: 99.9th percentile of the gaps between beats.
- `lost`: acknowledged tasks without an outcome. `duplicate_commits`: tasks whose effect is twice
  behind `swarm.sink`; `refused_commits`: what that refused; `refused_ends`: ends told by workers
  whose grant was over.
- `false_deaths`: workers called dead that nobody harmed; `false_alarms`: workers that were only
  late and whose fenced tasks would have moved; both in `worker_hours`.
- `dispatcher_back_*`: kill -9 of the dispatcher to the next acknowledged task;
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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.failover_hosts import Played, Rounds, play_on_hosts
from benchmarks.failover_times import Times, busy
from benchmarks.report import Figures, Options, progress, run, so_far
from swarm.bootstrap.cluster import ray_environment
from swarm.config import Settings
from swarm.model.dispatch import Lost
from swarm.model.work import Effects

if TYPE_CHECKING:
    from benchmarks.failover_world import World

_WORKERS = 3
_SLOTS = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """How many kills, on an idle and on a busy machine, and of plain Ray's actor; how many tasks
    run while the dispatcher dies; how many light workers beat for how long."""

    worker_kills: int
    busy_kills: int
    plain_every: int
    dispatcher_kills: int
    running: int
    crowds: int
    crowd_s: float
    idle: Rounds
    busy: Rounds


FULL = Scale(
    worker_kills=150,
    busy_kills=50,
    plain_every=4,
    dispatcher_kills=20,
    running=50,
    crowds=2,
    crowd_s=360.0,
    idle=Rounds(cuts=16, long_cuts=4, kills=15, plain=3),
    busy=Rounds(cuts=6, long_cuts=1, kills=5, plain=0),
)
QUICK = Scale(
    worker_kills=25,
    busy_kills=5,
    plain_every=2,
    dispatcher_kills=3,
    running=50,
    crowds=2,
    crowd_s=15.0,
    idle=Rounds(cuts=2, long_cuts=1, kills=1, plain=1),
    busy=Rounds(cuts=1, long_cuts=0, kills=0, plain=0),
)
_CROWD = 20  # workers a process


async def worker_dies(world: "World", times: Times, load: str) -> None:
    """One round on swarm."""
    tasks = await world.submit(list(Effects))
    await world.started(tasks, grant=1)
    holders = world.holders(tasks)
    victim = holders[tasks[0]]
    moved = [task for task in tasks if holders[task] == victim]
    at_s = world.kill_worker(victim)
    for task, running_s in zip(moved, await world.started(moved, grant=2), strict=True):
        times.add(f"{load}process_elsewhere", running_s - at_s)
        if not load:
            times.add(f"{list(Effects)[tasks.index(task)]}_elsewhere", running_s - at_s)
    lost_s = min(at for at, record in world.records(Lost) if record.token.task in moved)
    times.add(f"{load}detected", lost_s - at_s)
    for task in tasks:
        world.go(task)
    await world.add_worker(_SLOTS)


async def workers_die(world: "World", times: Times, scale: Scale) -> None:
    """All rounds, idle and busy, with plain Ray's in between."""
    from benchmarks.failover_world import PlainRay, kill

    plain = PlainRay(world)
    for kills, load in ((scale.worker_kills, ""), (scale.busy_kills, "busy_")):
        with busy() if load else contextlib.nullcontext():
            for number in range(kills):
                if number % scale.plain_every == 0:
                    times.add(f"{load}ray_process_elsewhere", await plain.dies(kill))
                await worker_dies(world, times, load)
                progress(f"{load}worker killed {number + 1} times")


async def crowds_beat(world: "World", scale: Scale) -> dict[str, float]:
    """Many workers while every core is busy; what detection makes of them."""
    before = await world.dispatch.detection()
    names = [await world.add_crowd(_CROWD) for _ in range(scale.crowds)]
    progress(f"{scale.crowds * _CROWD} light workers beat for {scale.crowd_s:.0f} s")
    with busy():
        await asyncio.sleep(scale.crowd_s)
    found = await world.dispatch.detection()
    for name in names:
        world.kill_worker(name)
    return {
        "gap_tail_ms": before.gap_tail_s * 1e3,
        "busy_gap_tail_ms": found.gap_tail_s * 1e3,
        "light_workers": scale.crowds * _CROWD,
        "false_alarms": found.false_alarms,
    }


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


async def play(scale: Scale, folder: Path) -> dict[str, float]:
    """All but the hosts."""
    from benchmarks.failover_world import a_world  # Ray has its environment now

    times = Times()
    async with a_world(folder) as world:
        for _ in range(_WORKERS):
            await world.add_worker(_SLOTS)
        await workers_die(world, times, scale)
        beaten = await crowds_beat(world, scale)
        killed = await dispatcher_dies(world, times, scale)
        lost = await world.all_ended()
        duplicates, refused = world.commits()
        false_deaths = world.false_deaths()
        acknowledged = len(world.acknowledged)
    return (
        times.figures()
        | beaten
        | {
            "acknowledged": acknowledged,
            "lost": len(lost),
            "duplicate_commits": duplicates,
            "refused_commits": refused,
            "false_deaths": false_deaths,
            "worker_hours": world.worker_s / 3600,
            "attempts_killed_by_dispatcher_loss": killed,
        }
    )


def together(figures: dict[str, float], hosts: Played) -> Figures:
    """What was counted in both parts is added up."""
    more = {
        "acknowledged": hosts.acknowledged,
        "lost": hosts.lost,
        "duplicate_commits": hosts.duplicates,
        "refused_commits": hosts.refused,
        "false_deaths": hosts.false_deaths,
        "false_alarms": hosts.false_alarms,
        "worker_hours": hosts.worker_s / 3600,
    }
    times = hosts.times.figures()
    return (
        times
        | {name: value + more.get(name, 0) for name, value in figures.items()}
        | {
            "refused_ends": hosts.refused_ends,
            "ray_node_kill_elsewhere_s": times["ray_node_kill_elsewhere_p50_s"],
        }
    )


def measure(options: Options) -> Figures:
    scale = QUICK if options.quick else FULL
    if options.own.kills is not None:
        scale = replace(scale, worker_kills=options.own.kills)
    folder = Path(tempfile.mkdtemp(prefix="swarm-fo-"))  # short: Ray makes sockets below it
    os.environ.update(ray_environment(Settings(state_dir=folder / "state")))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Ray tells of every death
            figures = asyncio.run(play(scale, folder))
            if os.geteuid() != 0:
                progress("only root can make hosts: no link is cut, no host is killed")
                return figures
            so_far("processes", figures)
            return together(figures, play_on_hosts(scale.idle, scale.busy, folder / "hosts"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=int, help="of workers, and as many of the plain actor")


if __name__ == "__main__":
    run("failover", (__doc__ or "").splitlines()[0], measure, arguments=_add_arguments)
