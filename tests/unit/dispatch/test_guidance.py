"""What sequencing wants of the queue: holds that end, urgency, giving way."""

from dataclasses import replace

import pytest

from swarm.dispatch.dispatcher import Dispatcher, Policy
from swarm.dispatch.events import Cancel, Finish, Guide, Hold, LeftOut, Now, Rearm, WorkerLost
from swarm.dispatch.explanation import Explanation
from swarm.dispatch.guidance import HELD_SHARE, HOLD_MAX_S
from swarm.dispatch.waiting import WaitReason
from swarm.model.dispatch import Ended
from swarm.model.keys import PipelineKey
from swarm.model.work import LossCause, Outcome, SlaClass, Submission, TaskId, Token, WorkerId
from tests.unit.dispatch.builders import WALL_S, Desk, a_task

LATE = PipelineKey("air", "report")
OTHER = PipelineKey("air", "other")
UPSTREAM = PipelineKey("dag", "load")


def of(pipeline: PipelineKey, name: str, run: str = "", **more: object) -> Submission:
    """A task of a run, of one of its own unless that is named."""
    return replace(a_task(name), pipeline=pipeline, run=run or f"run of {name}", **more)


def hold(pipeline: PipelineKey = LATE, for_s: float = 60.0) -> Guide:
    return Guide((Hold(pipeline, for_s, "its source is late", (UPSTREAM,)),))


def told(desk: Desk, name: str) -> Explanation:
    return desk.dispatcher.explain(TaskId(name), Now(desk.now_s, WALL_S + desk.now_s))


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.worker("w", slots=9, cpu=9.0)
    return desk


def test_a_held_pipeline_waits_and_another_does_not(desk: Desk) -> None:
    desk.submit(of(LATE, "before"))
    desk.tell(hold())
    desk.submit(of(LATE, "after"), of(OTHER, "other"), a_task("of none"))
    assert desk.acquire("w") == ["other", "of none"]
    desk.tell(Guide())
    assert desk.acquire("w") == ["before", "after"]


def test_what_was_handed_in_before_the_starts_that_are_held_goes_on(desk: Desk) -> None:
    desk.tell(hold())
    desk.submit(of(LATE, "early"))
    desk.now_s = 30.0
    desk.submit(of(LATE, "late", submitted_at_s=WALL_S + 30.0))
    assert desk.acquire("w") == []
    [whole] = hold().holds
    desk.tell(Guide((replace(whole, from_s=WALL_S + 20.0),)))
    assert desk.acquire("w") == ["early"]
    desk.submit(of(LATE, "of early times"))
    assert desk.acquire("w") == ["of early times"]
    desk.tell(Guide())
    assert desk.acquire("w") == ["late"]


def test_a_hold_that_is_not_said_again_ends(desk: Desk) -> None:
    desk.submit(of(LATE, "a"))
    desk.tell(hold(for_s=5.0))
    desk.now_s = 4.9
    assert desk.acquire("w") == []
    desk.now_s = 5.0
    assert desk.acquire("w") == ["a"]


def test_no_hold_is_longer_than_a_person_would_wait_for_a_dead_sequencer(desk: Desk) -> None:
    desk.submit(of(LATE, "a"))
    desk.tell(hold(for_s=1e9))
    desk.now_s = HOLD_MAX_S - 0.1
    assert desk.acquire("w") == []
    desk.tell(hold(for_s=1e9))
    desk.now_s += HOLD_MAX_S - 0.1
    assert desk.acquire("w") == [], "it was said again"
    desk.now_s += 0.2
    assert desk.acquire("w") == ["a"]


def test_a_run_that_has_begun_is_not_held(desk: Desk) -> None:
    desk.submit(of(LATE, "first", "monday"))
    assert desk.acquire("w") == ["first"]
    desk.tell(Finish(Token(TaskId("first"), 1), Outcome.SUCCEEDED))
    desk.tell(hold())
    desk.submit(of(LATE, "second", "monday"), of(LATE, "next", "tuesday"))
    assert desk.acquire("w") == ["second"]


def test_that_a_run_has_begun_survives_a_snapshot(desk: Desk) -> None:
    desk.submit(of(LATE, "first", "monday"), of(LATE, "cancelled", "tuesday"))
    desk.tell(Cancel(TaskId("cancelled"), "ann"))
    assert desk.acquire("w") == ["first"]
    desk.tell(Finish(Token(TaskId("first"), 1), Outcome.SUCCEEDED))
    again = Desk()
    for record in desk.dispatcher.records():
        again.dispatcher.apply(record)
    again.worker("v")
    again.tell(hold())
    again.submit(of(LATE, "second", "monday"), of(LATE, "next", "tuesday"))
    assert again.acquire("v") == ["second"]


def test_a_task_whose_run_is_not_told_is_not_held(desk: Desk) -> None:
    desk.tell(hold())
    desk.submit(replace(a_task("step"), pipeline=LATE))
    assert desk.acquire("w") == ["step"]


def test_a_task_that_lost_its_worker_is_not_held(desk: Desk) -> None:
    desk.submit(of(LATE, "a"))
    desk.acquire("w")
    desk.tell(hold())
    desk.tell(WorkerLost(WorkerId("w"), LossCause.PROCESS_EXIT))
    desk.worker("v")
    assert desk.acquire("v") == ["a"]


def test_a_hold_ends_before_the_orchestrator_gives_the_task_up(desk: Desk) -> None:
    desk.tell(hold())
    desk.submit(of(LATE, "a", queue_wait_max_s=20.0), of(LATE, "patient"))
    desk.pass_time(20.0 * HELD_SHARE - 0.1)
    assert desk.acquire("w") == []
    desk.pass_time(0.2)
    assert desk.acquire("w") == ["a"]


def test_each_word_of_the_owner_begins_the_wait_anew(desk: Desk) -> None:
    desk.tell(hold())
    desk.submit(of(LATE, "a", queue_wait_max_s=20.0))
    desk.now_s = 10.0
    desk.tell(Rearm(Token(TaskId("a"), 0)))
    desk.now_s += 20.0 * HELD_SHARE - 0.1
    assert desk.acquire("w") == []
    desk.now_s += 0.2
    assert desk.acquire("w") == ["a"]


def test_what_waited_before_the_hold_counts(desk: Desk) -> None:
    desk.submit(of(LATE, "a", queue_wait_max_s=20.0))
    desk.pass_time(10.0)
    desk.tell(hold())
    desk.pass_time(20.0 * HELD_SHARE - 10.0)
    assert desk.acquire("w") == ["a"]


def test_a_held_task_says_what_for_and_until_when(desk: Desk) -> None:
    desk.submit(of(LATE, "a"), of(LATE, "short", queue_wait_max_s=20.0))
    desk.tell(hold(for_s=50.0))
    waiting = told(desk, "a").waiting
    assert waiting is not None
    assert waiting.reason is WaitReason.HELD
    assert waiting.text == (
        "held: waits for dag/load: its source is late; until 13:47:30 UTC, unless that is put off"
    )
    short = told(desk, "short").waiting
    assert short is not None
    assert "until 13:46:55 UTC" in short.text


def test_a_held_task_can_be_cancelled(desk: Desk) -> None:
    desk.tell(hold())
    desk.submit(of(LATE, "a"), of(LATE, "b"))
    desk.tell(Cancel(TaskId("a"), "ann"))
    desk.tell(Guide())
    assert desk.acquire("w") == ["b"]


def test_no_worker_is_kept_free_for_a_held_task() -> None:
    desk = Desk()
    desk.worker("w", slots=2, cpu=2.0)
    desk.submit(a_task("runs"))
    (runs,) = desk.acquire_tokens("w")
    desk.submit(replace(a_task("large", cpu=2.0, deadline_s=WALL_S - 1), pipeline=LATE, run="r"))
    assert desk.acquire("w") == [], "it is late: the worker is kept for it"
    desk.tell(hold())
    desk.submit(a_task("small"))
    assert desk.acquire("w") == ["small"]
    desk.tell(Finish(runs, Outcome.SUCCEEDED))
    assert desk.acquire("w") == []


def test_the_pipeline_with_the_least_slack_goes_first(desk: Desk) -> None:
    one = Desk()
    one.worker("w", slots=1)
    one.submit(
        a_task("plain", submitted_at_s=WALL_S - 60),
        of(OTHER, "relaxed"),
        of(LATE, "urgent"),
        of(LATE, "own", deadline_s=WALL_S + 1),
    )
    one.tell(Guide(slack_s={OTHER: 9e9, LATE: 30.0}))
    order = []
    for _ in range(4):
        (token,) = one.acquire_tokens("w")
        one.tell(Finish(token, Outcome.SUCCEEDED))
        order.append(token.task)
    assert order == ["own", "urgent", "plain", "relaxed"]


def test_urgency_that_is_not_said_again_is_forgotten() -> None:
    desk = Desk()
    desk.worker("w", slots=1)
    desk.submit(a_task("first", submitted_at_s=WALL_S - 60), of(LATE, "urgent"))
    desk.tell(Guide(slack_s={LATE: 0.0}, for_s=10.0))
    assert told(desk, "urgent").before == 0
    desk.now_s = 10.0
    assert desk.acquire("w") == ["first"]


def fill(name: str, **more: object) -> Submission:
    return of(OTHER, name, sla=SlaClass.BACKFILL, **more)


def test_what_yields_gets_what_others_leave_and_no_more_than_the_ceiling(desk: Desk) -> None:
    desk.submit(*(fill(f"fill{number}", team="fill") for number in range(9)))
    desk.tell(Guide(yielding=frozenset({OTHER})))
    desk.submit(*(a_task(f"sla{number}", team="sla") for number in range(3)))
    granted = desk.acquire("w")
    assert [name for name in granted if name.startswith("sla")] == ["sla0", "sla1", "sla2"]
    assert len(granted) == 3 + 4, "5 of 9 cores would be over half"
    desk.tell(Guide())
    assert len(desk.acquire("w")) == 2, "it does not yield any more"


def test_only_backfills_yield(desk: Desk) -> None:
    desk.tell(Guide(slack_s={OTHER: 5.0}, yielding=frozenset({OTHER})))
    desk.submit(*(of(OTHER, f"today{number}") for number in range(9)), fill("fill"))
    granted = desk.acquire("w")
    assert len(granted) == 9, "no ceiling for the runs of today"
    assert "fill" not in granted, "and no hurry for the others"


def test_what_yields_never_starves() -> None:
    desk = Desk()
    desk.worker("w", slots=2)
    desk.tell(Guide(yielding=frozenset({OTHER})))
    desk.submit(a_task("sla", team="sla"))
    assert desk.acquire("w") == ["sla"]
    desk.submit(fill("fill", team="fill"), *(a_task(f"sla{n}", team="sla") for n in range(9)))
    assert desk.acquire("w") == ["fill"], "it holds nothing, so it has its turn like any team"


def test_within_its_team_what_yields_goes_last_until_it_is_late() -> None:
    desk = Desk()
    desk.worker("w", slots=2)
    desk.tell(Guide(slack_s={OTHER: 0.0}, yielding=frozenset({OTHER})))
    old = fill("old", submitted_at_s=WALL_S - 7 * 3600)
    desk.submit(fill("fill"), old, a_task("a"), a_task("b"))
    assert desk.acquire("w") == ["old", "a"]


def test_a_late_task_that_yields_keeps_no_worker_free() -> None:
    desk = Desk()
    desk.worker("w", slots=4, cpu=4.0)
    late = {"submitted_at_s": WALL_S - 7 * 3600}
    desk.tell(Guide(yielding=frozenset({OTHER})))
    desk.submit(fill("first", **late))
    assert desk.acquire("w") == ["first"]
    large = replace(fill("large", **late), needs=a_task("large", cpu=4.0).needs)
    desk.submit(large, a_task("small"))
    assert desk.acquire("w") == ["small"]


def test_much_guidance_leaves_no_trace_in_the_queue(desk: Desk) -> None:
    desk.submit(*(of(LATE, f"t{number}") for number in range(50)))
    for number in range(200):
        desk.tell(Guide(slack_s={LATE: 10.0 * (number % 7)}))
    heaps = [heap for team in desk.dispatcher.floor.queue._teams.values() for heap in team.values()]
    assert sum(map(len, heaps)) < 2_000
    assert len(desk.acquire("w")) == 9


def test_a_new_dispatcher_holds_nothing_until_it_is_told(desk: Desk) -> None:
    desk.submit(of(LATE, "a"))
    desk.tell(hold())
    fresh = Dispatcher(Policy())
    for record in desk.journal:
        fresh.apply(record)
    assert fresh.explain(TaskId("a"), Now(0.0, WALL_S)).waiting.reason is WaitReason.NEXT


def leave_out(until_s: float) -> Guide:
    return Guide(left_out=(LeftOut(LATE, until_s, "its latest start has come"),))


def test_what_is_left_out_ends_without_having_run(desk: Desk) -> None:
    desk.submit(of(LATE, "begun", "sunday"))
    (begun,) = desk.acquire_tokens("w")
    desk.tell(Finish(begun, Outcome.SUCCEEDED))
    desk.tell(hold())
    desk.submit(
        of(LATE, "a", "monday"),
        of(LATE, "b", "monday"),
        of(LATE, "more", "sunday"),
        of(LATE, "fill", sla=SlaClass.BACKFILL),
        of(LATE, "next", submitted_at_s=WALL_S + 8.0),
        of(OTHER, "other"),
        replace(a_task("of no run"), pipeline=LATE),
    )
    desk.now_s = 9.0
    seen = len(desk.journal)
    desk.tell(leave_out(WALL_S + 7.0))
    desk.tell(leave_out(WALL_S + 7.0))
    assert desk.journal[seen:] == [
        Ended(Token(TaskId(name), 0), Outcome.SKIPPED, "its latest start has come")
        for name in ("a", "b")
    ], "once, and what has begun, comes later or makes good for another time is not late"
    assert sorted(desk.acquire("w")) == ["fill", "more", "next", "of no run", "other"]


def test_what_came_before_what_is_left_out_goes_on(desk: Desk) -> None:
    desk.submit(of(LATE, "let go"), of(LATE, "late", submitted_at_s=WALL_S + 5.0))
    (said,) = leave_out(WALL_S + 7.0).left_out
    desk.tell(Guide(left_out=(replace(said, from_s=WALL_S + 2.0),)))
    assert desk.acquire("w") == ["let go"]


def test_what_is_left_out_stays_so_for_a_new_dispatcher(desk: Desk) -> None:
    desk.tell(hold())
    desk.submit(of(LATE, "a"))
    desk.tell(leave_out(WALL_S))
    again = Desk()
    for record in desk.journal:
        again.dispatcher.apply(record)
    again.dispatcher.begin(Now(0.0, WALL_S))
    again.submit(of(LATE, "a"))
    assert again.acquire("w") == []
    assert again.dispatcher.floor.ended[TaskId("a")].outcome is Outcome.SKIPPED
