"""Whatever the jobs: a plan fits, nothing beats the bound, and small problems are solved."""

from itertools import islice, permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.placement.bounds import heads, least_makespan, tails
from swarm.placement.packing import packed
from swarm.placement.problem import Job, Problem, Timetable, timetable
from swarm.placement.search import plans


@st.composite
def problems(draw: st.DrawFn, most: int = 12) -> Problem:
    capacity = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=3)))
    jobs = []
    for number in range(draw(st.integers(1, most))):
        after = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        takes = draw(st.integers(0, 9))
        due = draw(st.none() | st.integers(0, 40))
        needs = tuple(draw(st.integers(0, there_is)) for there_is in capacity)
        jobs.append(Job(takes, needs, tuple(sorted(after)), draw(st.integers(0, 15)), due))
    return Problem(capacity, tuple(jobs))


def check(problem: Problem, plan: Timetable) -> None:
    ends = [start + job.takes for start, job in zip(plan.starts, problem.jobs, strict=True)]
    for job, start in zip(problem.jobs, plan.starts, strict=True):
        assert start >= job.release
        assert all(ends[before] <= start for before in job.after)
    for at in set(plan.starts):
        run = [
            job
            for job, start, end in zip(problem.jobs, plan.starts, ends, strict=True)
            if start <= at < end
        ]
        for kind, there_is in enumerate(problem.capacity):
            assert sum(job.needs[kind] for job in run) <= there_is


@settings(deadline=None)
@given(problems(), st.integers(0, 99))
def test_every_plan_fits_and_is_no_worse_than_the_one_before(problem: Problem, seed: int) -> None:
    found = list(islice(plans(problem, Random(seed)), 60))
    for plan in found:
        check(problem, plan)
        assert plan.makespan >= least_makespan(problem)
    assert [plan.cost for plan in found] == sorted((p.cost for p in found), reverse=True)


@settings(deadline=None)
@given(problems())
def test_the_bound_is_that_of_every_stretch_in_which_enough_has_to_fit(problem: Problem) -> None:
    parts = [*zip(heads(problem), tails(problem), problem.jobs, strict=True)]
    found = [head + job.takes + tail for head, tail, job in parts]
    for kind, there_is in enumerate(problem.capacity):
        users = [(h, t, job.takes * job.needs[kind]) for h, t, job in parts if job.needs[kind]]
        for from_, _, _ in users:
            for _, left, _ in users:
                area = sum(of for head, tail, of in users if head >= from_ and tail >= left)
                if area:
                    found.append(from_ + -(-area // there_is) + left)
    assert least_makespan(problem) == max(found)


@settings(max_examples=60, deadline=None)
@given(problems(most=5))
def test_small_problems_are_solved(problem: Problem) -> None:
    numbers = range(len(problem.jobs))
    orders = (
        order
        for order in permutations(numbers)
        if all(order.index(b) < order.index(n) for n in numbers for b in problem.jobs[n].after)
    )
    best = min(timetable(problem, packed(problem, order)).cost for order in orders)
    *_, last = islice(plans(problem, Random(1)), 300)
    assert last.cost == best


@settings(deadline=None)
@given(problems())
def test_backwards_and_backwards_again_is_the_same_but_for_times(problem: Problem) -> None:
    again = problem.reversed().reversed()
    assert [(j.takes, j.needs, j.after) for j in again.jobs] == [
        (j.takes, j.needs, j.after) for j in problem.jobs
    ]


@pytest.mark.parametrize(
    ("jobs", "words"),
    [
        ((Job(1, (1,), after=(1,)), Job(1, (1,))), "job 0 stands before"),
        ((Job(1, (3,)),), "job 0 needs 3 of resource 0; there are 2"),
    ],
)
def test_what_can_never_be_planned_is_named(jobs: tuple[Job, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Problem((2,), jobs)
