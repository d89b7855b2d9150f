"""What no plan can beat: how far from perfect one is, is told by its share over this."""

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
    by_tail = sorted(range(len(jobs)), key=lambda number: -tail[number])
    for kind, there_is in enumerate(problem.capacity):
        users = [number for number in by_tail if jobs[number].needs[kind]]
        for from_ in {head[number] for number in users}:
            area = 0
            for number in users:  # the longest tails first
                if head[number] >= from_:
                    area += jobs[number].takes * jobs[number].needs[kind]
                    least = max(least, from_ - (-area // there_is) + tail[number])
    return least


def least_missed(problem: Problem) -> float:
    """The weight of what would end too late even if there were enough of everything."""
    ends = zip(heads(problem), problem.jobs, strict=True)
    return sum(
        job.weight for head, job in ends if job.due is not None and head + job.takes > job.due
    )
