"""Very much work under overlapping faults: is anything lost, or committed twice?

First the real engine in virtual time (`endurance_engine.py`), then real tasks: calls in resident
slots and shell programs, on three nodes of one machine with a worker each, while workers, raylets
with all that is on their node, and the dispatcher are killed with -9 again and again, each on its
own beat, so that they overlap. Work is handed in until there was enough of it and of the kills, or
no more time; then nothing is killed any more, and all that was acknowledged has to end.

- `simulated_tasks`, `simulated_lost`, `simulated_duplicates` (ended twice, or a grant given twice),
  `simulated_uncommitted` (ended without its effect): of the first part;
  `simulated_worker_kills`, `simulated_dispatcher_kills`, `simulated_refused`: what it withstood.
- `real_tasks`, of which `subprocesses`; `worker_kills`, `dispatcher_kills`, `raylet_kills`.
- `lost`: acknowledged and without an outcome. `not_succeeded`: with another outcome than success.
- `duplicate_commits`: tasks whose effect is in the fenced sink more often than once.
  `uncommitted`: tasks that ended well and whose effect is not there. `refused_commits`: of work
  that was repeated after its effect was there, or of an older grant.
- `real_s`, `tasks_per_s`: from the first submission to the last end.
"""

import asyncio
import contextlib
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.endurance_engine import Bulk
from benchmarks.endurance_task import judged
from benchmarks.report import Figures, Options, progress, run
from swarm.bootstrap.cluster import ray_environment
from swarm.config import Settings

if TYPE_CHECKING:
    from benchmarks.endurance_world import Field


@dataclass(frozen=True, slots=True)
class Kills:
    """How many of one kind, and the seconds between two."""

    count: int
    every_s: float


@dataclass(frozen=True, slots=True)
class Scale:
    """How many tasks, how many kills, and the seconds after which no more are begun."""

    simulated: int
    real: int
    workers: Kills
    dispatchers: Kills
    raylets: Kills
    most_s: float


FULL = Scale(1_000_000, 50_000, Kills(170, 1.0), Kills(20, 20.0), Kills(20, 15.0), 1_500.0)
QUICK = Scale(10_000, 1_000, Kills(4, 2.0), Kills(2, 6.0), Kills(1, 3.0), 25.0)


def simulate(tasks: int, seed: int) -> Figures:
    tally = Bulk(seed).run(tasks)
    return {
        "simulated_tasks": tally.acknowledged,
        "simulated_lost": len(tally.open),
        "simulated_duplicates": tally.ended_twice + tally.grants_reused,
        "simulated_uncommitted": tally.uncommitted,
        "simulated_worker_kills": tally.workers_killed,
        "simulated_dispatcher_kills": tally.dispatchers_killed,
        "simulated_refused": tally.commits_refused,
    }


async def _again(kills: Kills, until_s: float, act: Callable[[], Awaitable[None]]) -> None:
    for _ in range(kills.count):
        await asyncio.sleep(kills.every_s)
        if time.monotonic() > until_s:
            return
        await act()


async def suffer(field: "Field", scale: Scale) -> None:
    """Hand in and kill, until it is enough or time is up."""
    until_s = time.monotonic() + scale.most_s
    killing = [
        asyncio.ensure_future(_again(kills, until_s, act))
        for kills, act in (
            (scale.workers, field.kill_a_worker),
            (scale.dispatchers, field.kill_the_dispatcher),
            (scale.raylets, field.kill_a_raylet),
        )
    ]

    def enough() -> bool:
        killed = all(doing.done() for doing in killing)
        return time.monotonic() > until_s or (killed and len(field.acknowledged) >= scale.real)

    while not enough():
        await field.submit_some()
        progress(f"{len(field.acknowledged)} handed in, {field.ended()} ended, {dict(field.kills)}")
    await asyncio.gather(*killing)


async def play(scale: Scale, folder: Path, seed: int) -> Figures:
    from benchmarks.endurance_world import a_field  # Ray has its environment now

    async with a_field(folder, random.Random(seed)) as field:
        began_s = time.monotonic()
        await suffer(field, scale)
        lost = await field.all_ended()
        took_s = time.monotonic() - began_s
        sink = judged(field.files)
        not_succeeded = field.not_succeeded()
        for story in not_succeeded:
            progress(f"not succeeded: {story}")
        return {
            "real_tasks": len(field.acknowledged),
            "subprocesses": field.subprocesses,
            **{f"{victim}_kills": count for victim, count in field.kills.items()},
            "lost": len(lost),
            "not_succeeded": len(not_succeeded),
            "duplicate_commits": len(sink.twice),
            "uncommitted": len(set(field.acknowledged) - lost - sink.committed),
            "refused_commits": sink.refused,
            "real_s": took_s,
            "tasks_per_s": len(field.acknowledged) / took_s,
        }


def measure(options: Options) -> Figures:
    scale = QUICK if options.quick else FULL
    figures = dict(simulate(scale.simulated, options.seed))
    progress(f"simulated: {figures}")
    folder = Path(tempfile.mkdtemp(prefix="swarm-en-"))  # short: Ray makes sockets below it
    os.environ.update(ray_environment(Settings(state_dir=folder / "state")))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Ray tells of every death
            return figures | dict(asyncio.run(play(scale, folder, options.seed)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    run("endurance", (__doc__ or "").splitlines()[0], measure)
