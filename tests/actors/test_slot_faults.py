"""A slot whose task, worker or memory is taken away."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from swarm.actors import process_tree
from swarm.actors.process_tree import descendants
from swarm.actors.slot import End, Program, Slot
from tests.actors.test_slot import alive, until

# Forks children that share the parent's memory and do not touch it, or take as much themselves.
FAMILY = """
import os, sys, time
held = bytearray({megabytes} * 1_000_000)
held[::4096] = b"x" * len(held[::4096])
for _ in range(4):
    if os.fork() == 0:
        own = bytearray({own} * 1_000_000)
        own[::4096] = b"x" * len(own[::4096])
        time.sleep({seconds})
        os._exit(0)
time.sleep({seconds})
"""
MEMORY = Path("/sys/fs/cgroup/memory")


@pytest.fixture
async def slot() -> AsyncIterator[Slot]:
    opened = await Slot.open(fence_s=600.0)  # nobody beats for it
    yield opened
    await opened.close()


def program(folder: Path, *argv: str, **more: object) -> Program:
    return Program(argv, folder / "output", env=dict(os.environ), **more)  # type: ignore[arg-type]


def stands_still(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


async def ended(slot: Slot, what: Program) -> End:
    assert isinstance(await slot.run(what), int)
    return await slot.end()


async def test_what_children_take_counts(slot: Slot, tmp_path: Path) -> None:
    code = FAMILY.format(megabytes=1, own=60, seconds=300)
    what = program(tmp_path, sys.executable, "-c", code, memory_bytes=200_000_000)
    end = await ended(slot, what)
    assert (end.signal, end.why) == (signal.SIGKILL, "out_of_memory")
    assert end.peak_memory_bytes > 200_000_000


async def test_what_children_share_counts_once(slot: Slot, tmp_path: Path) -> None:
    code = FAMILY.format(megabytes=80, own=0, seconds=1.5)
    what = program(tmp_path, sys.executable, "-c", code, memory_bytes=200_000_000)
    end = await ended(slot, what)
    assert end.succeeded, end
    assert end.peak_memory_bytes < 200_000_000


@pytest.fixture
def little_memory() -> Iterator[Path]:
    """A group of processes for which the kernel has 100 MB."""
    group = MEMORY / f"swarm-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text("100000000")
    except OSError as error:
        pytest.skip(f"no memory group (v1) can be made here: {error.strerror}")
    yield group
    group.rmdir()


async def test_the_kernel_ends_the_hog_and_that_is_told(
    little_memory: Path, tmp_path: Path
) -> None:
    slot = await Slot.open(fence_s=600.0)
    (little_memory / "cgroup.procs").write_text(str(slot.pid))
    code = "held = bytearray(300_000_000); held[::4096] = b'x' * len(held[::4096])"
    end = await ended(slot, program(tmp_path, sys.executable, "-c", code))
    assert (end.signal, end.why) == (signal.SIGKILL, "out_of_memory")
    assert (await ended(slot, program(tmp_path, "true"))).succeeded, "the slot went along"
    await slot.close()


async def test_a_killed_task_is_told_by_its_signal(slot: Slot, tmp_path: Path) -> None:
    pid = await slot.run(program(tmp_path, "sleep", "300"))
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    end = await slot.end()
    assert (end.signal, end.why, end.succeeded) == (signal.SIGKILL, "", False)


async def test_a_task_that_stood_still_goes_on_and_a_stopped_one_can_be_ended(
    slot: Slot, tmp_path: Path
) -> None:
    go, output = tmp_path / "go", tmp_path / "output"
    waits = f"until [ -e {go} ]; do sleep 0.02; done; echo done"
    pid = await slot.run(program(tmp_path, "sh", "-c", waits))
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGSTOP)
    await until("it stands still", lambda: stands_still(pid))
    go.touch()
    assert output.read_text() == ""
    os.kill(pid, signal.SIGCONT)
    assert (await slot.end()).succeeded
    assert output.read_text() == "done\n"
    pid = await slot.run(program(tmp_path, "sleep", "300"))
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGSTOP)
    await slot.kill()
    assert (await slot.end()).why == "killed"


async def test_a_slot_that_stands_still_ends_its_task_when_its_worker_dies(tmp_path: Path) -> None:
    """The worker is a process of its own here, and dies of SIGKILL."""
    output = tmp_path / "output"
    worker = f"""
import asyncio, os
from pathlib import Path
from swarm.actors.slot import Program, Slot
async def main():
    slot = await Slot.open(300.0)
    argv = ("sh", "-c", "sleep 300 & echo $$ $!; sleep 300")
    await slot.run(Program(argv, Path({str(output)!r}), dict(os.environ)))
    Path({str(tmp_path / "slot")!r}).write_text(str(slot.pid))
    await asyncio.sleep(300)
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", worker)
    said = tmp_path / "slot"
    await until("it runs", lambda: said.exists() and said.read_text())
    await until("it prints", lambda: len(output.read_text().split()) == 2)
    pids = [int(said.read_text()), *map(int, output.read_text().split())]
    os.kill(pids[0], signal.SIGSTOP)
    process.kill()
    await process.wait()
    await until("nothing is left", lambda: not any(alive(pid) for pid in pids))


@pytest.mark.parametrize("lists_children", [True, False])
async def test_the_tree_is_found_over_threads_and_sessions(
    monkeypatch: pytest.MonkeyPatch, lists_children: bool
) -> None:
    monkeypatch.setattr(process_tree, "_LISTS_CHILDREN", lists_children)
    code = """
import subprocess, threading, time
threading.Thread(target=lambda: subprocess.Popen(["setsid", "sleep", "300"]).wait()).start()
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    try:
        await until("both are found", lambda: len(set(descendants()) & _sleeps()) == 1)
        (sleep,) = set(descendants()) & _sleeps()
        os.kill(sleep, signal.SIGKILL)
    finally:
        await process.wait()


def _sleeps() -> set[int]:
    found = set()
    for pid in descendants():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", b"300"]:
            found.add(pid)
    return found
