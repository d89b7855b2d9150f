"""What the loss of a worker led to, told from the stories of its tasks."""

import pytest

from swarm.dispatch.events import WorkerLost
from swarm.dispatch.redistribution import EDGES_S, redistributions, spread
from swarm.model.dispatch import Ended, Granted, Lost, Rearmed, Started, Submitted
from swarm.model.keys import PipelineKey
from swarm.model.work import Effects, LossCause, Outcome, Submission, TaskId, Token, WorkerId
from tests.unit.dispatch.builders import Desk, a_task

V, W, X = WorkerId("v"), WorkerId("w"), WorkerId("x")
PIPELINE = PipelineKey("airflow", "close")


def course(name, *moves):
    submission = Submission(TaskId(name), "data", "digest", 0.0, pipeline=PIPELINE)
    return [(0.0, Submitted(submission)), *moves]


def granted(name, number, worker):
    return Granted(Token(TaskId(name), number), worker, 1)


def lost(name, number, cause=LossCause.PROCESS_EXIT, unheard_s=0.2):
    return Lost(Token(TaskId(name), number), cause, unheard_s)


def test_what_one_worker_held_is_one_story():
    told = redistributions(
        [
            course("a", (1, granted("a", 1, V)), (5, lost("a", 1)), (6, granted("a", 2, W))),
            course("b", (1, granted("b", 1, V)), (5, lost("b", 1)), (7, granted("b", 2, X))),
            course("c", (1, granted("c", 1, V)), (5, lost("c", 1))),
        ]
    )
    (one,) = told
    assert (one.worker, one.cause, one.at_s, one.unheard_s) == (V, LossCause.PROCESS_EXIT, 5, 0.2)
    assert [(m.task, m.to, m.took_s) for m in one.tasks] == [
        ("a", W, 1),
        ("b", X, 2),
        ("c", None, None),
    ]
    assert {m.pipeline for m in one.tasks} == {PIPELINE}
    assert one.took_s == 2


def test_a_task_that_is_lost_twice_is_in_two_stories_the_newest_first():
    end = Ended(Token(TaskId("a"), 3), Outcome.SUCCEEDED)
    told = redistributions(
        [
            course(
                "a",
                (1, granted("a", 1, V)),
                (2, Started(Token(TaskId("a"), 1))),
                (5, lost("a", 1)),
                (5, Rearmed(Token(TaskId("a"), 1))),
                (6, granted("a", 2, W)),
                (8, lost("a", 2, LossCause.SILENT, 0.7)),
                (8.5, granted("a", 3, X)),
                (9, end),
            )
        ]
    )
    assert [(one.worker, one.cause, one.took_s) for one in told] == [
        (W, LossCause.SILENT, 0.5),
        (V, LossCause.PROCESS_EXIT, 1),
    ]
    assert [one.tasks[0].outcome for one in told] == [Outcome.SUCCEEDED, None]


def test_a_late_end_without_another_grant_is_said():
    end = Ended(Token(TaskId("a"), 1), Outcome.SUCCEEDED)
    (one,) = redistributions([course("a", (1, granted("a", 1, V)), (5, lost("a", 1)), (6, end))])
    assert (one.tasks[0].to, one.tasks[0].outcome, one.took_s) == (None, Outcome.SUCCEEDED, None)


def test_a_grant_that_its_worker_did_not_know_is_no_loss_of_a_worker():
    moves = (1, granted("a", 1, V)), (5, lost("a", 1, LossCause.NOT_HELD))
    assert redistributions([course("a", *moves)]) == []


def test_a_spread_counts_each_length_once():
    told = spread([0.05, 0.1, 0.15, 3.0, 900.0])
    assert (told.count, told.p50_s, told.p99_s, told.max_s) == (5, 0.15, 900.0, 900.0)
    assert dict(zip((*EDGES_S, "over"), told.counts, strict=True)) == {
        0.1: 2,
        0.2: 1,
        **dict.fromkeys(EDGES_S[2:5], 0),
        5.0: 1,
        **dict.fromkeys(EDGES_S[6:], 0),
        "over": 1,
    }
    assert spread([]).counts == (0,) * (len(EDGES_S) + 1)


@pytest.mark.parametrize(
    ("wait_s", "cause"), [(0.4, LossCause.PROCESS_EXIT), (1.0, LossCause.SILENT)]
)
def test_a_loss_says_for_how_long_nothing_had_been_heard(wait_s, cause):
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a", effects=Effects.IDEMPOTENT))
    desk.acquire("w")
    desk.pass_time(wait_s)
    if cause is LossCause.PROCESS_EXIT:
        desk.tell(WorkerLost(W, cause))
    (record,) = [one for one in desk.journal if isinstance(one, Lost)]
    assert record.cause is cause
    assert record.unheard_s is not None
    at_s = 0.4 if cause is LossCause.PROCESS_EXIT else 0.65
    assert record.unheard_s == pytest.approx(at_s, abs=0.06)
