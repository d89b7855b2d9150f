"""What no plan can beat: how far from perfect one is, is told by its share over this."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate, groupby
from operator import itemgetter, sub

from swarm.placement.problem import Problem


def heads(problem: Problem) -> list[int]:
    """The earliest start of each job, were there enough of everything."""
    found: list[int] = []
    for job in problem.jobs:
        ends = (found[before] + problem.jobs[before].takes for before in job.after)
        found.append(max(job.release, *ends) if job.after else job.release)
    return found


def tails(problem: Problem) -> list[int]:
    """How long at least there is something to do after each job has ended."""
    found = [0] * len(problem.jobs)
    for number in range(len(problem.jobs) - 1, -1, -1):
        job = problem.jobs[number]
        for before in job.after:
            found[before] = max(found[before], found[number] + job.takes)
    return found


def least_makespan(problem: Problem) -> int:
    """The larger of the longest chain and the energetic bound (Carlier and Pinson 1989, for each
    resource): jobs that begin at `head` or later, and leave `tail` or more to do, need their area
    in between."""
    head, tail = heads(problem), tails(problem)
    jobs = problem.jobs
    least = max((head[n] + jobs[n].takes + tail[n] for n in range(len(jobs))), default=0)
    for kind, there_is in enumerate(problem.capacity):
        users = (
            (head[number], tail[number], job.takes * job.needs[kind])
            for number, job in enumerate(jobs)
            if job.needs[kind]
        )
        least = max(least, _energetic(users, there_is, least))
    return least


def _energetic(users: Iterable[tuple[int, int, int]], there_is: int, least: int) -> int:
    """The bound by head, tail and area of each, where it is more than `least`. The latest heads
    first: each is met by those behind it, whose areas stand by falling tails."""
    areas: list[int] = []
    minus_tails: list[int] = []  # as areas of all there is
    whole = 0
    for from_, group in groupby(sorted(users, reverse=True), key=itemgetter(0)):
        for _, tail, area in group:
            place = bisect_right(minus_tails, -tail * there_is)
            minus_tails.insert(place, -tail * there_is)
            areas.insert(place, area)
            whole += area
        if from_ + (whole - minus_tails[0]) / there_is > least:  # else it cannot be more
            most = max(map(sub, accumulate(areas), minus_tails))
            least = max(least, from_ - (-most // there_is))
    return least


def least_missed(problem: Problem) -> float:
    """The weight of what would end too late even if there were enough of everything."""
    ends = zip(heads(problem), problem.jobs, strict=True)
    return sum(
        job.weight for head, job in ends if job.due is not None and head + job.takes > job.due
    )
