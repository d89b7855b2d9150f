"""The age of pools of spot, from what the dispatcher journals."""

import pytest

from swarm.model.dispatch import DrainAsked, WorkerGone, WorkerJoined, WorkerKept
from swarm.model.work import NOTICE, CapacityClass, LossCause, Offer, Resources, WorkerId
from swarm.placement.spot_pools import SpotPools
from swarm.placement.survival import Survival

T = 1_000_000.0
DAY_S = 86_400.0


def joined(name: str, capacity: CapacityClass = CapacityClass.SPOT) -> WorkerJoined:
    return WorkerJoined(Offer(WorkerId(name), name, 2, Resources(2.0), capacity=capacity, pool="p"))


def gone(name: str, cause: LossCause = LossCause.NODE_GONE) -> WorkerGone:
    return WorkerGone(WorkerId(name), cause)


@pytest.fixture
def pools() -> SpotPools:
    found = SpotPools()
    found.apply(joined("a"), T)
    found.apply(joined("b"), T + 600.0)
    return found


def test_a_pool_is_as_old_as_its_first_worker(pools: SpotPools) -> None:
    assert pools.age_s("p", T + 900.0) == 900.0
    assert pools.age_s("other", T + 900.0) == 0.0


def test_a_loss_makes_it_young_and_is_learned_from(pools: SpotPools) -> None:
    before = pools.survival.chance("p", 0.0, 600.0)
    pools.apply(gone("a"), T + 700.0)
    assert pools.age_s("p", T + 760.0) == 60.0
    assert pools.survival.chance("p", 0.0, 600.0) > before


def ages_of(count: int) -> SpotPools:
    found = SpotPools()
    for number in range(count):
        found.apply(joined(f"w{number}"), T)
    return found


def test_of_workers_lost_at_once_each_counts_at_the_age_that_the_pool_had() -> None:
    pools, expected = ages_of(4), Survival()
    for number, after_s in enumerate((0.0, 0.0, 40.0)):
        pools.apply(gone(f"w{number}"), T + DAY_S + after_s)
    for from_s, to_s, nodes in ((0.0, DAY_S, 4), (0.0, 40.0, 2)):
        expected.observe("p", from_s, to_s, lost=False, nodes=nodes)
    for _ in range(3):
        expected.observe("p", DAY_S, DAY_S, lost=True)
    for age_s in (0.0, 900.0, DAY_S):
        found = pools.survival.losses("p", age_s, 600.0)
        assert found == pytest.approx(expected.losses("p", age_s, 600.0))
    young = pools.survival.losses("other", 0.0, 600.0)
    assert young < Survival().losses("other", 0.0, 600.0), "nothing young was lost"


def test_what_came_after_the_others_were_lost_is_lost_young() -> None:
    pools = ages_of(2)
    pools.apply(gone("w0"), T + DAY_S)
    pools.apply(joined("new"), T + DAY_S + 10.0)
    before = pools.survival.losses("other", 0.0, 600.0)
    pools.apply(gone("new"), T + DAY_S + 30.0)
    assert pools.survival.losses("other", 0.0, 600.0) > before


def test_what_is_lost_long_after_the_others_is_lost_at_its_own_age() -> None:
    pools = ages_of(2)
    pools.apply(gone("w0"), T + DAY_S)
    before = pools.survival.losses("other", 0.0, 600.0)
    pools.apply(gone("w1"), T + DAY_S + 300.0)
    assert pools.survival.losses("other", 0.0, 600.0) > before


def test_one_of_many_that_is_lost_is_less_of_a_risk_than_one_of_two() -> None:
    few, many = ages_of(2), ages_of(20)
    for pools in (few, many):
        pools.apply(gone("w0"), T + DAY_S)
    assert many.survival.chance("p", DAY_S, 3_600.0) < few.survival.chance("p", DAY_S, 3_600.0)


def test_without_a_loss_it_is_trusted_more_and_more(pools: SpotPools) -> None:
    before = pools.survival.chance("p", 0.0, 600.0)
    pools.age_s("p", T + 7 * DAY_S)
    assert pools.survival.chance("p", 0.0, 600.0) < before


def test_a_node_that_was_drained_first_was_no_loss(pools: SpotPools) -> None:
    pools.apply(DrainAsked(WorkerId("a"), "placement"), T + 650.0)
    pools.apply(gone("a"), T + 700.0)
    assert pools.age_s("p", T + 760.0) == 760.0


@pytest.mark.parametrize("cause", [LossCause.NODE_GONE, LossCause.PROCESS_EXIT])
def test_a_node_that_went_with_notice_was_lost(pools: SpotPools, cause: LossCause) -> None:
    pools.apply(DrainAsked(WorkerId("a"), NOTICE), T + 650.0)
    pools.apply(gone("a", cause), T + 700.0)
    assert pools.age_s("p", T + 760.0) == 60.0


def test_a_process_that_ended_is_no_loss_and_the_pool_is_there_again(pools: SpotPools) -> None:
    for name in "ab":
        pools.apply(gone(name, LossCause.PROCESS_EXIT), T + 700.0)
    pools.apply(joined("c"), T + 710.0)
    assert pools.age_s("p", T + 760.0) == 760.0


def test_a_pool_that_was_empty_for_long_begins_anew(pools: SpotPools) -> None:
    for name in "ab":
        pools.apply(DrainAsked(WorkerId(name), "placement"), T + 650.0)
        pools.apply(gone(name), T + 700.0)
    assert pools.age_s("p", T + 900.0) == 0.0
    pools.apply(joined("c"), T + 3_600.0)
    assert pools.age_s("p", T + 3_700.0) == 100.0


def test_after_a_snapshot_it_is_as_old_as_before(pools: SpotPools) -> None:
    pools.begin()
    pools.apply(joined("a"), T + 610.0)
    assert pools.age_s("p", T + 900.0) == 900.0


@pytest.mark.parametrize(("interrupted", "age_s"), [(False, 760.0), (True, 60.0)])
def test_a_snapshot_tells_who_was_drained_and_why(
    pools: SpotPools, interrupted: bool, age_s: float
) -> None:
    pools.begin()
    for name in "ab":
        pools.apply(WorkerKept(joined(name).offer, name == "a", 0, interrupted), T + 650.0)
    pools.apply(gone("a"), T + 700.0)
    assert pools.age_s("p", T + 760.0) == age_s


def test_dedicated_workers_are_no_pool_of_spot() -> None:
    found = SpotPools()
    found.apply(joined("a", CapacityClass.DEDICATED), T)
    assert found.age_s("p", T + 900.0) == 0.0


def again(pools: SpotPools) -> SpotPools:
    """What is kept of it, in another process."""
    other = SpotPools()
    other.recall(pools.kept())
    other.survival.recall(pools.survival.kept())
    return other


def test_what_is_kept_tells_the_same_age_and_the_same_chance(pools: SpotPools) -> None:
    pools.apply(gone("a"), T + DAY_S)
    kept = again(pools)
    for known in (pools, kept):
        known.apply(joined("b"), T + DAY_S + 30.0, learns=known is pools)
    at_s = T + DAY_S + 3_600.0
    assert kept.age_s("p", at_s) == pools.age_s("p", at_s) == 3_600.0
    assert kept.kept() == pools.kept()
    for name in ("p", "other"):
        for age_s in (0.0, 900.0, DAY_S):
            expected = pools.survival.losses(name, age_s, 600.0)
            assert kept.survival.losses(name, age_s, 600.0) == pytest.approx(expected)


def test_what_was_learned_once_is_only_followed(pools: SpotPools) -> None:
    """The stream is read again from its snapshot on."""
    stream = [(joined("a"), T), (joined("b"), T + 600.0), (gone("a"), T + DAY_S)]
    pools.apply(*stream[-1])
    kept = again(pools)
    for record, at_s in stream:
        kept.apply(record, at_s, learns=False)
    assert kept.survival.kept() == pools.survival.kept()
    kept.apply(gone("b"), T + 2 * DAY_S)
    pools.apply(gone("b"), T + 2 * DAY_S)
    assert kept.survival.kept() == pools.survival.kept()
    assert kept.kept() == pools.kept()


def test_a_clock_that_is_set_makes_no_pool_older_or_younger(pools: SpotPools) -> None:
    for by_s in (DAY_S, -3 * DAY_S):
        before, at_s = pools.survival.kept(), T + 900.0
        assert pools.age_s("p", at_s) == 900.0
        pools.stepped(by_s)
        assert pools.age_s("p", at_s + by_s) == 900.0
        pools.stepped(-by_s)
        hours = sum(pools.survival.kept()[0].hours) - sum(before[0].hours)
        assert hours < 1.0, "the day that was jumped over was not watched"
