"""Jobs into time, one after another: each begins as soon as what it needs is free for as long as
it takes (serial schedule generation, Kelley 1963). Whatever the order, no capacity is exceeded and
nobody begins before those it waits for."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from swarm.placement.problem import Job, Problem

_NONE: Mapping[int, int] = MappingProxyType({})


class Profile:
    """What is free from when on. The last piece has no end, and all is free in it."""

    def __init__(self, capacity: Sequence[int]) -> None:
        self._from = [0]
        self._free = [list(capacity)]

    def earliest(self, job: Job, ready: int) -> int:
        """The first moment from `ready` on from which the job can run to its end."""
        if not job.takes:
            return ready
        at = bisect_right(self._from, ready) - 1
        start, end = ready, ready + job.takes
        needs, times, free = job.needs, self._from, self._free
        while at < len(times) and times[at] < end:
            for need, there_is in zip(needs, free[at], strict=True):
                if need > there_is:
                    start = times[at + 1]
                    end = start + job.takes
                    break
            at += 1
        return start

    def take(self, job: Job, start: int) -> None:
        """Have it run from `start` on."""
        if not job.takes:
            return
        first, last = self._cut(start), self._cut(start + job.takes)
        for piece in self._free[first:last]:
            for kind, need in enumerate(job.needs):
                piece[kind] -= need

    def _cut(self, at: int) -> int:
        """The piece that begins at `at`; one is cut in two where none does."""
        place = bisect_right(self._from, at) - 1
        if self._from[place] != at:
            place += 1
            self._from.insert(place, at)
            self._free.insert(place, list(self._free[place - 1]))
        return place


def packed(problem: Problem, order: Iterable[int], given: Mapping[int, int] = _NONE) -> list[int]:
    """The starts by job; `order` has each behind those it waits for. Those `given` begin when that
    says, and the others fit themselves in."""
    profile, jobs = Profile(problem.capacity), problem.jobs
    starts = [0] * len(jobs)
    for number, start in given.items():
        profile.take(jobs[number], start)
        starts[number] = start
    for number in order:
        job = jobs[number]
        ready = job.release
        for before in job.after:
            end = starts[before] + jobs[before].takes
            ready = max(ready, end)
        start = profile.earliest(job, ready)
        profile.take(job, start)
        starts[number] = start
    return starts
