"""Faults below a worker: its slots, the memory of its tasks, its disk."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swarm.actors.worker_loops import Worker
from swarm.dispatch.events import Cancel
from swarm.model.work import LossCause, Outcome
from tests.actors.places import Interrupted, a_dispatcher, a_worker, submit
from tests.actors.test_slot import alive
from tests.small_disk import small_disk

HOG = "x = bytearray(300_000_000); import time; time.sleep(300)"


async def until(condition: Callable[[], object], within_s: float = 180.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # other processes have no event to wait for
            await asyncio.sleep(0.01)


def busy_slot(worker: Worker) -> int:
    """The pid of the slot that runs the one task."""
    (run,) = worker._held.values()
    assert run.slot is not None
    return run.slot.pid


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for little."""
    with small_disk(tmp_path / "small", "256k") as folder:
        yield folder


async def test_a_killed_slot_gives_its_task_a_new_grant(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path) as worker:
        floor = dispatcher._dispatcher.floor
        # A child of a child that has left its session: only its environment tells whose it is.
        code = "[ $SWARM_GRANT = 2 ] || { setsid sleep 300 & echo $! $$; sleep 300; }"
        task = await submit(dispatcher, "t", ["sh", "-c", code])
        first = tmp_path / "w" / "output" / "t.1"
        await until(lambda: first.exists() and first.read_text())
        await until(lambda: floor.tasks[task].state == "running")
        os.kill(busy_slot(worker), signal.SIGKILL)
        await until(lambda: task in floor.ended)
    assert (floor.ended[task].outcome, floor.ended[task].grant) == (Outcome.SUCCEEDED, 2)
    left = [pid for pid in map(int, first.read_text().split()) if alive(pid)]
    assert left == [], "the first try still runs"


async def test_a_slot_that_stood_still_reports_its_task_once(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path) as worker:
        floor = dispatcher._dispatcher.floor
        go = tmp_path / "go"
        waits = f"until [ -e {go} ]; do sleep 0.02; done; echo done"
        task = await submit(dispatcher, "t", ["sh", "-c", waits])
        await until(lambda: floor.tasks[task].state == "running")
        slot = busy_slot(worker)
        os.kill(slot, signal.SIGSTOP)
        go.touch()
        output = tmp_path / "w" / "output" / "t.1"
        await until(lambda: output.read_text() == "done\n")
        other = await submit(dispatcher, "other", ["true"])
        await until(lambda: other in floor.ended)
        assert task in floor.tasks, "nobody can know that it ended"
        os.kill(slot, signal.SIGCONT)
        await until(lambda: task in floor.ended)
    assert (floor.ended[task].outcome, floor.ended[task].grant) == (Outcome.SUCCEEDED, 1)


async def test_a_slot_that_stands_still_is_ended_with_its_cancelled_task(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path) as worker:
        floor = dispatcher._dispatcher.floor
        task = await submit(dispatcher, "t", ["sh", "-c", "echo $$; sleep 300"])
        output = tmp_path / "w" / "output" / "t.1"
        await until(lambda: output.exists() and output.read_text())
        await until(lambda: floor.tasks[task].state == "running")
        os.kill(busy_slot(worker), signal.SIGSTOP)
        await dispatcher.tell(Cancel(task, "ann"), "test")
        await until(lambda: task in floor.ended)
        await until(lambda: not alive(int(output.read_text())))
        after = await submit(dispatcher, "after", ["true"])
        await until(lambda: after in floor.ended)
    assert floor.ended[task].outcome is Outcome.CANCELLED


async def test_a_worker_that_fenced_itself_says_so_when_nothing_runs_any_more(
    tmp_path: Path,
) -> None:
    """One slot stands still and cannot fence itself. The dispatcher would wait for ten minutes."""
    async with a_dispatcher(tmp_path, fence_s=600) as dispatcher:
        link = Interrupted(dispatcher)
        async with a_worker(link, tmp_path, fence_s=10.0) as worker:
            floor, old = dispatcher._dispatcher.floor, worker.id
            code = "echo $$; [ $SWARM_GRANT = 2 ] || sleep 300"
            task = await submit(dispatcher, "t", ["sh", "-c", code])
            output = tmp_path / "w" / "output" / "t.1"
            await until(lambda: output.exists() and output.read_text())
            await until(lambda: floor.tasks[task].state == "running")
            os.kill(busy_slot(worker), signal.SIGSTOP)
            link.away = True
            await until(lambda: not alive(int(output.read_text())))
            assert worker.id != old
            link.away = False
            await until(lambda: task in floor.ended)
    assert floor.gone[old] is LossCause.SELF_FENCED
    assert (floor.ended[task].outcome, floor.ended[task].grant) == (Outcome.SUCCEEDED, 2)


async def test_a_task_that_takes_too_much_memory_ends_alone(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path):
        floor = dispatcher._dispatcher.floor
        go = tmp_path / "go"
        waits = f"until [ -e {go} ]; do sleep 0.02; done; echo done"
        neighbour = await submit(dispatcher, "neighbour", ["sh", "-c", waits])
        await until(lambda: floor.tasks[neighbour].state == "running")
        limit = 100_000_000
        hog = await submit(dispatcher, "hog", [sys.executable, "-c", HOG], memory_bytes=limit)
        await until(lambda: hog in floor.ended)
        assert neighbour in floor.tasks, "the neighbour went along"
        go.touch()
        await until(lambda: neighbour in floor.ended)
    assert floor.ended[hog].outcome is Outcome.FAILED
    end = floor.ended[neighbour]
    assert (end.outcome, end.grant) == (Outcome.SUCCEEDED, 1)


async def test_a_full_disk_costs_no_task_its_outcome(tmp_path: Path, disk: Path) -> None:
    """Output and ends of the worker are on the full disk; the journal is elsewhere."""
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, disk, slots=1):
        floor = dispatcher._dispatcher.floor
        fits = await submit(dispatcher, "fits", ["echo", "here"])
        await until(lambda: fits in floor.ended)
        loud = await submit(dispatcher, "loud", ["head", "-c", "1000000", "/dev/zero"])
        quiet = await submit(dispatcher, "quiet", ["true"])
        await until(lambda: len(floor.ended) == 3)
        outcomes = [floor.ended[task].outcome for task in (fits, loud)]
        assert outcomes == [Outcome.SUCCEEDED, Outcome.FAILED]
        (disk / "w" / "output" / "loud.1").unlink()
        again = await submit(dispatcher, "again", ["echo", "here"])
        await until(lambda: again in floor.ended)
    assert floor.ended[again].outcome is Outcome.SUCCEEDED
    assert floor.ended[quiet].grant == 1, "it came to its end on the full disk"
