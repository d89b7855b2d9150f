"""Second copies: who gets one, and what follows from the loss or the end of either."""

from typing import Any

import pytest

from swarm.dispatch.copies import SHARE
from swarm.dispatch.dispatcher import Dispatcher, Policy
from swarm.dispatch.events import (
    Acquire,
    Cancel,
    Drain,
    Finish,
    Grants,
    Orders,
    Propose,
    Receipt,
    Renew,
    WorkerLost,
)
from swarm.dispatch.states import TaskState
from swarm.model.dispatch import Copied, CopyGone, CopyLeads, Ended, Granted, Lost
from swarm.model.sides import Side, Sided
from swarm.model.work import (
    CapacityClass,
    Effects,
    LossCause,
    Outcome,
    Rearm,
    Submission,
    TaskId,
    Token,
    WorkerId,
)
from tests.unit.dispatch.builders import Desk, a_task

SPOT, SURE = CapacityClass.SPOT, CapacityClass.DEDICATED
ONLY_SURE = Side(SURE, ())
FIRST, COPY = WorkerId("spot"), WorkerId("sure")
TOKEN = Token(TaskId("a"), 1)
WHY = "it is late"


def fenced(name: str = "a", **more: Any) -> Submission:
    return a_task(name, **{"effects": Effects.FENCED, **more})


def wanted(*names: str, grant: int = 1, side: Side = ONLY_SURE) -> Propose:
    return Propose(copies=tuple(Sided(TaskId(name), grant, side, WHY) for name in names))


@pytest.fixture
def desk() -> Desk:
    desk = Desk(Policy())
    desk.worker("spot", slots=2, cpu=2.0, capacity=SPOT)
    desk.worker("sure", slots=2, cpu=2.0, capacity=SURE)
    return desk


def running(desk: Desk, *tasks: Submission) -> Desk:
    """They run on spot, and a copy of each is wanted."""
    desk.submit(*tasks)
    tokens = desk.acquire_tokens("spot")
    assert [token.task for token in tokens] == [one.task for one in tasks]
    desk.beat("spot", tokens)
    desk.tell(wanted(*(one.task for one in tasks)))
    return desk


def copied(desk: Desk) -> Desk:
    running(desk, fenced())
    assert desk.acquire_tokens("sure") == (TOKEN,)
    return desk


def holders(desk: Desk) -> tuple[WorkerId, ...]:
    return desk.dispatcher.floor.holders(TOKEN.task)


def test_a_copy_runs_under_the_same_grant_on_a_dedicated_worker_of_another_node(desk: Desk) -> None:
    running(desk, fenced())
    desk.submit(a_task("b"))
    assert desk.acquire("spot") == ["b"], "a copy is not for spot"
    desk.submit(a_task("c"))
    assert desk.acquire("sure") == ["a"], "it comes before what waits"
    assert desk.acquire("sure") == ["c"]
    assert Copied(TOKEN, COPY, 1, WHY) in desk.journal
    assert holders(desk) == (FIRST, COPY)
    assert desk.acquire("sure") == []


@pytest.mark.parametrize(
    ("task", "copies"),
    [
        (fenced(effects=Effects.IDEMPOTENT), ["a"]),
        (fenced(effects=Effects.UNSAFE), []),
        (fenced(rearm=Rearm.OWNER), []),
        (fenced(capacity=SPOT), []),
    ],
    ids=["idempotent", "unsafe", "its owner expects one", "it chose spot itself"],
)
def test_only_what_may_run_twice_and_anywhere_has_a_copy(
    desk: Desk, task: Submission, copies: list[str]
) -> None:
    running(desk, task)
    assert desk.acquire("sure") == copies


def test_what_is_wanted_is_for_a_grant_and_for_a_while(desk: Desk) -> None:
    running(desk, fenced())
    desk.tell(wanted("a", grant=2))
    assert desk.acquire("sure") == []
    desk.tell(wanted("a"))
    for _ in range(61 * 5):
        desk.pass_time(0.2)
        for worker in (FIRST, COPY):
            desk.dispatcher.beat(worker, desk.now_s)
    assert desk.acquire("sure") == []


def test_an_old_pool_of_spot_may_have_the_copy(desk: Desk) -> None:
    running(desk, fenced())
    desk.tell(wanted("a", side=Side(SURE, ("old",))))
    desk.worker("young", capacity=SPOT, pool="young")
    desk.worker("old", capacity=SPOT, pool="old")
    assert desk.acquire("young") == []
    assert desk.acquire("old") == ["a"]


def test_the_first_end_counts_and_the_other_copy_is_ended(desk: Desk) -> None:
    copied(desk)
    desk.dispatcher.called.clear()
    assert desk.tell(Finish(TOKEN, Outcome.SUCCEEDED)) is Receipt.DONE
    assert desk.journal[-1] == Ended(TOKEN, Outcome.SUCCEEDED, copied=True)
    assert desk.dispatcher.called == {FIRST, COPY}, "whose end it was is not known"
    assert not desk.dispatcher.floor.workers[COPY].held
    assert not desk.dispatcher.floor.workers[FIRST].held
    assert desk.tell(Finish(TOKEN, Outcome.FAILED)) is Receipt.DONE, "a late end is no news"
    assert sum(isinstance(record, Ended) for record in desk.journal) == 1


def test_a_lost_worker_leaves_the_grant_to_the_copy_and_nothing_runs_again(desk: Desk) -> None:
    copied(desk)
    desk.tell(WorkerLost(FIRST, LossCause.NODE_GONE))
    assert CopyLeads(TOKEN, COPY, LossCause.NODE_GONE) in desk.journal
    assert not any(isinstance(record, Lost) for record in desk.journal)
    assert holders(desk) == (COPY,)
    task = desk.dispatcher.floor.tasks[TOKEN.task]
    assert task.state is TaskState.LEASED, "whether the copy has started is told anew"
    desk.beat("sure", [TOKEN])
    assert task.state is TaskState.RUNNING
    desk.tell(Finish(TOKEN, Outcome.SUCCEEDED))
    assert desk.journal[-1] == Ended(TOKEN, Outcome.SUCCEEDED)


def test_a_lost_copy_is_gone_and_not_replaced(desk: Desk) -> None:
    copied(desk)
    desk.tell(WorkerLost(COPY, LossCause.NODE_GONE))
    assert CopyGone(TOKEN, COPY, LossCause.NODE_GONE) in desk.journal
    assert holders(desk) == (FIRST,)
    desk.worker("other", capacity=SURE)
    assert desk.acquire("other") == []
    desk.tell(WorkerLost(FIRST, LossCause.NODE_GONE))
    assert desk.acquire_tokens("other") == (Token(TOKEN.task, 2),)


def test_a_silent_first_worker_that_returns_is_told_to_end_it(desk: Desk) -> None:
    copied(desk)
    others = [f"w{number}" for number in range(4)]  # where one of two is silent nobody is believed
    for name in others:
        desk.worker(name, capacity=SPOT)
    for _ in range(40):
        desk.pass_time(0.1)
        for name in ("sure", *others):
            desk.dispatcher.beat(WorkerId(name), desk.now_s)
    assert holders(desk) == (COPY,)
    orders = desk.tell(Renew(FIRST, 1, (TOKEN,), (TOKEN,)))
    assert orders == Orders(revoked=(TOKEN,))


def test_a_cancel_reaches_both(desk: Desk) -> None:
    copied(desk)
    desk.tell(Cancel(TOKEN.task, "somebody"))
    assert desk.beat("spot") == Orders(cancel=(TOKEN,))
    assert desk.beat("sure") == Orders(cancel=(TOKEN,))
    desk.tell(WorkerLost(FIRST, LossCause.PROCESS_EXIT))
    assert desk.beat("sure") == Orders(cancel=(TOKEN,))
    desk.tell(Finish(TOKEN, Outcome.CANCELLED))
    assert desk.journal[-1] == Ended(TOKEN, Outcome.CANCELLED)


def test_what_took_a_worker_down_has_no_copy(desk: Desk) -> None:
    running(desk, fenced())
    desk.tell(WorkerLost(FIRST, LossCause.OUT_OF_MEMORY))
    desk.worker("spot2", capacity=SPOT)
    assert desk.acquire_tokens("spot2") == (Token(TOKEN.task, 2),)
    desk.tell(wanted("a", grant=2))
    assert desk.acquire("sure") == []


def test_a_draining_worker_gets_no_copy(desk: Desk) -> None:
    running(desk, fenced())
    desk.tell(Drain(COPY, "somebody"))
    assert desk.acquire("sure") == []


def test_copies_have_their_share_of_the_fleet_and_one_at_least() -> None:
    desk = Desk(Policy())
    desk.worker("spot", slots=16, cpu=16.0, capacity=SPOT)
    desk.worker("sure", slots=16, cpu=16.0, capacity=SURE)
    names = [f"t{number}" for number in range(8)]
    desk.submit(*(fenced(name) for name in names))
    assert len(desk.acquire("spot")) == 8
    desk.tell(wanted(*names))
    assert len(desk.acquire("sure")) == int(SHARE * 32)
    assert desk.acquire("sure") == []


def test_an_answer_that_was_lost_is_given_again(desk: Desk) -> None:
    """Each holder by the number of its own request."""
    assert desk.acquire("spot") == []
    copied(desk)
    assert desk.tell(Acquire(COPY, 1)) == Grants((TOKEN,), frozenset({TOKEN}))
    assert desk.tell(Acquire(FIRST, 2)) == Grants((TOKEN,))
    assert sum(isinstance(record, Copied) for record in desk.journal) == 1


def test_a_worker_is_told_that_it_has_the_second_copy(desk: Desk) -> None:
    """Also again once it leads, and not the first where its own request has the same number."""
    running(desk, fenced())
    told = desk.tell(Acquire(COPY, 1))
    assert told == Grants((TOKEN,), frozenset({TOKEN}))
    assert desk.tell(Acquire(FIRST, 1)) == Grants((TOKEN,))
    desk.tell(WorkerLost(FIRST, LossCause.PROCESS_EXIT))
    assert desk.tell(Acquire(COPY, 1)) == told


def test_a_copy_that_its_worker_does_not_have_is_gone(desk: Desk) -> None:
    assert desk.acquire("spot") == []
    copied(desk)
    assert desk.tell(Renew(COPY, 0)) == Orders(), "its answer is on the way"
    assert holders(desk) == (FIRST, COPY)
    desk.tell(Renew(COPY, 1))
    assert CopyGone(TOKEN, COPY, LossCause.NOT_HELD) in desk.journal
    assert holders(desk) == (FIRST,)


def test_a_snapshot_keeps_copies(desk: Desk) -> None:
    copied(desk)
    again = Dispatcher(Policy())
    for record in desk.dispatcher.records():
        again.apply(record)
    again.check()
    assert list(again.records()) == list(desk.dispatcher.records())
    assert again.floor.holders(TOKEN.task) == (FIRST, COPY)
    assert sum(isinstance(record, Granted) for record in desk.journal) == 1
