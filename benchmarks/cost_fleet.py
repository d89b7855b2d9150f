"""A day of a fleet played through, event by event: who runs where, and what it costs.

Work is begun in the order of its keys on the worker with the least room left besides it. A worker
is paid by the second from its order, boot included, until it goes. Spot comes in pools; when one
is lost, all its workers go at once and what they ran begins again, unless a second copy of it is
under way on a dedicated worker: whichever ends first counts, and the other goes. Nothing of a day
is known to a rule before its time but what the rule was given.
"""

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from benchmarks.cost_world import DAY_S, Day, Task
from swarm.model.sides import Side
from swarm.model.work import CapacityClass

BOOT_S = 120.0
TICK_S = 60.0
RUSH_S = 5.5 * 3_600, 7.5 * 3_600  # of the day
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
    draining: bool = False
    running: set[int] = field(default_factory=set)


class Order(NamedTuple):
    """So many workers, now; `pool` None: dedicated."""

    workers: int
    pool: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What a rule has done now: workers ordered, workers that get nothing more, empty ones that go,
    and tasks on spot that get a second copy on a dedicated worker. It is asked again `again_s`
    later, or by the next full minute."""

    orders: Sequence[Order] = ()
    drains: Collection[int] = ()
    leaves: Collection[int] = ()
    copies: Collection[int] = ()
    again_s: float = inf


@dataclass(frozen=True, slots=True)
class PoolDay:
    """From when until when a pool is there; the ages are those at the beginning of each life."""

    lives: tuple[tuple[float, float], ...]

    def age_s(self, at_s: float) -> float | None:
        return next((at_s - begun for begun, end in self.lives if begun <= at_s < end), None)


@dataclass(slots=True)
class Outcome:
    """What a day came to; hours of workers, in hours at the dedicated price, and of busy slots; in
    the rush too."""

    cost_h: float = 0.0
    worker_h: float = 0.0
    busy_h: float = 0.0
    rush_worker_h: float = 0.0
    rush_busy_h: float = 0.0
    missed: int = 0
    peak: int = 0
    lost: int = 0
    copies: int = 0
    sla_waits_s: list[float] = field(default_factory=list)  # of tasks with an SLA behind them
    waits_s: list[float] = field(default_factory=list)  # of all others


@dataclass(slots=True)
class Now:
    """What a rule sees: tasks that are ready and have no slot, in the order of their keys, and the
    workers. `asked`: it is a full minute or what the rule said, not an event between."""

    at_s: float
    waiting: list[int]
    workers: list[Worker]
    asked: bool


class Rule:
    """Who is first, on what capacity, when a worker is ordered and when one goes. `stand`: so many
    are there all day. An idle worker goes by itself after `idle_s`. It hears of what happens."""

    stand = 0
    idle_s = inf

    def key(self, ready_s: float, _number: int) -> float:
        """Of a task that is ready since then; the lowest is first."""
        return ready_s

    def side(self, _number: int) -> Side | None:
        """Spot or dedicated, for a task; pools are called by `offering`. None: dedicated."""
        return None

    def turn(self, _now: Now) -> Turn:
        return Turn()

    def ready(self, number: int, at_s: float) -> None:
        """A task can begin; also one whose worker was lost."""

    def begun(self, number: int, worker: Worker, at_s: float, *, copy: bool) -> None:
        """A task has a slot."""

    def ended(self, number: int, at_s: float) -> None:
        """A task is done."""

    def lost(self, number: int, at_s: float) -> None:
        """A task has to begin again."""

    def came(self, worker: Worker, at_s: float) -> None:
        """A worker takes work."""

    def gone(self, worker: Worker, at_s: float, *, lost: bool) -> None:
        """A worker is there no more."""

    def refused(self, order: Order, at_s: float) -> None:
        """The pool is not there now."""


def offering(pool: int | None) -> str:
    """What a worker of it is called."""
    return "dedicated" if pool is None else f"spot {pool}"


def play(day: Day, slots: int, rule: Rule, pools: Sequence[PoolDay] = ()) -> Outcome:
    """The whole day, until all is done."""
    return _Course(day.tasks, slots, rule, pools).run()


def _promised(tasks: Sequence[Task]) -> list[bool]:
    """Does an SLA stand on it?"""
    found = [task.due_s is not None for task in tasks]
    for number in range(len(tasks) - 1, -1, -1):
        for before in tasks[number].after:
            found[before] = found[before] or found[number]
    return found


class _Course:
    def __init__(
        self, tasks: Sequence[Task], slots: int, rule: Rule, pools: Sequence[PoolDay]
    ) -> None:
        self._tasks, self._slots, self._rule, self._pools = tasks, slots, rule, pools
        self._events: list[tuple[float, int, int, int]] = []
        self._waits = [len(task.after) + 1 for task in tasks]
        self._then: list[list[int]] = [[] for _ in tasks]
        self._ready: list[tuple[float, int]] = []  # a heap
        self._ready_s = [0.0] * len(tasks)
        self._promised = _promised(tasks)
        self._on: list[Worker | None] = [None] * len(tasks)
        self._tries = [0] * len(tasks)
        self._second: dict[int, Worker | None] = {}  # copies; None: it waits
        self._left = len(tasks)
        self._workers: list[Worker] = []
        self._named: list[Worker] = []
        self._outcome = Outcome()
        self._now_s = 0.0
        self._asked = False
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
            if not self._rule.stand:
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
            self._up(self._named[number])
        elif kind == _GONE:
            self._idled(self._named[number])
        elif kind == _LOST:
            self._lost(number)
        else:
            self._asked = True
            if not number:
                self._at(self._now_s + TICK_S, _TICK, 0)

    def _freed(self, number: int) -> None:
        self._waits[number] -= 1
        if not self._waits[number]:
            self._ready_s[number] = self._now_s
            self._rule.ready(number, self._now_s)
            self._queue(number)

    def _queue(self, number: int) -> None:
        key = self._rule.key(self._ready_s[number], number)
        heapq.heappush(self._ready, (key, number))

    def _end(self, number: int, worker: Worker | None) -> None:
        """Unless it was a copy that came too late."""
        if worker is None or number not in worker.running:
            return
        task = self._tasks[number]
        self._left -= 1
        self._outcome.busy_h += task.slots * task.takes_s / 3_600
        self._outcome.rush_busy_h += task.slots * _in_rush_h(
            self._now_s - task.takes_s, self._now_s
        )
        self._outcome.missed += task.due_s is not None and self._now_s > task.due_s
        for one in (self._on[number], self._second.pop(number, None)):
            if one is not None and number in one.running:
                self._leave(number, one)
        self._tries[number] += 1
        self._rule.ended(number, self._now_s)
        for then in self._then[number]:
            self._freed(then)

    def _leave(self, number: int, worker: Worker) -> None:
        worker.running.discard(number)
        worker.free += self._tasks[number].slots
        if not worker.running:
            self._idle(worker)

    def _up(self, worker: Worker) -> None:
        if worker in self._workers:
            self._rule.came(worker, self._now_s)
            self._idle(worker)

    def _idle(self, worker: Worker) -> None:
        if worker in self._workers and self._rule.idle_s < inf:
            worker.idle_s = self._now_s
            self._at(self._now_s + self._rule.idle_s, _GONE, worker.number)

    def _idled(self, worker: Worker) -> None:
        if worker not in self._workers or worker.idle_s is None:
            return
        if self._now_s - worker.idle_s >= self._rule.idle_s - 1e-6:
            self._pay(worker)

    def _lost(self, pool: int) -> None:
        for worker in [one for one in self._workers if one.pool == pool]:
            self._pay(worker, lost=True)
            for number in worker.running:
                self._outcome.lost += 1
                self._tries[number] += 1
                self._rule.lost(number, self._now_s)
                if number not in self._second:
                    self._queue(number)
            worker.running.clear()

    def _pay(self, worker: Worker, *, lost: bool = False) -> None:
        self._workers.remove(worker)
        hours = (self._now_s - worker.ordered_s) / 3_600
        self._outcome.worker_h += hours
        self._outcome.rush_worker_h += _in_rush_h(worker.ordered_s, self._now_s)
        self._outcome.cost_h += hours * (1.0 if worker.pool is None else SPOT_PRICE)
        self._rule.gone(worker, self._now_s, lost=lost)

    def _hire(self, pool: int | None, boot_s: float = BOOT_S) -> None:
        worker = Worker(len(self._named), self._slots, self._now_s, self._now_s + boot_s, pool)
        self._named.append(worker)
        self._workers.append(worker)
        self._outcome.peak = max(self._outcome.peak, len(self._workers))
        self._at(worker.up_s, _UP, len(self._named) - 1)

    def _begin(self) -> None:
        free = [
            one
            for one in self._workers
            if one.free and one.up_s <= self._now_s and not one.draining
        ]
        kept = []
        while self._ready and free:
            key, entry = heapq.heappop(self._ready)
            number, copy = entry % len(self._tasks), entry >= len(self._tasks)
            if copy and self._second.get(number, 0) is not None:
                continue  # the first has ended
            worker = self._fitting(number, free, dedicated=copy)
            if worker is None:
                kept.append((key, entry))
                continue
            self._start(number, worker, copy=copy)
            if not worker.free:
                free.remove(worker)
        for one in kept:
            heapq.heappush(self._ready, one)

    def _fitting(self, number: int, free: Sequence[Worker], *, dedicated: bool) -> Worker | None:
        """Of the side it is better on, then the least room left, then the oldest."""
        need, side = self._tasks[number].slots, None if dedicated else self._rule.side(number)
        fit = [
            one
            for one in free
            if one.free >= need
            and (one.pool is None or (side is not None and _allows(side, offering(one.pool))))
        ]
        spot_first = side is not None and side.where is CapacityClass.SPOT
        return min(
            fit,
            key=lambda one: ((one.pool is None) is spot_first, one.free, one.number),
            default=None,
        )

    def _start(self, number: int, worker: Worker, *, copy: bool) -> None:
        task = self._tasks[number]
        worker.free -= task.slots
        worker.running.add(number)
        worker.idle_s = None
        tries = _COPY if copy else self._tries[number]
        if copy:
            self._second[number] = worker
        else:
            self._on[number] = worker
        if not tries:
            waits = self._outcome.sla_waits_s if self._promised[number] else self._outcome.waits_s
            waits.append(self._now_s - self._ready_s[number])
        self._rule.begun(number, worker, self._now_s, copy=copy)
        self._at(self._now_s + task.takes_s, _END, number, tries)

    def _scale(self) -> None:
        asked, self._asked = self._asked, False
        if not self._ready and not asked:
            return
        waiting = [entry % len(self._tasks) for _, entry in sorted(self._ready)]
        self._done(self._rule.turn(Now(self._now_s, waiting, self._workers, asked)))

    def _done(self, turn: Turn) -> None:
        if turn.again_s < TICK_S:
            self._at(self._now_s + turn.again_s, _TICK, 1)
        for number in turn.copies:
            if number not in self._second:
                self._copy(number)
        for order in turn.orders:
            self._order(order)
        for number in turn.drains:
            self._named[number].draining = True
        for number in turn.leaves:
            if self._named[number] in self._workers:
                self._pay(self._named[number])

    def _order(self, order: Order) -> None:
        if order.pool is not None and self._pools[order.pool].age_s(self._now_s) is None:
            self._rule.refused(order, self._now_s)
            return
        for _ in range(order.workers):
            self._hire(order.pool)

    def _copy(self, number: int) -> None:
        self._second[number] = None
        self._outcome.copies += 1
        key = self._rule.key(self._ready_s[number], number)
        heapq.heappush(self._ready, (key, number + len(self._tasks)))


def _in_rush_h(from_s: float, to_s: float) -> float:
    return max(0.0, min(to_s, RUSH_S[1]) - max(from_s, RUSH_S[0])) / 3_600


def _allows(side: Side, pool: str) -> bool:
    return side.pools is None or pool in side.pools
