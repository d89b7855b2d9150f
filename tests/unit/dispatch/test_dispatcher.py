"""What the engine answers, rule by rule; what survives faults is in tests/simulation."""

import pytest

from swarm.dispatch.dispatcher import Dispatcher, Policy
from swarm.dispatch.events import (
    Acquire,
    Cancel,
    Drain,
    Finish,
    Grants,
    Nod,
    Now,
    Orders,
    Rearm,
    Receipt,
    Register,
    Renew,
    Submit,
    WorkerLost,
)
from swarm.dispatch.states import TaskState
from swarm.dispatch.waiting import WaitReason, why_waiting
from swarm.errors import DifferentBody, Overloaded, Rejected, UnknownKey
from swarm.model.dispatch import CapacityWanted, Ended, Granted, Lost, Rearmed
from swarm.model.work import (
    CapacityClass,
    Effects,
    LossCause,
    Offer,
    Outcome,
    Resources,
    SlaClass,
    TaskId,
    Token,
    WorkerId,
)
from swarm.model.work import Rearm as RearmBy
from tests.unit.dispatch.builders import Desk, a_task

W, V, A = WorkerId("w"), WorkerId("v"), TaskId("a")


def test_a_known_id_is_no_second_task() -> None:
    desk = Desk()
    desk.submit(a_task("a"))
    desk.submit(a_task("a"), a_task("a"))
    assert len(desk.journal) == 1
    with pytest.raises(DifferentBody, match="task a was handed in before with another body"):
        desk.submit(a_task("b"), a_task("a", digest="other"))
    assert len(desk.journal) == 1, "all or none"


def test_a_team_may_have_so_many_waiting() -> None:
    desk = Desk(Policy(waiting_max=2, quotas={"none": 0}))
    with pytest.raises(Overloaded, match="team none has 0 tasks waiting and may have 0"):
        desk.submit(a_task("n", team="none"))
    desk.submit(a_task("a"), a_task("other", team="other"))
    with pytest.raises(Overloaded, match="team team has 1 tasks waiting and may have 2"):
        desk.submit(a_task("b"), a_task("c"))
    desk.submit(a_task("b"))


def test_proof_of_death_moves_everything_at_once() -> None:
    desk = Desk()
    desk.worker("w")
    desk.worker("v")
    desk.submit(a_task("a"))
    desk.acquire("w")
    desk.tell(WorkerLost(W, LossCause.PROCESS_EXIT))
    assert desk.acquire_tokens("v") == (Token(A, 2),)
    assert desk.tell(Register(Offer(W, "node", 1, Resources()))) is Receipt.UNKNOWN_WORKER


@pytest.mark.parametrize(
    ("effects", "moves"),
    [(Effects.FENCED, True), (Effects.IDEMPOTENT, True), (Effects.UNSAFE, False)],
)
def test_silence_moves_what_tolerates_it(effects: Effects, moves: bool) -> None:
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a", effects=effects))
    desk.acquire("w")
    desk.pass_time(1.0)
    assert (Lost(Token(A, 1), LossCause.SILENT) in desk.journal) is moves
    desk.pass_time(15.5)
    assert any(isinstance(record, Lost) for record in desk.journal)


def test_a_suspect_worker_gets_nothing_new() -> None:
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a"))
    desk.now_s = 0.4
    assert desk.tell(Acquire(W, 1)) == Grants(())
    desk.beat("w")
    assert desk.tell(Acquire(W, 1)) == Grants((Token(A, 1),))


def test_the_late_end_of_a_lost_grant_counts_until_the_next_is_given() -> None:
    desk = Desk()
    desk.worker("w")
    desk.worker("v")
    desk.submit(a_task("a", effects=Effects.IDEMPOTENT), a_task("b", effects=Effects.IDEMPOTENT))
    desk.acquire("w")
    desk.now_s = 0.0
    for _ in range(20):
        desk.pass_time(0.1)
        desk.beat("v")
    assert desk.tell(Finish(Token(A, 1), Outcome.SUCCEEDED)) is Receipt.DONE
    assert desk.acquire("v") == ["b"]
    assert desk.tell(Finish(Token(TaskId("b"), 1), Outcome.SUCCEEDED)) is Receipt.STALE
    assert desk.tell(Finish(Token(A, 1), Outcome.SUCCEEDED)) is Receipt.DONE, "sent again"
    assert desk.dispatcher.detector.detection(desk.now_s).refused == 1


def test_a_returning_worker_is_told_what_no_longer_counts() -> None:
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a", effects=Effects.FENCED))
    (token,) = desk.acquire_tokens("w")
    desk.pass_time(1.0)
    assert desk.tell(Renew(W, 1, held=(token,))) == Orders(revoked=(token,))


def test_a_grant_that_its_worker_does_not_know_is_given_again() -> None:
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a"))
    desk.acquire("w")
    assert desk.tell(Renew(W, acquired=0)) == Orders(), "the answer may still be on its way"
    assert desk.dispatcher.floor.tasks[A].worker == W
    desk.tell(Renew(W, acquired=1))
    assert Lost(Token(A, 1), LossCause.NOT_HELD) in desk.journal
    assert desk.acquire_tokens("w") == (Token(A, 2),)


def test_what_waited_too_long_in_a_worker_is_given_back_and_is_no_mark_on_it() -> None:
    desk = Desk()
    desk.worker("w", slots=1)
    desk.submit(a_task("a"), a_task("b"))
    first, waits = desk.acquire_tokens("w", 1)
    assert desk.tell(Renew(W, 1, (first,), (first,))) == Orders()
    assert desk.dispatcher.floor.tasks[waits.task].state is TaskState.QUEUED
    assert not desk.dispatcher.floor.tasks[waits.task].suspect
    desk.worker("v")
    assert desk.acquire_tokens("v") == (Token(waits.task, 2),)


def test_the_owner_of_a_lost_task_decides() -> None:
    desk = Desk(Policy(rearm_max_s=20.0))
    for name in "wvu":
        desk.worker(name)
    names = ("again", "done there", "forgotten")
    desk.submit(*(a_task(name, rearm=RearmBy.OWNER, subject="airflow") for name in names))
    desk.acquire("w")
    desk.tell(WorkerLost(W, LossCause.NODE_GONE))
    assert desk.acquire("v") == []
    waiting = why_waiting(desk.dispatcher.floor, TaskId("again"))
    assert waiting is not None
    assert waiting.text == "lost with its worker; airflow has to re-arm it"
    desk.tell(Rearm(Token(TaskId("done there"), 1), Outcome.SUCCEEDED))
    assert desk.tell(Rearm(Token(TaskId("again"), 1))) is Receipt.DONE
    told = list(desk.journal)
    assert desk.tell(Rearm(Token(TaskId("again"), 1))) is Receipt.DONE
    assert desk.journal == told  # sent again, or with a newer payload while it waits
    assert desk.tell(Rearm(Token(TaskId("again"), 2))) is Receipt.STALE
    desk.now_s = 1.0
    assert desk.acquire("v") == ["again"]
    desk.pass_time(20.2)
    ended = desk.journal[-1]
    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.detail) == (
        Outcome.FAILED,
        "not re-armed by its owner within 20 s",
    )


def test_cancelling() -> None:
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a"), a_task("b"), a_task("waits", cpu=99))
    first, second = desk.acquire_tokens("w")
    desk.tell(Cancel(TaskId("waits"), "ann"))
    assert desk.journal[-1] == Ended(
        Token(TaskId("waits"), 0), Outcome.CANCELLED, "cancelled by ann"
    )
    desk.tell(Cancel(first.task, "ann"))
    desk.tell(Cancel(second.task, "ann"))
    assert desk.beat("w") == Orders(cancel=(first, second))
    desk.tell(Finish(first, Outcome.FAILED))
    assert desk.dispatcher.floor.ended[first.task].outcome is Outcome.CANCELLED
    desk.tell(Finish(second, Outcome.SUCCEEDED))
    assert desk.dispatcher.floor.ended[second.task].outcome is Outcome.SUCCEEDED
    assert desk.tell(Cancel(first.task, "ann")) is Receipt.STALE
    with pytest.raises(UnknownKey, match="there is no task x"):
        desk.tell(Cancel(TaskId("x"), "ann"))


def test_a_draining_worker_finishes_and_gets_nothing_new() -> None:
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a"))
    (token,) = desk.acquire_tokens("w")
    desk.tell(Drain(W, "ann"))
    desk.submit(a_task("b"))
    assert desk.acquire("w") == []
    assert desk.beat("w") == Orders(drain=True)
    assert desk.tell(Finish(token, Outcome.SUCCEEDED)) is Receipt.DONE
    with pytest.raises(UnknownKey, match="there is no worker x"):
        desk.tell(Drain(WorkerId("x"), "ann"))


def test_poison_runs_alone_once_and_is_parked_with_its_story() -> None:
    desk = Desk()
    desk.submit(a_task("a"))
    for number in (1, 2):
        name = f"w{number}"
        desk.worker(name)
        (token,) = desk.acquire_tokens(name)
        desk.beat(name, started=[token])
        desk.tell(WorkerLost(WorkerId(name), LossCause.OUT_OF_MEMORY))
    desk.worker("w3")
    desk.submit(a_task("good", sla=SlaClass.CRITICAL))
    assert desk.acquire("w3") == ["good"], "no suspect beside others"
    desk.tell(Finish(Token(TaskId("good"), 1), Outcome.SUCCEEDED))
    desk.submit(a_task("good2"))
    (token,) = desk.acquire_tokens("w3")
    assert token == Token(A, 3)
    desk.beat("w3", started=[token])
    desk.tell(WorkerLost(WorkerId("w3"), LossCause.PROCESS_EXIT))
    assert [record for record in desk.journal if isinstance(record, Ended)][-1] == Ended(
        Token(A, 3),
        Outcome.PARKED,
        "grant 1 on w1: out_of_memory; grant 2 on w2: out_of_memory; "
        "grant 3 on w3, alone: process_exit",
    )


def test_what_machines_lose_does_not_speak_against_a_task() -> None:
    desk = Desk()
    desk.submit(a_task("a"))
    for number in range(9):
        name = f"w{number}"
        desk.worker(name)
        (token,) = desk.acquire_tokens(name)
        cause = LossCause.NODE_GONE if number % 2 else LossCause.PROCESS_EXIT
        if number % 2:
            desk.beat(name, started=[token])
        desk.tell(WorkerLost(WorkerId(name), cause))
    assert not desk.dispatcher.floor.tasks[A].suspect


def test_a_dead_agent_asks_for_its_like() -> None:
    desk = Desk()
    desk.worker("agent", slots=4, capabilities=("quality-check",))
    desk.submit(*(a_task(f"item{n}", capability="quality-check") for n in range(4)))
    desk.acquire("agent")
    desk.tell(WorkerLost(WorkerId("agent"), LossCause.OUT_OF_MEMORY))
    assert desk.journal[-1] == CapacityWanted("quality-check", 4)
    desk.worker("second", slots=4, capabilities=("quality-check",))
    assert len(desk.acquire("second")) == 4


def test_after_a_restart_silence_counts_from_then_on() -> None:
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a", effects=Effects.FENCED))
    (token,) = desk.acquire_tokens("w")
    desk.dispatcher = Dispatcher(Policy())
    for record in desk.journal:
        desk.dispatcher.apply(record)
    desk.now_s = 1_000.0
    desk.dispatcher.begin(Now(desk.now_s, 0.0))
    desk.pass_time(0.5)
    assert desk.tell(Renew(W, 1, held=(token,))) == Orders()
    desk.dispatcher.beat(W, desk.now_s)
    desk.pass_time(1.0)
    assert desk.journal[-2:] == [Lost(token, LossCause.SILENT), Rearmed(token)]


def test_a_snapshot_gives_the_same_state() -> None:
    desk = Desk()
    desk.worker("w")
    desk.worker("v")
    desk.submit(*(a_task(f"t{n}", rearm=RearmBy.OWNER) for n in range(9)))
    tokens = desk.acquire_tokens("w")
    desk.acquire("v")
    desk.tell(Finish(tokens[0], Outcome.SUCCEEDED))
    desk.tell(Cancel(tokens[1].task, "ann"))
    desk.tell(WorkerLost(V, LossCause.NODE_GONE))
    desk.tell(Drain(W, ""))
    copy = Dispatcher(Policy())
    for record in desk.dispatcher.records():
        copy.apply(record)
    copy.check()
    assert list(copy.records()) == list(desk.dispatcher.records())


def test_a_worker_that_changes_needs_a_new_id() -> None:
    desk = Desk()
    desk.worker("w", slots=4)
    desk.worker("w", slots=4)
    with pytest.raises(Rejected, match="registered with another offer"):
        desk.worker("w", slots=5)


def test_an_unknown_worker_is_told_so() -> None:
    desk = Desk()
    assert desk.tell(Renew(W, 0)) is Receipt.UNKNOWN_WORKER
    assert desk.tell(Acquire(W, 1)) is Receipt.UNKNOWN_WORKER
    assert desk.tell(WorkerLost(W, LossCause.NODE_GONE)) is Receipt.STALE


def reason(desk: Desk, name: str) -> WaitReason | None:
    waiting = why_waiting(desk.dispatcher.floor, TaskId(name))
    return None if waiting is None else waiting.reason


def test_every_waiting_task_says_why() -> None:
    desk = Desk()
    desk.submit(
        a_task("a"),
        a_task("b", cpu=4),
        a_task("cap", capability="x"),
        a_task("pool", pool="p"),
        a_task("spot", capacity=CapacityClass.SPOT),
        a_task("large", cpu=64),
    )
    assert reason(desk, "a") is WaitReason.NO_WORKER
    desk.worker("w")
    assert reason(desk, "a") is WaitReason.NEXT
    assert desk.acquire("w") == ["a"]
    assert [reason(desk, name) for name in ("a", "b", "cap", "pool", "spot", "large")] == [
        None,
        WaitReason.ALL_BUSY,
        WaitReason.NO_CAPABILITY,
        WaitReason.NO_POOL,
        WaitReason.NO_CAPACITY,
        WaitReason.TOO_LARGE,
    ]
    desk.tell(Drain(W, ""))
    assert reason(desk, "b") is WaitReason.DRAINING


def test_submitting_nothing_is_nothing() -> None:
    desk = Desk()
    assert desk.tell(Submit(())) is Receipt.DONE
    assert desk.journal == []
    assert not any(isinstance(record, Granted) for record in desk.journal)


def test_a_beat_calls_its_worker_while_there_are_orders_for_it() -> None:
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a"))
    (token,) = desk.acquire_tokens("w")
    assert desk.dispatcher.beat(W, 0.1) is Nod.NOTED
    desk.tell(Cancel(token.task, "ann"))
    assert [desk.dispatcher.beat(W, at_s) for at_s in (0.2, 0.3)] == [Nod.COME] * 2
    assert desk.tell(Renew(W, 1, held=(token,))) == Orders(cancel=(token,))
    assert desk.dispatcher.beat(W, 0.4) is Nod.NOTED
    desk.tell(Drain(W, "ann"))
    assert desk.dispatcher.called == {W}
    assert desk.dispatcher.beat(WorkerId("another"), 0.4) is Nod.UNKNOWN


def test_the_beats_of_a_worker_that_hears_nothing_are_no_contact() -> None:
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a", effects=Effects.FENCED))
    (token,) = desk.acquire_tokens("w")
    for tenth in range(1, 20):
        desk.pass_time(0.1)
        desk.dispatcher.beat(W, desk.now_s, unheard_s=tenth / 10)
    assert Lost(token, LossCause.SILENT) in desk.journal
