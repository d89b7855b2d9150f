"""Ever better plans: many orders of the jobs, each packed into time and pushed together.

Orders begin as latest starts with noise (so the first one is the list plan itself) and go on as
children of good ones: the beginning and the end of one parent's order around a piece of the
other's (two-point crossover, Hartmann 1998). A packed order is pushed to the right and back to the
left, which never makes it longer (double justification, Valls, Ballestin and Quintanilla 2005).
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from swarm.placement.bounds import least_makespan, least_missed, tails
from swarm.placement.packing import packed
from swarm.placement.problem import Problem, Timetable, timetable

_KEPT = 40  # orders at a time
_SWAPS = 0.05  # of neighbours in a child


@dataclass(frozen=True, slots=True)
class _Found:
    order: tuple[int, ...]
    plan: Timetable


def plans(
    problem: Problem, random: Random, known: Sequence[int] | None = None
) -> Iterator[Timetable]:
    """The best so far, each time one more order was tried; it ends where none can be better.
    `known`: starts of a plan that is there already, to begin from."""
    least, unavoidable = least_makespan(problem), least_missed(problem)
    search = _Search(problem, random)
    best = search.listed(0.0).plan
    yield best
    if known is not None:
        best = min(best, search.begun(known), key=lambda plan: plan.cost)
        yield best
    while best.missed > unavoidable + 1e-9 or best.makespan > least:
        found = search.step().plan
        best = min(best, found, key=lambda plan: plan.cost)
        yield best


class _Search:
    def __init__(self, problem: Problem, random: Random) -> None:
        self._problem, self._random = problem, random
        self._backwards = problem.reversed()
        self._latest = latest_starts(problem)
        self._kept: list[_Found] = []
        self._known: set[tuple[float, float, int, tuple[int, ...]]] = set()

    def listed(self, noise: float) -> _Found:
        """An order by latest start; at a noise of 1 any order may come."""
        wide = noise * (max(self._latest, default=0) - min(self._latest, default=0))
        keys = [(at + self._random.uniform(-wide, wide), number) for number, at in self._keyed()]
        return self._tried(_topological(self._problem, keys))

    def begun(self, starts: Sequence[int]) -> Timetable:
        """A plan that somebody has made, or what pushing makes of it."""
        found = self._tried(sorted(range(len(starts)), key=lambda n: (starts[n], n)))
        self._kept.append(found)
        return min(found.plan, timetable(self._problem, starts), key=lambda plan: plan.cost)

    def step(self) -> _Found:
        if len(self._kept) < _KEPT:
            found = self.listed(self._random.random() ** 2)
        else:
            found = self._tried(self._child(self._pick().order, self._pick().order))
        mark = (*found.plan.cost, found.plan.starts)
        if mark not in self._known:
            self._known.add(mark)
            self._kept.append(found)
        if len(self._kept) > _KEPT:
            worst = max(self._kept, key=lambda one: one.plan.cost)
            self._kept.remove(worst)
            self._known.discard((*worst.plan.cost, worst.plan.starts))
        return found

    def _keyed(self) -> Iterator[tuple[int, float]]:
        for number, job in enumerate(self._problem.jobs):
            yield number, self._latest[number] + job.rank

    def _pick(self) -> _Found:
        one, other = self._random.sample(self._kept, 2)
        return min(one, other, key=lambda found: found.plan.cost)

    def _child(self, mother: Sequence[int], father: Sequence[int]) -> list[int]:
        one, other = sorted(self._random.sample(range(len(mother) + 1), 2))
        child = list(mother[:one])
        taken = set(child)
        piece = [number for number in father if number not in taken][: other - one]
        taken.update(piece)
        child += piece
        child += [number for number in mother if number not in taken]
        for at in range(len(child) - 1):
            if self._random.random() < _SWAPS:
                first, second = child[at], child[at + 1]
                if first not in self._problem.jobs[second].after:
                    child[at], child[at + 1] = second, first
        return child

    def _tried(self, order: Sequence[int]) -> _Found:
        """The better of the order packed, and that pushed right and left again."""
        problem, starts = self._problem, packed(self._problem, order)
        plan = timetable(problem, starts)
        pushed = timetable(problem, packed(problem, self._justified(starts)))
        best = min(plan, pushed, key=lambda one: one.cost)
        numbers = range(len(problem.jobs))
        return _Found(tuple(sorted(numbers, key=lambda n: (best.starts[n], n))), best)

    def _justified(self, starts: Sequence[int]) -> list[int]:
        """The order in which they begin once all are pushed to the right, the last end first."""
        jobs, last = self._problem.jobs, len(starts) - 1
        numbers = range(len(starts))
        by_end = sorted(numbers, key=lambda n: (-(starts[n] + jobs[n].takes), -n))
        back = packed(self._backwards, [last - number for number in by_end])
        ends = [back[last - number] for number in numbers]  # before the end of all
        return sorted(numbers, key=lambda n: (-(ends[n] + jobs[n].takes), n))


def latest_starts(problem: Problem) -> list[int]:
    """When each job must begin for all that wait for it to be in time, were there enough of
    everything; in time is before what is due, and before the end of the longest chain."""
    end = least_makespan(problem)
    latest = [
        end - tail - job.takes for tail, job in zip(tails(problem), problem.jobs, strict=True)
    ]
    for number in range(len(latest) - 1, -1, -1):
        job = problem.jobs[number]
        if job.due is not None:
            latest[number] = min(latest[number], job.due - job.takes)
        for before in job.after:
            by = latest[number] - problem.jobs[before].takes
            latest[before] = min(latest[before], by)
    return latest


def _topological(problem: Problem, keys: Sequence[tuple[float, int]]) -> list[int]:
    """All jobs, the lowest key first among those that may come next."""
    waits = [len(job.after) for job in problem.jobs]
    then: list[list[int]] = [[] for _ in problem.jobs]
    for number, job in enumerate(problem.jobs):
        for before in job.after:
            then[before].append(number)
    may = [keys[number] for number, left in enumerate(waits) if not left]
    heapq.heapify(may)
    order = []
    while may:
        _, number = heapq.heappop(may)
        order.append(number)
        for next_ in then[number]:
            waits[next_] -= 1
            if not waits[next_]:
                heapq.heappush(may, keys[next_])
    return order
