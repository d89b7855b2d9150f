"""A record of sequencing follows from the newest news about what it names."""

from dataclasses import replace

from swarm.model.graph import FindingChanged, PipelineGone
from swarm.model.intents import Act, Intent
from swarm.model.keys import PipelineKey
from swarm.model.sequencing import (
    FindingMuted,
    FindingRated,
    HistoryKept,
    IntentMade,
    LinkFed,
    SlaDeclined,
)
from swarm.sequencing.whence import Whence
from tests.unit.alerts.builders import READER, WRITER, a_finding
from tests.unit.sequencing.mornings import depends, listed, ran

OTHER = PipelineKey("airflow", "other")


def hold(target, *waits_for):
    return IntentMade(Intent(target, 1, Act.HOLD, "why", 9.0, waits_for=waits_for))


def test_the_newest_news_of_any_that_is_named_counts():
    whence = Whence()
    whence.note(listed(WRITER), "first")
    whence.note(ran(READER, 5.0), "second")
    whence.note(ran(OTHER, 6.0), "third")
    assert whence.of(FindingChanged(a_finding())) == "second"
    whence.note(ran(WRITER, 7.0), "fourth")
    assert whence.of(FindingMuted(a_finding())) == "fourth"
    assert whence.of(hold(OTHER, WRITER)) == "fourth"
    assert whence.of(hold(OTHER)) == "third"


def test_both_ends_of_a_dependency_are_news():
    whence = Whence()
    whence.note(depends(WRITER, READER), "seen")
    assert [whence.of(hold(key)) for key in (WRITER, READER)] == ["seen", "seen"]
    whence.note(PipelineGone(READER), "gone")
    assert [whence.of(hold(key)) for key in (WRITER, READER)] == ["seen", "gone"]


def test_what_was_never_heard_of_has_no_cause():
    whence = Whence()
    assert whence.of(hold(OTHER)) == ""
    whence.note(ran(OTHER, 1.0), "cause")
    assert whence.of(HistoryKept(3)) == ""


def test_a_decision_is_news_of_its_target_alone():
    whence = Whence()
    whence.note(ran(WRITER, 1.0), "old")
    whence.note(hold(READER, WRITER), "asked")
    assert whence.of(hold(READER)) == "asked"
    assert whence.of(hold(WRITER)) == "old"
    whence.note(LinkFed(OTHER, WRITER, 0.0, 0.0), "fed")
    assert (whence.of(hold(OTHER)), whence.of(hold(WRITER))) == ("fed", "old")


def test_what_a_person_said_leads_to_what_becomes_of_it():
    whence, finding = Whence(), a_finding("f")
    whence.note(ran(WRITER, 1.0), "ran")
    whence.note(FindingRated("f", True, "ann"), "rated")
    assert whence.of(FindingChanged(finding)) == "rated"
    assert whence.of(FindingChanged(replace(finding, id="g"))) == "ran"
    whence.note(SlaDeclined(READER, "ann", 2.0), "declined")
    assert whence.of(FindingChanged(finding)) == "declined"
