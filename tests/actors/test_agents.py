"""An agent's items run in one process of its own, and go to another agent when that dies."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from swarm.actors.agent_seats import AgentSpec
from swarm.actors.agent_worker import AgentWorker, agent_worker
from swarm.actors.dispatcher import DispatcherActor
from swarm.actors.worker_loops import WorkerOptions
from swarm.clock import SystemClock
from swarm.errors import InputError
from swarm.model.dispatch import CapacityWanted, Lost, WorkerGone
from swarm.model.work import (
    LossCause,
    Needs,
    Offer,
    Outcome,
    Resources,
    Submission,
    TaskId,
    Token,
    WorkerId,
)
from swarm.store.journal import open_journal
from tests.actors.places import BEAT_KEY, KEY, a_dispatcher
from tests.actors.test_slot import alive, until

CODE = """
import os, threading, time
import swarm

HELD = []

@swarm.agent(capability="quality-check", slots=4)
class Checker:
    def __init__(self):
        self.seen, self.four = 0, threading.Barrier(4)

    def handle(self, item, context):
        print("checks", item)
        if item == "meet":
            self.four.wait(300)
        if item == "hold":
            while True:
                time.sleep(0.05)
        if item == "die" and context.grant == 1:
            while not os.path.exists("go"):
                time.sleep(0.01)
            HELD.append(bytearray(300_000_000))
            time.sleep(300)
        if item == "bad":
            raise ValueError("no such table")
        self.seen += 1
        return [os.getpid(), context.task, context.grant]

class NoAgent:
    pass

@swarm.agent(capability="broken")
class Broken:
    def __init__(self):
        raise OSError("no database")
    def handle(self, item, context):
        pass
"""
LIMIT = 200_000_000


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "checks.py").write_text(CODE)
    return tmp_path


def spec(folder: Path, name: str = "Checker") -> AgentSpec:
    return AgentSpec(f"checks:{name}", LIMIT, str(folder))


@contextlib.asynccontextmanager
async def an_agent(dispatcher: Any, folder: Path, name: str) -> AsyncIterator[AgentWorker]:
    offer = Offer(WorkerId(name), "node", 0, Resources())
    options = WorkerOptions(folder / name, BEAT_KEY)
    worker = await agent_worker(spec(folder), offer, dispatcher, SystemClock(), options)
    running = asyncio.ensure_future(worker.run())
    try:
        yield worker
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await worker.close()


async def hand_in(dispatcher: DispatcherActor, name: str, item: object) -> TaskId:
    task = TaskId(name)
    needs = Needs("quality-check", resources=Resources(cpu=1.0))
    submission = Submission(task, "team", "digest", 0.0, needs, wait_for_capacity=True)
    await dispatcher.submit([submission], {task: json.dumps({"item": item})}, "test")
    return task


def journaled(folder: Path, kind: type) -> list[Any]:
    with contextlib.closing(open_journal("", folder)) as journal:
        entries = journal.read("dispatch", 0, 10_000)
    return [entry.record for entry in entries if isinstance(entry.record, kind)]


async def test_items_run_together_in_one_process(code: Path) -> None:
    async with a_dispatcher(code) as dispatcher, an_agent(dispatcher, code, "a") as agent:
        floor = dispatcher._dispatcher.floor
        tasks = [await hand_in(dispatcher, f"t{n}", "meet") for n in range(4)]
        bad = await hand_in(dispatcher, "bad", "bad")
        await until("all end", lambda: len(floor.ended) == 5)
        kept, pid = dispatcher._journaled.results(KEY), agent._process.pid
        results = [json.dumps([pid, task, 1]) for task in tasks]
        await until(  # with the append
            "all are kept", lambda: [kept.get(Token(task, 1)) for task in tasks] == results
        )
    assert floor.ended[bad].outcome is Outcome.FAILED
    assert (code / "a" / "output" / "t0.1").read_text() == "checks meet\n"
    assert "ValueError: no such table" in (code / "a" / "output" / "bad.1").read_text()
    assert not alive(pid)


async def test_an_agent_out_of_memory_loses_its_items_to_another(code: Path) -> None:
    async with a_dispatcher(code) as dispatcher, an_agent(dispatcher, code, "a") as first:
        floor = dispatcher._dispatcher.floor
        tasks = [await hand_in(dispatcher, f"t{n}", "die") for n in range(4)]
        await until(
            "four run",
            lambda: [floor.tasks[task].state for task in tasks] == ["running"] * 4,
        )
        async with an_agent(dispatcher, code, "b"):
            await until("the other is there", lambda: len(floor.workers) == 2)
            (code / "go").touch()
            await until("all end", lambda: len(floor.ended) == 4)
    assert not alive(first._process.pid)
    assert {floor.ended[task].outcome for task in tasks} == {Outcome.SUCCEEDED}
    assert {floor.ended[task].grant for task in tasks} == {2}
    losses = journaled(code, Lost)
    assert sorted(record.token.task for record in losses) == sorted(tasks)
    assert {record.cause for record in losses} == {LossCause.OUT_OF_MEMORY}
    (gone,) = [r for r in journaled(code, WorkerGone) if r.worker.startswith("a~")]
    assert gone.cause is LossCause.OUT_OF_MEMORY
    assert CapacityWanted("quality-check", 4) in journaled(code, CapacityWanted)


async def test_a_killed_agent_is_gone_for_good(code: Path) -> None:
    async with a_dispatcher(code) as dispatcher, an_agent(dispatcher, code, "a") as agent:
        floor = dispatcher._dispatcher.floor
        task = await hand_in(dispatcher, "t", "hold")
        await until("it runs", lambda: task in floor.tasks and floor.tasks[task].state == "running")
        os.kill(agent._process.pid, signal.SIGKILL)
        await until("it is gone", lambda: floor.workers == {})
        assert floor.tasks[task].state == "queued"
        await until("that is kept", lambda: journaled(code, Lost) != [])
    assert [record.cause for record in journaled(code, Lost)] == [LossCause.PROCESS_EXIT]


async def test_what_is_no_agent_says_so(code: Path) -> None:
    for name, words in (
        ("NoAgent", "is no agent: decorate the class"),
        ("Broken", "no database"),
        ("Nothing", "has no function Nothing"),
    ):
        offer = Offer(WorkerId("a"), "node", 0, Resources())
        options = WorkerOptions(code / "a", BEAT_KEY)
        with pytest.raises(InputError, match=words):
            await agent_worker(spec(code, name), offer, None, SystemClock(), options)  # type: ignore[arg-type]
