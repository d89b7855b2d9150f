"""Workers on nodes of their own with much to do, and who kills what."""

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import ray

from benchmarks.endurance_task import SHELL, prepare
from benchmarks.failover_world import World, a_ray, until
from swarm.errors import Unreachable
from swarm.model.dispatch import Ended
from swarm.model.work import Effects, Needs, Outcome, Submission, TaskId

_NODES = 2  # beside the head; each has a worker, as the head has
_SLOTS = 4
_BATCH = 200
_OPEN_MAX = 600
_PROGRAM_SHARE = 0.12
_SLEEP_S = 0.02
_PATIENCE_S = 300.0
_END_S = 30.0


@dataclass(slots=True)
class Place:
    """Where one worker is: a node of its own (`process` is that which started it), or the head.
    `busy`: somebody is about to change that."""

    worker: str = ""
    process: psutil.Process | None = None
    node: str = ""
    busy: bool = False


class Field(World):
    """A world whose work is many small tasks."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        super().__init__(folder)
        prepare(self.files)
        self.kills: Counter[str] = Counter({"worker": 0, "dispatcher": 0, "raylet": 0})
        self.subprocesses = 0
        self._chance = chance
        self._looked_at = 0
        self._outcomes: defaultdict[TaskId, list[Outcome]] = defaultdict(list)
        self._places = [Place() for _ in range(1 + _NODES)]

    async def fill(self) -> None:
        """A worker at each place."""
        head, *others = self._places
        for place in others:
            await self._begin_node(place)
        for place in (head, *others):
            place.worker = await self.add_worker(_SLOTS, place.node)

    async def submit_some(self) -> None:
        """A batch, acknowledged when this returns; waits while many are under way."""
        while len(self.acknowledged) - self.ended() > _OPEN_MAX:  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.02)
        bodies = {TaskId(uuid.uuid4().hex): self._body() for _ in range(_BATCH)}
        now_s = time.time()
        submissions = [
            Submission(task, "team", "", now_s, Needs(), self._chance.choice(list(Effects)))
            for task in bodies
        ]
        while True:
            with contextlib.suppress(Unreachable):  # the same ids again: no second task
                await self.dispatch.submit(submissions, bodies, "endurance")
                break
        self.acknowledged += bodies
        self.subprocesses += sum("argv" in body for body in bodies.values())

    def _body(self) -> str:
        if self._chance.random() < _PROGRAM_SHARE:
            return json.dumps({"argv": ["sh", "-c", SHELL, "sh", str(self.files), str(_SLEEP_S)]})
        call = {"path": "benchmarks.endurance_task:work", "args": {"folder": str(self.files)}}
        return json.dumps({"call": call})

    def ended(self) -> int:
        """How many tasks have; what is new in the journal is looked at once."""
        entries = self.journal()
        for entry in entries[self._looked_at :]:
            if isinstance(entry.record, Ended):
                self._outcomes[entry.record.token.task].append(entry.record.outcome)
        self._looked_at = len(entries)
        return len(self._outcomes)

    def not_succeeded(self) -> list[list[str]]:
        """What the journal tells of each task with another outcome than one success."""
        self.ended()
        bad = {task for task, got in self._outcomes.items() if got != [Outcome.SUCCEEDED]}
        stories: dict[TaskId, list[str]] = {task: [] for task in bad}
        for entry in self.journal():
            token = getattr(entry.record, "token", None)
            if token is not None and token.task in bad:
                stories[token.task].append(f"{entry.at_s:.2f} {entry.record}")
        return list(stories.values())

    async def all_ended(self) -> set[TaskId]:
        """The acknowledged tasks that have no outcome, after they had their time."""
        until_s = time.monotonic() + _PATIENCE_S
        while self.ended() < len(self.acknowledged) and time.monotonic() < until_s:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        return set(self.acknowledged) - self._outcomes.keys()

    async def kill_a_worker(self) -> None:
        """Another takes its place."""
        async with self._idle(self._places) as place:
            self.kill_worker(place.worker)
            self.kills["worker"] += 1
            await self._replace(place)

    async def kill_a_raylet(self) -> None:
        """Its worker dies with it; another node takes its place."""
        async with self._idle(self._places[1:]) as place:
            assert place.process is not None
            next(p for p in place.process.children() if p.name() == "raylet").kill()
            self.kills["raylet"] += 1
            self.gone(place.worker)
            _end(place.process)
            await self._begin_node(place)
            await self._replace(place)

    async def kill_the_dispatcher(self) -> None:
        await self.kill_dispatcher()
        self.kills["dispatcher"] += 1

    def end_nodes(self) -> None:
        for place in self._places:
            if place.process is not None:
                _end(place.process)

    @contextlib.asynccontextmanager
    async def _idle(self, places: list[Place]) -> AsyncIterator[Place]:
        """One of them that nobody else kills at."""
        while not (idle := [place for place in places if not place.busy]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        place = self._chance.choice(idle)
        place.busy = True
        try:
            yield place
        finally:
            place.busy = False

    async def _replace(self, place: Place) -> None:
        while True:
            with contextlib.suppress(ray.exceptions.RayActorError):  # its node was not ready
                place.worker = await self.add_worker(_SLOTS, place.node)
                return

    async def _begin_node(self, place: Place) -> None:
        """Another raylet, as `ray start` makes it; returns when it has joined."""
        name = f"node-{uuid.uuid4().hex[:8]}"
        started = subprocess.Popen(  # noqa: ASYNC220  # it does not wait
            [
                Path(sys.executable).with_name("ray"),
                "start",
                "--block",
                f"--address={ray.get_runtime_context().gcs_address}",
                "--node-ip-address=127.0.0.1",
                f"--node-name={name}",
                "--num-cpus=1",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        place.process = psutil.Process(started.pid)

        def joined() -> str:
            nodes = [node for node in ray.nodes() if node["NodeName"] == name and node["Alive"]]
            return str(nodes[0]["NodeID"]) if nodes else ""

        place.node = await until(joined, f"{name} joins", look_s=0.2)


def _end(process: psutil.Process) -> None:
    """What `ray start` made, and all below it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [*process.children(recursive=True), process]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, timeout=_END_S)


@contextlib.asynccontextmanager
async def a_field(folder: Path, chance: random.Random) -> AsyncIterator[Field]:
    """On a Ray that is gone afterwards."""
    with a_ray(folder):
        field = Field(folder, chance)
        try:
            await field.begin()
            await field.fill()
            yield field
        finally:
            field.end_nodes()
            field.close()
