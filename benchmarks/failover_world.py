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
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from benchmarks.failover_task import PlainActor, sink
from benchmarks.failover_worker import Worker
from swarm.actors import handles, options
from swarm.actors.dispatcher import STREAM, DispatcherActor
from swarm.actors.outputs import OutputsActor
from swarm.actors.ports import actor_name
from swarm.actors.worker_loops import WorkerOptions
from swarm.config import Settings
from swarm.model.dispatch import Ended, Granted, WorkerJoined
from swarm.model.journal import Entry
from swarm.model.work import Effects, Needs, Offer, Resources, Submission, TaskId, WorkerId
from swarm.store.journal import open_journal

RecordT = TypeVar("RecordT")

_TASK = Path(__file__).with_name("failover_task.py")
_BEAT_KEY = b"a key of the benchmark's own"
_LOOK_S = 0.002
_TIMEOUT_S = 60.0


class Dispatcher(DispatcherActor):
    """The real one, which also tells whom to kill."""

    async def pid(self) -> int:
        return os.getpid()


async def until(condition: Callable[[], Any], what: str, look_s: float = _LOOK_S) -> Any:
    """What `condition` gives once it gives something; `TimeoutError` says for what it waited."""
    deadline_s = time.monotonic() + _TIMEOUT_S
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


@dataclass(slots=True)
class _Kept:
    """A worker actor, its process and when it was there first."""

    actor: Any
    pid: int
    since_s: float


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
        self._dispatcher: Any = None
        self._outputs: Any = None
        self._journal = open_journal(self._settings.store_url, self._settings.state_dir)
        self._read: list[Entry] = []

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
        for worker in self._workers.values():
            self.worker_s += time.monotonic() - worker.since_s
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

    async def add_worker(self, slots: int, node: str = "") -> str:
        """One more worker, on this node unless told; returns its name when the dispatcher has
        it."""
        name = f"worker:{uuid.uuid4().hex[:8]}"
        here = node or ray.get_runtime_context().get_node_id()
        before = len(self.journal())
        offer = Offer(WorkerId(name), here, slots, Resources(cpu=float(slots)))
        files = WorkerOptions(
            self._folder / "worker", _BEAT_KEY, fence_s=self._settings.worker.fence_s
        )
        reached = (self.dispatch, handles.OutputsHandle())
        pinned = {"scheduling_strategy": NodeAffinitySchedulingStrategy(here, soft=False)}
        how = options.worker(name) | pinned
        actor = ray.remote(**how)(Worker).remote(offer, *reached, files)
        self._workers[name] = _Kept(actor, await actor.pid.remote(), time.monotonic())

        def joined() -> bool:
            fresh = (entry.record for entry in self.journal()[before:])
            joins = (record for record in fresh if isinstance(record, WorkerJoined))
            return any(actor_name(join.offer.worker) == name for join in joins)

        await until(joined, f"{name} joins")
        return name

    def gone(self, name: str) -> None:
        """A worker died with its node."""
        worker = self._workers.pop(name)
        self.worker_s += time.monotonic() - worker.since_s
        self.killed.add(name)

    async def submit(self, effects: Sequence[Effects]) -> list[TaskId]:
        """Hand in a task for each; returns when that is acknowledged."""
        bodies = {TaskId(uuid.uuid4().hex): kind for kind in effects}
        now_s = time.time()
        submissions = [
            Submission(task, "team", "", now_s, Needs(), kind) for task, kind in bodies.items()
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
        """Tasks of which the sink took more than one commit, and commits it refused."""
        with contextlib.closing(sink(self.files)) as database:
            taken = "SELECT count(*) FROM commits WHERE taken GROUP BY task HAVING count(*) > 1"
            refused = "SELECT count(*) FROM commits WHERE NOT taken"
            return len(database.execute(taken).fetchall()), database.execute(refused).fetchone()[0]


class PlainRay:
    """An actor of plain Ray that is killed in the midst of a call, again and again."""

    def __init__(self, world: World) -> None:
        self._world = world
        how = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1}
        self._actor: Any = ray.remote(**how)(PlainActor).remote()
        self._rounds = itertools.count()

    async def dies(self) -> float:
        """One round; returns the seconds from the kill to the first line of the next process."""
        name = f"plain{next(self._rounds)}"
        path = self._world.files / f"{name}.ray"
        ended = self._actor.run.remote(str(self._world.files), name)
        ((_, pid),) = await until(lambda: starts(path), "the call starts")
        at_s = kill(pid)
        running_s: float = (await until(lambda: starts(path)[1:], "the call runs again"))[0][0]
        self._world.go(name)
        await ended
        return running_s - at_s


def kill(pid: int) -> float:
    now_s = time.time()
    os.kill(pid, signal.SIGKILL)
    return now_s


@contextlib.contextmanager
def a_ray(folder: Path) -> Iterator[None]:
    """A Ray of its own that is gone afterwards."""
    ray.init(
        address="local",
        namespace=handles.NAMESPACE,
        include_dashboard=False,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=str(folder / "ray"),
    )
    try:
        yield
    finally:
        ray.shutdown()


@contextlib.asynccontextmanager
async def a_world(folder: Path) -> AsyncIterator[World]:
    with a_ray(folder):
        world = World(folder)
        try:
            await world.begin()
            yield world
        finally:
            world.close()
