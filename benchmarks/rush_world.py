"""A morning rush: what is to be run, how long it really takes, and what the planner may know of it.

Nothing is taken from the engine but the lower bound, to which every morning is scaled. What is
modelled, and how:

- 89 pipelines of 3 to 8 tasks, two to four levels deep; each task reads one or two of the level
  before. Schedules begin on the hour (4 of 10), five or ten past (3), a quarter past (2), or half
  past (1).
- 40 dependencies across pipelines, from the last task of one to any of another; never a ring.
  Every second one is declared nowhere.
- Durations are lognormal: a task's own p99 is six times its median, from day to day; medians
  differ by a factor of two between tasks. They are scaled so that no plan on 14 workers of 2 slots
  can be done before minute 45 (longest chain and energetic bound, releases included).
- Every second pipeline has an SLA: between minute 15 and 60, no sooner than twice what it usually
  takes from its release on, and always at five minutes.
- Behind them: 42 tasks of a backfill, there at once, and 30 of people, who ask at random moments
  of the hour and are not known before.
- Who goes first is played as the plan has it (`Plan.order`), over the whole graph of tasks. In a
  running swarm nobody obeys that order: the dispatcher goes by the latest starts of pipelines that
  sequencing tells it, where priority is computed alone. A plan is told what stands on a pipeline
  (`Expected.end_by_s`) but not what follows a task within it, so it would put the first task of a
  long pipeline that has to begin now behind the only task of one that has half an hour.
  The dispatcher is told `kept_free`, and obeys it.
- From minute 45 on, base load of 17 slots (8.5 workers): tasks that come every five minutes, each
  at its own phase, of one to four minutes, sigma 0.15. None may wait for more than a minute.
"""

from bisect import insort
from dataclasses import dataclass, replace
from math import exp, log
from random import Random
from statistics import NormalDist

from swarm.placement.bounds import heads, least_makespan
from swarm.placement.demand import Demand, Spread
from swarm.placement.problem import Job, Problem

MIN_S = 60
PIPELINES, CROSS, BACKFILL, PEOPLE = 89, 40, 14, 30
WORKERS, SLOTS = 14, 2
BOUND_S = 45 * MIN_S
END_S = 120 * MIN_S
SIGMA = log(6.0) / NormalDist().inv_cdf(0.99)
BASE_SLOTS, BASE_EVERY_S, BASE_SIGMA, PATIENCE_S = 17.0, 300, 0.15, 60
_HOUR = ((0, 4), (5, 1.5), (10, 1.5), (15, 2), (30, 1))  # minute of the schedule, how many of 10
_SHARES = [0.005, *(number / 40 for number in range(1, 40)), 0.995]
_DEVIATIONS = [NormalDist().inv_cdf(share) for share in _SHARES]


@dataclass(frozen=True, slots=True)
class Morning:
    """One day. The tasks of the pipelines come first, then what is behind, then the base load."""

    demands: tuple[Demand, ...]
    takes: tuple[int, ...]
    pipeline: tuple[int, ...]  # of each task of the rush
    hidden: frozenset[tuple[int, int]]  # undeclared: writer, reader
    known_s: tuple[int, ...]  # from when on anybody knows of it

    @property
    def rush(self) -> range:
        return range(len(self.pipeline))

    def problem(self, workers: int = WORKERS) -> Problem:
        """The pipelines alone, at what they really take."""
        jobs = (self.demands[number].job(self.takes[number]) for number in self.rush)
        return Problem((workers * SLOTS,), tuple(jobs))


@dataclass(slots=True)
class _Task:
    pipeline: int
    median: float
    noise: float
    after: list[int]
    release_s: int
    hidden: list[int]


def morning(seed: int) -> Morning:
    """The same for the same seed."""
    dice = Random(seed)
    tasks = _pipelines(dice)
    scale = _scale(tasks)
    demands = [
        Demand(
            f"p{task.pipeline}.{number}",
            _spread(scale * task.median, SIGMA),
            after=tuple(sorted(task.after)),
            release_s=task.release_s,
        )
        for number, task in enumerate(tasks)
    ]
    takes = [_took(task, scale) for task in tasks]
    _promise(dice, demands, [task.pipeline for task in tasks])
    known_s = [0] * len(demands)
    for demand, took in (*_behind(dice, scale, len(demands)), *_base(dice)):
        demands.append(demand)
        takes.append(took)
        ad_hoc = demand.name.startswith("person")
        known_s.append(demand.release_s if ad_hoc else 0)
    hidden = frozenset((w, reader) for reader, task in enumerate(tasks) for w in task.hidden)
    pipeline = tuple(task.pipeline for task in tasks)
    return Morning(tuple(demands), tuple(takes), pipeline, hidden, tuple(known_s))


def without_hidden(day: Morning) -> tuple[Demand, ...]:
    """The tasks as they stand where only what was declared is known."""
    return tuple(
        replace(one, after=tuple(b for b in one.after if (b, number) not in day.hidden))
        for number, one in enumerate(day.demands)
    )


def _pipelines(dice: Random) -> list[_Task]:
    """Numbered so that each task stands behind those it waits for."""
    tasks: list[_Task] = []
    own: list[list[int]] = []
    minutes, weights = zip(*_HOUR, strict=True)
    reads: list[list[int]] = [[] for _ in range(PIPELINES)]
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < CROSS:
        writer, reader = sorted(dice.sample(range(PIPELINES), 2))
        if (writer, reader) not in pairs:
            pairs.add((writer, reader))
            insort(reads[reader], writer)
    for pipeline in range(PIPELINES):
        release_s = int(dice.choices(minutes, weights)[0]) * MIN_S
        depth = dice.randint(2, 4)
        level_of = sorted(dice.randrange(depth) for _ in range(dice.randint(3, 8)))
        levels: list[list[int]] = []
        for place, level in enumerate(level_of):
            if not place or level != level_of[place - 1]:
                levels.append([])
            before = levels[-2] if len(levels) > 1 else []
            after = dice.sample(before, min(len(before), dice.randint(1, 2)))
            median = exp(dice.uniform(-log(2) / 2, log(2) / 2))
            noise = exp(SIGMA * dice.gauss(0, 1))
            levels[-1].append(len(tasks))
            tasks.append(_Task(pipeline, median, noise, after, release_s, []))
        own.append([number for level in levels for number in level])
        for writer in reads[pipeline]:
            task = tasks[dice.choice(own[pipeline])]
            if own[writer][-1] not in task.after:
                task.after.append(own[writer][-1])
                if len(pairs) % 2:
                    task.hidden.append(own[writer][-1])
                pairs.pop()
    return tasks


def _took(task: _Task, scale: float) -> int:
    return max(1, round(scale * task.median * task.noise))


def _scale(tasks: list[_Task]) -> float:
    """Seconds a median of 1 stands for, so that the bound is `BOUND_S` to the second or so."""

    def bound(scale: float) -> int:
        jobs = (
            Job(_took(task, scale), (1,), tuple(sorted(task.after)), task.release_s)
            for task in tasks
        )
        return least_makespan(Problem((WORKERS * SLOTS,), tuple(jobs)))

    low, high = 20.0, 600.0
    while high - low > 0.01:
        middle = (low + high) / 2
        if bound(middle) > BOUND_S:
            high = middle
        else:
            low = middle
    return low


def _spread(median: float, sigma: float) -> Spread:
    middle = log(median)
    return Spread(tuple(exp(middle + sigma * one) for one in _DEVIATIONS))


def _promise(dice: Random, demands: list[Demand], pipeline: list[int]) -> None:
    """To every second pipeline the moment by which its last tasks have to be done; late, they cost
    1 together."""
    jobs = tuple(one.job(round(one.takes.mean())) for one in demands)
    usual = [head + job.takes for head, job in zip(heads(Problem((1,), jobs)), jobs, strict=True)]
    inside = {b for n, one in enumerate(demands) for b in one.after if pipeline[b] == pipeline[n]}
    for one in range(0, PIPELINES, 2):
        own = [number for number, of in enumerate(pipeline) if of == one]
        release_s = demands[own[0]].release_s
        soonest_s = release_s + 2 * (max(usual[number] for number in own) - release_s)
        wanted_s = dice.uniform(15 * MIN_S, 60 * MIN_S)
        due_s = -(-int(max(soonest_s, wanted_s)) // 300) * 300
        last = [number for number in own if number not in inside]
        for number in last:
            demands[number] = replace(demands[number], due_s=due_s, value=1 / len(last))


def _behind(dice: Random, scale: float, first: int) -> list[tuple[Demand, int]]:
    found: list[tuple[Demand, int]] = []
    for day in range(BACKFILL):
        for step in range(3):
            after = (first + len(found) - 1,) if step else ()
            spread = _spread(scale, SIGMA)
            took = max(1, round(scale * exp(SIGMA * dice.gauss(0, 1))))
            found.append((Demand(f"backfill{day}.{step}", spread, after=after, behind=True), took))
    for number in range(PEOPLE):
        at_s = dice.randrange(60 * MIN_S)
        took = max(1, round(scale * exp(SIGMA * dice.gauss(0, 1))))
        spread = _spread(scale, SIGMA)
        found.append((Demand(f"person{number}", spread, release_s=at_s, behind=True), took))
    return found


def _base(dice: Random) -> list[tuple[Demand, int]]:
    found: list[tuple[Demand, int]] = []
    load = 0.0
    stream = 0
    while BASE_SLOTS - load > 0.01:
        mean = min(dice.uniform(60, 240), (BASE_SLOTS - load) * BASE_EVERY_S)
        load += mean / BASE_EVERY_S
        median = mean / exp(BASE_SIGMA**2 / 2)
        spread = _spread(median, BASE_SIGMA)
        first_s = BOUND_S + dice.randrange(BASE_EVERY_S)
        for at_s in range(first_s, END_S - BASE_EVERY_S, BASE_EVERY_S):
            took = max(1, round(median * exp(BASE_SIGMA * dice.gauss(0, 1))))
            name = f"base{stream}.{at_s}"
            one = Demand(name, spread, release_s=at_s, patience_s=PATIENCE_S)
            found.append((one, took))
        stream += 1
    return found
