"""A dispatcher and workers on a Ray of the benchmark's own, and their deaths."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import ray
from cryptography.fernet import Fernet

from benchmarks.failover_task import PlainActor, effects
from benchmarks.failover_worker import Crowd, Worker
from swarm.actors import handles, options
from swarm.actors.dispatcher import STREAM, DispatcherActor
from swarm.actors.outputs import OutputsActor
from swarm.actors.ports import actor_name
from swarm.actors.worker_loops import WorkerOptions
from swarm.config import Settings
from swarm.model.dispatch import Ended, Granted, WorkerGone, WorkerJoined
from swarm.model.journal import Entry
from swarm.model.work import Effects, Needs, Offer, Resources, Submission, TaskId, WorkerId
from swarm.store.journal import open_journal

RecordT = TypeVar("RecordT")

_TASK = Path(__file__).with_name("failover_task.py")
_BEAT_KEY = b"a key of the benchmark's own"
_LOOK_S = 0.002
_TIMEOUT_S = 60.0
_NODE_LABEL = "ray.io/node-id"
_RAY_S = 200.0  # plain Ray has its time too


class Dispatcher(DispatcherActor):
    """The real one, which also tells whom to kill."""

    async def pid(self) -> int:
        return os.getpid()


async def until(
    condition: Callable[[], Any],
    what: str,
    look_s: float = _LOOK_S,
    within_s: float = _TIMEOUT_S,
) -> Any:
    """What `condition` gives once it gives something; `TimeoutError` says for what it waited."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        if found := condition():
            return found
        await asyncio.sleep(look_s)
    raise TimeoutError(what)


def starts(path: Path) -> list[tuple[float, int]]:
    """Lines of (seconds since the epoch, pid); the last one may be in the making."""
    try:
        lines = path.read_text().split("\n")[:-1]
    except FileNotFoundError:
        return []
    return [(float(line.split()[0]), int(line.split()[1])) for line in lines]


def _a_name() -> WorkerId:
    return WorkerId(f"worker:{uuid.uuid4().hex[:8]}")


@dataclass(slots=True)
class _Kept:
    """A worker actor, its process, when it was there first, and how many workers it is."""

    actor: Any
    pid: int
    since_s: float
    count: int = 1


class World:
    """What runs, and what was done to it."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        self.dispatch = handles.DispatchHandle()
        self.acknowledged: list[TaskId] = []
        self.killed: set[str] = set()  # workers that did not die by themselves
        self.worker_s = 0.0
        self._folder = folder
        self._settings = Settings(state_dir=folder / "state")
        self._workers: dict[str, _Kept] = {}
        self._dead: dict[str, _Kept] = {}  # Ray itself would end who is not held any more
        self._dispatcher: Any = None
        self._outputs: Any = None
        self._journal = open_journal(self._settings.store_url, self._settings.state_dir)
        self._read: list[Entry] = []
        self.stream_file = self._settings.state_dir / "streams" / f"{STREAM}.db"

    async def begin(self) -> None:
        """Start the dispatcher."""
        arguments = (self._settings, Fernet.generate_key(), handles.Watch(), _BEAT_KEY)
        self._outputs = ray.remote(**options.OUTPUTS)(OutputsActor).remote(self._settings)
        self._dispatcher = ray.remote(**options.DISPATCHER)(Dispatcher).remote(
            *arguments, handles.own_address
        )
        await self._dispatcher.pid.remote()

    def close(self) -> None:
        """Count the hours of those that are left."""
        for name in list(self._workers):
            self.gone(name)
        self._journal.close()

    def journal(self) -> list[Entry]:
        """Everything in the dispatcher's stream."""
        after = self._read[-1].seq if self._read else 0
        while entries := self._journal.read(STREAM, after, 2_000):
            self._read += entries
            after = entries[-1].seq
        return self._read

    def records(self, kind: type[RecordT]) -> list[tuple[float, RecordT]]:
        """The records of one kind, and when each was decided, in seconds since the epoch."""
        return [
            (entry.at_s, entry.record) for entry in self.journal() if isinstance(entry.record, kind)
        ]

    async def add_worker(self, slots: int, node: str = "", pool: str = "") -> str:
        """One more worker, on this node if none is named; its name once the dispatcher has it."""
        node = node or ray.get_runtime_context().get_node_id()
        offer = Offer(_a_name(), node, slots, Resources(cpu=float(slots)), pool=pool)
        return await self._add(Worker, offer, 1)

    async def add_crowd(self, count: int) -> str:
        """Workers without slots in one process, which beat and renew as any."""
        here = ray.get_runtime_context().get_node_id()
        return await self._add(Crowd, Offer(_a_name(), here, 0, Resources()), count, count)

    async def _add(self, kind: type, offer: Offer, count: int, *arguments: int) -> str:
        name, before = offer.worker, len(self.journal())
        files = WorkerOptions(
            self._folder / "worker", _BEAT_KEY, fence_s=self._settings.worker.fence_s
        )
        reached = (self.dispatch, handles.OutputsHandle())
        how = options.worker(name) | options.on_node(offer.node)
        actor = ray.remote(**how)(kind).remote(offer, *reached, files, *arguments)
        pid = await actor.pid.remote()

        def joined() -> bool:
            fresh = (entry.record for entry in self.journal()[before:])
            joins = (record for record in fresh if isinstance(record, WorkerJoined))
            return sum(actor_name(join.offer.worker) == name for join in joins) >= count

        await until(joined, f"{name} joins")
        self._workers[name] = _Kept(actor, pid, time.monotonic(), count)
        return name

    def gone(self, name: str) -> None:
        """A worker dies, alone or with its node."""
        worker = self._dead[name] = self._workers.pop(name)
        self.worker_s += worker.count * (time.monotonic() - worker.since_s)
        self.killed.add(name)

    async def submit(self, effects: Sequence[Effects], pool: str = "") -> list[TaskId]:
        """Hand in a task for each, for one pool or any; returns when that is acknowledged."""
        bodies = {TaskId(uuid.uuid4().hex): kind for kind in effects}
        now_s = time.time()
        submissions = [
            Submission(task, "team", "", now_s, Needs(pool=pool), kind)
            for task, kind in bodies.items()
        ]
        program = [sys.executable, "-I", "-S", str(_TASK), str(self.files)]
        argv = {
            task: [*program, "commits" if kind is Effects.FENCED else ""]
            for task, kind in bodies.items()
        }
        texts = {task: json.dumps({"argv": words}) for task, words in argv.items()}
        await self.dispatch.submit(submissions, texts, "benchmark")
        self.acknowledged += bodies
        return list(bodies)

    async def started(self, tasks: Sequence[TaskId], grant: int) -> list[float]:
        """When the user code of each said that it runs, in seconds since the epoch."""
        paths = [self.files / f"{task}.{grant}" for task in tasks]
        return [
            (await until(lambda path=path: starts(path), f"{path.name} starts"))[0][0]  # type: ignore[misc]
            for path in paths
        ]

    def processes(self, task: TaskId, grant: int) -> set[int]:
        """The pids under which a grant has beaten."""
        return {pid for _, pid in starts(self.files / f"{task}.{grant}")}

    async def end(self, tasks: Sequence[TaskId]) -> None:
        """Wait until each has an outcome."""

        def ended() -> bool:
            return set(tasks) <= {record.token.task for _, record in self.records(Ended)}

        await until(ended, "the tasks end")

    def go(self, name: str) -> None:
        """Let a task, or a plain actor's call, come to its end."""
        (self.files / f"{name}.go").touch()

    def holders(self, tasks: Sequence[TaskId]) -> dict[TaskId, str]:
        """The worker that got the newest grant of each."""
        newest = {record.token.task: record.worker for _, record in self.records(Granted)}
        return {task: actor_name(newest[task]) for task in tasks}

    def grants(self, tasks: Sequence[TaskId]) -> dict[TaskId, int]:
        """The newest grant of each."""
        newest = {record.token.task: record.token.grant for _, record in self.records(Granted)}
        return {task: newest[task] for task in tasks}

    def kill_worker(self, name: str) -> float:
        """With SIGKILL; returns the time of day just before."""
        pid = self._workers[name].pid
        self.gone(name)
        return kill(pid)

    async def settled(self, pools: Sequence[str]) -> None:
        """Wait until every worker that was not killed is known and none is silent, and until one in
        each of these pools takes work."""

        def all_known() -> bool:
            gone = {record.worker for _, record in self.records(WorkerGone)}
            joined = {record.offer.worker for _, record in self.records(WorkerJoined)}
            return {actor_name(worker) for worker in joined - gone} >= self._workers.keys()

        async with asyncio.timeout(_TIMEOUT_S):
            while not all_known() or (await self.dispatch.detection()).silent:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
        probes = [task for pool in pools for task in await self.submit([Effects.IDEMPOTENT], pool)]
        for task in probes:
            self.go(task)
        await self.end(probes)

    def false_deaths(self) -> int:
        """Workers called dead that nobody killed."""
        gone = {actor_name(record.worker) for _, record in self.records(WorkerGone)}
        return len(gone - self.killed)

    async def kill_dispatcher(self) -> float:
        """With SIGKILL; returns the time of day just before."""
        while True:
            try:
                return kill(await self._dispatcher.pid.remote())
            except ray.exceptions.RayActorError:
                await asyncio.sleep(_LOOK_S)

    async def all_ended(self) -> set[TaskId]:
        """The acknowledged tasks that have no outcome, after they had their time."""

        def open_tasks() -> set[TaskId]:
            return set(self.acknowledged) - {r.token.task for _, r in self.records(Ended)}

        with contextlib.suppress(TimeoutError):
            await until(lambda: not open_tasks(), "every task ends")
        return open_tasks()

    def commits(self) -> tuple[int, int]:
        """Tasks whose effect is in the sink more often than once, and commits it refused."""
        with contextlib.closing(effects(self.files)) as database:
            twice = "SELECT count(*) FROM effects GROUP BY task HAVING count(*) > 1"
            refused = "SELECT count(*) FROM refused"
            return len(database.execute(twice).fetchall()), database.execute(refused).fetchone()[0]


class PlainRay:
    """An actor of plain Ray that is killed in the midst of a call, again and again. It is on
    `node`, if one is named, for as long as that lives."""

    _rounds = itertools.count()

    def __init__(self, world: World, node: str = "") -> None:
        self._world = world
        how: dict[str, Any] = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1}
        if node:
            here, elsewhere = ({_NODE_LABEL: of} for of in (node, f"!{node}"))
            how |= {"label_selector": here, "fallback_strategy": [{"label_selector": elsewhere}]}
        self._actor: Any = ray.remote(**how)(PlainActor).remote()

    async def dies(self, kill: Callable[[int], float]) -> float:
        """One round: `kill(pid)` tells when it killed it. Returns the seconds from then to the
        first line of the next process."""
        name = f"plain{next(self._rounds)}"
        path = self._world.files / f"{name}.ray"
        ended = self._actor.run.remote(str(self._world.files), name)
        ((_, pid),) = await until(lambda: starts(path), "the call starts")
        at_s = kill(pid)
        again = await until(lambda: starts(path)[1:], "the call runs again", within_s=_RAY_S)
        self._world.go(name)
        await ended
        return float(again[0][0]) - at_s


def kill(pid: int) -> float:
    now_s = time.time()
    os.kill(pid, signal.SIGKILL)
    return now_s


@contextlib.contextmanager
def a_ray(folder: Path, address: str = "") -> Iterator[None]:
    """The Ray at `address`, or one of its own that is gone afterwards."""
    common = {"namespace": handles.NAMESPACE, "log_to_driver": False}
    if address:
        ray.init(address, **common)
    else:
        ray.init(
            address="local",
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            _temp_dir=str(folder / "ray"),
            **common,
        )
    try:
        yield
    finally:
        ray.shutdown()


@contextlib.asynccontextmanager
async def a_world(folder: Path, address: str = "") -> AsyncIterator[World]:
    with a_ray(folder, address):
        world = World(folder)
        try:
            await world.begin()
            yield world
        finally:
            world.close()
