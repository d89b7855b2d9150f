"""What whoever rents nodes promises, whoever it is."""

from collections import Counter

import pytest

from swarm.errors import CapacityError
from tests.contract.capacity.conftest import Bench

LEASE_S = 120.0


def stands(bench: Bench) -> Counter[str]:
    return Counter(one.offering for one in bench.pool.nodes() if one.joined)


def here(bench: Bench, **counts: int) -> bool:
    """Do these stand, and does nothing boot?"""
    return stands(bench) == counts and all(one.joined for one in bench.pool.nodes())


def released(bench: Bench, node: str) -> None:
    """Asked for until it is taken: one that joined just now may still be at work."""
    bench.until(lambda: bench.pool.release(node) is None)


def test_offerings_have_one_name_each_and_the_cheapest_comes_first(bench: Bench) -> None:
    offerings = bench.pool.offerings()
    assert len({one.name for one in offerings}) == len(offerings)
    prices = [one.price_usd_per_h for one in offerings]
    assert prices == sorted(prices)


def test_what_stands_is_of_what_is_offered_and_no_more_than_can_be_had(bench: Bench) -> None:
    offerings = {one.name: one for one in bench.pool.offerings()}
    for name, count in Counter(one.offering for one in bench.pool.nodes()).items():
        most = offerings[name].most
        assert most is None or count <= most


def test_an_unknown_offering_is_named(bench: Bench) -> None:
    with pytest.raises(CapacityError, match="gigantic"):
        bench.pool.want({"gigantic": 1}, LEASE_S)


def test_less_than_nothing_cannot_be_wanted(bench: Bench) -> None:
    with pytest.raises(CapacityError, match="-1"):
        bench.pool.want({"dedicated": -1}, LEASE_S)


def test_releasing_what_is_not_there_is_done(bench: Bench) -> None:
    before = bench.pool.nodes()
    bench.pool.release("nobody")
    assert bench.pool.nodes() == before


def test_a_fixed_pool_says_so_and_stays_whatever_is_wanted(fixed: Bench) -> None:
    assert fixed.pool.fixed
    before = fixed.pool.nodes()
    fixed.pool.want({"dedicated": 0}, LEASE_S)
    fixed.pool.release(before[0].node)
    assert fixed.pool.nodes() == before


def test_what_is_wanted_boots_and_then_joins(renting: Bench) -> None:
    renting.pool.want({"spot": 1, "dedicated": 2}, LEASE_S)
    renting.until(lambda: stands(renting) == {"spot": 1, "dedicated": 2})


def test_wanting_the_same_again_orders_nothing_more(renting: Bench) -> None:
    renting.pool.want({"dedicated": 1}, LEASE_S)
    renting.until(lambda: here(renting, dedicated=1))
    before = {one.node for one in renting.pool.nodes()}
    renting.pool.want({"dedicated": 1}, LEASE_S)
    renting.passes(10.0)
    assert {one.node for one in renting.pool.nodes()} == before


def test_while_it_is_wanted_what_went_is_replaced(renting: Bench) -> None:
    renting.pool.want({"dedicated": 1}, LEASE_S)
    renting.until(lambda: here(renting, dedicated=1))
    lost = renting.pool.nodes()[0].node
    released(renting, lost)
    renting.pool.want({"dedicated": 1}, LEASE_S)
    renting.until(lambda: lost not in {one.node for one in renting.pool.nodes()})
    renting.until(lambda: here(renting, dedicated=1))


def test_who_is_released_goes_and_nobody_comes_for_it(renting: Bench) -> None:
    renting.pool.want({"dedicated": 2}, LEASE_S)
    renting.until(lambda: here(renting, dedicated=2))
    first, second = (one.node for one in renting.pool.nodes())
    renting.pool.want({"dedicated": 1}, LEASE_S)
    released(renting, first)
    released(renting, first)
    renting.until(lambda: [one.node for one in renting.pool.nodes()] == [second])
    renting.passes(LEASE_S / 2)
    assert [one.node for one in renting.pool.nodes()] == [second]


def test_less_wanted_ends_nobody(renting: Bench) -> None:
    renting.pool.want({"dedicated": 2}, LEASE_S)
    renting.until(lambda: here(renting, dedicated=2))
    renting.pool.want({"dedicated": 1}, LEASE_S)
    renting.passes(10.0)
    assert stands(renting) == {"dedicated": 2}


def test_a_lease_that_runs_out_orders_nothing_more(renting: Bench) -> None:
    renting.pool.want({"dedicated": 1}, LEASE_S)
    renting.until(lambda: here(renting, dedicated=1))
    renting.passes(LEASE_S)
    released(renting, renting.pool.nodes()[0].node)
    renting.until(lambda: not renting.pool.nodes())
    renting.passes(LEASE_S)
    assert not renting.pool.nodes()
