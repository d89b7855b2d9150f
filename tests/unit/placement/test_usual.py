"""What is learned of tasks from the dispatcher's records."""

from dataclasses import replace

import pytest

from swarm.model.dispatch import Ended, Granted, Lost, Started, Submitted
from swarm.model.keys import PipelineKey
from swarm.model.scaling import Expected
from swarm.model.work import LossCause, Outcome, SlaClass, Submission, TaskId, Token, WorkerId
from swarm.placement.usual import _MISSED_RUNS, Usual

T = 1_000_000.0
DAILY = PipelineKey("air", "daily")


class Past:
    """Tasks of runs as they went by."""

    def __init__(self) -> None:
        self.usual = Usual()

    def hand_in(self, kind: str, run: str, at_s: float, sla: SlaClass = SlaClass.STANDARD) -> Token:
        token = Token(TaskId(f"{kind} {run}"), 1)
        one = Submission(token.task, "team", "digest", at_s, sla=sla)
        one = replace(one, pipeline=DAILY, run=run, subject=f"daily.{kind} {run}")
        self.usual.apply(Submitted(one), at_s)
        return token

    def do(self, kind: str, run: str, at_s: float, took_s: float) -> None:
        token = self.hand_in(kind, run, at_s)
        self.usual.apply(Granted(token, WorkerId("w"), 1), at_s)
        self.usual.apply(Started(token), at_s)
        self.usual.apply(Ended(token, Outcome.SUCCEEDED), at_s + took_s)

    def takes(self, kind: str, run: str) -> tuple[float, ...] | None:
        one = Submission(TaskId("x"), "team", "d", T, pipeline=DAILY, run=run)
        found = self.usual.takes(replace(one, subject=f"daily.{kind} {run}"))
        return None if found is None else (found.points[0], found.points[-1])


def test_the_next_run_of_a_task_takes_what_the_others_took() -> None:
    past = Past()
    for day, took_s in enumerate((60.0, 90.0, 75.0)):
        past.do("load", f"run{day}", T + day * 86_400, took_s)
    assert past.takes("load", "another") == (60.0, 90.0)
    assert past.takes("other", "another") is None


def test_on_a_day_on_which_all_takes_longer_all_is_expected_to() -> None:
    past = Past()
    for day in range(5):
        for kind in range(40):
            past.do(f"load{kind}", f"run{day}", T + day * 86_400, 60.0 + kind)
    assert past.takes("load0", "run5") == (60.0, 60.0)
    for kind in range(1, 40):
        past.do(f"load{kind}", "run5", T + 5 * 86_400, 1.5 * (60.0 + kind))
    assert past.takes("load0", "run5") == (90.0, 90.0)


def test_what_was_learned_on_such_a_day_is_what_it_would_have_been_on_a_usual_one() -> None:
    past = Past()
    for day, times in enumerate((1.0, 1.0, 1.0, 2.0, 1.0)):
        for kind in range(100):
            past.do(f"load{kind}", f"run{day}", T + day * 86_400, 60.0 * times)
    least, most = past.takes("load99", "run5") or (0.0, 0.0)
    assert least == most == pytest.approx(60.0)


def test_one_task_that_takes_longer_tells_nothing_of_others() -> None:
    past = Past()
    for day in range(30):
        past.do("slow", f"run{day}", T + day * 86_400, 60.0 if day < 15 else 600.0)
        past.do("steady", f"run{day}", T + day * 86_400, 60.0)
        past.do("other", f"run{day}", T + day * 86_400, 30.0)
    assert past.takes("steady", "run30") == (60.0, 60.0)


def test_what_failed_or_was_lost_tells_nothing() -> None:
    past = Past()
    token = past.hand_in("load", "run1", T)
    past.usual.apply(Started(token), T)
    past.usual.apply(Lost(token, LossCause.SILENT), T + 1)
    past.usual.apply(Ended(token, Outcome.SUCCEEDED), T + 2)
    failed = past.hand_in("load", "run2", T)
    past.usual.apply(Started(failed), T)
    past.usual.apply(Ended(failed, Outcome.FAILED), T + 2)
    assert past.takes("load", "run3") is None


def test_a_planned_start_brings_the_tasks_of_the_run_before() -> None:
    past = Past()
    past.do("load", "run1", T, 60.0)
    past.do("sum", "run1", T + 90, 30.0)
    start_s = T + 86_400
    expected = {DAILY: Expected(DAILY, starts_s=(start_s,))}
    found = list(past.usual.coming(expected, start_s - 600, start_s + 3_600))
    assert [(one.at_s, one.takes.mean()) for one in found] == [
        (start_s, 67.5),
        (start_s + 90, 33.75),
    ]
    assert not list(past.usual.coming({}, start_s - 600, start_s + 3_600))


def test_of_a_run_that_has_begun_the_rest_is_to_come() -> None:
    past = Past()
    past.do("load", "run1", T, 60.0)
    past.do("sum", "run1", T + 90, 30.0)
    begun_s = T + 86_400
    past.hand_in("load", "run2", begun_s)
    found = list(past.usual.coming({}, begun_s + 10, begun_s + 3_600))
    assert [one.at_s for one in found] == [begun_s + 90]
    assert not list(past.usual.coming({}, begun_s + 7_200, begun_s + 9_999)), "it did not come"


def test_backfills_tell_nothing_of_the_runs_to_come() -> None:
    past = Past()
    past.hand_in("load", "run1", T, SlaClass.BACKFILL)
    expected = {DAILY: Expected(DAILY, starts_s=(T + 600,))}
    assert not list(past.usual.coming(expected, T, T + 3_600))


def test_a_task_that_runs_did_not_have_for_a_while_is_not_waited_for() -> None:
    past = Past()
    past.do("old", "run0", T, 60.0)
    for day in range(1, 5):
        past.do("load", f"run{day}", T + day * 86_400, 60.0)
    start_s = T + 5 * 86_400
    found = list(
        past.usual.coming({DAILY: Expected(DAILY, starts_s=(start_s,))}, start_s, start_s + 9)
    )
    assert len(found) == 1
    past.hand_in("load", "run5", start_s)
    assert not list(past.usual.coming({}, start_s + 1, start_s + 9)), "nor in a run that has begun"


def test_many_runs_at_the_same_time_keep_the_parts_that_come_late() -> None:
    past = Past()
    for hour in range(10):
        past.hand_in("load", f"run{hour}", T + hour * 3_600)
        if hour >= 5:
            past.hand_in("sum", f"run{hour - 5}", T + hour * 3_600 + 60)
    now_s = T + 9 * 3_600 + 120
    found = [one.at_s for one in past.usual.coming({}, now_s, now_s + 6 * 3_600)]
    assert found == [T + hour * 3_600 + 60 for hour in range(10, 15)]


def test_names_that_are_new_in_each_run_do_not_pile_up() -> None:
    past = Past()
    for day in range(50):
        past.do(f"part of {day}", f"run{day}", T + day * 86_400, 60.0)
    assert sum(map(len, past.usual._parts.values())) <= _MISSED_RUNS
