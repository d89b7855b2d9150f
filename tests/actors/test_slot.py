"""A slot runs a real program and leaves nothing of it behind, whoever dies."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from swarm.actors.slot import End, Program, Slot, SlotDied

# Forks a child that double forks into a session of its own, then all sleep. Prints three pids.
TREE = """
import os, sys, time
print(os.getpid(), flush=True)
if os.fork() == 0:
    print(os.getpid(), flush=True)
    if os.fork() == 0:
        os.setsid()
        print(os.getpid(), flush=True)
        if os.fork() != 0:
            time.sleep(300)
        print(os.getpid(), flush=True)
    else:
        os._exit(0)
time.sleep(300)
"""
TREE_PIDS = 4


@pytest.fixture
async def slot() -> AsyncIterator[Slot]:
    opened = await Slot.open(fence_s=600.0)  # nobody beats for it
    yield opened
    await opened.close()


def program(tmp_path: Path, *argv: str, **more: object) -> Program:
    return Program(argv, tmp_path / "output", env=dict(os.environ), **more)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter while it is read
        return False


async def until(what: str, condition: Callable[[], object], within_s: float = 180.0) -> None:
    """Look until it holds, in turns with everything else; fail by name after a deadline."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, what
        await asyncio.sleep(0.005)  # other processes have no event to wait for


async def grown_tree(slot: Slot, tmp_path: Path) -> list[int]:
    """Its pids; however long it takes to grow, the slot is beaten for until then."""
    started = await slot.run(program(tmp_path, sys.executable, "-c", TREE))
    assert isinstance(started, int)
    output = tmp_path / "output"
    while len(output.read_text().split()) < TREE_PIDS:
        await slot.beat()
        await asyncio.sleep(0.005)
    return [int(pid) for pid in output.read_text().split()]


async def test_a_program_runs_and_its_end_is_told(slot: Slot, tmp_path: Path) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    assert isinstance(await slot.run(program(tmp_path, sys.executable, "-c", code)), int)
    end = await slot.end()
    assert (end.exit_code, end.signal, end.why, end.succeeded) == (3, None, "", False)
    assert end.peak_memory_bytes > 1_000_000
    assert end.cpu_s > 0
    assert sorted((tmp_path / "output").read_text().split()) == ["err", "out"]


async def test_a_slot_runs_one_program_after_another(slot: Slot, tmp_path: Path) -> None:
    for word in ("one", "two"):
        await slot.run(program(tmp_path, "echo", word))
        assert (await slot.end()).succeeded
        assert (tmp_path / "output").read_text() == f"{word}\n"


async def test_words_that_arrive_together_are_all_heard(slot: Slot, tmp_path: Path) -> None:
    os.kill(slot.pid, signal.SIGSTOP)
    await slot.beat()
    begun = asyncio.ensure_future(slot.run(program(tmp_path, "echo", "heard")))
    await asyncio.sleep(0)  # it is said
    os.kill(slot.pid, signal.SIGCONT)
    assert isinstance(await asyncio.wait_for(begun, timeout=60.0), int)
    assert (await slot.end()).succeeded


async def test_a_program_that_is_not_there(slot: Slot, tmp_path: Path) -> None:
    end = await slot.run(program(tmp_path, "no-such-program"))
    assert end == End(error="no-such-program: No such file or directory")
    await slot.run(program(tmp_path, "true"))
    assert (await slot.end()).succeeded, "the slot is not usable any more"


async def test_killing_leaves_nothing(slot: Slot, tmp_path: Path) -> None:
    pids = await grown_tree(slot, tmp_path)
    await slot.kill()
    end = await slot.end()
    assert (end.signal, end.why) == (signal.SIGKILL, "killed")
    assert [pid for pid in pids if alive(pid)] == []


async def test_what_a_program_leaves_running_ends_with_it(slot: Slot, tmp_path: Path) -> None:
    await slot.run(program(tmp_path, "sh", "-c", "setsid sleep 300 & echo $!"))
    assert (await slot.end()).succeeded
    (pid,) = (tmp_path / "output").read_text().split()
    assert not alive(int(pid))


async def test_too_much_memory_ends_the_program_and_says_so(slot: Slot, tmp_path: Path) -> None:
    hog = "x = bytearray(300_000_000)\nimport time; time.sleep(300)"
    limited = program(tmp_path, sys.executable, "-c", hog, memory_bytes=150_000_000)
    await slot.run(limited)
    end = await slot.end()
    assert end.why == "out_of_memory"
    assert end.peak_memory_bytes > 150_000_000


async def test_too_much_time_ends_the_program_and_says_so(slot: Slot, tmp_path: Path) -> None:
    await slot.run(program(tmp_path, "sleep", "300", timeout_s=0.3))
    assert (await slot.end()).why == "timeout"


async def test_without_a_beat_the_slot_fences_itself(tmp_path: Path) -> None:
    slot = await Slot.open(fence_s=3.0)
    pids = await grown_tree(slot, tmp_path)
    with pytest.raises(SlotDied):
        await slot.end()
    assert [pid for pid in pids if alive(pid)] == []
    await slot.close()


async def test_with_beats_it_goes_on(tmp_path: Path) -> None:
    slot = await Slot.open(fence_s=4.0)
    await slot.run(program(tmp_path, "sleep", "6"))
    ended = asyncio.ensure_future(slot.end())
    while not ended.done():
        await slot.beat()
        await asyncio.wait([ended], timeout=0.1)
    assert (await ended).succeeded
    await slot.close()


async def test_a_killed_slot_takes_its_program_along(slot: Slot, tmp_path: Path) -> None:
    await slot.run(program(tmp_path, "sh", "-c", "echo $$; sleep 300"))
    output = tmp_path / "output"
    await until("it starts", lambda: output.read_text() != "")
    os.kill(slot.pid, signal.SIGKILL)
    with pytest.raises(SlotDied):
        await slot.end()
    await until("the program is gone", lambda: not alive(int(output.read_text())))


async def test_a_killed_worker_leaves_nothing_behind(tmp_path: Path) -> None:
    """The worker is a process of its own here, and dies of SIGKILL."""
    worker = f"""
import asyncio, os
from pathlib import Path
from swarm.actors.slot import Program, Slot
async def main():
    slot = await Slot.open(600.0)
    argv = ({sys.executable!r}, "-c", {TREE!r})
    await slot.run(Program(argv, Path({str(tmp_path / "output")!r}), dict(os.environ)))
    await asyncio.sleep(300)
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", worker)
    output = tmp_path / "output"
    await until(
        "the tree grows",
        lambda: output.exists() and len(output.read_text().split()) == TREE_PIDS,
    )
    process.kill()
    await process.wait()
    pids = [int(pid) for pid in output.read_text().split()]
    # Long before the fence.
    await until("nothing is left", lambda: not any(alive(pid) for pid in pids))
