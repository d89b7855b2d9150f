"""What a plan decides about workers and tasks, and the sentence for each."""

from dataclasses import replace
from random import Random

import pytest

from swarm.model.plans import (
    Because,
    Budget,
    Kept,
    Offering,
    Plan,
    Refused,
    Rented,
    ScaleDown,
    ScaleUp,
)
from swarm.placement.demand import Demand, Spread, drawn, unhindered
from swarm.placement.explain import of_gap, of_move, of_placement, of_unplaced
from swarm.placement.planner import Situation, plan
from swarm.placement.sizing import Worth

SMALL = Offering("small", (2,), price_usd_per_h=0.1, boot_s=120)
MINUTE = Spread((60.0,))
LONG_OR_SHORT = Spread((30.0, 60.0, 600.0))


def made(*demands: Demand, rented: int = 0, budget: int = 8, horizon_s: int = 3_600) -> Plan:
    workers = tuple(Rented(f"w{number}", SMALL) for number in range(rented))
    situation = Situation(demands, workers, (SMALL,), Budget(budget), horizon_s, Worth())
    return plan(situation, Random(1))


def ups(found: Plan) -> list[ScaleUp]:
    return [move for move in found.moves if isinstance(move, ScaleUp)]


def test_a_worker_is_up_when_it_is_first_needed_and_no_sooner() -> None:
    (up,) = ups(made(Demand("t", MINUTE, release_s=1_000, due_s=1_060)))
    assert (up.order_s, up.up_s) == (880, 1_000)
    assert "Order small+1 in 14.7 min" in of_move(up)


def test_as_many_workers_as_the_promises_need() -> None:
    tasks = [Demand(f"t{n}", LONG_OR_SHORT, release_s=300, due_s=905) for n in range(8)]
    found = made(*tasks)
    assert found.chosen.workers == 4
    assert found.chosen.missed == 0
    assert {up.because for up in ups(found)} == {Because.PROMISES}
    assert "would be late" in of_move(ups(found)[0])


def test_what_is_late_already_gets_workers_so_that_it_is_not_later_still() -> None:
    tasks = [Demand(f"t{n}", Spread((300.0,)), patience_s=-600, value=0.1) for n in range(40)]
    found = made(*tasks, rented=1, budget=50)
    assert found.chosen.workers == 20
    assert max(one.end_s for one in found.placements) <= 120 + 300


def test_a_budget_that_makes_promises_late_is_said() -> None:
    tasks = [Demand(f"t{n}", MINUTE, release_s=300, due_s=360) for n in range(8)]
    found = made(*tasks, budget=3)
    (refused,) = [move for move in found.moves if isinstance(move, Refused)]
    assert refused == Refused(Because.MOST_WORKERS, workers=3, missed=2.0)
    assert "raise `most_workers`" in of_move(refused)


def test_a_budget_of_money_is_kept_and_said() -> None:
    tasks = tuple(Demand(f"t{n}", MINUTE, release_s=300, due_s=360) for n in range(8))
    situation = Situation(tasks, (), (SMALL,), Budget(8, most_usd_per_h=0.25), 3_600, Worth())
    found = plan(situation, Random(1))
    assert len(ups(found)) == 2
    assert Refused(Because.MOST_USD, workers=2, missed=4.0) in found.moves


def test_an_offering_that_is_sold_out_is_followed_by_the_next_and_then_said() -> None:
    tasks = tuple(Demand(f"t{n}", MINUTE, release_s=300, due_s=360) for n in range(8))
    first = replace(SMALL, most=1)
    second = replace(SMALL, name="dearer", price_usd_per_h=0.2, most=2)
    situation = Situation(tasks, (), (first, second), Budget(8), 3_600, Worth())
    found = plan(situation, Random(1))
    assert sorted(up.offering for up in ups(found)) == ["dearer", "dearer", "small"]
    (refused,) = [move for move in found.moves if isinstance(move, Refused)]
    assert refused.because is Because.SOLD_OUT
    assert "no offering has more" in of_move(refused)


def test_no_worker_is_rented_for_what_is_behind() -> None:
    behind = [Demand(f"b{n}", MINUTE, behind=True) for n in range(9)]
    found = made(*behind)
    assert not found.moves
    assert {one.because for one in found.unplaced} == {Because.BEHIND}
    assert "leave it no room until later" in of_unplaced(found.unplaced[0])


def test_what_is_behind_fills_what_is_left() -> None:
    found = made(Demand("t", MINUTE), Demand("b", MINUTE, behind=True), rented=1)
    assert {(one.task, one.because) for one in found.placements} == {
        ("t", Because.SLACK),
        ("b", Because.FILLS),
    }
    assert {one.worker for one in found.placements} == {"w0"}


def test_what_is_behind_and_runs_already_has_its_slots() -> None:
    long = Spread((900.0,))
    running = [Demand(f"b{n}", long, behind=True, runs_on="w0") for n in range(2)]
    found = made(*running, Demand("t", MINUTE, release_s=200, due_s=300), rented=1)
    (up,) = ups(found)
    assert (up.up_s, found.chosen.missed) == (200, 0)


def test_slots_are_kept_free_of_what_is_behind_where_it_would_make_others_late() -> None:
    hour = Spread((3_600.0, 3_600.0))
    behind = [Demand(f"b{n}", hour, behind=True) for n in range(4)]
    promised = [Demand(f"t{n}", MINUTE, release_s=200, due_s=300) for n in range(2)]
    found = made(*promised, Demand("u", hour), *behind, rented=2, budget=2, horizon_s=900)
    assert found.kept_free == 2
    begun = [one.task for one in found.placements if one.because is Because.FILLS]
    assert begun == ["b0"]
    assert found.chosen.missed == 0


def test_no_slot_is_kept_free_where_nothing_else_waits_or_comes() -> None:
    spread = Spread((1_800.0, 3_600.0, 7_200.0))
    behind = [Demand(f"b{n}", spread, behind=True, patience_s=60, value=0.01) for n in range(5)]
    assert made(Demand("r", spread, runs_on="w0"), *behind, rented=2).kept_free == 0


def test_what_an_sla_waits_for_is_not_behind() -> None:
    tasks = (Demand("b", MINUTE, behind=True), Demand("t", MINUTE, after=(0,), due_s=900))
    found = made(*tasks)
    assert [one.because for one in found.placements] == [Because.SLACK, Because.SLACK]
    assert found.chosen.workers == 1


def test_demand_that_no_offering_can_fit_is_said_with_all_that_waits_for_it() -> None:
    large = Demand("large", MINUTE, needs=(5,))
    found = made(large, Demand("then", MINUTE, after=(0,)), Demand("other", MINUTE))
    assert [one.task for one in found.placements] == ["other"]
    told = [of_unplaced(one) for one in found.unplaced]
    assert told == [
        "large needs 5 slots, which no offering can fit: the nearest has 2 slots.",
        "then waits for large, which is not placed either.",
    ]


def test_a_budget_of_nothing_places_nothing() -> None:
    found = made(Demand("t", MINUTE), budget=0)
    assert [one.because for one in found.unplaced] == [Because.NO_ROOM]
    assert "the budget allows no worker" in of_unplaced(found.unplaced[0])


def test_a_worker_that_is_not_needed_is_returned_after_what_it_runs() -> None:
    running = Demand("r", MINUTE, runs_on="w1")
    found = made(running, rented=3)
    (one,) = [p for p in found.placements if p.because is Because.RUNS]
    assert (one.worker, one.start_s, one.end_s) == ("w1", 0, 60)
    downs = {move.worker for move in found.moves if isinstance(move, ScaleDown)}
    assert downs == {"w0", "w1", "w2"}


def test_no_worker_is_returned_for_less_than_booting_it_again_costs() -> None:
    running = Demand("r", Spread((200.0,)), runs_on="w0")
    found = made(running, rented=2, horizon_s=400)
    assert set(found.moves) == {ScaleDown("w1", 400), Kept("w0", saves_s=200, costs_s=240)}


def test_a_worker_that_is_needed_much_later_is_returned_and_another_ordered_for_then() -> None:
    found = made(Demand("t", MINUTE, release_s=1_000, due_s=1_060), rented=1)
    down, up = sorted(found.moves, key=lambda move: isinstance(move, ScaleUp))
    assert down == ScaleDown("w0", saves_s=880)
    assert isinstance(up, ScaleUp)
    assert (up.order_s, up.up_s) == (880, 1_000)
    soon = made(Demand("t", MINUTE, release_s=300, due_s=360), rented=1)
    assert not soon.moves


def test_a_worker_that_is_ordered_for_later_stays_ordered() -> None:
    ordered = Rented("w0", SMALL, up_s=1_000)
    demand = Demand("t", MINUTE, release_s=1_000, due_s=1_060)
    situation = Situation((demand,), (ordered,), (SMALL,), Budget(8), 3_600, Worth())
    found = plan(situation, Random(1))
    assert not found.moves
    assert found.placements[0].worker == "w0"


def test_a_worker_that_drains_gets_nothing_and_counts() -> None:
    leaving = Rented("old", SMALL, draining=True)
    demands = (Demand("r", Spread((600.0,)), runs_on="old"), Demand("t", MINUTE, after=(0,)))
    situation = Situation(demands, (leaving,), (SMALL,), Budget(2), 3_600, Worth())
    found = plan(situation, Random(1))
    assert [(one.worker, one.start_s) for one in found.placements] == [("old", 0), ("small+2", 600)]
    found = plan(replace(situation, budget=Budget(1)), Random(1))
    assert [one.because for one in found.unplaced] == [Because.NO_ROOM]


def test_known_durations_are_planned_to_the_bound_and_behind_fits_into_the_holes() -> None:
    seconds = (70.0, 60.0, 50.0, 40.0, 30.0, 20.0, 10.0, 40.0)
    tasks = [Demand(f"t{n}", Spread((takes,))) for n, takes in enumerate(seconds)]
    chain = [Demand("late", Spread((10.0,)), release_s=150), Demand("b", MINUTE, behind=True)]
    found = made(*tasks, *chain, rented=1, budget=1)
    assert found.makespan_s == found.bound_s == 170
    assert found.gap == 1.0


def test_what_recurs_does_not_push_the_end_of_all_out_of_sight() -> None:
    due = [Demand(f"due{n}", MINUTE, due_s=3_000) for n in range(2)]
    recurs = Demand("base", MINUTE, release_s=3_500, patience_s=60)
    long = Demand("long", Spread((600.0, 600.0)))
    found = made(*due, long, recurs, rented=1, budget=1)
    assert found.order[0] == "long"
    assert found.makespan_s == 600


def test_a_plan_tells_how_long_all_takes_and_who_runs_where_and_when() -> None:
    found = made(Demand("t", MINUTE, due_s=100), rented=1)
    assert of_gap(found).startswith("all done after 1.0 min: 0.0% more than")
    assert of_placement(found.placements[0]) == (
        "t begins on w0 in 0 s, for 1.0 min: of those ready it has the least slack, 40 s."
    )


def test_what_is_left_of_a_run_is_what_longer_runs_took_more() -> None:
    spread = Spread((10.0, 20.0, 40.0, 80.0))
    assert spread.left(0) == Spread((0.0, 10.0, 20.0, 40.0, 80.0)) or spread.left(0) == spread
    assert spread.left(30) == Spread((0.0, 10.0, 50.0))
    assert spread.left(100) == Spread((50.0,))


def test_a_demand_moves_in_time_and_loses_the_patience_it_has_used() -> None:
    one = Demand("t", MINUTE, release_s=100, due_s=500, patience_s=60)
    assert one.moved(300) == replace(one, release_s=400, due_s=800)
    assert one.moved(-140) == replace(one, release_s=0, due_s=360, patience_s=20)


def test_what_has_begun_has_no_more_need_of_patience() -> None:
    one = Demand("t", Spread((60.0, 100.0)), after=(0,), patience_s=0)
    begun = one.begun("w1", 70)
    assert begun == Demand("t", Spread((0.0, 30.0)), patience_s=0, runs_on="w1")
    assert (one.due_by(60), begun.due_by(60)) == (60, None)
    assert not begun.counts


def test_draws_are_spread_evenly_over_what_a_task_may_take() -> None:
    rows = drawn([Demand("t", Spread((0.0, 100.0)))], Random(1), 10)
    assert sorted(row[0] // 10 for row in rows) == list(range(10))


def test_without_end_of_workers_each_waits_for_its_release_and_what_it_is_after() -> None:
    chain = [Demand("t", MINUTE, release_s=30), Demand("u", MINUTE, after=(0,), release_s=200)]
    assert unhindered([*chain, Demand("v", MINUTE, after=(0, 1))], [60, 10, 5]) == [90, 210, 215]
    with pytest.raises(ValueError, match="w stands before"):
        unhindered([Demand("w", MINUTE, after=(1,)), Demand("x", MINUTE)], [1, 1])


@pytest.mark.parametrize("points", [(), (-1.0,), (2.0, 1.0)])
def test_a_duration_that_cannot_be_is_refused(points: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="duration"):
        Spread(points)


def test_a_demand_before_one_that_it_waits_for_is_named() -> None:
    with pytest.raises(ValueError, match="stands before"):
        made(Demand("t", MINUTE, after=(1,)), Demand("u", MINUTE))


def test_a_task_that_runs_on_a_worker_nobody_told_of_is_named() -> None:
    with pytest.raises(ValueError, match="t runs on w7, which is not among the workers"):
        made(Demand("t", MINUTE, runs_on="w7"), rented=2)
