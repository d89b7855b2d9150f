"""A day of a fleet played through, event by event: who runs where, and what it costs.

Work is begun in the order of its keys on the worker with the least room left besides it. A worker
is paid by the second from its order, boot included, until it goes. Spot comes in pools; when one
is lost, all its workers go at once and what they ran begins again, unless a second copy of it is
under way on a dedicated worker: whichever ends first counts, and the other goes. Nothing of a day
is known to a rule before its time but what the rule was given.
"""

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.cost_world import DAY_S, Day, Task

BOOT_S = 120.0
TICK_S = 60.0
NEVER_S = 1e9
SPOT_PRICE = 0.3  # of dedicated
_COPY = -1  # in place of a try's number
_LOST, _GONE, _END, _UP, _READY, _TICK = range(6)


@dataclass(slots=True, eq=False)
class Worker:
    """`pool` is None where it is dedicated."""

    number: int
    free: int
    ordered_s: float
    up_s: float
    pool: int | None = None
    idle_s: float | None = None  # since when
    busy_s: float = 0.0  # until when, by what its rule knows
    running: set[int] = field(default_factory=set)


class Order(NamedTuple):
    """So many workers, now; `pool` None: dedicated."""

    workers: int
    pool: int | None = None


@dataclass(frozen=True, slots=True)
class PoolDay:
    """From when until when a pool is there; the ages are those at the beginning of each life."""

    lives: tuple[tuple[float, float], ...]

    def age_s(self, at_s: float) -> float | None:
        return next((at_s - begun for begun, end in self.lives if begun <= at_s < end), None)


@dataclass(slots=True)
class Outcome:
    """What a day came to; hours of workers, in hours at the dedicated price."""

    cost_h: float = 0.0
    worker_h: float = 0.0
    busy_h: float = 0.0
    missed: int = 0
    peak: int = 0
    lost: int = 0
    copies: int = 0
    sla_waits_s: list[float] = field(default_factory=list)  # of tasks with an SLA behind them
    waits_s: list[float] = field(default_factory=list)  # of all others


@dataclass(slots=True)
class Now:
    """What a rule sees: tasks that are ready and have no slot, in the order of their keys, and
    since when each of all tasks is ready or runs."""

    at_s: float
    waiting: list[int]
    ready_s: Sequence[float]
    begun_s: Sequence[float]
    workers: list[Worker]


@dataclass(frozen=True, slots=True)
class Rule:
    """`keys`: who is first; `latest`: when each has to begin at the latest, by what is known.
    `orders` says what to order now, `most_idle_s` how long an idle one stays, `keeps` how many stay
    at a time of day anyway, `spot` on which pools it may run then, `copies` what of that which
    runs on spot gets a second copy on a dedicated worker."""

    keys: Callable[[float, int], float]
    latest: Sequence[float]
    orders: Callable[[Now], Sequence[Order]]
    most_idle_s: float
    keeps: Callable[[float], int] = lambda _: 0
    spot: Callable[[float, int], Collection[int]] = lambda _, __: ()
    copies: Callable[[Now], Collection[int]] = lambda _: ()
    usual_s: Sequence[float] = ()
    stand: int = 0


def play(day: Day, slots: int, rule: Rule, pools: Sequence[PoolDay] = ()) -> Outcome:
    """The whole day, until all is done."""
    return _Course(day.tasks, slots, rule, pools).run()


class _Course:
    def __init__(
        self, tasks: Sequence[Task], slots: int, rule: Rule, pools: Sequence[PoolDay]
    ) -> None:
        self._tasks, self._slots, self._rule, self._pools = tasks, slots, rule, pools
        self._events: list[tuple[float, int, int, int]] = []
        self._waits = [len(task.after) + 1 for task in tasks]
        self._then: list[list[int]] = [[] for _ in tasks]
        self._ready: list[tuple[float, int]] = []  # sorted when asked for
        self._ready_s = [0.0] * len(tasks)
        self._begun_s = [0.0] * len(tasks)
        self._on: list[Worker | None] = [None] * len(tasks)
        self._tries = [0] * len(tasks)
        self._second: dict[int, Worker | None] = {}  # copies; None: it waits
        self._left = len(tasks)
        self._workers: list[Worker] = []
        self._named: list[Worker] = []
        self._outcome = Outcome()
        self._now_s = 0.0
        for number, task in enumerate(tasks):
            for before in task.after:
                self._then[before].append(number)
            self._at(task.release_s, _READY, number)
        for number, pool in enumerate(pools):
            for _, end_s in pool.lives:
                self._at(end_s, _LOST, number)
        for _ in range(rule.stand):
            self._hire(None, 0.0)

    def run(self) -> Outcome:
        self._at(0.0, _TICK, 0)
        while self._events and (self._left or (self._workers and not self._rule.stand)):
            self._now_s = self._events[0][0]
            while self._events and self._events[0][0] == self._now_s:
                _, kind, number, count = heapq.heappop(self._events)
                self._happens(kind, number, count)
            self._begin()
            if self._left:
                self._scale()
        outcome = self._outcome
        if self._rule.stand:
            end_s = max(DAY_S, self._now_s)
            outcome.worker_h = outcome.cost_h = self._rule.stand * end_s / 3_600
            outcome.peak = self._rule.stand
        return outcome

    def _at(self, at_s: float, kind: int, number: int, count: int = 0) -> None:
        heapq.heappush(self._events, (at_s, kind, number, count))

    def _happens(self, kind: int, number: int, count: int) -> None:
        if kind == _READY:
            self._freed(number)
        elif kind == _END:
            if count == _COPY:
                self._end(number, self._second.get(number))
            elif self._tries[number] == count:
                self._end(number, self._on[number])
        elif kind == _UP:
            self._idle(self._named[number])
        elif kind == _GONE:
            self._gone(self._named[number])
        elif kind == _LOST:
            self._lost(number)
        elif self._left:
            self._at(self._now_s + TICK_S, _TICK, 0)

    def _freed(self, number: int) -> None:
        self._waits[number] -= 1
        if not self._waits[number]:
            self._ready_s[number] = self._now_s
            self._queue(number)

    def _queue(self, number: int) -> None:
        heapq.heappush(self._ready, (self._rule.keys(self._now_s, number), number))

    def _end(self, number: int, worker: Worker | None) -> None:
        """Unless it was a copy that came too late."""
        if worker is None or number not in worker.running:
            return
        task = self._tasks[number]
        self._left -= 1
        self._outcome.busy_h += task.slots * task.takes_s / 3_600
        self._outcome.missed += task.due_s is not None and self._now_s > task.due_s
        for one in (self._on[number], self._second.pop(number, None)):
            if one is not None and number in one.running:
                self._leave(number, one)
        self._tries[number] += 1
        for then in self._then[number]:
            self._freed(then)

    def _leave(self, number: int, worker: Worker) -> None:
        worker.running.discard(number)
        worker.free += self._tasks[number].slots
        if not worker.running:
            self._idle(worker)

    def _copy(self, number: int) -> None:
        self._second[number] = None
        self._outcome.copies += 1
        key = self._rule.keys(self._now_s, number)
        heapq.heappush(self._ready, (key, number + len(self._tasks)))

    def _idle(self, worker: Worker) -> None:
        if worker in self._workers and not worker.running and not self._rule.stand:
            worker.idle_s = self._now_s
            self._at(self._now_s + self._rule.most_idle_s, _GONE, worker.number)

    def _gone(self, worker: Worker) -> None:
        if worker not in self._workers or worker.idle_s is None:
            return
        if self._now_s - worker.idle_s < self._rule.most_idle_s - 1e-6:
            return
        if self._left and len(self._workers) <= self._rule.keeps(self._now_s):
            self._at(self._now_s + TICK_S, _GONE, worker.number)
            return
        self._pay(worker)

    def _lost(self, pool: int) -> None:
        for worker in [one for one in self._workers if one.pool == pool]:
            self._pay(worker)
            for number in worker.running:
                self._outcome.lost += 1
                self._tries[number] += 1
                if number not in self._second:
                    self._queue(number)
            worker.running.clear()

    def _pay(self, worker: Worker) -> None:
        self._workers.remove(worker)
        hours = (self._now_s - worker.ordered_s) / 3_600
        self._outcome.worker_h += hours
        self._outcome.cost_h += hours * (1.0 if worker.pool is None else SPOT_PRICE)

    def _hire(self, pool: int | None, boot_s: float = BOOT_S) -> None:
        worker = Worker(len(self._named), self._slots, self._now_s, self._now_s + boot_s, pool)
        self._named.append(worker)
        self._workers.append(worker)
        self._outcome.peak = max(self._outcome.peak, len(self._workers))
        self._at(worker.up_s, _UP, len(self._named) - 1)

    def _begin(self) -> None:
        free = [one for one in self._workers if one.free and one.up_s <= self._now_s]
        kept = []
        while self._ready and free:
            key, entry = heapq.heappop(self._ready)
            number, copy = entry % len(self._tasks), entry >= len(self._tasks)
            if copy and number not in self._second:
                continue  # the first has ended
            worker = self._fitting(number, free, dedicated=copy)
            if worker is None:
                kept.append((key, entry))
                continue
            if copy:
                self._start_copy(number, worker)
            else:
                self._start(number, worker)
            if not worker.free:
                free.remove(worker)
        for one in kept:
            heapq.heappush(self._ready, one)

    def _fitting(
        self, number: int, free: Sequence[Worker], *, dedicated: bool = False
    ) -> Worker | None:
        """Spot first where it may run there, then the least room left, then who is busy longest."""
        need = self._tasks[number].slots
        pools = () if dedicated else self._rule.spot(self._now_s, number)
        fit = [one for one in free if one.free >= need and (one.pool is None or one.pool in pools)]
        return min(fit, key=lambda one: (one.pool is None, one.free, -one.busy_s), default=None)

    def _start(self, number: int, worker: Worker) -> None:
        task = self._tasks[number]
        worker.free -= task.slots
        worker.running.add(number)
        worker.idle_s = None
        self._begun_s[number] = self._now_s
        if self._rule.usual_s:
            worker.busy_s = max(worker.busy_s, self._now_s + self._rule.usual_s[number])
        self._on[number] = worker
        if not self._tries[number]:
            promised = self._rule.latest[number] < NEVER_S
            waits = self._outcome.sla_waits_s if promised else self._outcome.waits_s
            waits.append(self._now_s - self._ready_s[number])
        self._at(self._now_s + task.takes_s, _END, number, self._tries[number])

    def _start_copy(self, number: int, worker: Worker) -> None:
        task = self._tasks[number]
        worker.free -= task.slots
        worker.running.add(number)
        worker.idle_s = None
        self._second[number] = worker
        self._at(self._now_s + task.takes_s, _END, number, _COPY)

    def _scale(self) -> None:
        ticks = self._now_s % TICK_S == 0
        if ticks:
            for number in self._rule.copies(self._now([])):
                if number not in self._second:
                    self._copy(number)
        if not self._rule.stand and (self._ready or ticks):
            waiting = [entry % len(self._tasks) for _, entry in sorted(self._ready)]
            for order in self._rule.orders(self._now(waiting)):
                for _ in range(order.workers):
                    self._hire(order.pool)

    def _now(self, waiting: list[int]) -> Now:
        return Now(self._now_s, waiting, self._ready_s, self._begun_s, self._workers)
