"""What swarm and others make of a day: who is first, when a worker is ordered, when one goes."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf
from statistics import median, quantiles

from benchmarks.cost_fleet import BOOT_S, NEVER_S, SPOT_PRICE, Now, Order, PoolDay, Rule
from benchmarks.cost_world import Day, Task
from swarm.model.work import CapacityClass
from swarm.placement.capacity import Load, Terms, ordered
from swarm.placement.spot import Because, Choice, Pool, Work, choose, full_domains
from swarm.placement.spot import Terms as SpotTerms
from swarm.placement.survival import Survival

IDLE_S = 60.0
_TERMS = SpotTerms(dedicated_usd_per_h=1.0, restart_s=BOOT_S, look_s=60.0)
_LEAST_WORK_S = 10 * BOOT_S  # of a boot, no more than a tenth
_MARGIN_S = 300.0  # before the latest start
_PATIENCE_S = 300.0  # so long waits what is promised to nobody, to save a boot


@dataclass(frozen=True, slots=True)
class Known:
    """What a rule believes of a day's tasks, by number: how long each usually takes (median), at
    most (P90), and ever took, and when it has to begin at the latest for all behind it to be in
    time."""

    usual_s: tuple[float, ...]
    most_s: tuple[float, ...]
    longest_s: tuple[float, ...]
    latest_s: tuple[float, ...]


class Past:
    """How long tasks took on the days before."""

    def __init__(self) -> None:
        self._took: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=20))

    def add(self, day: Day) -> None:
        for task in day.tasks:
            self._took[task.name].append(task.takes_s)

    def known(self, tasks: Sequence[Task]) -> Known:
        """By what is past alone; a task that was never seen takes five minutes."""
        found: dict[str, tuple[float, float, float]] = {}
        for task in tasks:
            if task.name not in found:
                took = self._took.get(task.name) or (300.0,)
                most = quantiles(took, n=10)[-1] if len(took) > 1 else took[0]
                found[task.name] = (median(took), most, max(took))
        usual, most_s, longest = zip(*(found[task.name] for task in tasks), strict=True)
        return Known(usual, most_s, longest, tuple(_latest(tasks, most_s)))


def exactly(tasks: Sequence[Task]) -> Known:
    """What only a clairvoyant knows."""
    takes = tuple(task.takes_s for task in tasks)
    return Known(takes, takes, takes, tuple(_latest(tasks, takes)))


def _latest(tasks: Sequence[Task], most: Sequence[float]) -> list[float]:
    latest = [
        NEVER_S if task.due_s is None else task.due_s - takes
        for task, takes in zip(tasks, most, strict=True)
    ]
    for number in range(len(tasks) - 1, -1, -1):
        for before in tasks[number].after:
            latest[before] = min(latest[before], latest[number] - most[before])
    return latest


def static(known: Known, workers: int) -> Rule:
    """So many, all day; who is ready first goes first."""
    return Rule(lambda at_s, _: at_s, known.latest_s, lambda _: (), inf, stand=workers)


def reactive(day: Day, known: Known, slots: int, idle_s: float) -> Rule:
    """A worker for whatever waits, gone after it has idled; who is ready first goes first."""

    def orders(now: Now) -> Sequence[Order]:
        waiting = sum(day.tasks[number].slots for number in now.waiting)
        return (Order(max(0, ceil((waiting - _coming(now)) / slots))),)

    return Rule(lambda at_s, _: at_s, known.latest_s, orders, idle_s)


def _coming(now: Now, spot: bool | None = None) -> int:
    """Slots of workers that boot."""
    return sum(
        one.free
        for one in now.workers
        if one.up_s > now.at_s and (spot is None or spot == (one.pool is not None))
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What swarm has decided for a day: the most workers (None: it does not trust its forecast),
    and how many stand at a time of day."""

    most: int | None = None
    keeps: Callable[[float], int] = lambda _: 0


def with_swarm(day: Day, known: Known, slots: int, plan: Plan, spot: "Spot | None" = None) -> Rule:
    """The engine's rules: least latest start first; ordered for what pays or cannot wait."""
    terms = Terms(slots, BOOT_S, _LEAST_WORK_S)
    tasks = day.tasks

    def orders(now: Now) -> Sequence[Order]:
        groups: dict[int | None, list[int]] = {None: now.waiting}
        if spot is not None:
            groups = spot.groups(now)
        found: list[Order] = []
        coming = 0
        for pool, numbers in groups.items():
            boots = _coming(now, spot=pool is not None)
            load = _load(now, numbers, boots, len(now.workers) + coming)
            count = ordered(load, terms, plan.most, plan.keeps(now.at_s + BOOT_S))
            found.append(Order(count, pool))
            coming += count
        return found

    def _load(now: Now, numbers: Sequence[int], boots: int, workers: int) -> Load:
        waiting, work_s, urgent, overdue = -boots, -boots * _LEAST_WORK_S, -boots, -boots
        for number in numbers:
            waiting += tasks[number].slots
            work_s += tasks[number].slots * known.usual_s[number]
            if known.latest_s[number] < now.at_s + BOOT_S + _MARGIN_S:
                urgent += tasks[number].slots
            elif now.ready_s[number] + _PATIENCE_S < now.at_s + BOOT_S:
                overdue += tasks[number].slots
        free = freed(now)
        return Load(
            workers,
            max(0, waiting),
            max(0.0, work_s),
            max(0, urgent - free),
            max(0, urgent + overdue + boots - free),
        )

    def freed(now: Now) -> int:
        """Slots that are usually free again before a worker ordered now works."""
        return sum(
            tasks[number].slots
            for worker in now.workers
            for number in worker.running
            if now.begun_s[number] + known.usual_s[number] <= now.at_s + BOOT_S
        )

    return Rule(
        lambda at_s, number: min(known.latest_s[number], NEVER_S + at_s),
        known.latest_s,
        orders,
        IDLE_S,
        plan.keeps,
        spot.pools_for if spot is not None else lambda _, __: (),
        spot.copies if spot is not None else lambda _: (),
        known.usual_s,
    )


@dataclass(frozen=True, slots=True)
class Spot:
    """The engine's choice between spot and dedicated, task by task."""

    known: Known
    pools: Sequence[PoolDay]
    survival: Survival

    def pools_for(self, at_s: float, number: int) -> list[int]:
        """On which of them it may run."""
        work = self._work(at_s, number)
        choices = (choose(work, None, [pool], self.survival, _TERMS) for pool in self._there(at_s))
        return [int(choice.pool) for choice in choices if choice.pool is not None]

    def groups(self, now: Now) -> dict[int | None, list[int]]:
        """Who waits for a worker of which pool; None: dedicated."""
        there = self._there(now.at_s)
        held = Counter(
            str(worker.pool)
            for worker in now.workers
            for number in worker.running
            if worker.pool is not None and self._critical(number)
        )
        critical = held.total() + sum(self._critical(number) for number in now.waiting)
        found: dict[int | None, list[int]] = {}
        for number in now.waiting:
            full = full_domains(held, critical)
            work = self._work(now.at_s, number)
            choice = choose(work, None, there, self.survival, _TERMS, full)
            waited_s = now.at_s - now.ready_s[number]
            if choice.pool is not None:
                held[choice.pool] += work.critical
                found.setdefault(int(choice.pool), []).append(number)
            elif choice.where is CapacityClass.DEDICATED or waited_s > _PATIENCE_S:
                found.setdefault(None, []).append(number)
        return found

    def copies(self, now: Now) -> list[int]:
        """What runs on spot and could not be made good in time, were it lost now."""
        there = self._there(now.at_s)
        return [
            number
            for worker in now.workers
            for number in worker.running
            if worker.pool is not None and self._critical(number)
            if self._within(now, number, str(worker.pool), there).copy
        ]

    def _within(self, now: Now, number: int, pool: str, there: Sequence[Pool]) -> Choice:
        begun_s = now.begun_s[number]
        work = replace(self._work(now.at_s, number), done_s=now.at_s - begun_s)
        here = Choice(CapacityClass.SPOT, Because.STAYS, pool)
        return choose(work, here, there, self.survival, _TERMS)

    def _there(self, at_s: float) -> list[Pool]:
        return [
            Pool(str(number), str(number), SPOT_PRICE, age_s)
            for number, pool in enumerate(self.pools)
            if (age_s := pool.age_s(at_s)) is not None
        ]

    def _critical(self, number: int) -> bool:
        return self.known.latest_s[number] < NEVER_S

    def _takes_s(self, number: int) -> float:
        return (self.known.longest_s if self._critical(number) else self.known.most_s)[number]

    def _work(self, at_s: float, number: int) -> Work:
        takes_s = self._takes_s(number)
        to_due_s = self.known.latest_s[number] + self.known.most_s[number] - at_s
        return Work(takes_s, takes_s, 0.0, to_due_s, self._critical(number))
