"""What a plan is made of: jobs that wait for each other and share what there is.

Times are whole seconds from the beginning of the plan. What a job is worth and when it is due come
as values: they are computed in sequencing alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Job:
    """A task to be run once. `needs` are units of each resource, all the while it runs; it begins
    no sooner than at `release` and when the jobs `after` (by number) have ended. One that ends
    later than `due` costs `weight`. `rank`: among equals the lowest goes first."""

    takes: int
    needs: tuple[int, ...]
    after: tuple[int, ...] = ()
    release: int = 0
    due: int | None = None
    weight: float = 1.0
    rank: float = 0.0


@dataclass(frozen=True, slots=True)
class Problem:
    """Jobs, each behind those it waits for, and how much of each resource there is.

    Raises `ValueError` where a job stands before what it waits for, or can never run.
    """

    capacity: tuple[int, ...]
    jobs: tuple[Job, ...]

    def __post_init__(self) -> None:
        for number, job in enumerate(self.jobs):
            if any(before >= number for before in job.after):
                raise ValueError(f"job {number} stands before one that it waits for")
            for kind, (need, there_is) in enumerate(zip(job.needs, self.capacity, strict=True)):
                if need > there_is:
                    raise ValueError(
                        f"job {number} needs {need} of resource {kind}; there are {there_is}"
                    )

    def reversed(self) -> "Problem":
        """The same with time running backwards: job 0 is the last one, whoever waited is waited
        for, and nothing is released or due."""
        last = len(self.jobs) - 1
        after: list[list[int]] = [[] for _ in self.jobs]
        for number, job in enumerate(self.jobs):
            for before in job.after:
                after[last - before].append(last - number)
        jobs = (
            replace(job, after=tuple(sorted(after[last - number])), release=0, due=None)
            for number, job in reversed(list(enumerate(self.jobs)))
        )
        return Problem(self.capacity, tuple(jobs))


@dataclass(frozen=True, slots=True)
class Timetable:
    """When each job begins, by its number."""

    starts: tuple[int, ...]
    missed: float  # weight of the jobs that end too late
    late_s: float  # by how much, weighted
    makespan: int

    @property
    def cost(self) -> tuple[float, float, int]:
        """What is compared, the first that differs decides: misses, lateness, the end of all."""
        return self.missed, self.late_s, self.makespan


def timetable(problem: Problem, starts: Sequence[int]) -> Timetable:
    """The starts with what they cost."""
    missed = late_s = 0.0
    makespan = 0
    for job, start in zip(problem.jobs, starts, strict=True):
        end = start + job.takes
        makespan = max(makespan, end)
        if job.due is not None and end > job.due:
            missed += job.weight
            late_s += job.weight * (end - job.due)
    return Timetable(tuple(starts), missed, late_s, makespan)
