"""A swarm whose processes die and stand still. What must hold is read from its journal."""

import contextlib
import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from benchmarks import failover_task
from swarm.actors.dispatcher import STREAM
from swarm.client import Client
from swarm.model.dispatch import (
    Ended,
    Granted,
    Lost,
    Started,
    Submitted,
    WorkerGone,
    WorkerJoined,
)
from swarm.model.work import LossCause
from swarm.store.journal import open_journal
from tests.actors.test_slot import alive
from tests.e2e.conftest import Swarm, cli, free_port
from tests.e2e.test_tasks import in_state
from tests.e2e.test_up import actor_process, eventually

FENCE_S = 12  # beside load, what only stands still for a while must not be taken for dead


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    folder = tmp_path_factory.mktemp("swarm")
    settings, state = folder / "swarm.yaml", folder / "state"
    settings.write_text(
        yaml.safe_dump(
            {
                "state_dir": str(state),
                "api": {"port": free_port()},
                "worker": {"slots": 4, "fence_s": FENCE_S},
            }
        )
    )
    started = cli("up", SWARM_CONFIG=str(settings))
    assert started.returncode == 0, started.stderr
    token = (state / "token").read_text()
    url = json.loads((state / "up.json").read_text())["url"]
    with Client(url, token) as client:
        yield Swarm(settings, state, client, url, token)
    cli("down", SWARM_CONFIG=str(settings))


class Play:
    """Tasks that beat under their grant until they may go, and what the journal tells of them."""

    def __init__(self, swarm: Swarm, folder: Path) -> None:
        self._swarm = swarm
        self.folder = folder
        self.tasks: list[str] = []

    def submit(self, *effects: str) -> list[str]:
        program = [sys.executable, "-I", "-S", failover_task.__file__, str(self.folder)]
        tasks = [{"argv": [*program, "commits"], "effects": effect} for effect in effects]
        self.tasks += self._swarm.client.submit(tasks)
        return self.tasks[-len(tasks) :]

    def pid(self, task: str, grant: int, within_s: float = 180.0) -> int:
        """Of the program, once it runs and the journal says so."""
        beats = self.folder / f"{task}.{grant}"
        line = eventually(lambda: beats.exists() and beats.read_text().partition("\n")[0], within_s)
        eventually(
            lambda: any((r.token.task, r.token.grant) == (task, grant) for r in self.of(Started))
        )
        return int(line.split()[1])

    def go(self) -> None:
        for task in self.tasks:
            self.go_one(task)

    def go_one(self, task: str) -> None:
        (self.folder / f"{task}.go").touch()

    def of(self, kind):
        with contextlib.closing(open_journal("", self._swarm.state)) as journal:
            entries = journal.read(STREAM, 0, 100_000)
        return [entry.record for entry in entries if isinstance(entry.record, kind)]

    def settle(self) -> None:
        """All that was acknowledged ends, and once; no effect was taken twice."""
        self.go()
        eventually(lambda: set(self.tasks) <= {r.token.task for r in self.of(Ended)})
        ended = [record.token.task for record in self.of(Ended)]
        assert len(ended) == len(set(ended)), "a task has two outcomes"
        assert {r.submission.task for r in self.of(Submitted)} >= set(self.tasks)
        outcomes = {r.token.task: r.outcome for r in self.of(Ended)}
        assert {outcomes[task] for task in self.tasks} == {"succeeded"}
        with contextlib.closing(failover_task.effects(self.folder)) as database:
            taken = "SELECT task, count(*) FROM effects GROUP BY task"
            counts = dict(database.execute(taken).fetchall())
        assert counts == dict.fromkeys(self.tasks, 1)


@pytest.fixture
def play(swarm: Swarm, tmp_path: Path) -> Play:
    return Play(swarm, tmp_path)


def named(pid: int, name: str) -> psutil.Process | None:
    """The first one below `pid`: what it forks is also called so until it is something else."""
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.name() == name:
                return child
    return None


@contextlib.contextmanager
def standing_still(process: psutil.Process) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def test_a_killed_worker(swarm: Swarm, play: Play) -> None:
    tasks = play.submit("fenced", "idempotent", "unsafe")
    pids = [play.pid(task, 1) for task in tasks]
    actor_process(swarm, "WorkerActor").kill()
    for task in tasks:
        play.pid(task, 2)
    assert not alive(pids[2]), "what may not run twice had to end first"
    eventually(lambda: not any(alive(pid) for pid in pids))
    play.settle()


def test_a_worker_that_stands_still_is_fenced_and_refused(swarm: Swarm, play: Play) -> None:
    (task,) = play.submit("unsafe")
    pid = play.pid(task, 1)
    holder = next(r.worker for r in play.of(Granted) if r.token.task == task)
    with standing_still(actor_process(swarm, "WorkerActor")):
        eventually(lambda: not alive(pid))
        (lost,) = eventually(lambda: [r for r in play.of(Lost) if r.token.task == task])
        assert lost.cause is LossCause.SELF_FENCED
    play.pid(task, 2)
    newest = play.of(WorkerJoined)[-1].offer.worker
    assert newest != holder, "it came back as if nothing had been"
    assert newest.partition("~")[0] == holder.partition("~")[0], "its process was replaced"
    play.settle()


def test_a_dispatcher_that_stands_still_blames_nobody(swarm: Swarm, play: Play) -> None:
    tasks = play.submit("fenced", "idempotent", "unsafe")
    for task in tasks:
        play.pid(task, 1)
    gone = len(play.of(WorkerGone))
    stopped_s = time.monotonic()
    with standing_still(actor_process(swarm, "DispatcherActor")):
        eventually(lambda: time.monotonic() - stopped_s > 2.5)  # four times what moves work
    (after,) = play.submit("fenced")
    play.pid(after, 1)
    play.settle()
    assert [r for r in play.of(Lost) if r.token.task in tasks] == []
    assert len(play.of(WorkerGone)) == gone
    assert swarm.client.status()["detection"]["stalled_s"] > 2.0


def test_the_sender_of_beats_does_not_matter_to_tasks(swarm: Swarm, play: Play) -> None:
    def sender() -> psutil.Process | None:
        worker = str(actor_process(swarm, "WorkerActor").pid)
        every = (process.info for process in psutil.process_iter(["cmdline", "pid"]))
        found = [
            info["pid"]
            for info in every
            if (words := info["cmdline"] or [])[-1:] == [worker]
            and any("beat_process.py" in word for word in words)
        ]
        return psutil.Process(found[0]) if found else None

    def without_beats() -> list[str]:
        return swarm.client.status()["detection"]["without_beats"]

    tasks = play.submit("fenced", "unsafe")
    for task in tasks:
        play.pid(task, 1)
    first = eventually(sender)
    eventually(lambda: not without_beats())
    with standing_still(first):
        eventually(without_beats)
        (after,) = play.submit("idempotent")
        play.pid(after, 1)
    first.kill()
    eventually(lambda: sender() not in (None, first))
    eventually(lambda: not without_beats())
    play.settle()
    assert [r for r in play.of(Lost) if r.token.task in play.tasks] == []


def test_a_dispatcher_that_stands_still_and_one_that_dies(swarm: Swarm, play: Play) -> None:
    first = play.submit("fenced", "unsafe")
    for task in first:
        play.pid(task, 1)
    dispatcher = actor_process(swarm, "DispatcherActor")
    with standing_still(dispatcher):
        eventually(lambda: dispatcher.status() == psutil.STATUS_STOPPED)
    dispatcher.kill()
    play.submit("fenced", "unsafe")
    play.settle()


def test_the_projector_does_not_matter_to_tasks(swarm: Swarm, play: Play) -> None:
    projector = actor_process(swarm, "ProjectorActor")
    with standing_still(projector):
        play.submit("fenced")
        play.settle()
    actor_process(swarm, "ProjectorActor").kill()
    (task,) = play.submit("fenced")
    play.settle()
    in_state(swarm, task, "succeeded")


@pytest.mark.parametrize("name", ["gcs_server", "raylet"])
def test_ray_that_stands_still_blames_nobody(swarm: Swarm, play: Play, name: str) -> None:
    tasks = play.submit("fenced", "unsafe")
    for task in tasks:
        play.pid(task, 1)
    with standing_still(eventually(lambda: named(swarm.pid, name))):
        (after,) = play.submit("fenced")
        play.pid(after, 1)
        play.go_one(after)
        eventually(lambda: any(r.token.task == after for r in play.of(Ended)))
    play.settle()
    assert [r for r in play.of(Lost) if r.token.task in play.tasks] == []
