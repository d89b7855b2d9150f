"""The course of the last minutes says what was there, and sums up to what the receipt bills."""

import random

import pytest

from swarm.model.work import CapacityClass
from swarm.placement.metering import HOUR_S, Spent, Stay, Use, meter
from swarm.placement.minutes import Held, Minute, course
from swarm.placement.prices import PoolPrice, PriceBook
from swarm.placement.receipts import receipt

BEGIN_S = 480_000 * HOUR_S
SPOT, SURE = CapacityClass.SPOT, CapacityClass.DEDICATED
BOOK = PriceBook(
    {
        "cheap": PoolPrice("m5.large", "us-east-1", spot_usd_per_h=0.024),
        "sure": PoolPrice("m5.large", "us-east-1"),
    }
)


def stay(node, pool, capacity, from_min, until_min, slots=4):
    return Stay(node, pool, capacity, slots, BEGIN_S + from_min * 60, BEGIN_S + until_min * 60)


def held(slots, from_min, until_min):
    return Held(slots, BEGIN_S + from_min * 60, BEGIN_S + until_min * 60)


def minutes(there, uses, steps):
    return course(there, uses, BOOK.of, BEGIN_S, steps)


def test_a_minute_says_its_mean():
    nodes = [stay("a", "cheap", SPOT, -9, 1.5), stay("b", "sure", SURE, 1, 3)]
    found = minutes(nodes, [held(2, -5, 0.5), held(3, 1, 9)], 4)
    assert found == [
        Minute(BEGIN_S, 1, 4, 1, pytest.approx(0.024), 0),
        Minute(BEGIN_S + 60, 1.5, 6, 3, pytest.approx(0.096 + 0.012), 0),
        Minute(BEGIN_S + 120, 1, 4, 3, pytest.approx(0.096), 0),
        Minute(BEGIN_S + 180, 0, 0, 0, 0, 0),  # nobody is there to hold a slot of
    ]


def test_nodes_without_a_price_are_told_apart():
    (found,) = minutes([stay("a", "new", SURE, 0, 1), stay("b", "sure", SURE, 0, 0.5)], [], 1)
    assert (found.nodes, found.unpriced) == (1.5, 1.0)
    assert found.usd_per_h == pytest.approx(0.048)


def test_more_than_there_is_is_not_held():
    (found,) = minutes([stay("a", "sure", SURE, 0, 1)], [held(9, 0, 1)], 1)
    assert found.held == found.slots == 4


@pytest.mark.parametrize("seed", range(20))
def test_an_hour_of_it_is_what_the_receipt_bills(seed):
    dice = random.Random(seed)
    nodes, uses = [], []
    for number in range(6):
        from_min = dice.uniform(0, 40)
        pool, capacity = dice.choice((("cheap", SPOT), ("sure", SURE)))
        one = stay(f"n{number}", pool, capacity, from_min, dice.uniform(from_min, 60))
        nodes.append(one)
        for _ in range(one.slots):
            begun_s, ended_s = sorted(dice.uniform(one.from_s, one.until_s) for _ in range(2))
            uses.append(Use(one.node, 1, "", "", "", Spent.WORK, begun_s, ended_s))
    found = minutes(nodes, [Held(use.slots, use.from_s, use.until_s) for use in uses], 60)
    metered = meter(nodes, uses)
    assert sum(one.usd_per_h for one in found) / 60 == pytest.approx(
        receipt(metered, BOOK.of).bill_usd
    )
    assert sum(one.held for one in found) * 60 == pytest.approx(
        sum(one.slot_s for one in metered.held)
    )
