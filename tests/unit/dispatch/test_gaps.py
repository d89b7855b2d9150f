"""Which gaps are told, and that old ones are forgotten."""

import random

import pytest

from swarm.dispatch.gaps import BOUNDS_S, Gaps


def test_without_gaps_there_is_none() -> None:
    assert Gaps().share_s(0.999) == 0.0


@pytest.mark.parametrize("share", [0.5, 0.99, 0.999])
def test_a_share_is_told_up_to_a_tenth_more(share: float) -> None:
    pick = random.Random(1)
    gaps, every_s = Gaps(), [pick.lognormvariate(-2.3, 0.5) for _ in range(5_000)]
    for gap_s in every_s:
        gaps.add(gap_s, 0.0)
    exact_s = sorted(every_s)[int(share * (len(every_s) - 1))]
    assert exact_s <= gaps.share_s(share) <= exact_s * 1.1


def test_the_longest_may_be_left_out() -> None:
    gaps = Gaps()
    for gap_s in (0.1, 0.1, 9.0, 9.0):
        gaps.add(gap_s, 0.0)
    assert gaps.share_s(1.0) > 9.0
    assert gaps.share_s(1.0, without=2) < 0.2


def test_what_was_long_ago_is_forgotten() -> None:
    gaps = Gaps()
    gaps.add(5.0, 0.0)
    for second in range(1, 130):
        gaps.add(0.1, float(second))
    assert gaps.share_s(1.0) < 0.2


def test_no_gap_is_too_long() -> None:
    gaps = Gaps()
    gaps.add(10_000.0, 0.0)
    assert gaps.share_s(1.0) == BOUNDS_S[-1]
