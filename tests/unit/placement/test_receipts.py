"""Whose every paid second was."""

from collections.abc import Iterable
from math import ceil
from random import Random

import pytest

from swarm.model.work import CapacityClass
from swarm.placement.metering import Presence, Spent, Stay, Use, meter, stays
from swarm.placement.prices import ondemand_usd_per_h
from swarm.placement.receipts import Kind, Price, Receipt, Unpriced, by, difference, receipt

HOUR_S, DAY_S = 3_600.0, 86_400.0
# Two hours of a spot node of two slots at 1 USD/h that costs 3 on demand.
SPOT = Stay("a", "cheap", CapacityClass.SPOT, 2, 0.0, 2 * HOUR_S)
# One hour of a dedicated one at 3 USD.
DEDICATED = Stay("b", "sure", CapacityClass.DEDICATED, 2, HOUR_S, 2 * HOUR_S)
PRICES = {
    "cheap": Price("m5.large", 1.0, 3.0),
    "sure": Price("m5.large", 3.0, 3.0),
}


def priced(there: Iterable[Stay], uses: Iterable[Use]) -> Receipt:
    return receipt(meter(there, uses), lambda pool, capacity, hour: PRICES.get(pool))


def use(
    node: str, from_h: float, until_h: float, pipeline: str = "p", spent: Spent = Spent.WORK
) -> Use:
    whose = ("data", pipeline, f"{pipeline} 1")
    return Use(node, 1, *whose, spent, from_h * HOUR_S, until_h * HOUR_S)


def test_a_slot_for_an_hour_is_half_the_node() -> None:
    found = priced([SPOT], [use("a", 0.5, 1.5)])
    (line,) = found.lines
    assert (line.team, line.pipeline, line.run, line.day) == ("data", "p", "p 1", 0)
    assert (line.slot_s, line.usd, line.ondemand_usd) == (HOUR_S, 0.5, 1.5)
    assert (found.bill_usd, found.idle_usd, found.utilisation) == (2.0, 1.5, 0.25)


def test_both_slots_are_shared_by_who_holds_them() -> None:
    found = priced([SPOT], [use("a", 0, 2, "p"), use("a", 1, 2, "q")])
    summed = by(found.lines, lambda line: line.pipeline)
    assert {name: line.usd for name, line in summed.items()} == {"p": 1.0, "q": 0.5}
    assert found.idle_usd == 0.5


def test_more_held_than_there_is_shares_what_there_is() -> None:
    found = priced([SPOT], [use("a", 0, 2, name) for name in "pqrs"])
    assert [line.usd for line in found.lines] == pytest.approx([0.5] * 4)
    assert found.idle_usd == 0.0


def test_a_large_task_holds_more_than_a_slot() -> None:
    large = use("a", 0, 1)._replace(slots=1.5)
    assert priced([SPOT], [large]).lines[0].usd == pytest.approx(0.75)


def test_retries_and_sensors_are_shown() -> None:
    uses = [use("a", 0, 1, spent=Spent.RETRY), use("a", 0, 1, spent=Spent.SENSOR), use("a", 1, 2)]
    (line,) = priced([SPOT], uses).lines
    assert (line.usd, line.retry_usd, line.sensor_usd) == (1.5, 0.5, 0.5)


def test_each_hour_has_its_price() -> None:
    metered = meter([SPOT], [use("a", 0.5, 2)])
    found = receipt(metered, lambda pool, capacity, hour: Price("t", 1.0 + hour, 3.0))
    assert found.bill_usd == 3.0
    assert [line.usd for line in found.lines] == [0.25 + 1.0]


def test_what_it_would_have_cost_elsewise() -> None:
    found = priced([SPOT, DEDICATED], [])
    assert found.bill_usd == 5.0
    assert (found.ondemand_usd, found.spot_saving_usd) == (9.0, 4.0)
    assert found.static_usd == 12.0  # both nodes for both hours
    assert found.kinds == (
        Kind("m5.large", CapacityClass.DEDICATED, 1.0, 3.0),
        Kind("m5.large", CapacityClass.SPOT, 2.0, 2.0),
    )


def test_one_node_in_place_of_another_is_no_second_one() -> None:
    after = DEDICATED._replace(from_s=2 * HOUR_S, until_s=3 * HOUR_S)
    assert priced([SPOT, after], []).static_usd == 9.0
    within = DEDICATED._replace(pool="cheap", capacity=CapacityClass.SPOT, from_s=1.5 * HOUR_S)
    assert priced([SPOT._replace(until_s=1.5 * HOUR_S), within], []).static_usd == 6.0


def test_a_fleet_that_stands_costs_at_night_too() -> None:
    """Two days apart, with nothing between."""
    later = SPOT._replace(from_s=2 * DAY_S, until_s=2 * DAY_S + HOUR_S)
    found = priced([SPOT, later], [])
    assert found.static_usd == pytest.approx(49 * 3.0)
    assert [(day.day, day.bill_usd, day.node_h) for day in found.days] == [
        (0, 2.0, 2.0),
        (1, 0.0, 0.0),
        (2, 1.0, 1.0),
    ]


def test_what_has_no_price_is_named_and_in_no_sum() -> None:
    found = priced([SPOT, DEDICATED._replace(pool="new")], [use("b", 1, 2), use("a", 0, 1)])
    assert found.unpriced == (Unpriced("new", CapacityClass.DEDICATED, 1.0),)
    assert (found.bill_usd, sum(line.usd for line in found.lines)) == (2.0, 0.5)
    assert found.utilisation == pytest.approx(1.0 / 3)  # time needs no price


def test_nothing_is_nothing() -> None:
    found = priced([], [])
    assert (found.bill_usd, found.static_usd, found.utilisation, found.lines) == (0.0, 0.0, 0.0, ())


def test_the_dearest_come_first_and_differences_are_shares() -> None:
    lines = priced([SPOT], [use("a", 0, 1, "p"), use("a", 0, 2, "q")]).lines
    assert list(by(lines, lambda line: line.pipeline)) == ["q", "p"]
    assert difference(98.0, 100.0) == pytest.approx(0.02)
    assert (difference(0.0, 0.0), difference(1.0, 0.0)) == (0.0, 1.0)


def worker(from_s: float, until_s: float, slots: int = 2, programs: bool = True) -> Presence:
    return Presence("n", "cheap", CapacityClass.SPOT, slots, programs, from_s, until_s)


def test_a_node_stays_while_one_worker_takes_the_place_of_another() -> None:
    (stay,) = stays([worker(60, 100), worker(10, 50)])
    assert (stay.slots, stay.from_s, stay.until_s) == (2, 10, 100)


def test_agents_have_no_slots_of_their_own_beside_a_worker() -> None:
    found = stays([worker(0, 50), worker(10, 80, slots=5, programs=False)])
    assert [(stay.slots, stay.from_s, stay.until_s) for stay in found] == [(2, 0, 50), (5, 50, 80)]


def test_the_bill_of_a_provider_with_rules_of_its_own_agrees_within_two_percent() -> None:
    """The bill is the provider's: whole seconds from a launch to an end, a minute at least, at the
    price of the table. The stays are what swarm saw: from when a worker came, to when it left."""
    random = Random(1)
    launches: dict[str, tuple[float, str]] = {}
    ends: dict[str, float] = {}
    there, uses = [], []
    for number in range(60):
        node, kind = f"i-{number}", random.choice(("m5.large", "m5.2xlarge"))
        launched_s = random.uniform(0, DAY_S)
        ended_s = launched_s + random.uniform(0.8, 9) * HOUR_S
        launches[node], ends[node] = (launched_s, kind), ended_s
        came_s, left_s = launched_s + random.uniform(40, 90), ended_s + random.uniform(-30, 5)
        there.append(Stay(node, kind, CapacityClass.DEDICATED, 2, came_s, left_s))
        uses.append(Use(node, 1, "data", "p", "1", Spent.WORK, came_s, ended_s))
    bill_usd = 0.0
    for node, (launched_s, kind) in launches.items():
        seconds = max(60, ceil(ends[node] - launched_s))
        bill_usd += seconds * {"m5.large": 0.096, "m5.2xlarge": 0.384}[kind] / 3_600

    def price(kind: str, capacity: CapacityClass, hour: int) -> Price | None:
        usd = ondemand_usd_per_h(kind, "us-east-1")
        return None if usd is None else Price(kind, usd, usd)

    found = receipt(meter(there, uses), price)
    assert difference(found.bill_usd, bill_usd) < 0.02
    attributed_usd = sum(line.usd for line in found.lines)
    assert attributed_usd + found.idle_usd == pytest.approx(found.bill_usd)
    # Nodes that nobody told of are seen in the difference.
    assert difference(receipt(meter(there[10:], uses), price).bill_usd, bill_usd) > 0.02
