"""Whatever comes: quantiles are in order, and receipts make the bill."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarm.model.work import CapacityClass
from swarm.placement.forecast import Booking, Forecaster, planned
from swarm.placement.metering import Spent, Stay, Use, meter
from swarm.placement.receipts import Price, receipt

SLOW_IS_FINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
seconds = st.integers(0, 50_000).map(float)


@SLOW_IS_FINE
@given(
    days=st.lists(st.lists(st.floats(0, 1e6), min_size=6, max_size=6), min_size=3, max_size=20),
    plan=st.lists(st.floats(0, 1e6), min_size=6, max_size=6),
)
def test_quantiles_never_cross(days: list[list[float]], plan: list[float]) -> None:
    forecaster = Forecaster()
    for number, came in enumerate(days):
        forecaster.observe(number, "day", plan, came)
    ahead = forecaster.ahead(len(days), "day", plan)
    assert ahead is not None
    for quarter in ahead.quarters:
        assert list(quarter) == sorted(quarter)
        assert quarter[0] >= 0


@SLOW_IS_FINE
@given(st.lists(st.tuples(seconds, st.integers(1, 4), seconds), max_size=20))
def test_all_that_is_booked_is_planned_for(found: list[tuple[float, int, float]]) -> None:
    bookings = [Booking(*one) for one in found]
    due = sum(booking.slots * booking.takes_s for booking in bookings)
    assert sum(planned(bookings, 96, 900.0)) == pytest.approx(due)


PRICES = {"0": Price("t", 0.5, 2.0), "1": Price("u", 1.5, 1.5)}


@st.composite
def nodes(draw: st.DrawFn) -> list[Stay]:
    found = []
    for node in range(draw(st.integers(1, 4))):
        edges = sorted(draw(st.lists(seconds, min_size=2, max_size=6, unique=True)))
        slots, pool = draw(st.integers(1, 4)), draw(st.sampled_from("01"))
        for from_s, until_s in zip(edges[::2], edges[1::2], strict=False):
            found.append(Stay(str(node), pool, CapacityClass.SPOT, slots, from_s, until_s))
    return found


uses = st.lists(
    st.builds(
        Use,
        node=st.integers(0, 4).map(str),
        slots=st.sampled_from((1.0, 1.5, 3.0)),
        team=st.just("data"),
        pipeline=st.sampled_from("abc"),
        run=st.sampled_from("12"),
        spent=st.sampled_from(Spent),
        from_s=seconds,
        until_s=seconds,
    ),
    max_size=20,
)


@SLOW_IS_FINE
@given(nodes(), uses)
def test_lines_and_idle_make_the_bill(paid: list[Stay], held: list[Use]) -> None:
    """The bill here is made from launches and ends alone, node by node."""
    found = receipt(meter(paid, held), lambda pool, capacity, hour: PRICES[pool])
    bill = 0.0
    for stay in paid:
        bill += (stay.until_s - stay.from_s) * PRICES[stay.pool].usd_per_h / 3_600
    assert found.bill_usd == pytest.approx(bill)
    assert sum(line.usd for line in found.lines) + found.idle_usd == pytest.approx(bill)
    assert found.idle_usd >= -1e-9
    assert sum(kind.usd for kind in found.kinds) == pytest.approx(bill)
    assert found.static_usd >= found.ondemand_usd - 1e-9
    for line in found.lines:
        assert line.retry_usd + line.sensor_usd <= line.usd + 1e-9


@SLOW_IS_FINE
@given(nodes(), uses, st.integers(0, 14))
def test_hours_that_are_summed_up_apart_make_the_same(
    paid: list[Stay], held: list[Use], cut_h: int
) -> None:
    cut_s = cut_h * 3_600.0
    before = meter([one._replace(until_s=min(one.until_s, cut_s)) for one in paid], held)
    after = meter([one._replace(from_s=max(one.from_s, cut_s)) for one in paid], held)
    whole = meter(paid, held)
    assert sorted(before.fleet + after.fleet) == sorted(whole.fleet)
    assert [one[:7] for one in sorted(before.held + after.held)] == [o[:7] for o in whole.held]
    both = (sum(one.node_s for one in part) for part in (before.held, after.held))
    assert sum(both) == pytest.approx(sum(one.node_s for one in whole.held))
