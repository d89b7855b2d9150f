"""What follows from plans: orders, drains, releases, and what is said of them."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from swarm.model.plans import (
    Because,
    Candidate,
    Kept,
    Move,
    NotGiven,
    Offering,
    Placement,
    Plan,
    Refused,
    ScaleDown,
    ScaleUp,
    Standing,
)
from swarm.model.scaling import PlanMade, Scaled, Step
from swarm.model.sides import Risk
from swarm.model.work import CapacityClass, Offer, Resources, WorkerId
from swarm.placement.explain import of_move, of_step
from swarm.placement.orders import SOLD_OUT_S, Crew, Orders, View
from swarm.placement.steering import OVERDUE_S, SETTLE_S, Planned, Todo, reach, steer

SPOT = Offering("spot", (2, 0, 0), 0.03, 60, CapacityClass.SPOT)
BIG = Offering("big", (4, 0, 0), 0.2, 60)
T = 1_000_000.0


def crew(node: str, holds: int = 0, draining: bool = False) -> Crew:
    return Crew(Offer(WorkerId(f"w-{node}"), node, 2, Resources(cpu=2)), holds, draining)


def node(name: str, joined: bool = True, since_s: float = T - 900) -> Standing:
    return Standing(name, "spot", since_s, joined)


def view(*standing: Standing, crews: Iterable[Crew] | None = None, fixed: bool = False) -> View:
    own = [crew(one.node) for one in standing if one.joined] if crews is None else crews
    return View((SPOT, BIG), standing, {one.offer.node: one for one in own}, fixed)


def a_plan(*moves: Move, workers: int = 1, before: Iterable[str] = ()) -> Planned:
    candidate = Candidate(workers, 0.0, 60.0, 0.1, 0.1)
    return Planned(Plan((), (), (), moves, (candidate,), candidate, 60, 50), 3, tuple(before))


def up(number: int = 1, order_s: int = 0) -> ScaleUp:
    name = f"spot+{number}"
    return ScaleUp(name, "spot", order_s, order_s + 60, Because.PROMISES, None)


class Course:
    """Takes what is decided into the journal's state, as the shell does."""

    def __init__(self) -> None:
        self.orders = Orders()

    def look(self, there: View, planned: Planned | None = None, now_s: float = T) -> Todo:
        todo = steer(self.orders, there, planned, now_s)
        for record in todo.records:
            self.orders.apply(record)
        return todo


def steps(todo: Todo) -> list[tuple[Step, str]]:
    return [(one.step, one.node) for one in todo.records if isinstance(one, Scaled)]


@pytest.fixture
def course() -> Course:
    return Course()


def test_what_a_plan_orders_soon_is_wanted_beside_what_stands(course: Course) -> None:
    todo = course.look(view(node("a")), a_plan(up(1), up(2, order_s=600)))
    assert todo.fleet == {"spot": 2}
    assert steps(todo) == [(Step.JOINED, "a"), (Step.ORDERED, "")]
    (ordered,) = (one for one in todo.records if isinstance(one, Scaled) and one.move)
    assert (ordered.move, ordered.plan) == (up(1), 1)


def test_what_was_ordered_is_known_to_the_next_plan_and_not_ordered_again(course: Course) -> None:
    course.look(view(), a_plan(up()))
    (there,) = course.orders.rented(view(), T + 20)
    assert (there.offering, there.up_s) == (SPOT, 40)
    assert course.look(view(), a_plan(), T + 10).fleet == {"spot": 1}


def test_an_order_ends_with_the_node_that_comes(course: Course) -> None:
    course.look(view(), a_plan(up()))
    boots = node("a", joined=False, since_s=T + 5)
    assert steps(course.look(view(boots), None, T + 10)) == [(Step.BOOTING, "a")]
    assert course.look(view(boots), None, T + 11).fleet == {"spot": 1}
    todo = course.look(view(replace(boots, joined=True)), None, T + 70)
    assert (steps(todo), todo.fleet) == ([(Step.JOINED, "a")], {"spot": 1})
    assert not course.orders.waiting


def test_a_node_that_never_comes_is_given_up_and_its_offering_sold_out(course: Course) -> None:
    course.look(view(), a_plan(up()))
    late_s = T + SPOT.boot_s + OVERDUE_S + 1
    assert steps(course.look(view(), None, late_s - 2)) == []
    todo = course.look(view(), None, late_s)
    assert (steps(todo), todo.fleet) == ([(Step.NOT_COME, "")], {})
    assert [one.most for one in course.orders.offerings(view(), late_s)] == [0, None]
    after_s = late_s + SOLD_OUT_S
    assert [one.most for one in course.orders.offerings(view(), after_s)] == [None, None]


def test_what_is_refused_is_given_up_at_once_with_the_reason(course: Course) -> None:
    course.look(view(), a_plan(up(), up(2)))
    said = "VcpuLimitExceeded: more vCPU than your limit of 32"
    refused = {"spot": NotGiven(T + 3, Because.QUOTA, said)}
    todo = course.look(replace(view(), not_given=refused), None, T + 5)
    assert (steps(todo), todo.fleet) == ([(Step.NOT_COME, "")] * 2, {})
    told = todo.records[0]
    assert isinstance(told, Scaled)
    assert (told.because, told.offering) == (Because.QUOTA, "spot")
    assert "quota allows no more" in of_step(told)
    assert said in of_step(told)
    assert [one.most for one in course.orders.offerings(view(), T + 5)] == [0, None]


def test_what_was_refused_before_it_was_ordered_says_nothing_of_it(course: Course) -> None:
    course.look(view(), a_plan(up()))
    refused = {"spot": NotGiven(T - 3, Because.QUOTA)}
    todo = course.look(replace(view(), not_given=refused), None, T + 5)
    assert (steps(todo), todo.fleet) == ([], {"spot": 1})


def test_what_was_taken_for_booting_and_is_refused_has_not_come(course: Course) -> None:
    """Another order of the same kind stands as it did."""
    course.look(view(), a_plan(up()))
    course.look(view(node("boot-1", joined=False, since_s=T + 1)), None, T + 2)
    refused = replace(view(), not_given={"spot": NotGiven(T + 3, Because.QUOTA)})
    todo = course.look(refused, None, T + 5)
    assert (steps(todo), todo.fleet) == ([(Step.NOT_COME, "boot-1")], {})
    assert not course.orders.nodes
    again = course.orders.copy()
    assert [one.most for one in again.offerings(view(), T + 5)] == [0, None]


def test_what_booted_and_joined_under_its_own_name_was_not_lost(course: Course) -> None:
    """Also where another one of its kind was refused."""
    course.look(view(), a_plan(up()))
    course.look(view(node("boot-1", joined=False, since_s=T + 1)), None, T + 2)
    refused = {"spot": NotGiven(T + 3, Because.SOLD_OUT)}
    todo = course.look(replace(view(node("a")), not_given=refused), None, T + 60)
    assert sorted(steps(todo)) == [(Step.JOINED, "a"), (Step.LEFT, "boot-1")]
    assert not any("lost" in of_step(one) for one in todo.records if isinstance(one, Scaled))
    assert todo.fleet == {"spot": 1}


def test_of_two_that_were_ordered_the_one_that_boots_has_come(course: Course) -> None:
    course.look(view(), a_plan(up(), up(2)))
    boots = replace(view(node("a", joined=False, since_s=T + 3)))
    refused = {"spot": NotGiven(T + 3, Because.SOLD_OUT)}
    todo = course.look(replace(boots, not_given=refused), None, T + 5)
    assert sorted(steps(todo)) == [(Step.BOOTING, "a"), (Step.NOT_COME, "")]
    assert todo.fleet == {"spot": 1}


def test_a_node_that_boots_for_ever_is_returned(course: Course) -> None:
    boots = node("a", joined=False, since_s=T)
    course.look(view(boots))
    todo = course.look(view(boots), None, T + 2 * SPOT.boot_s + OVERDUE_S + 1)
    assert (steps(todo), todo.release, todo.fleet) == ([(Step.NOT_JOINED, "a")], ("a",), {})
    assert not course.orders.rented(view(boots), T + 400)
    (spot,) = (one for one in course.orders.offerings(view(boots), T + 400) if one.name == "spot")
    assert spot.most == 0, "the next would be the same one, as long as it stands"
    course.look(view(), None, T + 410)
    assert [one.most for one in course.orders.offerings(view(), T + 410)] == [0, None]
    again = course.orders.copy()
    assert not again.nodes, "it is gone"
    assert [one.most for one in again.offerings(view(), T + 410)] == [0, None]


def test_only_empty_workers_are_drained_and_only_after_two_plans(course: Course) -> None:
    there = view(node("a"), node("b"), crews=[crew("a"), crew("b", holds=1)])
    down = [ScaleDown("a", 3_000), ScaleDown("b", 2_000)]
    first = course.look(there, a_plan(*down))
    assert (first.drain, first.fleet) == ((), {"spot": 2})
    second = course.look(there, a_plan(*down, before=["a", "b"]), T + 10)
    assert (second.drain, second.fleet, second.release) == (("w-a",), {"spot": 1}, ())
    assert (Step.DRAINED, "a") in steps(second)
    assert (Step.DRAINED, "b") not in steps(second)


def test_no_more_workers_go_at_a_time_than_may(course: Course) -> None:
    names = "abcd"
    downs = [ScaleDown(name, 1_000 + at) for at, name in enumerate(names)]
    planned = replace(a_plan(*downs, before=names), most_leaving=2)
    there = view(*map(node, names), crews=[*map(crew, "abc"), crew("d", holds=1)])
    todo = course.look(there, planned)
    assert todo.drain == ("w-b", "w-c"), "those that would be idle for longest; `d` is not empty"
    (made,) = (one for one in todo.records if isinstance(one, PlanMade))
    (kept,) = (one for one in made.moves if isinstance(one, Kept))
    assert (kept.worker, kept.because) == ("a", Because.MOST_LEAVING)
    assert of_move(kept) == "Keep a for now: as many go as may at a time (`most_leaving`)."
    drained = [crew("a"), crew("b", draining=True), crew("c", draining=True), crew("d")]
    assert set(course.look(view(*map(node, names), crews=drained), planned, T + 9).drain) == set()
    after = view(*map(node, "abd"), crews=[crew("a"), crew("b", draining=True), crew("d")])
    assert course.look(after, planned, T + 20).drain == ("w-d",)


def test_who_a_person_drains_counts_among_those_that_go(course: Course) -> None:
    planned = replace(a_plan(ScaleDown("a", 900), before="a"), most_leaving=1)
    there = view(node("a"), node("b"), crews=[crew("a"), crew("b", draining=True)])
    assert course.look(there, planned).drain == ()


def test_a_drain_that_was_not_heard_is_said_again_and_told_once(course: Course) -> None:
    there = view(node("a"))
    course.look(there, a_plan(ScaleDown("a", 3_000), before=["a"]))
    again = course.look(there, None, T + 10)
    assert (again.drain, steps(again)) == (("w-a",), [])


def test_a_node_is_released_once_its_drained_worker_held_nothing_for_a_while(
    course: Course,
) -> None:
    busy = view(node("a"), crews=[crew("a", holds=1, draining=True)])
    held = course.look(busy)
    assert (held.release, held.fleet, held.drain) == ((), {}, ())
    empty = view(node("a"), crews=[crew("a", draining=True)])
    assert steps(course.look(empty, None, T + 10)) == [(Step.DRAINED, "a")]
    assert course.look(empty, None, T + 10 + SETTLE_S - 1).release == ()
    todo = course.look(empty, None, T + 10 + SETTLE_S)
    assert (todo.release, steps(todo)) == (("a",), [(Step.RETURNED, "a")])
    assert course.look(empty, None, T + 40).release == ("a",)
    assert course.orders.rented(empty, T) == []
    assert steps(course.look(view(), None, T + 50)) == [(Step.LEFT, "a")]


def test_another_worker_on_a_returned_node_is_drained_too(course: Course) -> None:
    gone = view(node("a"), crews=[crew("a", draining=True)])
    for at_s in (T, T + 1, T + SETTLE_S + 1):
        course.look(gone, None, at_s)
    todo = course.look(view(node("a"), crews=[crew("a")]), None, T + 30)
    assert (todo.drain, todo.release, todo.fleet) == (("w-a",), ("a",), {})


def test_of_a_fixed_pool_nobody_is_drained_or_released(course: Course) -> None:
    there = view(node("a"), node("b"), crews=[crew("a"), crew("b", draining=True)], fixed=True)
    todo = course.look(there, a_plan(ScaleDown("a", 3_000), before=["a"]))
    assert (todo.drain, todo.release) == ((), ())
    made = next(one for one in todo.records if isinstance(one, PlanMade))
    assert made.moves == ()


def test_a_lost_node_is_said_to_be_lost(course: Course) -> None:
    course.look(view(node("a")))
    (left,) = course.look(view(), None, T + 10).records
    assert isinstance(left, Scaled)
    assert left.step is Step.LEFT
    assert "lost" in left.detail


def test_a_plan_tells_first_what_begins_soonest_and_then_what_runs(course: Course) -> None:
    runs = Placement("runs", "a", 0, 60, None, Because.RUNS)
    waits = [Placement(f"t{at}", "a", 600 - at, 660 - at, None, Because.SLACK) for at in range(120)]
    planned = a_plan()
    planned = replace(planned, plan=replace(planned.plan, placements=(runs, *waits[:99])))
    (made,) = (
        one for one in course.look(view(node("a")), planned).records if isinstance(one, PlanMade)
    )
    assert made.placements == (*reversed(waits[:99]), runs)
    more = replace(planned, plan=replace(planned.plan, placements=(runs, *waits)))
    (made,) = (
        one for one in Course().look(view(node("a")), more).records if isinstance(one, PlanMade)
    )
    assert (made.placements, made.placements_all) == ((*reversed(waits),)[:100], 121)


def test_a_plan_that_decides_the_same_is_not_told_again(course: Course) -> None:
    kept = Kept("a", 60, 120)
    assert any(
        isinstance(one, PlanMade) for one in course.look(view(node("a")), a_plan(kept)).records
    )
    same = replace(kept, saves_s=50)
    older = replace(a_plan(same), risks=(Risk("spot", 0.03, 60.0, 0.2),))
    assert course.look(view(node("a")), older, T + 10).records == (), "pools grow old all the time"


def test_what_cannot_be_had_is_refused_once_with_its_reason(course: Course) -> None:
    refused = Refused(Because.MOST_WORKERS, 1, 2.0)
    todo = course.look(view(node("a")), a_plan(refused))
    assert [one.move for one in todo.records if isinstance(one, Scaled) and one.move] == [refused]
    again = course.look(view(node("a")), a_plan(refused, workers=2), T + 10)
    assert steps(again) == []


def test_that_the_pool_is_down_and_up_again_is_told_once(course: Course) -> None:
    for fault, told in (("no answer", 1), ("no answer", 0), ("", 1), ("", 0)):
        news = reach(course.orders, fault, T)
        assert len(news) == told
        for one in news:
            course.orders.apply(one)


def test_a_snapshot_is_the_same_state(course: Course) -> None:
    course.look(view(node("a")), a_plan(up(), ScaleDown("a", 3_000), before=["a"]))
    course.look(view(node("a")), a_plan(up(2)), T + 5)
    for one in reach(course.orders, "no answer", T):
        course.orders.apply(one)
    again = course.orders.copy()
    assert list(again.records()) == list(course.orders.records())
    assert again.waiting == course.orders.waiting
    there = view(node("a"))
    assert steer(again, there, None, T + 400) == steer(course.orders, there, None, T + 400)
