"""Who goes first: between teams by share, within a team by urgency."""

from swarm.dispatch.dispatcher import Policy
from swarm.dispatch.events import Cancel, Drain, Finish
from swarm.model.work import (
    CapacityClass,
    Outcome,
    Rearm,
    SlaClass,
    TaskId,
    Token,
    WorkerId,
)
from tests.unit.dispatch.builders import WALL_S, Desk, a_task


def test_the_task_that_has_to_start_first_goes_first() -> None:
    desk = Desk()
    desk.worker("w", slots=1)
    desk.submit(
        a_task("relaxed", deadline_s=WALL_S + 900),
        a_task("long", deadline_s=WALL_S + 600, expected_duration_s=500),
        a_task("short", deadline_s=WALL_S + 300, expected_duration_s=10),
    )
    order = []
    for _ in range(3):
        (token,) = desk.acquire_tokens("w")
        desk.tell(Finish(token, Outcome.SUCCEEDED))
        order.append(token.task)
    assert order == ["long", "short", "relaxed"]


def test_a_class_is_a_bound_on_waiting_and_no_wall() -> None:
    desk = Desk()
    desk.worker("w", slots=4)
    desk.submit(
        a_task("backfill", sla=SlaClass.BACKFILL),
        a_task("old backfill", sla=SlaClass.BACKFILL, submitted_at_s=WALL_S - 7 * 3600),
        a_task("standard"),
        a_task("critical", sla=SlaClass.CRITICAL),
    )
    assert desk.acquire("w") == ["old backfill", "critical", "standard", "backfill"]


def test_teams_share_by_their_dominant_resource_over_their_weight() -> None:
    desk = Desk(Policy(weights={"gold": 2.0}))
    desk.worker("w", slots=9, cpu=9.0)
    for number in range(9):
        desk.submit(
            a_task(f"gold{number}", team="gold"),
            a_task(f"tin{number}", team="tin"),
        )
    granted = desk.acquire("w")
    assert sum(name.startswith("gold") for name in granted) == 6
    assert sum(name.startswith("tin") for name in granted) == 3


def test_a_team_with_much_waiting_does_not_delay_another() -> None:
    desk = Desk()
    desk.worker("w", slots=2)
    desk.submit(*(a_task(f"flood{n}", team="flood", submitted_at_s=WALL_S - 60) for n in range(99)))
    desk.submit(a_task("drop", team="drop"))
    assert "drop" in desk.acquire("w")


def test_a_task_goes_only_where_it_can_run() -> None:
    desk = Desk()
    desk.worker("plain")
    desk.worker("spot", capacity=CapacityClass.SPOT)
    desk.worker("pool", pool="gpu")
    desk.worker("agent", capabilities=("quality-check",))
    desk.submit(
        a_task("spotty", capacity=CapacityClass.SPOT),
        a_task("pooled", pool="gpu"),
        a_task("checked", capability="quality-check"),
        a_task("huge", cpu=99),
    )
    assert desk.acquire("plain") == []
    assert desk.acquire("spot") == ["spotty"]
    assert desk.acquire("pool") == ["pooled"]
    assert desk.acquire("agent") == ["checked"]


def test_small_work_goes_past_a_large_task_until_that_is_late() -> None:
    desk = Desk()
    desk.worker("w", slots=4, cpu=4.0)
    desk.worker("v", slots=4, cpu=4.0)
    desk.submit(*(a_task(f"first{n}", cpu=2) for n in range(2)))
    first = desk.acquire_tokens("w")
    desk.submit(a_task("large", cpu=4, deadline_s=WALL_S + 10), a_task("small", cpu=1))
    desk.tell(Drain(WorkerId("v"), "somebody"))

    desk.tell(Finish(first[0], Outcome.SUCCEEDED))
    assert desk.acquire("w") == ["small"]

    desk.now_s = 11.0  # the large one is late now: the worker is kept for it
    desk.submit(a_task("other", cpu=1, team="other", sla=SlaClass.CRITICAL))
    desk.tell(Finish(first[1], Outcome.SUCCEEDED))
    assert desk.acquire("w") == ["other"], "its team holds less, and it fits"
    desk.submit(a_task("more", cpu=1, team="other", sla=SlaClass.CRITICAL))
    assert desk.acquire("w") == [], "a late large task waits for ever behind small ones"
    for name in ("small", "other"):
        desk.tell(Finish(Token(TaskId(name), 1), Outcome.SUCCEEDED))
    assert desk.acquire("w") == ["large"]


def test_a_cancelled_task_is_passed_over() -> None:
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a"), a_task("b"))
    desk.tell(Cancel(TaskId("a"), "somebody"))
    assert desk.acquire("w") == ["b"]


def test_a_request_whose_answer_was_lost_is_answered_again_and_not_twice() -> None:
    desk = Desk()
    desk.worker("w", slots=1)
    desk.submit(a_task("a"), a_task("b"))
    first = desk.acquire_tokens("w")
    desk._numbers["w"] -= 1
    assert desk.acquire_tokens("w") == first


def ahead(desk: Desk, worker: str, count: int) -> list[str]:
    """What the worker is granted that takes `count` tasks more than it has slots."""
    return [str(token.task) for token in desk.acquire_tokens(worker, count)]


def test_a_worker_may_hold_tasks_that_wait_for_a_slot() -> None:
    desk = Desk()
    desk.worker("w", slots=2)
    desk.submit(*(a_task(f"t{number}") for number in range(9)))
    assert ahead(desk, "w", 3) == ["t0", "t1", "t2", "t3", "t4"]
    assert ahead(desk, "w", 3) == []
    desk.tell(Finish(Token(TaskId("t0"), 1), Outcome.SUCCEEDED))
    assert ahead(desk, "w", 3) == ["t5"]
    assert desk.acquire("w") == [], "it has more than it has slots"


def test_only_what_needs_the_same_waits_and_nothing_is_passed_over_for_it() -> None:
    desk = Desk()
    desk.worker("w", slots=2, cpu=4.0)
    desk.submit(a_task("a"), a_task("b"), a_task("c"), a_task("large", cpu=2.0), a_task("d"))
    assert ahead(desk, "w", 8) == ["a", "b", "c"]


def test_nothing_waits_where_the_slots_have_no_room_for_as_many() -> None:
    desk = Desk()
    desk.worker("w", slots=4, cpu=3.0)
    desk.submit(*(a_task(f"t{number}") for number in range(9)))
    assert ahead(desk, "w", 8) == ["t0", "t1", "t2"]


def test_nothing_waits_while_another_worker_has_a_free_slot_for_it() -> None:
    desk = Desk()
    desk.worker("w", slots=1)
    desk.worker("other", slots=1)
    desk.worker("agent", capabilities=("check",))
    desk.submit(*(a_task(f"t{number}") for number in range(4)))
    assert ahead(desk, "w", 8) == ["t0"]
    assert ahead(desk, "other", 1) == ["t1", "t2"]
    assert ahead(desk, "w", 8) == ["t3"]


def test_what_an_owner_would_have_to_look_after_does_not_wait() -> None:
    desk = Desk()
    desk.worker("w", slots=1)
    owned = a_task("owned", rearm=Rearm.OWNER)
    desk.submit(a_task("a"), a_task("b"), owned, a_task("c"))
    assert ahead(desk, "w", 8) == ["a", "b"]


def test_a_worker_that_is_kept_free_or_drains_gets_nothing_that_waits() -> None:
    desk = Desk()
    desk.worker("w", slots=2, cpu=2.0)
    desk.submit(a_task("a"))
    assert ahead(desk, "w", 8) == ["a"]
    desk.submit(a_task("late", cpu=2.0, deadline_s=WALL_S - 1), a_task("b"))
    assert ahead(desk, "w", 8) == []
    desk.worker("v", slots=1, cpu=1.0)
    desk.submit(*(a_task(f"t{number}") for number in range(4)))
    assert ahead(desk, "v", 0) == ["b"]
    desk.tell(Drain(WorkerId("v"), "somebody"))
    assert ahead(desk, "v", 8) == []
