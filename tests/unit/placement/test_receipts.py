"""Whose every paid second was."""

from math import ceil
from random import Random

import pytest

from swarm.model.work import CapacityClass
from swarm.placement.prices import ondemand_usd_per_h
from swarm.placement.receipts import Kind, Line, Spent, Stay, Use, by, difference, receipt

HOUR_S, DAY_S = 3_600.0, 86_400.0
# Two hours of a spot node of two slots at 1 USD/h that costs 3 on demand.
SPOT = Stay("a", "m5.large", CapacityClass.SPOT, 2, 1.0, 3.0, 0.0, 2 * HOUR_S)
# One hour of a dedicated one at 3 USD.
DEDICATED = Stay("b", "m5.large", CapacityClass.DEDICATED, 2, 3.0, 3.0, HOUR_S, 2 * HOUR_S)


def use(
    node: str, from_h: float, until_h: float, pipeline: str = "p", spent: Spent = Spent.WORK
) -> Use:
    return Use(node, 1, pipeline, f"{pipeline} 1", spent, from_h * HOUR_S, until_h * HOUR_S)


def test_a_slot_for_an_hour_is_half_the_node() -> None:
    found = receipt([SPOT], [use("a", 0.5, 1.5)])
    assert found.lines == (Line("p", "p 1", HOUR_S, 0.5, 0.0, 0.0, 1.5),)
    assert (found.bill_usd, found.idle_usd, found.idle_share) == (2.0, 1.5, 0.75)


def test_both_slots_are_shared_by_who_holds_them() -> None:
    found = receipt([SPOT], [use("a", 0, 2, "p"), use("a", 1, 2, "q")])
    assert by(found.lines, lambda line: line.pipeline) == {"p": 1.0, "q": 0.5}
    assert found.idle_usd == 0.5


def test_more_held_than_there_is_shares_what_there_is() -> None:
    found = receipt([SPOT], [use("a", 0, 2, name) for name in "pqrs"])
    assert [line.usd for line in found.lines] == pytest.approx([0.5] * 4)
    assert found.idle_usd == 0.0


def test_retries_and_sensors_are_shown() -> None:
    uses = [use("a", 0, 1, spent=Spent.RETRY), use("a", 0, 1, spent=Spent.SENSOR), use("a", 1, 2)]
    (line,) = receipt([SPOT], uses).lines
    assert (line.usd, line.retry_usd, line.sensor_usd) == (1.5, 0.5, 0.5)


def test_another_price_begins_another_stay() -> None:
    dear = SPOT._replace(usd_per_h=2.0, from_s=2 * HOUR_S, until_s=3 * HOUR_S)
    found = receipt([SPOT, dear], [use("a", 1, 3)])
    assert [line.usd for line in found.lines] == [0.5 + 1.0]
    assert found.bill_usd == 4.0
    assert found.unpaid == ()


def test_what_it_would_have_cost_elsewise() -> None:
    found = receipt([SPOT, DEDICATED], [])
    assert found.bill_usd == 5.0
    assert (found.ondemand_usd, found.spot_saving_usd) == (9.0, 4.0)
    assert found.static_usd == 12.0  # both nodes for both hours
    assert found.kinds == (
        Kind("m5.large", CapacityClass.DEDICATED, 1.0, 3.0),
        Kind("m5.large", CapacityClass.SPOT, 2.0, 2.0),
    )


def test_one_node_in_place_of_another_is_no_second_one() -> None:
    after = DEDICATED._replace(from_s=2 * HOUR_S, until_s=3 * HOUR_S)
    assert receipt([SPOT, after], []).static_usd == 9.0


def test_a_use_outside_of_every_stay_is_named() -> None:
    found = receipt([SPOT, DEDICATED], [use("b", 0.5, 1.5), use("nowhere", 0, 1), use("b", 1, 3)])
    assert found.unpaid == (use("b", 0.5, 1), use("b", 2, 3), use("nowhere", 0, 1))
    assert found.idle_usd == pytest.approx(2.0 + 3.0 * 0.25)


def test_nothing_is_nothing() -> None:
    found = receipt([], [])
    assert (found.bill_usd, found.static_usd, found.idle_share, found.lines) == (0.0, 0.0, 0.0, ())


def test_the_dearest_come_first_and_differences_are_shares() -> None:
    lines = receipt([SPOT], [use("a", 0, 1, "p"), use("a", 0, 2, "q")]).lines
    assert list(by(lines, lambda line: line.pipeline)) == ["q", "p"]
    assert difference(98.0, 100.0) == pytest.approx(0.02)
    assert (difference(0.0, 0.0), difference(1.0, 0.0)) == (0.0, 1.0)


def test_the_bill_of_a_provider_with_rules_of_its_own_agrees_within_two_percent() -> None:
    """The bill is the provider's: whole seconds from a launch to an end, a minute at least, at the
    price of the table. The stays are what swarm saw: from when a node answered, to when it left."""
    random = Random(1)
    launches: dict[str, tuple[float, str]] = {}
    ends: dict[str, float] = {}
    stays, uses = [], []
    for number in range(60):
        node, kind = f"i-{number}", random.choice(("m5.large", "m5.2xlarge"))
        launched_s = random.uniform(0, DAY_S)
        ended_s = launched_s + random.uniform(0.3, 9) * HOUR_S
        launches[node], ends[node] = (launched_s, kind), ended_s
        usd_per_h = ondemand_usd_per_h(kind, "us-east-1")
        assert usd_per_h is not None
        stay = Stay(node, kind, CapacityClass.DEDICATED, 2, usd_per_h, usd_per_h, launched_s, 0.0)
        # The launch is known to the second it was asked for; the end, only when the node was gone.
        stays.append(stay._replace(until_s=ended_s + random.uniform(-5, 20)))
        uses.append(Use(node, 1, "p", "1", Spent.WORK, launched_s + 60, ended_s))
    bill_usd = 0.0
    for node, (launched_s, kind) in launches.items():
        seconds = max(60, ceil(ends[node] - launched_s))
        bill_usd += seconds * {"m5.large": 0.096, "m5.2xlarge": 0.384}[kind] / 3_600
    found = receipt(stays, uses)
    assert difference(found.bill_usd, bill_usd) < 0.02
    attributed_usd = sum(line.usd for line in found.lines)
    assert attributed_usd + found.idle_usd == pytest.approx(found.bill_usd)
    # Nodes that nobody told of are seen in the difference, and who used them is named.
    without = receipt(stays[10:], uses)
    assert difference(without.bill_usd, bill_usd) > 0.02
    assert {f"i-{number}" for number in range(10)} <= {use.node for use in without.unpaid}
