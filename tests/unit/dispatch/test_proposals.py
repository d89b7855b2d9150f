"""Spot or dedicated: what of placement's proposals is heeded, and what stands above it."""

from collections.abc import Sequence
from typing import Any

import pytest

from swarm.dispatch.dispatcher import Policy
from swarm.dispatch.events import Cancel, Drain, Finish, Now, Propose, WorkerLost
from swarm.dispatch.explanation import Explanation
from swarm.dispatch.floor import Floor
from swarm.dispatch.proposals import AT_ONCE, PROPOSED_MAX_S, Proposals
from swarm.dispatch.queue import Queue
from swarm.dispatch.waiting import WaitReason
from swarm.model.dispatch import Submitted
from swarm.model.keys import PipelineKey
from swarm.model.sides import Side, Sided
from swarm.model.work import (
    CapacityClass,
    Effects,
    LossCause,
    Outcome,
    SlaClass,
    Submission,
    TaskId,
    Token,
    WorkerId,
)
from tests.unit.dispatch.builders import WALL_S, Desk, a_task

SPOT, SURE = CapacityClass.SPOT, CapacityClass.DEDICATED
ONLY_SURE = Side(SURE, ())
WHY = "a loss on spot could not be made good in time"
SLA = PipelineKey("air", "report")


def proposed(side: Side, *names: str, grant: int = 0) -> Propose:
    return Propose(tuple(Sided(TaskId(name), grant, side, WHY) for name in names))


def told(desk: Desk, name: str) -> Explanation:
    return desk.dispatcher.explain(TaskId(name), Now(desk.now_s, WALL_S + desk.now_s))


@pytest.fixture
def desk() -> Desk:
    """A worker of each side, with two slots."""
    desk = Desk(Policy())
    desk.worker("spot", slots=2, cpu=2.0, capacity=SPOT, pool="old")
    desk.worker("sure", slots=2, cpu=2.0, capacity=SURE)
    return desk


def test_what_would_not_survive_a_loss_waits_for_dedicated_capacity(desk: Desk) -> None:
    desk.submit(a_task("a"), a_task("b"))
    desk.tell(proposed(ONLY_SURE, "a"))
    assert desk.acquire("spot") == ["b"]
    assert desk.acquire("sure") == ["a"]


def test_what_is_better_on_spot_goes_there_and_only_what_does_not_fit_elsewhere(desk: Desk) -> None:
    desk.submit(*(a_task(name) for name in "abc"))
    desk.tell(proposed(Side(SPOT), *"abc"))
    assert desk.acquire("sure") == [], "there is room on spot"
    assert desk.acquire("spot") == ["a", "b"]
    assert desk.acquire("sure") == ["c"], "nothing is left idle for a proposal"


def test_what_is_better_on_dedicated_capacity_takes_spot_where_that_is_full(desk: Desk) -> None:
    desk.submit(*(a_task(name) for name in "abc"))
    desk.tell(proposed(Side(SURE), *"abc"))
    assert desk.acquire("spot") == []
    assert desk.acquire("sure") == ["a", "b"]
    assert desk.acquire("spot") == ["c"]


def test_a_side_whose_workers_are_drained_or_suspect_is_not_waited_for(desk: Desk) -> None:
    desk.submit(a_task("a"), a_task("b"))
    desk.tell(proposed(Side(SPOT), "a", "b"))
    desk.tell(Drain(WorkerId("spot"), "somebody"))
    assert desk.acquire("sure") == ["a", "b"]
    desk.worker("other", slots=2, cpu=2.0, capacity=SPOT)
    desk.worker("more", slots=2, cpu=2.0)
    desk.submit(a_task("c"))
    desk.tell(proposed(Side(SPOT), "c"))
    desk.now_s += 5.0  # of which nothing was heard of `other`
    assert desk.acquire("more") == ["c"]


def test_critical_work_goes_to_named_pools_of_spot_alone(desk: Desk) -> None:
    desk.worker("young", slots=2, cpu=2.0, capacity=SPOT, pool="young")
    desk.submit(a_task("a", sla=SlaClass.CRITICAL))
    desk.tell(proposed(Side(SPOT, ("old",)), "a"))
    assert desk.acquire("young") == []
    assert desk.acquire("spot") == ["a"]


def test_what_a_task_says_itself_stands(desk: Desk) -> None:
    desk.submit(a_task("own", capacity=SPOT), a_task("pooled", pool="old"))
    desk.tell(proposed(ONLY_SURE, "own", "pooled"))
    assert desk.acquire("sure") == []
    assert desk.acquire("spot") == ["own", "pooled"]


def test_a_proposal_for_an_older_grant_is_stale(desk: Desk) -> None:
    desk.submit(a_task("a", effects=Effects.IDEMPOTENT))
    assert desk.acquire("sure") == ["a"]
    desk.tell(proposed(ONLY_SURE, "a"))  # it was made before that grant
    desk.tell(WorkerLost(WorkerId("sure"), LossCause.NODE_GONE))
    assert told(desk, "a").sided is None
    assert desk.acquire("spot") == ["a"]


def test_a_proposal_for_what_is_gone_changes_nothing(desk: Desk) -> None:
    desk.submit(a_task("a"), a_task("b"))
    desk.tell(Cancel(TaskId("a"), "somebody"))
    before = len(desk.journal)
    desk.tell(proposed(ONLY_SURE, "a", "nobody"))
    assert len(desk.journal) == before
    assert desk.acquire("spot") == ["b"]


def test_a_proposal_that_is_not_said_again_is_over(desk: Desk) -> None:
    desk.submit(a_task("a"))
    desk.tell(proposed(ONLY_SURE, "a"))
    desk.now_s = PROPOSED_MAX_S - 0.1
    assert desk.acquire("spot") == []
    desk.tell(proposed(ONLY_SURE, "a"))
    desk.now_s += 0.2
    assert desk.acquire("spot") == [], "it was said again"
    desk.tell(Propose())
    assert desk.acquire("spot") == ["a"], "it was taken back"


def test_without_word_of_placement_for_long_everything_goes_on(desk: Desk) -> None:
    desk.submit(a_task("a", sla=SlaClass.CRITICAL))
    desk.tell(Propose(careful=True))
    desk.now_s = PROPOSED_MAX_S + 0.1
    assert desk.acquire("spot") == ["a"]


def test_critical_work_that_placement_has_not_seen_waits_for_dedicated_capacity(
    desk: Desk,
) -> None:
    desk.submit(a_task("before", sla=SlaClass.CRITICAL))
    desk.tell(Propose(careful=True, promised=frozenset({SLA})))
    desk.submit(
        a_task("after", sla=SlaClass.CRITICAL),
        a_task("promised", pipeline=SLA),
        a_task("backfill", pipeline=SLA, sla=SlaClass.BACKFILL),
        a_task("other"),
    )
    assert desk.acquire("spot") == ["other", "backfill"]
    assert desk.acquire("sure") == ["before", "after"]
    spoken = Sided(TaskId("promised"), 0, Side(SPOT), "nothing else can be had")
    desk.worker("more", capacity=SPOT, pool="young")
    desk.tell(Propose((spoken,), careful=True, promised=frozenset({SLA})))
    assert desk.acquire("more") == ["promised"]


def test_a_promise_that_is_made_later_counts_for_what_waits(desk: Desk) -> None:
    desk.submit(a_task("a", pipeline=SLA))
    desk.tell(Propose(careful=True))
    desk.tell(Propose(careful=True, promised=frozenset({SLA})))
    assert desk.acquire("spot") == []
    desk.tell(Propose(careful=True))
    assert desk.acquire("spot") == ["a"]


def test_a_promise_counts_for_what_comes_later_too(desk: Desk) -> None:
    desk.tell(Propose(careful=True, promised=frozenset({SLA})))
    desk.submit(a_task("a", pipeline=SLA))
    assert desk.acquire("spot") == []
    assert desk.acquire("sure") == ["a"]


def test_what_is_promised_no_more_while_nothing_was_said_is_held_up_by_nothing(desk: Desk) -> None:
    desk.submit(a_task("a", pipeline=SLA))
    desk.tell(Propose(careful=True, promised=frozenset({SLA})))
    desk.tell(Propose())
    assert told(desk, "a").sided is None
    desk.tell(Propose(careful=True))
    assert desk.acquire("spot") == ["a"]


class Counted(Queue):
    """Counts how often a task was given a side."""

    sided = 0

    def side(self, task: TaskId, side: Side | None, *, wary: bool) -> None:
        self.sided += 1
        super().side(task, side, wary=wary)


def long_queue(tasks: Sequence[Submission]) -> tuple[Proposals, Counted]:
    floor, queue = Floor(), Counted()
    floor.queue = queue
    for one in tasks:
        floor.apply(Submitted(one))
    return Proposals(floor), queue


def test_to_be_careful_of_a_long_queue_takes_no_time() -> None:
    proposals, queue = long_queue(
        [a_task(f"a{number}", sla=SlaClass.CRITICAL) for number in range(5 * AT_ONCE)]
    )
    for at_s, careful in enumerate((True, False, True)):
        proposals.take(Propose(careful=careful), Now(at_s, WALL_S))
        sided = proposals.sided(TaskId("a7"))
        assert (sided is not None and sided.side == ONLY_SURE) is careful
    proposals.look(Now(PROPOSED_MAX_S + 9.0, WALL_S))
    assert proposals.sided(TaskId("a7")) is None
    assert queue.sided == 0


def test_a_promise_for_a_long_queue_is_heeded_piece_by_piece() -> None:
    proposals, queue = long_queue(
        [a_task(f"a{number}", pipeline=SLA) for number in range(3 * AT_ONCE)]
    )
    proposals.take(Propose(careful=True, promised=frozenset({SLA})), Now(0.0, WALL_S))
    assert queue.sided == AT_ONCE
    assert proposals.sided(TaskId("a0")) is not None, "those that came first are first"
    assert proposals.sided(TaskId(f"a{AT_ONCE}")) is None
    for pieces in (2, 3, 3):
        proposals.catch_up()
        assert queue.sided == pieces * AT_ONCE
    assert proposals.sided(TaskId(f"a{3 * AT_ONCE - 1}")) is not None


def test_time_alone_brings_the_rest_of_a_promise(desk: Desk) -> None:
    tasks = [a_task(f"a{number}", pipeline=SLA) for number in range(AT_ONCE + 1)]
    desk.submit(*tasks)
    desk.tell(Propose(careful=True, promised=frozenset({SLA})))
    assert desk.acquire("spot") == [f"a{AT_ONCE}"]
    desk.tell(Finish(Token(TaskId(f"a{AT_ONCE}"), 1), Outcome.SUCCEEDED))
    desk.submit(a_task("more", pipeline=SLA))
    desk.pass_time(0.05)
    assert desk.acquire("spot") == []


def test_a_late_task_lets_go_of_a_worker_that_is_not_for_it_any_more(desk: Desk) -> None:
    """It was kept free for it; the proposal came after."""
    desk.submit(a_task("small"))
    assert desk.acquire("spot") == ["small"]
    desk.submit(a_task("large", cpu=2, deadline_s=WALL_S - 10), a_task("next", team="other"))
    desk.tell(proposed(Side(SPOT, ()), "next"))
    assert desk.acquire("spot") == [], "it is kept for the large one"
    desk.tell(proposed(ONLY_SURE, "large"))
    assert desk.acquire("spot") == ["next"]
    assert desk.acquire("sure") == ["large"]


@pytest.fixture
def kept(desk: Desk) -> Desk:
    """Both workers have one slot left; the one on spot is kept for a late task, a small one
    waits."""
    desk.submit(a_task("one"), a_task("two"))
    assert desk.acquire("spot") == ["one", "two"]
    desk.tell(Finish(Token(TaskId("one"), 1), Outcome.SUCCEEDED))
    desk.submit(a_task("three"))
    assert desk.acquire("sure") == ["three"]
    desk.submit(a_task("large", cpu=2, deadline_s=WALL_S - 10), a_task("small"))
    assert desk.acquire("spot") == []
    return desk


def test_another_worker_is_kept_for_a_late_task_whose_keeper_may_not_have_it(kept: Desk) -> None:
    kept.tell(proposed(ONLY_SURE, "large"))
    assert kept.acquire("sure") == []
    assert kept.acquire("spot") == ["small"]


def test_another_worker_is_kept_for_a_late_task_whose_keeper_is_drained(kept: Desk) -> None:
    kept.tell(Drain(WorkerId("spot"), "somebody"))
    assert kept.acquire("sure") == []


def test_why_it_waits_names_the_proposal(desk: Desk) -> None:
    desk.submit(a_task("a"))
    desk.tell(proposed(ONLY_SURE, "a"))
    found = told(desk, "a")
    assert found.sided is not None
    assert found.sided.side == ONLY_SURE
    assert {at.worker: at.lacks for at in found.workers} == {
        WorkerId("spot"): f"spot, and {WHY}",
        WorkerId("sure"): "",
    }
    desk.tell(Drain(WorkerId("sure"), "somebody"))
    waiting = told(desk, "a").waiting
    assert waiting is not None
    assert waiting.reason is WaitReason.PLACED
    assert waiting.text == f"it waits for dedicated capacity: {WHY}"


def fill(name: str, **more: Any) -> Submission:
    return a_task(name, sla=SlaClass.BACKFILL, **more)


def test_backfills_leave_the_slots_free_that_are_kept_for_others(desk: Desk) -> None:
    desk.submit(*(fill(f"fill{number}") for number in range(5)))
    desk.tell(Propose(kept_free=3))
    assert desk.acquire("spot") == ["fill0"], "of four slots in all three stay free"
    assert desk.acquire("sure") == []
    desk.submit(*(a_task(name) for name in "abc"))
    assert desk.acquire("sure") == ["a", "b"], "they are kept for these"
    assert desk.acquire("spot") == ["c"]


def test_what_was_given_in_the_same_answer_is_free_no_more(desk: Desk) -> None:
    desk.submit(a_task("a"), fill("fill"))
    desk.tell(Propose(kept_free=3))
    assert desk.acquire("spot") == ["a"]


def test_a_backfill_leaves_a_slot_free_for_each_core_that_it_does_not_take(desk: Desk) -> None:
    desk.submit(fill("large", cpu=2), fill("small"))
    desk.tell(Propose(kept_free=3))
    assert desk.acquire("spot") == ["small"]


def test_workers_that_get_nothing_new_have_no_slots_for_others(desk: Desk) -> None:
    desk.worker("agent", slots=9, cpu=9.0, capabilities=("quality-check",))
    desk.submit(fill("fill"), fill("check", capability="quality-check"))
    desk.tell(Propose(kept_free=2))
    desk.tell(Drain(WorkerId("sure"), "somebody"))
    assert desk.acquire("spot") == []
    assert desk.acquire("agent") == ["check"], "its slots are not those that plans count"


def test_a_worker_gets_no_backfill_ahead_of_its_slots_while_slots_are_kept(desk: Desk) -> None:
    desk.submit(a_task("a"), a_task("b"), fill("fill"))
    desk.tell(Propose(kept_free=1))
    desk.tell(Drain(WorkerId("sure"), "somebody"))
    tokens = desk.acquire_tokens("spot", ahead=4)
    assert [token.task for token in tokens] == ["a", "b"]


def test_a_late_backfill_has_its_turn_whatever_is_kept(desk: Desk) -> None:
    desk.submit(fill("late", submitted_at_s=WALL_S - 7 * 3_600), fill("fill"))
    desk.tell(Propose(kept_free=9))
    assert desk.acquire("spot") == ["late"]


def test_slots_are_kept_free_no_longer_than_that_is_said(desk: Desk) -> None:
    desk.submit(fill("fill"), fill("more"))
    desk.tell(Propose(kept_free=4))
    desk.now_s = PROPOSED_MAX_S - 0.1
    assert desk.acquire("spot") == []
    desk.now_s = PROPOSED_MAX_S
    assert desk.acquire("spot") == ["fill", "more"]


def test_what_is_kept_free_is_not_replayed(desk: Desk) -> None:
    desk.submit(fill("fill"))
    before = len(desk.journal)
    desk.tell(Propose(kept_free=4))
    assert len(desk.journal) == before
    fresh = Desk()
    for record in desk.journal:
        fresh.dispatcher.apply(record)
    assert fresh.acquire("spot") == ["fill"]


def test_why_a_backfill_waits_says_that_slots_are_kept(desk: Desk) -> None:
    late = fill("late", submitted_at_s=WALL_S - 7 * 3_600)
    desk.submit(fill("fill"), late, a_task("a"))
    desk.tell(Propose(kept_free=4))
    found = told(desk, "fill").waiting
    assert found is not None
    assert found.reason is WaitReason.PLACED
    assert "kept for what presses more" in found.text
    for name in ("late", "a"):
        other = told(desk, name).waiting
        assert other is not None
        assert other.reason is WaitReason.NEXT
