"""What a fleet that stands costs, and how much of it works."""

import pytest

from swarm.placement.baseline import Span, Standing, baseline
from swarm.placement.receipts import by

HOUR_S, DAY_S = 3_600.0, 86_400.0
FLEET = Standing(workers=3, slots=2, usd_per_h=0.5)


def span(name: str, from_h: float, until_h: float, failed: bool = False) -> Span:
    return Span(name, from_h * HOUR_S, until_h * HOUR_S, failed)


def test_what_is_not_held_is_idle() -> None:
    found = baseline([span("load", 0, 12), span("close", 6, 12)], FLEET, 0.0, DAY_S)
    assert found.receipt.bill_usd == pytest.approx(36.0)
    assert found.receipt.utilisation == pytest.approx(18 / (24 * 6))
    summed = by(found.receipt.lines, lambda line: line.pipeline)
    usd = {name: line.usd for name, line in summed.items()}
    assert usd == pytest.approx({"load": 3.0, "close": 1.5})
    assert found.receipt.idle_usd == pytest.approx(31.5)


def test_failed_runs_are_shown() -> None:
    found = baseline([span("load", 0, 4, failed=True), span("load", 4, 8)], FLEET, 0.0, DAY_S)
    assert sum(line.retry_usd for line in found.receipt.lines) == pytest.approx(1.0)


def test_following_the_busiest_moment_of_each_hour() -> None:
    runs = [span(str(number), 6.25, 6.5) for number in range(5)] + [span("long", 6.4, 8)]
    found = baseline(runs, FLEET, 0.0, DAY_S)
    assert found.at_most == 6
    assert found.following_usd == pytest.approx((3 + 1) * 0.5)
    assert found.by_hour[6] == pytest.approx(5 * 0.25 + 0.6)
    assert (found.by_hour[5], found.by_hour[7]) == (0.0, 1.0)


def test_more_runs_than_slots_are_told_and_share_what_there_is() -> None:
    found = baseline([span(str(number), 0, 1) for number in range(12)], FLEET, 0.0, DAY_S)
    assert found.over_s == HOUR_S
    assert sum(line.usd for line in found.receipt.lines) == pytest.approx(1.5)


def test_the_mean_of_an_hour_is_over_the_days() -> None:
    found = baseline([span("load", 30, 31)], FLEET, 0.0, 4 * DAY_S)
    assert found.by_hour[6] == pytest.approx(0.25)


def test_runs_are_cut_at_the_ends_of_the_span() -> None:
    runs = [span("early", -5, 1), span("late", 23, 30), span("other", 40, 41), span("no", 3, 3)]
    found = baseline(runs, FLEET, 0.0, DAY_S)
    assert sum(line.slot_s for line in found.receipt.lines) == pytest.approx(2 * HOUR_S)
    assert found.at_most == 1


def test_nothing_ran() -> None:
    found = baseline([], FLEET, 0.0, DAY_S)
    assert (found.receipt.utilisation, found.at_most, found.following_usd) == (0.0, 0, 0.0)


def test_an_hour_is_the_least() -> None:
    with pytest.raises(ValueError, match="needs an hour"):
        baseline([], FLEET, 0.0, 60.0)
