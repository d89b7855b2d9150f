"""A dispatcher that stands still keeps its workers, and takes nothing it would have to know."""

import asyncio
from pathlib import Path

import pytest

from swarm.actors import inbox
from swarm.actors.ports import Answer
from swarm.dispatch.events import Finish, Renew
from swarm.errors import Rejected, SafeMode
from swarm.model.dispatch import Ended
from swarm.model.work import Outcome, TaskId, Token, WorkerId
from swarm.store.journal import open_journal
from tests.actors.places import a_dispatcher, a_worker, submit
from tests.actors.test_worker import until

NEVER = Token(TaskId("never"), 1)


async def test_it_keeps_contact_and_takes_nothing(tmp_path: Path) -> None:
    async with a_dispatcher(tmp_path) as dispatcher:
        waits = await submit(dispatcher, "waits", ["true"])
    journal = open_journal("", tmp_path)
    seq = journal.open("dispatch").append([Ended(NEVER, Outcome.SUCCEEDED)], 1.0, "planted")
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path) as worker:
        await until(lambda: worker._known)
        first_s = worker._confirmed_s
        await until(lambda: worker._confirmed_s > first_s + 2.0)
        assert worker._beats_to
        answer = await dispatcher.tell(Renew(WorkerId("other"), 1, (NEVER,)), "test")
        assert answer.reply.revoked == ()  # type: ignore[union-attr]
        with pytest.raises(SafeMode, match=f"before record {seq}"):
            await submit(dispatcher, "new", ["true"])
        end = Finish(NEVER, Outcome.SUCCEEDED)
        with pytest.raises(SafeMode):
            await dispatcher.tell(end, "test")
        refused, renewed = await dispatcher.tell_all([end, Renew(WorkerId("other"), 1)], "test")
        assert isinstance(refused, Rejected), "it would be taken for heard"
        assert isinstance(renewed, Answer)
        assert dispatcher._payloads.get([waits]), "what it does not know of may be needed"
        dispatcher._loop.remove_done_callback(inbox._die)  # it would end this process
        journal.quarantine("dispatch", seq, "ann", "planted", 2.0)
        async with asyncio.timeout(60):
            await asyncio.wait([dispatcher._loop])
    async with a_dispatcher(tmp_path) as dispatcher, a_worker(dispatcher, tmp_path, "after"):
        await until(lambda: waits in dispatcher._dispatcher.floor.ended)
