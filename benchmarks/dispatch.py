"""How fast is durable, fenced work beside bare Ray, which keeps nothing?

One worker of swarm with four slots, and Ray's own tasks with as many workers, in one Ray on one
machine. Every task of swarm is journaled when it is handed in, granted, started and ended. Blocks
of both run in turns (A B B A), batched beside batched and single beside single. That all have
ended is read in the journal, every 10 ms for a batch, and only where something was written, so
that the look itself takes no core from swarm; what is found late counts as swarm's time.

- `throughput_over_ray`: no-op calls, batched: tasks of swarm in a second over those of Ray;
  `ten_ms_over_ray`: the same with calls that sleep 10 ms.
- `single_over_ray`: no-op calls one after another, each waited for: how many in a second over Ray.
- `tasks_per_s`, `ray_tasks_per_s`: of the batched no-op calls; `argv_per_s`: of programs (`true`).
- `added_latency_*_ms`: from handing in a no-op call until its end is durable, one at a time, less
  what Ray takes for one in the middle.
- `start_*_ms`: from handing in a program until it runs, one at a time.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from benchmarks.dispatch_calls import noop, sleep
from benchmarks.report import Figures, Options, progress, run
from swarm.bootstrap.cluster import ray_environment
from swarm.config import Settings
from swarm.model.dispatch import Ended
from swarm.model.work import Effects, Needs, Outcome, Resources, Submission, TaskId

if TYPE_CHECKING:
    from benchmarks.failover_world import World

_SLOTS = 4
_LOOK_S = 0.001  # for the end of one task
_LOOK_AT_MANY_S = 0.01
_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How often each pair of blocks runs, and how many tasks a block has."""

    rounds: int
    batch: int
    single: int
    programs: int


FULL = Scale(rounds=6, batch=1_000, single=150, programs=100)
QUICK = Scale(rounds=1, batch=200, single=40, programs=20)


@dataclass(slots=True)
class Times:
    """Tasks in a second and milliseconds, by what they are of."""

    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def figures(self) -> dict[str, float]:
        rate = {what: median(found) for what, found in self.rates.items()}
        ray_ms = median(self.ms["ray"])
        added = quantiles([ms - ray_ms for ms in self.ms["swarm"]], n=100, method="inclusive")
        start = quantiles(self.ms["start"], n=100, method="inclusive")
        return {
            "throughput_over_ray": rate["noop"] / rate["ray_noop"],
            "single_over_ray": ray_ms / median(self.ms["swarm"]),
            "ten_ms_over_ray": rate["sleep"] / rate["ray_sleep"],
            "tasks_per_s": rate["noop"],
            "ray_tasks_per_s": rate["ray_noop"],
            "argv_per_s": rate["argv"],
            "added_latency_p50_ms": added[49],
            "added_latency_p99_ms": added[98],
            "start_p50_ms": start[49],
            "start_p99_ms": start[98],
        }


class Swarm:
    """Hands work in to the dispatcher of `world` and waits for its durable end."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._ended: set[TaskId] = set()
        self._seen = 0
        self._file = sqlite3.connect(world.stream_file)
        self._version = -1

    async def does(self, bodies: Sequence[dict[str, Any]]) -> float:
        """All of them, handed in at once; the seconds until the last end is in the journal."""
        named = {TaskId(uuid.uuid4().hex): json.dumps(body) for body in bodies}
        needs = Needs(resources=Resources(cpu=1.0))
        now_s, began_s = time.time(), time.monotonic()
        submissions = [Submission(task, "team", "", now_s, needs, Effects.FENCED) for task in named]
        await self._world.dispatch.submit(submissions, named, "benchmark")
        while not named.keys() <= self._look():
            if time.monotonic() - began_s > _WITHIN_S:
                raise TimeoutError("the tasks do not end")
            await asyncio.sleep(_LOOK_S if len(named) == 1 else _LOOK_AT_MANY_S)
        return time.monotonic() - began_s

    def _look(self) -> set[TaskId]:
        (version,) = self._file.execute("PRAGMA data_version").fetchone()
        if version == self._version:  # nothing was written
            return self._ended
        self._version = version
        entries = self._world.journal()
        for entry in entries[self._seen :]:
            if isinstance(entry.record, Ended):
                if entry.record.outcome is not Outcome.SUCCEEDED:
                    raise RuntimeError(f"a task failed: {entry.record.detail}")
                self._ended.add(entry.record.token.task)
        self._seen = len(entries)
        return self._ended


class BareRay:
    """The same functions as tasks of Ray, as many at the same time."""

    def __init__(self) -> None:
        import ray

        self._ray = ray
        how = {"num_cpus": ray.cluster_resources()["CPU"] / _SLOTS}
        self.noop = ray.remote(**how)(noop)
        self.sleep = ray.remote(**how)(sleep)

    async def does(self, function: Any, count: int) -> float:
        """Called so often; the seconds until the last has returned."""
        began_s = time.monotonic()
        called = [function.remote() for _ in range(count)]
        await asyncio.to_thread(self._ray.get, called)
        return time.monotonic() - began_s


_NOOP = {"call": {"path": "benchmarks.dispatch_calls:noop", "args": {}}}
_SLEEP = {"call": {"path": "benchmarks.dispatch_calls:sleep", "args": {}}}


async def batched(swarm: Swarm, ray: BareRay, times: Times, count: int) -> None:
    """One A B B A of each kind of call."""
    for name, body, function in (("noop", _NOOP, ray.noop), ("sleep", _SLEEP, ray.sleep)):
        for who in ("swarm", "ray", "ray", "swarm"):
            if who == "swarm":
                times.rates[name].append(count / await swarm.does([body] * count))
            else:
                times.rates[f"ray_{name}"].append(count / await ray.does(function, count))
    times.rates["argv"].append(count / 4 / await swarm.does([{"argv": ["true"]}] * (count // 4)))


async def single(swarm: Swarm, ray: BareRay, times: Times, count: int) -> None:
    for who in ("swarm", "ray", "ray", "swarm"):
        for _ in range(count // 2):
            one = swarm.does([_NOOP]) if who == "swarm" else ray.does(ray.noop, 1)
            times.ms[who].append(await one * 1e3)


async def starts(swarm: Swarm, times: Times, files: Path, count: int) -> None:
    for number in range(count):
        path = files / f"start{number}-{uuid.uuid4().hex}"
        handed_in_s = time.time()
        await swarm.does([{"argv": ["sh", "-c", f"date +%s.%N > {path}"]}])
        times.ms["start"].append((float(path.read_text()) - handed_in_s) * 1e3)


async def play(scale: Scale, folder: Path) -> Figures:
    from benchmarks.failover_world import a_world  # Ray has its environment now

    times = Times()
    async with a_world(folder) as world:
        await world.add_worker(_SLOTS)
        swarm, ray = Swarm(world), BareRay()
        for body in (_NOOP, _SLEEP):  # both have their processes
            await swarm.does([body] * _SLOTS)
        await ray.does(ray.sleep, 4 * _SLOTS)
        for number in range(scale.rounds):
            await batched(swarm, ray, times, scale.batch)
            await single(swarm, ray, times, scale.single)
            await starts(swarm, times, world.files, scale.programs)
            progress(f"round {number + 1}: {times.rates['noop'][-1]:.0f} tasks/s")
    return times.figures()


def measure(options: Options) -> Figures:
    folder = Path(tempfile.mkdtemp(prefix="swarm-di-"))  # short: Ray makes sockets below it
    os.environ.update(ray_environment(Settings(state_dir=folder / "state")))
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return asyncio.run(play(QUICK if options.quick else FULL, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    run("dispatch", (__doc__ or "").splitlines()[0], measure)
