"""Entries of the log in, spans out: one trace for each thing that entered."""

from dataclasses import replace

import pytest

from swarm.model.alerts import Alert, AlertComposed, AlertEnded, Delivery
from swarm.model.causes import asked_cause, cause_no, follows
from swarm.model.connectors import CursorMoved, IntentEnded
from swarm.model.dispatch import Ended, Granted, Lost, Rearmed, Started, Submitted
from swarm.model.graph import FindingChanged
from swarm.model.intents import Act, Carried, Intent
from swarm.model.journal import Entry
from swarm.model.keys import PipelineKey
from swarm.model.sequencing import IntentMade
from swarm.model.work import LossCause, Outcome, Submission, TaskId, Token, WorkerId
from swarm.traces.spans import QUIET_S, Spans, span_id
from tests.unit.alerts.builders import a_finding

T = 1_700_000_000.0
ID = cause_no(T, "a" * 20)
ASKED = asked_cause("key:1", "POST /tasks/x", ID)
TASK = TaskId("t")


class Course:
    """A log that is followed from `T` on, and what is told of it."""

    def __init__(self, began_s=T):
        self.spans = Spans(began_s)
        self.seq = 0

    def heard(self, at_s, record, cause=ASKED, stream="dispatch"):
        self.seq += 1
        self.spans.take(Entry(stream, self.seq, T + at_s, cause, record), T + at_s)

    def told(self, at_s=1_000.0):
        return sorted(self.spans.due(T + at_s), key=lambda one: (one.start_s, one.name))


def submitted(cause=None):
    told = Submission(TASK, "data", "digest", T, pipeline=PipelineKey("air", "close"), run="r1")
    return Submitted(replace(told, cause_id=follows(ASKED) if cause is None else cause))


def ran(course, outcome=Outcome.SUCCEEDED):
    """A task that is lost once."""
    course.heard(0.1, submitted())
    course.heard(1, Granted(Token(TASK, 1), WorkerId("v"), 1), follows(ASKED))
    course.heard(2, Started(Token(TASK, 1)), follows(ASKED))
    course.heard(5, Lost(Token(TASK, 1), LossCause.PROCESS_EXIT), "watch:v:" + "b" * 32)
    course.heard(5, Rearmed(Token(TASK, 1)), "watch:v:" + "b" * 32)
    course.heard(6, Granted(Token(TASK, 2), WorkerId("w"), 1), follows(ASKED))
    course.heard(7, Started(Token(TASK, 2)), follows(ASKED))
    course.heard(9, Ended(Token(TASK, 2), outcome), follows(ASKED))


def times(span):
    return span.name, round(span.start_s - T, 3), round(span.end_s - T, 3)


def test_a_request_is_followed_to_the_end_of_its_task():
    course = Course()
    ran(course)
    told = course.told()
    assert [times(one) for one in told] == [
        ("POST /tasks", 0.0, 0.1),
        ("journal dispatch", 0.1, 0.1),
        ("task", 0.1, 9.0),
        ("wait", 0.1, 1.0),
        ("run", 1.0, 5.0),
        ("wait", 5.0, 6.0),
        ("run", 6.0, 9.0),
    ]
    by_name = {one.name: one for one in told}
    root, task = by_name["POST /tasks"], by_name["task"]
    assert {one.trace for one in told} == {ID}
    assert {one.told["swarm.cause_id"] for one in told} == {ID}
    assert (root.parent, root.is_request) == ("", True)
    assert (task.parent, by_name["journal dispatch"].parent) == (root.id, root.id)
    assert {one.parent for one in told if one.name in ("wait", "run")} == {task.id}
    assert len({one.id for one in told}) == len(told)
    first, second = (one for one in told if one.name == "run")
    assert [round(at_s - T) for _, at_s in (*first.moments, *second.moments)] == [2, 7]
    assert (first.told["swarm.worker"], second.told["swarm.worker"]) == ("v", "w")
    assert (first.fault, second.fault, task.fault) == ("lost: process_exit", "", "")
    assert task.told["swarm.pipeline"] == "air/close"
    assert course.told() == [], "each is told once"


def test_a_task_that_failed_says_so():
    course = Course()
    ran(course, Outcome.FAILED)
    faults = {one.name: one.fault for one in course.told()}
    assert (faults["task"], faults["run"]) == ("failed", "failed")


def test_a_task_that_never_ran_waited_to_its_end():
    course = Course()
    course.heard(0, submitted())
    course.heard(4, Ended(Token(TASK, 0), Outcome.CANCELLED), ASKED)
    assert [times(one) for one in course.told() if one.name in ("task", "wait", "run")] == [
        ("task", 0.0, 4.0),
        ("wait", 0.0, 4.0),
    ]


def test_the_root_waits_until_nothing_follows_any_more():
    course = Course()
    course.heard(0, CursorMoved("air", "1"), ID, "connector:air")
    course.heard(QUIET_S - 1, CursorMoved("air", "2"), ID, "connector:air")
    assert [one.name for one in course.told(QUIET_S)] == ["journal connector:air"]
    told = course.told(2 * QUIET_S)
    assert [times(one) for one in told if not one.parent] == [("pass", 0.0, QUIET_S - 1)]
    assert [one.told["swarm.stream"] for one in told if not one.parent] == ["connector:air"]


def test_what_entered_before_this_began_has_no_root_and_what_is_only_a_name_no_trace():
    course = Course(began_s=T + 1)
    course.heard(2, CursorMoved("air", "1"), ID, "connector:air")
    assert [one.name for one in course.told()] == ["journal connector:air"]
    course.heard(3, submitted(cause="settings"), "settings")
    course.heard(4, Ended(Token(TASK, 0), Outcome.CANCELLED), "settings")
    assert course.told() == []


def test_a_finding_and_its_alert_are_in_the_traces_of_what_led_to_them():
    course, other = Course(), cause_no(T, "c" * 20)
    course.heard(1, FindingChanged(a_finding("f")), ID, "graph")
    alert = Alert("a", "chat", T, (), (), (), (ID, "of:x:y:" + other, "alerts"))
    course.heard(31, AlertComposed(alert), ID, "alerts")
    course.heard(33, AlertEnded("a", "chat", Delivery.GIVEN_UP), ID, "alerts")
    told = course.told()
    assert [times(one) for one in told if one.name == "finding stale_read"] == [
        ("finding stale_read", 1.0, 1.0)
    ]
    alerts = [one for one in told if one.name == "alert"]
    assert [times(one)[1:] for one in alerts] == [(31.0, 33.0)] * 2
    assert {one.trace for one in alerts} == {ID, other}
    assert {one.fault for one in alerts} == {"given_up"}
    assert {one.parent for one in alerts} == {span_id(ID), span_id(other)}


def test_a_decision_and_what_came_of_it_are_in_one_trace():
    course = Course()
    intent = Intent(PipelineKey("air", "close"), 1, Act.HOLD, "why", T + 60, cause_id=ID)
    course.heard(1, IntentMade(intent), ID, "sequencing")
    course.heard(2, IntentEnded(intent, Carried.REFUSED, "no"), ID, "connector:air")
    told = {one.name: one for one in course.told()}
    assert told["carried out hold"].fault == "refused"
    assert told["decision hold"].trace == told["carried out hold"].trace == ID


def test_nothing_that_people_wrote_or_that_says_who_is_told():
    course = Course()
    course.heard(0, submitted(), asked_cause("ann@example.org", "POST /tasks", ID))
    course.heard(1, Ended(Token(TASK, 0), Outcome.FAILED, "hunter2"), ASKED)
    intent = Intent(PipelineKey("air", "close"), 1, Act.HOLD, "hunter2", T, by="ann@example.org")
    course.heard(2, IntentMade(intent), ID, "sequencing")
    course.heard(3, IntentEnded(intent, Carried.REFUSED, "hunter2"), ID, "connector:air")
    text = repr(course.told())
    assert "decision hold" in text
    assert "hunter2" not in text
    assert "example.org" not in text


@pytest.mark.parametrize("late_s", [0.0, 50.0])
def test_the_same_again_is_the_same_span(late_s):
    first, again = Course(), Course()
    ran(first)
    ran(again)
    assert {one.id for one in first.told()} == {one.id for one in again.told(1_000 + late_s)}


def test_an_id_that_does_not_tell_the_time_has_no_root():
    """Such are those of a journal from before IDs began with the time."""
    course = Course()
    course.heard(1, CursorMoved("air", "1"), "c0ffee" + "1" * 26, "connector:air")
    (only,) = course.told()
    assert (only.name, only.start_s) == ("journal connector:air", T + 1)
