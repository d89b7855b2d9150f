"""When silence is believed, and when the detector doubts itself."""

import pytest

from swarm.dispatch.detector import Detector, Patience
from swarm.dispatch.events import Silence
from swarm.model.work import Offer, Resources, WorkerId

A, B = WorkerId("a"), WorkerId("b")
TICK_S = 0.05


def listening(detector: Detector, until_s: float, *beating: WorkerId, from_s: float = 0.0) -> None:
    """Beats of those that live, and a look, every tick."""
    steps = round((until_s - from_s) / TICK_S)
    for step in range(1, steps + 1):
        now_s = from_s + step * TICK_S
        for worker in beating:
            detector.beat(worker, now_s)
        list(detector.verdicts(now_s))


def test_silence_acts_in_steps() -> None:
    detector = Detector(Patience())
    detector.beat(A, 0.0)
    detector.beat(B, 0.0)
    listening(detector, 0.25, B)
    assert not detector.suspects(A, 0.25)
    listening(detector, 0.35, B, from_s=0.25)
    assert detector.suspects(A, 0.35)
    assert list(detector.verdicts(0.4)) == []
    listening(detector, 0.65, B, from_s=0.4)
    assert list(detector.verdicts(0.7)) == [Silence(A, fenced=False)]
    listening(detector, 16.1, B, from_s=0.7)
    assert list(detector.verdicts(16.1)) == [Silence(A, fenced=True)]


def test_its_own_stall_is_nobodys_silence() -> None:
    detector = Detector(Patience())
    for worker in (A, B):
        detector.beat(worker, 0.0)
    listening(detector, 1.0, A, B)
    assert list(detector.verdicts(11.0)) == [], "it stood still for 10 s and blames others"
    listening(detector, 11.5, from_s=11.0)
    listening(detector, 11.75, from_s=11.5)
    assert set(detector.verdicts(11.8)) == {Silence(A, False), Silence(B, False)}


def test_who_had_no_answer_has_fenced_itself_however_often_it_stood_still() -> None:
    detector = Detector(Patience())
    for worker in (A, B):
        detector.beat(worker, 0.0)
    for step in range(1, 54):  # on a machine that gives it no more than three looks in a second
        assert list(detector.verdicts(step * 0.3)) == []
        detector.deaf(A)
        detector.beat(B, step * 0.3)
    assert list(detector.verdicts(16.1)) == [Silence(A, fenced=True)]


def test_it_doubts_itself_when_most_look_late() -> None:
    detector = Detector(Patience())
    many = [WorkerId(f"w{number}") for number in range(10)]
    for worker in many:
        detector.beat(worker, 0.0)
    listening(detector, 1.0, *many[4:])
    assert list(detector.verdicts(1.05)) == [], "four of ten at once: rather its own fault"
    listening(detector, 2.0, *many[2:], from_s=1.05)
    assert {s.worker for s in detector.verdicts(2.05)} == set(many[:2])


def test_doubt_ends_where_the_workers_have_fenced_themselves() -> None:
    detector = Detector(Patience())
    many = [WorkerId(f"w{number}") for number in range(4)]
    for worker in many:
        detector.beat(worker, 0.0)
    listening(detector, 16.1)
    assert set(detector.verdicts(16.15)) == {Silence(worker, True) for worker in many}


def test_one_that_it_took_for_gone_before_is_no_reason_to_doubt_the_next() -> None:
    detector = Detector(Patience())
    many = [WorkerId(f"w{number}") for number in range(5)]
    for worker in many:
        detector.beat(worker, 0.0)
    listening(detector, 1.0, *many[1:])
    assert {s.worker for s in detector.verdicts(1.05)} == {many[0]}
    listening(detector, 2.0, *many[2:], from_s=1.05)
    assert list(detector.verdicts(2.05)) == [], "both at once may be its own fault"
    listening(detector, 6.0, *many[1:], from_s=2.05)
    listening(detector, 7.0, *many[2:], from_s=6.0)
    assert {s.worker for s in detector.verdicts(7.05)} == set(many[:2])


def test_late_beats_widen_its_patience() -> None:
    calm, loaded = Detector(Patience()), Detector(Patience())
    for step in range(100):
        calm.beat(A, step * 0.05)
        loaded.beat(A, step * 0.2)
    list(calm.verdicts(5.0))
    list(loaded.verdicts(20.0))
    assert calm.redistribute_s == 0.6
    assert loaded.gap_tail_s > 0.19
    assert loaded.redistribute_s > 1.5


def test_workers_that_return_do_not_widen_it() -> None:
    detector = Detector(Patience())
    away = [WorkerId(f"w{number}") for number in range(3)]
    for worker in (A, *away):
        for step in range(50):
            detector.beat(worker, step * 0.05)
    for worker in away:
        detector.beat(worker, 10.0)
    list(detector.verdicts(10.0))
    assert detector.redistribute_s == 0.6


def test_a_worker_whose_beats_do_not_pass_gets_more_time() -> None:
    detector = Detector(Patience())
    detector.renewed(A, 0.0)
    detector.beat(B, 0.0)
    listening(detector, 2.9, B)
    assert detector.detection(2.9).without_beats == (A,)
    assert not detector.suspects(A, 2.9)
    listening(detector, 5.9, B, from_s=2.9)
    assert list(detector.verdicts(5.9)) == []
    listening(detector, 6.05, B, from_s=5.9)
    assert list(detector.verdicts(6.1)) == [Silence(A, fenced=False)]


def test_renewals_take_over_from_beats_that_ceased_to_pass() -> None:
    detector = Detector(Patience())
    detector.beat(A, 0.0)
    for step in range(1, 60):
        detector.renewed(A, step * 0.1)
        assert list(detector.verdicts(step * 0.1)) == []
    for second in range(6, 12):
        assert list(detector.verdicts(second - 0.05)) == []
        detector.renewed(A, float(second))
        list(detector.verdicts(float(second)))
    assert detector.detection(11.0).without_beats == (A,)
    assert detector.detection(11.0).false_alarms == 0


def test_a_late_worker_was_a_false_alarm_and_a_cut_off_one_was_not() -> None:
    detector = Detector(Patience())
    for worker in (A, B):
        detector.beat(worker, 0.0)
    listening(detector, 1.0)
    detector.deaf(B)
    listening(detector, 1.1, A, B, from_s=1.0)
    told = detector.detection(1.1)
    assert (told.false_alarms, told.cut_off) == (1, 1)
    assert told.gap_p99_s > 1.0, "of the late one"
    assert told.watched_s == pytest.approx(2.1)
    listening(detector, 2.0, A, B, from_s=1.1)
    assert detector.detection(2.0).false_alarms == 1


def test_beats_that_a_host_kept_while_its_link_was_cut_do_not_look_late() -> None:
    detector = Detector(Patience())
    for worker in (A, B):
        detector.beat(worker, 0.0)
    listening(detector, 2.0, A)
    for number in range(5):  # what left first was not without an echo for long
        detector.beat(B, 2.0 + number * 1e-5)
    for _ in range(15):
        detector.deaf(B)
    listening(detector, 2.2, A, B, from_s=2.0)
    told = detector.detection(2.2)
    assert (told.false_alarms, told.cut_off) == (0, 1)
    assert told.gap_p99_s < 0.1


def test_a_renewal_before_the_first_beat_does_not_make_a_cut_a_false_alarm() -> None:
    detector = Detector(Patience())
    for worker in (A, B):
        detector.beat(worker, 0.0)
    listening(detector, 5.0, A)
    detector.renewed(B, 5.0)
    detector.renewed(B, 5.05)
    detector.deaf(B)
    listening(detector, 5.2, B, from_s=5.05)
    told = detector.detection(5.2)
    assert (told.false_alarms, told.cut_off) == (0, 1)
    assert told.gap_p99_s < 1.0, "how long a link was cut says nothing of how late beats get"


def test_links_that_are_cut_often_do_not_widen_it() -> None:
    detector = Detector(Patience())
    for round_ in range(20):
        listening(detector, round_ * 3 + 2.0, A, B, from_s=round_ * 3.0)
        listening(detector, round_ * 3 + 3.0, B, from_s=round_ * 3 + 2.0)
        detector.deaf(A)
    listening(detector, 60.1, A, B, from_s=60.0)
    assert detector.detection(60.1).cut_off == 20
    assert detector.redistribute_s == 0.6


def test_the_time_in_which_its_own_host_stood_still_does_not_widen_it() -> None:
    """Then the kernel stamps late too, and all beats look late."""
    detector = Detector(Patience())
    for worker in (A, B):
        detector.beat(worker, 0.0)
    for round_ in range(10):
        listening(detector, round_ * 3 + 1.0, A, B, from_s=round_ * 3.0)
        for worker in (A, B):
            detector.beat(worker, round_ * 3 + 1.5)
        list(detector.verdicts(round_ * 3 + 1.5))
        listening(detector, round_ * 3 + 3.0, A, B, from_s=round_ * 3 + 1.5)
    assert detector.gap_tail_s < 0.1
    assert detector.detection(30.0).stalled_s == pytest.approx(5.0)


def test_what_is_cut_for_less_than_its_patience_does_not_widen_it() -> None:
    detector = Detector(Patience(redistribute_s=2.0))
    for round_ in range(10):
        listening(detector, round_ * 3 + 2.0, A, B, from_s=round_ * 3.0)
        listening(detector, round_ * 3 + 3.0, B, from_s=round_ * 3 + 2.0)
        detector.deaf(A)
    listening(detector, 30.1, A, B, from_s=30.0)
    assert detector.gap_tail_s < 0.1


def test_who_renews_seldom_gets_as_much_more_time() -> None:
    detector = Detector(Patience(self_fence_s=60.0))
    detector.expect(Offer(A, "there", 1, Resources(), renew_s=3.0, fence_s=15.0))
    detector.renewed(A, 0.0)
    listening(detector, 8.9)
    assert not detector.suspects(A, 8.9)
    listening(detector, 9.1, from_s=8.9)
    assert detector.suspects(A, 9.1)
    listening(detector, 14.9, from_s=9.1)
    assert list(detector.verdicts(14.9)) == []
    listening(detector, 15.5, from_s=14.9)
    assert list(detector.verdicts(15.5)) == [Silence(A, fenced=False)]
    listening(detector, 16.0, from_s=15.5)
    assert list(detector.verdicts(16.05)) == [Silence(A, fenced=True)]
