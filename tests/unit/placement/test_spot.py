"""Where a piece of work with a deadline goes, and why; what is known of pools by their age."""

from dataclasses import replace

import pytest

from swarm.model.work import CapacityClass
from swarm.placement.spot import (
    Because,
    Choice,
    Pool,
    Terms,
    Work,
    choose,
    full_domains,
)
from swarm.placement.survival import Survival

HOUR_S = 3_600.0
TERMS = Terms(dedicated_usd_per_h=1.0, restart_s=120.0, look_s=60.0)
OLD = Pool("old", "zone a", 0.32, age_s=20 * HOUR_S)
YOUNG = Pool("young", "zone b", 0.30, age_s=60.0)
# An hour in pieces of ten minutes, with an hour to spare.
EASY = Work(left_s=HOUR_S, piece_s=600.0, done_s=0.0, to_due_s=2 * HOUR_S)
# The same with nothing to spare but a start, a loss and another start.
TIGHT = replace(EASY, to_due_s=HOUR_S + 120 + 600 + 120)


def dedicated(because: Because) -> Choice:
    return Choice(CapacityClass.DEDICATED, because)


ON_DEDICATED = dedicated(Because.NO_SPOT)


def on(pool: Pool) -> Choice:
    return Choice(CapacityClass.SPOT, Because.CHEAPEST, pool.name)


def test_an_old_pool_is_worth_a_little_more_than_a_young_one() -> None:
    choice = choose(EASY, None, [YOUNG, OLD], Survival(), TERMS)
    assert choice == Choice(CapacityClass.SPOT, Because.CHEAPEST, "old")


def test_but_not_ever_so_much_more() -> None:
    dear = replace(OLD, price_usd_per_h=0.9)
    assert choose(EASY, None, [YOUNG, dear], Survival(), TERMS).pool == "young"


def test_spot_that_costs_more_than_dedicated_is_left_alone() -> None:
    spike = replace(OLD, price_usd_per_h=1.4)
    assert choose(EASY, None, [spike], Survival(), TERMS) == Choice(
        CapacityClass.DEDICATED, Because.CHEAPEST
    )


def test_the_last_second_of_slack_decides() -> None:
    assert choose(TIGHT, None, [OLD], Survival(), TERMS).where is CapacityClass.SPOT
    late = replace(TIGHT, to_due_s=TIGHT.to_due_s - 1)
    assert choose(late, None, [OLD], Survival(), TERMS) == Choice(
        CapacityClass.DEDICATED, Because.NO_SLACK
    )


def test_who_is_there_already_needs_no_start() -> None:
    there = replace(TIGHT, to_due_s=TIGHT.to_due_s - 120)
    assert choose(there, on(OLD), [OLD], Survival(), TERMS) == Choice(
        CapacityClass.SPOT, Because.STAYS, "old"
    )


def test_a_running_piece_is_not_moved() -> None:
    busy = replace(EASY, done_s=30.0)
    stays = Choice(CapacityClass.SPOT, Because.MID_PIECE, "young")
    assert choose(busy, on(YOUNG), [YOUNG, OLD], Survival(), TERMS) == stays
    assert choose(busy, ON_DEDICATED, [OLD], Survival(), TERMS).where is CapacityClass.DEDICATED


def test_between_pieces_it_moves_where_that_is_worth_a_restart() -> None:
    dear = replace(YOUNG, price_usd_per_h=0.8)
    assert choose(EASY, on(dear), [dear, OLD], Survival(), TERMS).pool == "old"
    near = replace(OLD, name="near", price_usd_per_h=0.31)
    assert choose(EASY, on(OLD), [OLD, near], Survival(), TERMS).because is Because.STAYS


def test_dedicated_is_left_once_there_is_spot() -> None:
    assert choose(EASY, ON_DEDICATED, [OLD], Survival(), TERMS).pool == "old"
    nearly_done = replace(EASY, left_s=100.0)
    assert (
        choose(nearly_done, ON_DEDICATED, [OLD], Survival(), TERMS).where is CapacityClass.DEDICATED
    )


def test_a_pool_that_is_gone_is_not_where_it_runs() -> None:
    lost = replace(EASY, done_s=30.0)
    assert choose(lost, on(YOUNG), [OLD], Survival(), TERMS).pool == "old"


def test_without_any_pool_it_waits_while_it_may_come_back_to_spot() -> None:
    assert choose(EASY, None, [], Survival(), TERMS) == Choice(None, Because.WORTH_WAITING)
    last = replace(TIGHT, to_due_s=TIGHT.to_due_s + TERMS.look_s)
    assert choose(last, None, [], Survival(), TERMS).where is None
    soon = replace(last, to_due_s=last.to_due_s - 1)
    assert choose(soon, None, [], Survival(), TERMS) == Choice(
        CapacityClass.DEDICATED, Because.NO_SPOT
    )


def test_a_piece_that_outlives_its_time_gets_a_second_copy() -> None:
    over = replace(EASY, done_s=700.0, to_due_s=HOUR_S + TERMS.restart_s - 1)
    assert choose(over, on(OLD), [OLD], Survival(), TERMS) == Choice(
        CapacityClass.SPOT, Because.OVERRUN, "old", copy=True
    )


def test_critical_work_stays_out_of_a_full_domain() -> None:
    critical = replace(EASY, critical=True)
    full = full_domains({"zone a": 2, "zone b": 1}, critical=6)
    assert full == {"zone a"}
    other = replace(OLD, name="other", domain="zone c", price_usd_per_h=0.5)
    assert choose(critical, None, [OLD, YOUNG, other], Survival(), TERMS, full).pool == "other"
    assert choose(critical, None, [OLD], Survival(), TERMS, full) == dedicated(Because.TOO_RISKY)
    assert choose(EASY, None, [OLD, YOUNG], Survival(), TERMS, full).pool == "old"
    assert choose(critical, on(OLD), [OLD], Survival(), TERMS, full).pool == "old"


def test_critical_work_goes_to_old_pools_alone() -> None:
    critical = replace(EASY, critical=True)
    dear = replace(OLD, price_usd_per_h=0.7)
    assert choose(EASY, None, [YOUNG, dear], Survival(), TERMS).pool == "young"
    assert choose(critical, None, [YOUNG, dear], Survival(), TERMS).pool == "old"
    assert choose(critical, None, [YOUNG], Survival(), TERMS) == dedicated(Because.TOO_RISKY)
    assert choose(critical, on(YOUNG), [YOUNG], Survival(), TERMS).because is Because.STAYS


def test_each_domain_takes_at_least_one() -> None:
    assert full_domains({"zone a": 0}, critical=1) == frozenset()
    assert full_domains({"zone a": 1}, critical=2) == {"zone a"}


def test_young_is_a_coin_toss_and_old_is_nearly_dedicated() -> None:
    survival = Survival()
    assert survival.chance("any", 0.0, 1_800.0) == pytest.approx(0.4, abs=0.1)
    assert survival.chance("any", 20 * HOUR_S, 1_800.0) < 0.05


def test_what_was_seen_outweighs_what_was_supposed() -> None:
    survival = Survival()
    for _ in range(100):
        survival.observe("calm", 0.0, 4 * HOUR_S, lost=False)
    assert survival.chance("other", 0.0, 1_800.0) < 0.1


def test_a_pool_stands_for_itself_once_it_has_shown_enough() -> None:
    survival = Survival()
    for _ in range(10):
        survival.observe("bad", 0.0, 900.0, lost=True)
        survival.observe("good", 0.0, 4 * HOUR_S, lost=False)
    bad, other, good = (survival.losses(name, 0.0, HOUR_S) for name in ("bad", "other", "good"))
    assert bad > 2 * other
    assert good < other / 2


def test_losses_are_counted_at_the_age_of_the_loss() -> None:
    survival = Survival()
    before = survival.losses("other", 5 * HOUR_S, HOUR_S), survival.losses("other", 0.0, 600.0)
    for number in range(20):
        survival.observe(f"pool {number}", 4 * HOUR_S, 6 * HOUR_S, lost=True)
    assert survival.losses("other", 5 * HOUR_S, HOUR_S) > 2 * before[0]
    assert survival.losses("other", 0.0, 600.0) == before[1]
