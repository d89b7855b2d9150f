"""A worker runs real programs for a dispatcher with a real journal."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from swarm.actors.outbox import Outbox
from swarm.actors.ports import Answer
from swarm.dispatch.detector import Patience
from swarm.dispatch.events import (
    Acquire,
    Cancel,
    Drain,
    Event,
    Finish,
    Grants,
    Orders,
    Rearm,
    Receipt,
    Register,
    Renew,
    WorkerLost,
)
from swarm.errors import Rejected, Unreachable
from swarm.model.work import LossCause, Offer, Outcome, Resources, TaskId, Token, WorkerId
from swarm.model.work import Rearm as RearmBy
from swarm.store.payloads import Payloads
from tests.actors.places import Interrupted, a_dispatcher, a_worker, submit


async def until(condition: Callable[[], bool], within_s: float = 180.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # other processes have no event to wait for
            await asyncio.sleep(0.01)


async def test_programs_run_and_end_once(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path):
        ended = dispatcher._dispatcher.floor.ended
        tasks = [
            await submit(dispatcher, f"t{n}", ["sh", "-c", f"echo {n}; exit {n % 2}"])
            for n in range(20)
        ]
        await until(lambda: len(ended) == len(tasks))
        await until(lambda: dispatcher._payloads.get(tasks) == {})  # with the append
    outcomes = [ended[task].outcome for task in tasks]
    assert outcomes == [Outcome.SUCCEEDED, Outcome.FAILED] * 10
    outputs = sorted((tmp_path / "w" / "output").iterdir())
    assert {path.name for path in outputs} == {f"t{n}.1" for n in range(20)}
    assert sorted(int(path.read_text()) for path in outputs) == list(range(20))


async def test_payloads_are_read_again_only_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[TaskId] = []
    real = Payloads.get

    def get(self: Payloads, tasks: Iterable[TaskId]) -> dict[TaskId, str]:
        read.extend(tasks)
        return real(self, read)

    monkeypatch.setattr(Payloads, "get", get)
    async with a_dispatcher(tmp_path) as dispatcher:
        kept = await submit(dispatcher, "kept", ["true"])
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path):
        ended = dispatcher._dispatcher.floor.ended
        await until(lambda: kept in ended)
        fresh = await submit(dispatcher, "fresh", ["true"])
        await until(lambda: fresh in ended)
    assert {ended[task].outcome for task in (kept, fresh)} == {Outcome.SUCCEEDED}
    assert read == [kept]


async def test_files_are_private_and_gone_with_the_grant(tmp_path: Path) -> None:
    look = "stat -c %a {SWARM_FILES} {SWARM_FILES}/token; cat {SWARM_FILES}/token; env"
    body = {"argv": ["sh", "-c", look], "files": {"token": "s3"}, "clean_env": True}
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path):
        await submit(dispatcher, "t", [], body=json.dumps(body))
        await until(lambda: len(dispatcher._dispatcher.floor.ended) == 1)
    modes, text = (tmp_path / "w" / "output" / "t.1").read_text().split("s3", 1)
    assert modes.split() == ["700", "600"]
    names = {line.partition("=")[0] for line in text.splitlines()}
    assert names - {"PWD", "SHLVL", "_"} == {"SWARM_TASK", "SWARM_GRANT", "SWARM_FILES"}
    assert list((tmp_path / "w" / "files").iterdir()) == []


async def test_an_owner_rearms_a_lost_task_with_a_new_payload(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path) as worker:
        floor = dispatcher._dispatcher.floor
        body = {"argv": ["sh", "-c", "cat {SWARM_FILES}/token; test -e {SWARM_FILES}/new"]}
        old = json.dumps({**body, "argv": ["sleep", "300"], "files": {"token": "old"}})
        task = await submit(dispatcher, "t", [], body=old, rearm=RearmBy.OWNER)
        await until(lambda: floor.tasks[task].state == "running")
        await dispatcher.tell(WorkerLost(worker.id, LossCause.PROCESS_EXIT), "test")
        assert floor.tasks[task].state == "lost"
        new = json.dumps({**body, "files": {"token": "new", "new": ""}})
        for grant, receipt in ((0, Receipt.STALE), (1, Receipt.DONE)):
            answer = await dispatcher.rearm(Rearm(Token(task, grant)), new, "test")
            assert answer.reply is receipt
        await until(lambda: task in floor.ended)
    assert (floor.ended[task].outcome, floor.ended[task].grant) == (Outcome.SUCCEEDED, 2)
    assert (tmp_path / "w" / "output" / "t.2").read_text() == "new"


class DeafToEnds(Interrupted):
    """It hears of ends only after a renewal."""

    renewed = False

    async def tell(self, event: Event, cause_id: str) -> Answer:
        answer = await super().tell(event, cause_id)
        self.renewed = self.renewed or isinstance(event, Renew)
        return answer

    async def tell_all(self, events: Sequence[Event], cause_id: str) -> list[Answer | Rejected]:
        if not self.renewed:
            raise Unreachable("the dispatcher did not answer")
        return await super().tell_all(events, cause_id)


async def test_what_a_dead_worker_could_not_tell_is_told_by_the_next(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher:
        floor, old = dispatcher._dispatcher.floor, WorkerId("old")
        task = await submit(dispatcher, "t", ["true"])
        await dispatcher.tell(Register(Offer(old, "n", 1, Resources(cpu=1.0))), "test")
        await dispatcher.tell(Acquire(old, 1), "test")
        Outbox(tmp_path / "new" / "ended").put(Finish(Token(task, 1), Outcome.SUCCEEDED))
        async with a_worker(DeafToEnds(dispatcher), tmp_path, "new", fence_s=5.0):
            await until(lambda: task in floor.ended)
            await until(lambda: Outbox(tmp_path / "new" / "ended").waiting() == [])
    assert (floor.ended[task].outcome, floor.ended[task].grant) == (Outcome.SUCCEEDED, 1)


async def test_a_program_is_cancelled(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path):
        floor = dispatcher._dispatcher.floor
        task = await submit(dispatcher, "t", ["sleep", "300"])
        await until(lambda: floor.tasks[task].state == "running")
        await dispatcher.tell(Cancel(task, "ann"), "test")
        await until(lambda: task in floor.ended)
    assert floor.ended[task].outcome is Outcome.CANCELLED


async def test_a_draining_worker_takes_nothing_new(tmp_path: Path) -> None:
    async with (
        a_dispatcher(tmp_path) as dispatcher,
        a_worker(dispatcher, tmp_path, "old") as old,
        a_worker(dispatcher, tmp_path, "new"),
    ):
        floor = dispatcher._dispatcher.floor
        await until(lambda: len(floor.workers) == 2)
        await dispatcher.tell(Drain(old.id, "ann"), "test")
        tasks = [await submit(dispatcher, f"t{n}", ["true"]) for n in range(6)]
        await until(lambda: len(floor.ended) == len(tasks))
    assert len(list((tmp_path / "new" / "output").iterdir())) == 6


class DrainsUnheard(Interrupted):
    """What it grants first is not heard, and the worker is drained before it can ask again."""

    told = granted = False

    async def tell(self, event: Event, cause_id: str) -> Answer:
        if isinstance(event, Acquire) and self.granted and not self.told:
            raise Unreachable("the dispatcher did not answer")
        answer = await super().tell(event, cause_id)
        self.told = self.told or (isinstance(answer.reply, Orders) and answer.reply.drain)
        if isinstance(answer.reply, Grants) and answer.reply.tokens and not self.granted:
            self.granted = True
            await super().tell(Drain(WorkerId(cause_id), "ann"), "test")
            raise Unreachable("the dispatcher did not answer")
        return answer


async def test_what_a_worker_was_granted_before_it_drains_is_run(tmp_path: Path) -> None:
    async with (
        a_dispatcher(tmp_path) as dispatcher,
        a_worker(DrainsUnheard(dispatcher), tmp_path),
    ):
        floor = dispatcher._dispatcher.floor
        task = await submit(dispatcher, "t", ["true"])
        await until(lambda: task in floor.ended)
    assert (floor.ended[task].outcome, floor.ended[task].grant) == (Outcome.SUCCEEDED, 1)


async def test_a_program_that_is_not_there_fails_with_the_reason(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path):
        floor = dispatcher._dispatcher.floor
        task = await submit(dispatcher, "t", ["no-such-program"])
        await until(lambda: task in floor.ended)
    assert floor.ended[TaskId("t")].outcome is Outcome.FAILED


async def test_a_worker_outlives_a_dispatcher_that_does_not_answer(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher:
        link = Interrupted(dispatcher)
        async with a_worker(link, tmp_path):
            floor = dispatcher._dispatcher.floor
            task = await submit(dispatcher, "t", ["sh", "-c", "sleep 3; echo done"])
            await until(lambda: floor.tasks[task].state == "running")
            link.away = True
            await until(lambda: link.refused > 10)
            link.away = False
            await until(lambda: task in floor.ended)
    assert (floor.ended[task].outcome, floor.ended[task].grant) == (Outcome.SUCCEEDED, 1)


async def test_the_echo_of_a_beat_that_does_not_count_is_no_contact(tmp_path: Path) -> None:
    """Else a worker runs on after the dispatcher has taken it for fenced."""
    async with a_dispatcher(tmp_path, fence_s=600) as dispatcher:
        link, engine = Interrupted(dispatcher, beaten=True), dispatcher._dispatcher
        async with a_worker(link, tmp_path, fence_s=1.0) as worker:
            await until(lambda: worker.id in engine.floor.workers)
            old = worker.id
            deaf = Patience(deaf_s=-1.0)  # all beats left without an echo for longer
            engine._policy = replace(engine._policy, patience=deaf)
            link.away = True
            await until(lambda: worker.id != old)


async def test_a_payload_that_cannot_be_read_fails_and_frees_its_slot(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path, slots=1):
        floor = dispatcher._dispatcher.floor
        task = await submit(dispatcher, "t", ["true"])
        broken = await submit(dispatcher, "broken", ["true"], body="{")
        after = await submit(dispatcher, "after", ["true"])
        await until(lambda: len(floor.ended) == 3)
    outcomes = [floor.ended[name].outcome for name in (task, broken, after)]
    assert outcomes == [Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SUCCEEDED]
