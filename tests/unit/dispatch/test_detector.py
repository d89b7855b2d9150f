"""When silence is believed, and when the detector doubts itself."""

from swarm.dispatch.detector import Detector, Patience
from swarm.dispatch.events import Silence
from swarm.model.work import WorkerId

A, B = WorkerId("a"), WorkerId("b")
TICK_S = 0.05


def listening(detector: Detector, until_s: float, *beating: WorkerId, from_s: float = 0.0) -> None:
    """Beats of those that live, and a look, every tick."""
    steps = round((until_s - from_s) / TICK_S)
    for step in range(1, steps + 1):
        now_s = from_s + step * TICK_S
        for worker in beating:
            detector.heard(worker, now_s)
        list(detector.verdicts(now_s))


def test_silence_acts_in_steps() -> None:
    detector = Detector(Patience())
    detector.heard(A, 0.0)
    detector.heard(B, 0.0)
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
        detector.heard(worker, 0.0)
    listening(detector, 1.0, A, B)
    assert list(detector.verdicts(31.0)) == [], "it stood still for 30 s and blames others"
    listening(detector, 31.5, from_s=31.0)
    listening(detector, 31.75, from_s=31.5)
    assert set(detector.verdicts(31.8)) == {Silence(A, False), Silence(B, False)}


def test_it_doubts_itself_when_most_look_late() -> None:
    detector = Detector(Patience())
    many = [WorkerId(f"w{number}") for number in range(10)]
    for worker in many:
        detector.heard(worker, 0.0)
    listening(detector, 1.0, *many[4:])
    assert list(detector.verdicts(1.05)) == [], "four of ten at once: rather its own fault"
    listening(detector, 2.0, *many[2:], from_s=1.05)
    assert {s.worker for s in detector.verdicts(2.05)} == set(many[:2])


def test_doubt_ends_where_the_workers_have_fenced_themselves() -> None:
    detector = Detector(Patience())
    many = [WorkerId(f"w{number}") for number in range(4)]
    for worker in many:
        detector.heard(worker, 0.0)
    listening(detector, 16.1)
    assert set(detector.verdicts(16.15)) == {Silence(worker, True) for worker in many}


def test_late_beats_widen_its_patience() -> None:
    calm, loaded = Detector(Patience()), Detector(Patience())
    for step in range(100):
        calm.heard(A, step * 0.05)
        loaded.heard(A, step * 0.2)
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
            detector.heard(worker, step * 0.05)
    for worker in away:
        detector.heard(worker, 10.0)
    list(detector.verdicts(10.0))
    assert detector.redistribute_s == 0.6
