"""The age of pools of spot, from what the dispatcher journals."""

import pytest

from swarm.model.dispatch import DrainAsked, WorkerGone, WorkerJoined, WorkerKept
from swarm.model.work import NOTICE, CapacityClass, LossCause, Offer, Resources, WorkerId
from swarm.placement.spot_pools import SpotPools

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
