"""How long a run goes on that has outlasted those of its own pipeline."""

from random import Random
from statistics import median

from swarm.sequencing.tail import KEPT, Tail

USUAL = [100.0] * 20


def drawn(tail: Tail, durations: list[float], elapsed_s: float) -> list[float]:
    random = Random(1)
    return sorted(tail.longer_s(durations, elapsed_s, random) for _ in range(400))


def test_its_own_longer_runs_tell_where_there_are_enough() -> None:
    tail = Tail()
    tail.see(900.0, 100.0)
    assert set(drawn(tail, [100.0, 200.0, 210.0, 220.0, 230.0, 240.0], 150.0)) == {
        200.0,
        210.0,
        220.0,
        230.0,
        240.0,
    }


def test_else_those_of_all_pipelines_do_in_its_own_scale() -> None:
    tail = Tail()
    for took_s in (20.0, 22.0, 24.0, 26.0, 28.0):
        tail.see(took_s, 10.0)  # of a pipeline ten times as quick
    assert set(map(round, drawn(tail, USUAL, 150.0))) == {200, 220, 240, 260, 280}


def test_beyond_all_it_goes_on_as_long_again_as_likely_as_not() -> None:
    found = drawn(Tail(), USUAL, 150.0)
    assert found[0] >= 150.0
    assert 250.0 < median(found) < 350.0


def test_only_the_newest_are_kept() -> None:
    tail = Tail()
    for _ in range(10):
        tail.see(1_000.0, 10.0)
    for _ in range(KEPT):
        tail.see(20.0, 10.0)
    assert set(drawn(tail, USUAL, 150.0)) == {200.0}


def test_a_shorter_run_is_no_tail() -> None:
    tail = Tail()
    for _ in range(10):
        tail.see(9.0, 10.0)
        tail.see(5.0, 0.0)
    assert drawn(tail, USUAL, 50.0) == [100.0] * 400
