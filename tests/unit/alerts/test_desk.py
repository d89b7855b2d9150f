"""Each target is told of a finding once, and once that it has closed, and of nothing else."""

from dataclasses import replace

import pytest

from swarm.alerts.desk import LINES_MAX, Desk, Target
from swarm.alerts.quiet import Quiet
from swarm.model.alerts import AlertComposed, AlertEnded, Delivery, Told
from swarm.model.findings import FindingKind, Mute
from swarm.model.lineage import Level
from swarm.model.sequencing import FindingMuted
from tests.unit.alerts.builders import READER, WRITER, a_finding, changed, closed

GROUP_S = 30.0
HOUR_S = 3600.0


class Course:
    """A desk, and what it decides as time passes."""

    def __init__(self, *targets, **said):
        self._make = lambda: Desk(targets or (Target("chat"),), GROUP_S, **said)
        self.desk = self._make()
        self.seq = 0

    def hear(self, finding, cause=""):
        self.seq += 1
        for record in self.desk.hear(changed(finding), self.seq, cause):
            self.desk.apply(record)

    def composed(self, now_s):
        """The alerts that are due; they are under way from then on."""
        records = self.desk.decide(now_s)
        for record in records:
            self.desk.apply(record)
        return [record.alert for record in records if isinstance(record, AlertComposed)]

    def sent(self, now_s):
        """As `composed`, and all of them arrive."""
        alerts = self.composed(now_s)
        for alert in alerts:
            self.desk.apply(AlertEnded(alert.id, alert.target, Delivery.SENT))
        return alerts

    def restarted(self):
        again = self._make()
        for record in self.desk.records():
            again.apply(record)
        self.desk = again


def told(alerts):
    return [([o.finding for o in a.opened], [c.finding for c in a.closed]) for a in alerts]


def test_a_finding_is_told_once_and_its_end_once():
    course = Course()
    course.hear(a_finding(at_s=100))
    assert told(course.sent(130)) == [(["f1"], [])]
    course.hear(a_finding(at_s=100, changed_at_s=150, level=Level.GATE))
    assert course.sent(500) == []
    course.hear(closed(a_finding(at_s=100), 600))
    assert told(course.sent(630)) == [([], ["f1"])]
    assert course.sent(9_000) == []
    assert list(course.desk.open) == []


def test_what_comes_within_the_window_is_one_alert():
    course = Course()
    course.hear(a_finding("f1", 100))
    course.hear(a_finding("f2", 129))
    assert course.sent(129.9) == []
    assert told(course.sent(130)) == [(["f1", "f2"], [])]


def muted(until_s=None, **said):
    return a_finding(at_s=100, mute=Mute("ann", until_s), **said)


def test_what_a_person_muted_is_told_when_that_is_over_and_it_still_holds():
    course = Course()
    course.hear(a_finding(at_s=100))
    course.hear(muted(until_s=500.0))
    assert course.sent(130) == []
    course.restarted()
    assert course.sent(499.9) == []
    assert told(course.sent(500)) == [(["f1"], [])]
    course.hear(muted())
    assert course.sent(900) == [], "it is told already"


def test_what_a_person_muted_is_never_told_where_it_closes_meanwhile():
    course = Course()
    course.hear(muted())
    course.hear(closed(muted(), 200))
    assert course.sent(9_000) == []


def test_an_end_is_told_to_whom_it_was_told_before_it_was_muted():
    course = Course()
    course.hear(a_finding(at_s=100))
    course.sent(130)
    course.hear(muted())
    course.hear(closed(muted(), 200))
    assert told(course.sent(230)) == [([], ["f1"])]


def test_who_takes_the_mute_back_is_told_at_once():
    course = Course()
    course.hear(muted())
    assert course.sent(200) == []
    course.hear(a_finding(at_s=100, changed_at_s=300))
    assert told(course.sent(300)) == [(["f1"], [])]


def test_what_closes_before_it_was_told_is_never_told():
    course = Course()
    course.hear(a_finding(at_s=100))
    course.hear(closed(a_finding(at_s=100), 120))
    assert course.sent(1_000) == []


def test_what_opens_again_before_its_end_was_told_goes_on():
    course = Course()
    course.hear(a_finding(at_s=100))
    (first,) = course.sent(130)
    course.hear(closed(a_finding(at_s=100), 200))
    course.hear(a_finding(at_s=210))
    assert course.sent(1_000) == []
    course.hear(closed(a_finding(at_s=210), 2_000))
    (last,) = course.sent(2_030)
    assert last.closed == first.opened, "its receiver knows it by the key it was opened with"


def test_what_was_told_and_opens_later_is_told_anew_under_another_key():
    course = Course()
    for at_s in (100.0, 1_000.0):
        course.hear(a_finding(at_s=at_s))
        (alert,) = course.sent(at_s + GROUP_S)
        assert alert.opened == (Told("f1", at_s),)
        course.hear(closed(a_finding(at_s=at_s), at_s + 100))
        course.sent(at_s + 200)


def test_what_comes_while_one_is_under_way_gathers_for_the_next():
    course = Course()
    course.hear(a_finding("f1", 100))
    (under_way,) = course.composed(130)
    course.hear(a_finding("f2", 200))
    course.hear(a_finding("f3", 300))
    assert course.composed(9_000) == []
    assert course.desk.under_way == (under_way,)
    course.desk.apply(AlertEnded(under_way.id, "chat", Delivery.SENT))
    assert told(course.composed(9_001)) == [(["f2", "f3"], [])]


def test_what_was_given_up_is_not_told_again():
    course = Course()
    course.hear(a_finding(at_s=100))
    (alert,) = course.composed(130)
    course.desk.apply(AlertEnded(alert.id, "chat", Delivery.GIVEN_UP, "no answer"))
    assert course.composed(9_000) == []


def test_a_target_out_of_reach_does_not_stop_the_others():
    course = Course(Target("chat"), Target("mail"))
    course.hear(a_finding("f1", 100))
    chat, mail = course.composed(130)
    course.desk.apply(AlertEnded(mail.id, "mail", Delivery.SENT))
    course.hear(a_finding("f2", 200))
    (next_one,) = course.composed(230)
    assert (chat.target, next_one.target) == ("chat", "mail")


def test_incidents_are_kept_apart():
    course = Course(Target("pager", apart=True))
    course.hear(a_finding("f1", 100))
    course.hear(a_finding("f2", 101))
    alerts = course.sent(130)
    assert told(alerts) == [(["f1"], []), (["f2"], [])]
    assert len({alert.id for alert in alerts}) == 2


def test_a_long_list_is_cut_and_says_so():
    course = Course()
    for number in range(LINES_MAX + 5):
        course.hear(a_finding(f"f{number:02}", 100))
    (alert,) = course.sent(130)
    assert len(alert.opened) == LINES_MAX + 5
    assert (len(alert.lines), alert.left_out) == (LINES_MAX, 5)


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        (Target("t", at_least=Level.GATE), ["sure"]),
        (Target("t", at_least=Level.SHOW), ["seen", "sure", "warned"]),
        (Target("t", kinds=frozenset({FindingKind.RACE})), ["sure"]),
        (Target("t", match=("dagster/*",)), ["warned"]),
        (Target("t", match=("prefect/*",)), []),
    ],
)
def test_a_target_is_told_of_what_it_wants(target, wanted):
    course = Course(target)
    course.hear(a_finding("seen", level=Level.SHOW, pipelines=(WRITER,)))
    course.hear(a_finding("warned", level=Level.WARN, pipelines=(WRITER, READER)))
    course.hear(a_finding("sure", level=Level.GATE, pipelines=(WRITER,), kind=FindingKind.RACE))
    alerts = course.sent(1_000)
    assert sorted(one.finding for alert in alerts for one in alert.opened) == wanted


def test_what_becomes_surer_is_told_then():
    course = Course()
    course.hear(a_finding(at_s=100, level=Level.SHOW))
    assert course.sent(1_000) == []
    course.hear(a_finding(at_s=100, changed_at_s=2_000, level=Level.WARN))
    assert told(course.sent(2_030)) == [(["f1"], [])]


def test_pipelines_that_are_only_observed_are_not_told_of():
    course = Course(is_told=lambda key: key.orchestrator != "airflow")
    course.hear(a_finding("both", pipelines=(WRITER, READER)))
    course.hear(a_finding("observed", pipelines=(WRITER,)))
    assert told(course.sent(1_000)) == [(["both"], [])]


def test_a_muted_finding_is_not_told():
    course = Course()
    assert course.desk.hear(FindingMuted(a_finding()), 1) == []


def test_nobody_is_told_of_an_end_who_does_not_want_to():
    course = Course(Target("chat", tells_closed=False))
    for at_s in (100.0, 1_000.0):
        course.hear(a_finding(at_s=at_s))
        assert told(course.sent(at_s + GROUP_S)) == [(["f1"], [])]
        course.hear(closed(a_finding(at_s=at_s), at_s + 200))
        assert course.sent(at_s + 300) == []


NIGHT = Quiet(22 * HOUR_S, 6 * HOUR_S)


def test_quiet_hours_let_all_wait_for_their_end():
    course = Course(Target("chat", quiet=(NIGHT,)))
    course.hear(a_finding("evening", 21 * HOUR_S))
    assert told(course.sent(21 * HOUR_S + GROUP_S)) == [(["evening"], [])]
    course.hear(a_finding("night", 23 * HOUR_S))
    course.hear(a_finding("passing", 23 * HOUR_S))
    course.hear(closed(a_finding("passing", 23 * HOUR_S), 25 * HOUR_S))
    course.hear(closed(a_finding("evening", 21 * HOUR_S), 26 * HOUR_S))
    assert course.sent(30 * HOUR_S - 1) == []
    assert told(course.sent(30 * HOUR_S)) == [(["night"], ["evening"])]


@pytest.mark.parametrize(("passes", "alerts"), [(True, [(["sla"], [])]), (False, [])])
def test_an_sla_at_risk_passes_quiet_hours_where_it_may(passes, alerts):
    course = Course(Target("chat", quiet=(NIGHT,), urgent_passes=passes))
    course.hear(a_finding("other", 23 * HOUR_S))
    course.hear(a_finding("sla", 23 * HOUR_S, kind=FindingKind.SLA_AT_RISK))
    assert told(course.sent(24 * HOUR_S)) == alerts


def test_a_restart_forgets_and_repeats_nothing():
    course = Course(Target("chat"), Target("mail"))
    course.hear(a_finding("told", 100))
    course.sent(130)
    course.hear(a_finding("composed", 200))
    under_way = course.composed(230)
    course.hear(a_finding("waiting", 300))
    course.hear(closed(a_finding("told", 100), 310))
    course.restarted()
    assert course.desk.seq == 4
    assert course.desk.under_way == tuple(under_way)
    for alert in under_way:
        course.desk.apply(AlertEnded(alert.id, alert.target, Delivery.SENT))
    assert told(course.sent(400)) == [(["waiting"], ["told"])] * 2
    assert course.sent(9_000) == []


def test_what_was_over_at_a_restart_is_told_when_it_opens_again():
    course = Course(Target("chat", tells_closed=False))
    course.hear(a_finding(at_s=100))
    (under_way,) = course.composed(130)
    course.hear(closed(a_finding(at_s=100), 200))
    course.restarted()
    course.desk.apply(AlertEnded(under_way.id, "chat", Delivery.SENT))
    course.hear(a_finding(at_s=1_000))
    assert told(course.sent(1_000 + GROUP_S)) == [(["f1"], [])]


def test_what_is_under_way_to_a_target_that_is_gone_ends():
    course = Course(Target("chat"))
    course.hear(a_finding())
    (alert,) = course.composed(1_000)
    records = list(course.desk.records())
    later = Course(Target("mail"))
    for record in records:
        later.desk.apply(record)
    (ended, composed) = later.desk.decide(2_000)
    assert (ended.alert, ended.outcome) == (alert.id, Delivery.GIVEN_UP)
    assert composed.alert.target == "mail"


def test_the_same_again_is_no_news():
    course = Course()
    course.hear(a_finding())
    assert course.desk.hear(changed(a_finding()), 9) == []
    assert course.desk.hear(changed(replace(a_finding(), level=Level.GATE)), 9) != []


def test_an_alert_says_what_led_to_what_it_tells_also_after_a_restart():
    course = Course()
    for name, cause in (("f1", "one"), ("f2", "two"), ("f3", "one"), ("f4", "")):
        course.hear(a_finding(name, 100), cause)
    course.restarted()
    (alert,) = course.sent(200)
    assert alert.causes == ("one", "two")
    course.hear(closed(a_finding("f2", 100), 300), "three")
    assert [one.causes for one in course.sent(400)] == [("three",)]
