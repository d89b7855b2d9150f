"""A slot calls functions in a process that stays, and leaves nothing of them behind."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from swarm.actors.slot import Call, End, Program, Slot, SlotDied
from swarm.dispatch.states import TaskState
from swarm.model.work import Outcome, TaskId, Token
from tests.actors.places import KEY, a_dispatcher, a_worker, submit
from tests.actors.test_slot import alive, until

CODE = """
import os, subprocess, sys, threading, time
HELD = []
def add(a, b): print("adding"); return {"sum": a + b}
def whose(context): return [context.task, context.grant, os.environ["SWARM_GRANT"]]
async def later(): return "later"
def pid(): return os.getpid()
def nice(): return os.nice(0)
def variable(name): return os.environ.get(name)
def shouts(): subprocess.run(["echo", "loud"])
def fails(): raise ValueError("no such day")
def large(n): return "x" * n
def opaque(): return object()
def leaves(code=0): os._exit(code)
def sleeps(): print(os.getpid(), flush=True); time.sleep(300)
def forks():
    child = os.fork()
    if child == 0:
        os.setsid(); time.sleep(300)
    return child
def forks_and_sleeps():
    print(os.getpid(), os.fork(), flush=True); time.sleep(300)
def threads(): threading.Thread(target=time.sleep, args=(300,)).start(); return os.getpid()
def holds(n): HELD.append(bytearray(n)); return os.getpid()
def hogs(n): HELD.append(bytearray(n)); time.sleep(300)
"""


@pytest.fixture
async def slot() -> AsyncIterator[Slot]:
    opened = await Slot.open(fence_s=600.0)  # nobody beats for it
    yield opened
    await opened.close()


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "work.py").write_text(CODE)
    return tmp_path


def a_call(folder: Path, name: str, args: dict[str, Any], **more: Any) -> Call:
    marks = {"SWARM_TASK": "t", "SWARM_GRANT": "7"}
    context = {"task": "t", "grant": 7}
    path = name if ":" in name else f"work:{name}"
    output = folder / "output"
    return Call(path, args, context, marks, output, dict(os.environ), str(folder), **more)


async def called(slot: Slot, folder: Path, name: str, limit: int | None = None, **args: Any) -> End:
    return await ended(slot, a_call(folder, name, args, memory_bytes=limit))


async def ended(slot: Slot, call: Call) -> End:
    begun = await slot.run(call)
    return begun if isinstance(begun, End) else await slot.end()


async def returned(slot: Slot, folder: Path, name: str, **args: Any) -> Any:
    end = await called(slot, folder, name, **args)
    assert end.succeeded, end
    assert end.result is not None
    return json.loads(end.result)


async def test_a_function_is_called_and_returns(slot: Slot, code: Path) -> None:
    assert await returned(slot, code, "add", a=1, b=2) == {"sum": 3}
    assert (code / "output").read_text() == "adding\n"
    assert await returned(slot, code, "whose") == ["t", 7, "7"]
    assert await returned(slot, code, "later") == "later"


async def test_only_what_takes_longer_says_that_it_started(slot: Slot, code: Path) -> None:
    pid = await returned(slot, code, "pid")
    words = []
    for _ in range(20):
        words.append(await slot.run(a_call(code, "pid", {})))
        if words[-1] == pid:  # this once the machine was slow
            await slot.end()
    assert any(isinstance(word, End) for word in words)
    sleeper = a_call(code, "sleeps", {})
    assert await slot.run(sleeper) == pid
    await slot.kill()
    assert (await slot.end()).why == "killed"
    assert isinstance(await slot.run(Program(("true",), code / "output", dict(os.environ))), int)


async def test_a_mark_ends_with_its_call(slot: Slot, code: Path) -> None:
    """The pass of a call is none of the next one's business, which runs in the same process."""
    pid = await returned(slot, code, "pid")
    plain = a_call(code, "variable", {"name": "SWARM_TOKEN_FILE"})
    marks = {**plain.marks, "SWARM_TOKEN_FILE": "/mine"}
    with_pass = Call(**{n: getattr(plain, n) for n in plain.__slots__} | {"marks": marks})
    for call, told in ((with_pass, '"/mine"'), (plain, "null"), (with_pass, '"/mine"')):
        assert (await ended(slot, call)).result == told
    assert await returned(slot, code, "pid") == pid


async def test_a_task_leaves_the_core_to_what_keeps_it(slot: Slot, code: Path) -> None:
    assert await returned(slot, code, "nice") == min(19, os.nice(0) + 5)


async def test_what_prints_nothing_leaves_no_file(slot: Slot, code: Path) -> None:
    for name, silent in (("pid", True), ("shouts", False), ("pid", True), ("fails", False)):
        end = await called(slot, code, name)
        assert (end.silent, (code / "output").exists()) == (silent, not silent), name
        (code / "output").unlink(missing_ok=True)


async def test_the_process_stays_until_something_else_is_wanted(slot: Slot, code: Path) -> None:
    first = await returned(slot, code, "pid")
    assert await returned(slot, code, "pid") == first
    other = a_call(code, "pid", {})
    other = Call(**{name: getattr(other, name) for name in other.__slots__} | {"cwd": ""})
    end = await ended(slot, other)  # the module is not there, from this folder
    assert "cannot be imported" in end.error
    assert not alive(first)
    second = await returned(slot, code, "pid")
    await slot.run(Program(("true",), code / "output", dict(os.environ)))
    assert (await slot.end()).succeeded
    assert not alive(second), "it held memory beside the program"
    assert await returned(slot, code, "pid") not in {first, second}


async def test_a_changed_module_is_imported_anew(slot: Slot, code: Path) -> None:
    first = await returned(slot, code, "pid")
    (code / "work.py").write_text("def pid(): return 'changed'\n")
    assert await returned(slot, code, "pid") == "changed"
    assert not alive(first)


async def test_what_fails_says_why_and_costs_nobody_else(slot: Slot, code: Path) -> None:
    first = await returned(slot, code, "pid")
    for name, args, words in (
        ("add", {"a": 1}, "missing 1 required positional argument: 'b'"),
        ("opaque", {}, "its result is not JSON"),
        ("large", {"n": 300_000}, "may have 262144"),
        ("nothing", {}, "work.py) has no function nothing"),
        ("nowhere:at_all", {}, "nowhere cannot be imported: ModuleNotFoundError"),
    ):
        end = await called(slot, code, name, **args)
        assert not end.succeeded
        assert words in end.error, end
    assert "ValueError: no such day" in (await called(slot, code, "fails")).error
    assert "in fails" in (code / "output").read_text(), "the whole traceback is in the output"
    assert len(await returned(slot, code, "large", n=200_000)) == 200_000
    assert await returned(slot, code, "pid") == first


async def test_a_process_that_ends_in_a_call(slot: Slot, code: Path) -> None:
    end = await called(slot, code, "leaves")
    assert not end.succeeded
    assert "ended before it returned" in end.error
    end = await called(slot, code, "leaves", code=3)
    assert (end.exit_code, end.succeeded) == (3, False)
    idle = await returned(slot, code, "pid")
    os.kill(idle, signal.SIGKILL)
    await until("it is gone", lambda: not alive(idle))
    assert await returned(slot, code, "pid") != idle


async def test_nothing_is_left_of_a_call(slot: Slot, code: Path) -> None:
    first = await returned(slot, code, "pid")
    child = await returned(slot, code, "forks")
    assert not alive(child)
    assert await returned(slot, code, "pid") != first, "what else it left there is not known"
    threaded = await returned(slot, code, "threads")
    assert await returned(slot, code, "pid") != threaded


async def test_killing_a_call(slot: Slot, code: Path) -> None:
    pid = await slot.run(a_call(code, "forks_and_sleeps", {}))
    output = code / "output"
    await until("it sleeps", lambda: len(output.read_text().split()) == 4)
    await slot.kill()
    end = await slot.end()
    assert (end.signal, end.why) == (signal.SIGKILL, "killed")
    assert [pid for pid in map(int, output.read_text().split()) if pid and alive(pid)] == []
    assert await returned(slot, code, "pid") != pid


async def test_limits_are_of_each_call(slot: Slot, code: Path) -> None:
    timed = a_call(code, "sleeps", {}, timeout_s=0.3)
    assert (await ended(slot, timed)).why == "timeout"
    end = await called(slot, code, "hogs", limit=150_000_000, n=300_000_000)
    assert (end.why, end.peak_memory_bytes > 150_000_000) == ("out_of_memory", True)
    first = await returned(slot, code, "holds", n=100_000_000)
    second = await returned(slot, code, "holds", limit=150_000_000, n=100_000_000)
    assert second != first, "what an earlier call holds counted against this one"


async def test_an_idle_process_is_not_fenced_and_one_at_work_is(code: Path) -> None:
    slot = await Slot.open(fence_s=3.0)
    began = asyncio.ensure_future(returned(slot, code, "pid"))
    while not began.done():  # its process may take longer than that to begin
        await slot.beat()
        await asyncio.wait([began], timeout=0.05)
    first = await began
    sleeper = await slot.run(a_call(code, "sleeps", {}))
    assert sleeper == first
    with pytest.raises(SlotDied):
        await slot.end()
    assert not alive(first)
    await slot.close()


async def test_calls_run_for_a_dispatcher(code: Path) -> None:
    async with a_dispatcher(code) as dispatcher, a_worker(dispatcher, code):
        floor = dispatcher._dispatcher.floor

        async def hand_in(name: str, path: str, **args: Any) -> TaskId:
            body = {"call": {"path": path, "args": args}, "cwd": str(code)}
            return await submit(dispatcher, name, [], body=json.dumps(body))

        fine = [await hand_in(f"t{n}", "work:add", a=n, b=1) for n in range(20)]
        bad = await hand_in("bad", "work:fails")
        await until("all end", lambda: len(floor.ended) == 21)
        results = dispatcher._journaled.results(KEY)
        sums = [json.dumps({"sum": n + 1}) for n in range(20)]
        await until(  # with the append
            "all are kept", lambda: [results.get(Token(task, 1)) for task in fine] == sums
        )
    assert {floor.ended[task].outcome for task in fine} == {Outcome.SUCCEEDED}
    assert floor.ended[bad].outcome is Outcome.FAILED


async def test_a_call_that_waits_behind_a_long_one_goes_to_another_worker(code: Path) -> None:
    async with a_dispatcher(code) as dispatcher, a_worker(dispatcher, code, "w", slots=1) as worker:
        floor = dispatcher._dispatcher.floor

        async def hand_in(name: str, path: str, **args: Any) -> TaskId:
            body = {"call": {"path": path, "args": args}, "cwd": str(code)}
            return await submit(dispatcher, name, [], body=json.dumps(body))

        for number in range(20):  # the worker learns that its calls are short
            await hand_in(f"short{number}", "work:add", a=number, b=1)
        await until("they end", lambda: len(floor.ended) == 20)
        long = await hand_in("long", "work:sleeps")
        await until("it runs", lambda: floor.tasks[long].state is TaskState.RUNNING)
        waits = await hand_in("waits", "work:add", a=1, b=1)
        await until("it is given back", lambda: floor.tasks[waits].losses)
        async with a_worker(dispatcher, code, "other", slots=1):
            await until("it ends", lambda: waits in floor.ended)
        assert floor.ended[waits].outcome is Outcome.SUCCEEDED
        assert [run.started for run in worker._held.values()] == [True]


async def test_a_killed_slot_leaves_nothing_of_its_call(code: Path) -> None:
    async with a_dispatcher(code) as dispatcher, a_worker(dispatcher, code) as worker:
        floor = dispatcher._dispatcher.floor
        body = {"call": {"path": "work:forks_and_sleeps", "args": {}}, "cwd": str(code)}
        task = await submit(dispatcher, "t", [], body=json.dumps(body))
        output = code / "w" / "output" / "t.1"
        await until("it runs", lambda: output.exists() and len(output.read_text().split()) == 4)
        await until("it is told", lambda: floor.tasks[task].state == "running")
        (run,) = worker._held.values()
        assert run.slot is not None
        os.kill(run.slot.pid, signal.SIGKILL)
        await until("it is lost", lambda: task in floor.tasks and floor.tasks[task].grant == 2)
        await until("it runs again", lambda: floor.tasks[task].state == "running")
        assert len(worker._slots) == 2
        pids = {int(pid) for pid in output.read_text().split()} - {0}
        assert [pid for pid in pids if alive(pid)] == [], "the first try still runs"
