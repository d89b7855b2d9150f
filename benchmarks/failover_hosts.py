"""Hosts that die or are cut off, each a network namespace with a Ray node of its own. For root.

In a process of its own, which lives on the head with all that it starts.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.failover_times import Times, busy
from benchmarks.hosts import Host, Network, network
from benchmarks.report import progress, so_far
from swarm.bootstrap.cluster import ray_environment
from swarm.config import Settings
from swarm.model.work import Effects, TaskId

if TYPE_CHECKING:
    from benchmarks.failover_world import World

_PORT = 6379
_SLOTS = 4
_OTHERS = 2
_TOLERANT = (Effects.FENCED, Effects.IDEMPOTENT)


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often a link is cut, in how many of these for as long as an unsafe task needs, how often
    a host is killed, and in how many of these plain Ray has an actor there too."""

    cuts: int
    long_cuts: int
    kills: int
    plain: int


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it."""

    times: Times
    acknowledged: int
    lost: int
    duplicates: int
    refused: int
    refused_ends: int
    false_deaths: int
    false_alarms: int
    worker_s: float


class Hosts:
    """The hosts beside the head, and the worker on each."""

    def __init__(self, world: "World", net: Network, times: Times) -> None:
        self._world, self._net, self._times = world, net, times
        self._on: dict[str, Host] = {}  # by the name of the worker
        self._nodes: dict[str, str] = {}  # ids, by the name of the host

    async def join(self, host: Host) -> None:
        """Start a Ray node on `host`, and a worker."""
        import ray

        from benchmarks.failover_world import until

        before = self._nodes.get(host.name)

        def alive() -> str | None:
            ids = [
                node["NodeID"]
                for node in ray.nodes()
                if node["Alive"] and node["NodeManagerAddress"] == host.address
            ]
            return next((id_ for id_ in ids if id_ != before), None)

        host.start_ray({}, f"--address={self._net.head.address}:{_PORT}", f"--num-cpus={_SLOTS}")
        self._nodes[host.name] = await until(alive, "the node joins")
        node = self._nodes[host.name]
        self._on[await self._world.add_worker(_SLOTS, node, host.name)] = host

    async def is_cut(self, long: bool, load: str) -> None:
        """One round of a cut link, both ways."""
        world, times = self._world, self._times
        effects = [*_TOLERANT, *([Effects.UNSAFE] if long else [])]
        tasks, victim = await self._running(effects)
        at_s = time.time()
        with self._net.cut(self._on[victim]):
            for moved_s in await world.started(tasks[:2], grant=2):
                times.add(f"{load}node_cut_elsewhere", moved_s - at_s)
            if long:
                world.killed.add(victim)  # it has to end what it runs, which is as good
                (moved_s,) = await world.started(tasks[2:], grant=2)
                times.add(f"{load}unsafe_cut_elsewhere", moved_s - at_s)
            for task in tasks:
                world.go(task)  # what still runs behind the cut commits too, if it can
            await world.end(tasks)
        await world.settled([host.name for host in self._net.others])

    async def dies(self, plain: bool, load: str) -> None:
        """One round of a host that is killed with all that runs on it."""
        from benchmarks.failover_world import PlainRay

        world, times = self._world, self._times
        tasks, victim = await self._running(_TOLERANT)
        host = self._on.pop(victim)
        killed_s = 0.0

        def kill(_: int) -> float:
            nonlocal killed_s
            world.gone(victim)
            killed_s = host.kill()
            return killed_s

        repeated = None
        if plain:
            actor = PlainRay(world, self._nodes[host.name])
            repeated = asyncio.ensure_future(actor.dies(kill))
            while not killed_s and not repeated.done():  # noqa: ASYNC110  # the actor has to start first
                await asyncio.sleep(0.002)
        else:
            kill(0)
        for moved_s in await world.started(tasks, grant=2):
            times.add(f"{load}node_kill_elsewhere", moved_s - killed_s)
        for task in tasks:
            world.go(task)
        if repeated is not None:
            times.add("ray_node_kill_elsewhere", await repeated)
        await self.join(host)
        await world.settled([host.name for host in self._net.others])

    async def _running(self, effects: Sequence[Effects]) -> tuple[list[TaskId], str]:
        """Tasks that run on one worker, and its name: it takes what comes together."""
        tasks = await self._world.submit(effects)
        await self._world.started(tasks, grant=1)
        (victim,) = set(self._world.holders(tasks).values())
        return tasks, victim


async def play(net: Network, idle: Rounds, loaded: Rounds, folder: Path) -> Played:
    """All rounds, first on an idle machine, then with its cores busy."""
    from benchmarks.failover_world import a_world  # Ray has its environment now

    head = ("--head", "--num-cpus=0", "--include-dashboard=false")
    net.head.start_ray({}, *head, f"--port={_PORT}", f"--temp-dir={folder / 'ray'}")
    times = Times()
    async with a_world(folder, f"{net.head.address}:{_PORT}") as world:
        hosts = Hosts(world, net, times)
        for host in net.others:
            await hosts.join(host)
        for rounds, load in ((idle, ""), (loaded, "busy_")):
            with busy() if load else contextlib.nullcontext():
                for number in range(rounds.cuts):
                    await hosts.is_cut(number < rounds.long_cuts, load)
                    progress(f"{load}link cut {number + 1} times")
                for number in range(rounds.kills):
                    await hosts.dies(number < rounds.plain, load)
                    progress(f"{load}host killed {number + 1} times")
            so_far(f"{load}hosts", times.figures())
        lost = await world.all_ended()
        detection = await world.dispatch.detection()
        duplicates, refused = world.commits()
        false_deaths = world.false_deaths()
    return Played(
        times,
        len(world.acknowledged),
        len(lost),
        duplicates,
        refused,
        detection.refused,
        false_deaths,
        detection.false_alarms,
        world.worker_s,
    )


def _play(net: Network, idle: Rounds, loaded: Rounds, folder: str) -> Played:
    """In the process on the head."""
    sys.stdout = sys.stderr  # Ray tells of every death
    os.environ.update(ray_environment(Settings(state_dir=Path(folder) / "state")))
    return asyncio.run(play(net, idle, loaded, Path(folder)))


def play_on_hosts(idle: Rounds, loaded: Rounds, folder: Path) -> Played:
    """Make the hosts, play on them, and remove them with all that runs there."""
    folder.mkdir()
    resource_tracker.ensure_running()  # else it would begin on the head, and end with it
    with (
        network(_OTHERS) as net,
        net.head.inside(),  # so that its process begins there
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process,
    ):
        return process.submit(_play, net, idle, loaded, str(folder)).result()
