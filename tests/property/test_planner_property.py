"""Whatever is to be run on whatever workers: a plan fits, keeps its budget and explains itself."""

from dataclasses import replace
from operator import sub
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.model.plans import Because, Budget, Offering, Plan, Rented, ScaleDown, ScaleUp
from swarm.placement.demand import Demand, Spread
from swarm.placement.explain import of_move, of_placement, of_unplaced
from swarm.placement.fleet import fits
from swarm.placement.planner import Effort, Situation, plan
from swarm.placement.rehearsal import NEVER, Cast, Rehearsal
from swarm.placement.sizing import Worth

FEW = Effort(draws=3, tries=3)


@st.composite
def spreads(draw: st.DrawFn, known: bool) -> Spread:
    points = draw(st.lists(st.integers(1, 400), min_size=1, max_size=1 if known else 4))
    return Spread(tuple(float(point) for point in sorted(points)))


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    kinds = draw(st.integers(1, 2))
    rooms = st.tuples(*[st.integers(1, 4)] * kinds)
    offerings = tuple(
        Offering(f"o{number}", draw(rooms), draw(st.sampled_from((0.1, 1.0))), draw(st.just(60)))
        for number in range(draw(st.integers(1, 2)))
    )
    rented = tuple(
        Rented(
            f"w{number}",
            draw(st.sampled_from(offerings)),
            draw(st.sampled_from((0, 0, 30))),
            draw(st.integers(0, 3)) == 0,
        )
        for number in range(draw(st.integers(0, 3)))
    )
    free = {one.worker: one.offering.room for one in rented if not one.up_s}
    known = draw(st.booleans())
    needs = st.tuples(*[st.integers(1, 3)] + [st.integers(0, 3)] * (kinds - 1))
    demands: list[Demand] = []
    for number in range(draw(st.integers(0, 12))):
        after = draw(st.sets(st.integers(0, number - 1), max_size=2)) if number else set()
        needed = draw(needs)
        has = [worker for worker, room in free.items() if fits(needed, room)]
        runs_on = draw(st.sampled_from(has)) if has and draw(st.booleans()) else ""
        if runs_on:
            free[runs_on] = tuple(map(sub, free[runs_on], needed))
            after = set()
        demands.append(
            Demand(
                f"t{number}",
                draw(spreads(known)),
                needed,
                tuple(sorted(after)),
                0 if runs_on else draw(st.sampled_from((0, 0, 50, 300))),
                draw(st.none() | st.integers(1, 1_000)),
                draw(st.none() | st.just(60)),
                behind=draw(st.integers(0, 4)) == 0,
                runs_on=runs_on,
            )
        )
    budget = Budget(draw(st.integers(0, 6)), draw(st.none() | st.sampled_from((0.25, 2.0))))
    return Situation(tuple(demands), rented, offerings, budget, 1 << 20, Worth())


def made(situation: Situation) -> Plan:
    return plan(situation, Random(1), FEW)


def room_of(situation: Situation, found: Plan) -> dict[str, tuple[int, ...]]:
    rooms = {one.worker: one.offering.room for one in situation.rented}
    named = {one.name: one.room for one in situation.offerings}
    return rooms | {m.worker: named[m.offering] for m in found.moves if isinstance(m, ScaleUp)}


@settings(max_examples=100, deadline=None)
@given(situations())
def test_a_plan_never_overpacks_and_begins_nothing_too_soon(situation: Situation) -> None:
    found = made(situation)
    rooms = room_of(situation, found)
    demand = {one.name: one for one in situation.demands}
    ends = {one.task: one.end_s for one in found.placements}
    draining = {one.worker for one in situation.rented if one.draining}
    for one in found.placements:
        runs_on = demand[one.task].runs_on
        assert one.worker == runs_on if runs_on else one.worker not in draining
        assert one.start_s >= (0 if runs_on else demand[one.task].release_s)
        for before in demand[one.task].after:
            assert ends[situation.demands[before].name] <= one.start_s
    for at in {one.start_s for one in found.placements}:
        for worker, room in rooms.items():
            here = [p for p in found.placements if p.worker == worker and p.start_s <= at < p.end_s]
            used = tuple(map(sum, zip(*(demand[p.task].needs for p in here), strict=True)))
            assert fits(used or (0,) * len(room), room)
    up = {one.worker: one.up_s for one in situation.rented}
    up |= {one.worker: one.up_s for one in found.moves if isinstance(one, ScaleUp)}
    assert all(one.start_s >= up[one.worker] for one in found.placements)


@settings(max_examples=100, deadline=None)
@given(situations())
def test_every_task_is_placed_once_or_refused_with_a_reason(situation: Situation) -> None:
    found = made(situation)
    told = [one.task for one in (*found.placements, *found.unplaced)]
    assert sorted(told) == sorted(one.name for one in situation.demands)
    rooms = [one.room for one in situation.offerings]
    rooms += [one.offering.room for one in situation.rented]
    for one in found.unplaced:
        assert not any(d.runs_on for d in situation.demands if d.name == one.task)
        fit = any(fits(one.needs, room) for room in rooms)
        assert fit == (one.because is not Because.NO_OFFERING) or one.because is Because.UPSTREAM
    sentences = [*map(of_move, found.moves), *map(of_unplaced, found.unplaced)]
    sentences += map(of_placement, found.placements)
    assert all(sentence.endswith(".") for sentence in sentences)


@settings(max_examples=100, deadline=None)
@given(situations())
def test_no_budget_is_exceeded_by_what_is_ordered(situation: Situation) -> None:
    found, budget = made(situation), situation.budget
    price = {one.name: one.price_usd_per_h for one in situation.offerings}
    returned = {one.worker for one in found.moves if isinstance(one, ScaleDown)}
    ordered = [one for one in found.moves if isinstance(one, ScaleUp)]
    stay = [one for one in situation.rented if one.worker not in returned]
    assert len(stay) + len(ordered) <= max(budget.most_workers, len(situation.rented))
    if budget.most_usd_per_h is not None and ordered:
        usd = sum(one.offering.price_usd_per_h for one in stay)
        usd += sum(price[one.offering] for one in ordered)
        assert usd <= budget.most_usd_per_h + 1e-9


@settings(max_examples=60, deadline=None)
@given(situations(), st.integers(1, 4))
def test_a_larger_budget_never_makes_a_worse_plan(situation: Situation, more: int) -> None:
    waiting = tuple(replace(demand, runs_on="") for demand in situation.demands)
    offerings = situation.offerings[:1]
    small = replace(situation, demands=waiting, offerings=offerings, rented=())
    count = small.budget.most_workers
    large = replace(small, budget=Budget(count + more, small.budget.most_usd_per_h))
    one, other = made(small), made(large)
    if any(unplaced.because is Because.NO_ROOM for unplaced in one.unplaced):
        return  # it does not even run all of it
    assert other.chosen.total_usd <= one.chosen.total_usd + 1e-9


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 2), st.integers(0, 2), st.booleans()), min_size=2),
    st.lists(st.tuples(st.integers(2, 4), st.integers(2, 3)), min_size=1, max_size=2),
)
def test_no_worker_ever_holds_more_than_it_has_room_for(
    tasks: list[tuple[int, int, bool]], rooms: list[tuple[int, int]]
) -> None:
    demands = [
        Demand(f"t{n}", Spread((10.0,)), (slots, units), behind=behind)
        for n, (slots, units, behind) in enumerate(tasks)
    ]
    course = Rehearsal(Cast(demands), [10 + n for n in range(len(demands))], [0.0] * len(demands))
    for room in rooms:
        course.add(room)
    course.until()
    assert NEVER not in course.ends
    for at in set(course.starts):
        for worker, room in enumerate(rooms):
            spans = zip(demands, course.starts, course.ends, course.on, strict=True)
            here = [one.needs for one, s, e, on in spans if on == worker and s <= at < e]
            assert fits(tuple(map(sum, zip((0, 0), *here, strict=True))), room)


@settings(deadline=None)
@given(st.integers(0, 9), st.integers(0, 400), st.integers(1, 3))
def test_a_worker_that_drains_ends_what_it_runs_and_begins_nothing(
    seed: int, at_s: int, count: int
) -> None:
    dice = Random(seed)
    demands = [Demand(f"t{n}", Spread((1.0,)), release_s=dice.randrange(300)) for n in range(20)]
    takes = [dice.randrange(1, 100) for _ in demands]
    course = Rehearsal(Cast(demands), takes, list(range(20)))
    for _ in range(count + 1):
        course.add((2,))
    course.until(at_s)
    course.drain(0)
    course.until()
    assert NEVER not in course.ends
    mine = [number for number, on in enumerate(course.on) if on == 0]
    assert all(course.starts[number] <= at_s for number in mine)
    gone_s = course.stands[0].gone_s
    assert gone_s is not None
    assert all(course.ends[number] <= gone_s for number in mine)


@settings(deadline=None)
@given(st.integers(1, 6))
def test_what_is_behind_leaves_others_their_slots(kept: int) -> None:
    behind = [Demand(f"b{n}", Spread((90.0,)), behind=True) for n in range(8)]
    course = Rehearsal(Cast(behind), [90] * 8, [0] * 8, kept_free=kept)
    for _ in range(3):
        course.add((2,))
    course.until(0)
    assert sum(start == 0 for start in course.starts) == max(0, 6 - kept)
