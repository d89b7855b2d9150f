"""Which record of a stream is to blame for that its replay never ends."""

from pathlib import Path

from swarm.store.trail import Standing, Trail, standing


def dies_at(folder: Path, seq: int) -> int:
    """A replay that ends with its process; the record that it was told to stop before."""
    with Trail(folder, "dispatch") as trail:
        before = trail.begin()
        trail.at(seq)
    return before


def test_a_record_is_blamed_after_three_deaths(tmp_path: Path) -> None:
    assert [dies_at(tmp_path, 7) for _ in range(3)] == [0, 0, 0]
    assert list(standing(tmp_path)) == []
    with Trail(tmp_path, "dispatch") as trail:
        assert trail.begin() == 7
    (stands,) = standing(tmp_path)
    assert stands == Standing("dispatch", 7, "the process that took it in died")
    assert dies_at(tmp_path, 7) == 0, "the next start tries once more"
    with Trail(tmp_path, "dispatch") as trail:
        assert trail.begin() == 7


def test_deaths_elsewhere_blame_nothing(tmp_path: Path) -> None:
    assert [dies_at(tmp_path, seq) for seq in (7, 8, 0, 7, 9, 7, 7)] == [0] * 7


def test_a_replay_that_ends_forgives(tmp_path: Path) -> None:
    for _ in range(3):
        dies_at(tmp_path, 7)
    with Trail(tmp_path, "connector:a/b") as other:
        assert other.begin() == 0
    with Trail(tmp_path, "dispatch") as trail:
        trail.begin()
        trail.fault(7, "it is damaged")
        assert [stands.why for stands in standing(tmp_path)] == ["it is damaged"]
        trail.done()
    assert list(standing(tmp_path)) == []
    assert dies_at(tmp_path, 7) == 0
