"""A worker whose machine goes away: what moves at once, what may end there, what it gets."""

import pytest

from swarm.dispatch.events import Finish, Interruption, Orders, Receipt, Renew, WorkerLost
from swarm.model.dispatch import DrainAsked, Ended, Lost, Rearmed, WorkerGone
from swarm.model.work import (
    ADVICE,
    NOTICE,
    CapacityClass,
    Effects,
    LossCause,
    Outcome,
    Rearm,
    TaskId,
    Token,
    WorkerId,
)
from tests.unit.dispatch.builders import Desk, a_task

SPOT, GONE = WorkerId("spot"), WorkerId("gone")


@pytest.fixture
def desk() -> Desk:
    """A worker on spot that runs one of each kind."""
    desk = Desk()
    desk.worker("spot", capacity=CapacityClass.SPOT)
    desk.submit(
        a_task("idempotent", effects=Effects.IDEMPOTENT),
        a_task("fenced", effects=Effects.FENCED),
        a_task("unsafe"),
        a_task("owned", effects=Effects.IDEMPOTENT, rearm=Rearm.OWNER),
    )
    assert len(desk.acquire_tokens("spot")) == 4
    return desk


def test_what_may_run_twice_moves_at_once_and_what_may_not_stays(desk: Desk) -> None:
    assert desk.tell(Interruption(SPOT, ends=True)) is Receipt.DONE
    desk.worker("sure")
    assert desk.acquire("sure") == ["idempotent", "fenced"]
    tasks = desk.dispatcher.floor.tasks
    assert tasks[TaskId("unsafe")].worker == SPOT
    assert tasks[TaskId("owned")].state == "lost", "its owner has to look first"
    assert {loss.cause for loss in tasks[TaskId("fenced")].losses} == {LossCause.INTERRUPTED}


def test_its_worker_is_called_at_once_and_told_to_end_it(desk: Desk) -> None:
    desk.tell(Interruption(SPOT, ends=True))
    assert SPOT in desk.dispatcher.called
    tokens = tuple(Token(TaskId(name), 1) for name in ("idempotent", "unsafe"))
    orders = desk.tell(Renew(SPOT, 1, tokens))
    assert isinstance(orders, Orders)
    assert (orders.revoked, orders.drain) == ((tokens[0],), True)


def test_it_gets_nothing_more(desk: Desk) -> None:
    desk.tell(Finish(Token(TaskId("unsafe"), 1), Outcome.SUCCEEDED))
    desk.tell(Interruption(SPOT, ends=True))
    assert desk.acquire("spot") == []


def test_what_ends_there_in_time_has_ended(desk: Desk) -> None:
    desk.tell(Interruption(SPOT, ends=True))
    assert desk.tell(Finish(Token(TaskId("unsafe"), 1), Outcome.SUCCEEDED)) is Receipt.DONE
    assert desk.dispatcher.floor.ended[TaskId("unsafe")].outcome is Outcome.SUCCEEDED


def test_what_it_gives_up_in_the_end_goes_elsewhere_with_that_cause(desk: Desk) -> None:
    desk.tell(Interruption(SPOT, ends=True))
    desk.tell(Renew(SPOT, 1))
    (loss,) = desk.dispatcher.floor.tasks[TaskId("unsafe")].losses
    assert loss.cause is LossCause.INTERRUPTED
    desk.worker("sure")
    assert "unsafe" in desk.acquire("sure")


def run_and_die(desk: Desk, worker: str, cause: LossCause, *, ends: bool | None) -> None:
    """`worker` runs what it is granted until it ends; before that its machine tells that it goes
    (`ends` true) or may go (false), or nothing (None)."""
    desk.worker(worker, capacity=CapacityClass.SPOT)
    desk.beat(worker, started=desk.acquire_tokens(worker))
    if ends is not None:
        desk.tell(Interruption(WorkerId(worker), ends=ends))
    desk.tell(WorkerLost(WorkerId(worker), cause))


def test_machines_that_go_away_do_not_speak_against_what_ran_there() -> None:
    desk = Desk()
    desk.submit(a_task("a"))
    for number in range(5):
        run_and_die(desk, f"spot {number}", LossCause.PROCESS_EXIT, ends=True)
    task = desk.dispatcher.floor.tasks[TaskId("a")]
    assert [loss.cause for loss in task.losses] == [LossCause.INTERRUPTED] * 5
    assert not task.suspect
    assert desk.journal[-3:] == [
        Lost(task.token, LossCause.INTERRUPTED),
        Rearmed(task.token),
        WorkerGone(WorkerId("spot 4"), LossCause.PROCESS_EXIT),
    ]


def test_a_suspect_is_not_parked_for_a_machine_that_goes_away() -> None:
    desk = Desk()
    desk.submit(a_task("a"))
    for number in range(2):
        run_and_die(desk, f"node {number}", LossCause.PROCESS_EXIT, ends=None)
    assert desk.dispatcher.floor.tasks[TaskId("a")].suspect
    run_and_die(desk, "spot", LossCause.PROCESS_EXIT, ends=True)
    assert not any(isinstance(record, Ended) for record in desk.journal)
    run_and_die(desk, "last", LossCause.PROCESS_EXIT, ends=None)
    assert desk.dispatcher.floor.ended[TaskId("a")].outcome is Outcome.PARKED


@pytest.mark.parametrize(
    ("cause", "ends"), [(LossCause.OUT_OF_MEMORY, True), (LossCause.PROCESS_EXIT, False)]
)
def test_what_a_task_did_itself_counts_there_too(cause: LossCause, ends: bool) -> None:
    desk = Desk()
    desk.submit(a_task("a"))
    for number in range(2):
        run_and_die(desk, f"spot {number}", cause, ends=ends)
    assert desk.dispatcher.floor.tasks[TaskId("a")].suspect


def test_that_it_goes_away_outlasts_a_snapshot(desk: Desk) -> None:
    desk.tell(Interruption(SPOT, ends=True))
    again = Desk()
    for record in desk.dispatcher.records():
        again.dispatcher.apply(record)
    again.tell(Renew(SPOT, 1))
    (loss,) = again.dispatcher.floor.tasks[TaskId("unsafe")].losses
    assert loss.cause is LossCause.INTERRUPTED


def test_a_notice_that_is_told_again_changes_nothing_more(desk: Desk) -> None:
    desk.tell(Interruption(SPOT, ends=True))
    before = len(desk.journal)
    desk.tell(Interruption(SPOT, ends=True))
    assert len(desk.journal) == before


def test_advice_drains_alone_and_a_notice_after_it_counts(desk: Desk) -> None:
    desk.tell(Interruption(SPOT, ends=False))
    desk.tell(Interruption(SPOT, ends=False))
    assert desk.journal[-1] == DrainAsked(SPOT, ADVICE)
    assert not any(isinstance(record, Lost) for record in desk.journal)
    desk.tell(Interruption(SPOT, ends=True))
    assert DrainAsked(SPOT, NOTICE) in desk.journal
    assert any(isinstance(record, Lost) for record in desk.journal)


def test_a_worker_that_is_not_known_has_to_register_first() -> None:
    assert Desk().tell(Interruption(GONE, ends=True)) is Receipt.UNKNOWN_WORKER
