"""The plan played through: who begins when on which worker, were this how long everything takes.

A list scheduler driven by events (Graham 1966): whenever something ends, is released or comes up,
the ready task with the lowest key begins on the worker that has the least room left besides it
(best fit, so that workers become empty rather than half empty). No worker holds more than it has
room for; what drains begins nothing. What waits behind begins only while `kept_free` slots stay
free for the others.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import gt

from swarm.placement.demand import Demand
from swarm.placement.fleet import Fleet

_END, _UP, _READY = range(3)  # in this order at one moment
_LAST_S = 1 << 60
NEVER = -1

_Queues = dict[tuple[int, ...], list[tuple[float, int]]]  # by needs; the lowest key first


@dataclass(slots=True)
class Stand:
    """A worker in a rehearsal. It takes work from `up_s` on; `gone_s` is when a drained one was
    empty."""

    room: tuple[int, ...]
    up_s: int
    free: list[int] = field(default_factory=list)
    draining: bool = False
    gone_s: int | None = None

    @property
    def empty(self) -> bool:
        return self.free == list(self.room)


class Cast:
    """Who takes part: what is the same in all rehearsals of the same demands, so that it is found
    once. Raises `ValueError` where a demand stands before one it is after."""

    def __init__(self, demands: Sequence[Demand]) -> None:
        self.demands = demands
        self.waits = [len(demand.after) for demand in demands]
        self.then: list[list[int]] = [[] for _ in demands]
        self.queues = {(demand.behind, demand.needs) for demand in demands}
        self.slots_only = not any(any(needs[1:]) for _, needs in self.queues)
        released: list[tuple[int, int]] = []
        for number, demand in enumerate(demands):
            for before in demand.after:
                if before >= number:
                    raise ValueError(f"{demand.name} stands before one that it waits for")
                self.then[before].append(number)
            if not demand.after and not demand.runs_on:
                released.append((demand.release_s, number))
        self.released = [*sorted(released), (_LAST_S, NEVER)]  # who waits for nobody, by release


class Rehearsal:
    """One course of it, in which everything takes as long as `takes` says."""

    def __init__(
        self, cast: Cast, takes: Sequence[int], keys: Sequence[float], kept_free: int = 0
    ) -> None:
        demands = cast.demands
        self._demands, self._takes, self._keys = demands, takes, keys
        self._kept_free, self._slots_only = kept_free, cast.slots_only
        self.starts = [NEVER] * len(demands)
        self.ends = [NEVER] * len(demands)
        self.on = [NEVER] * len(demands)
        self.stands: list[Stand] = []
        self.now_s = 0
        self._free_slots = self._queued = 0
        self._waits, self._then = cast.waits.copy(), cast.then
        self._released, self._next = cast.released, 0
        self._open: dict[int, list[int]] = {}  # what is free on those that take work
        self._ready: tuple[_Queues, _Queues] = ({}, {})  # what is behind last
        for behind, needs in cast.queues:
            self._ready[behind][needs] = []
        self._events: list[tuple[int, int, int]] = []  # beside who is released

    def add(self, room: tuple[int, ...], up_s: int = 0) -> int:
        """One more worker, which takes work from `up_s` on; its number."""
        self.stands.append(Stand(room, up_s, list(room)))
        heapq.heappush(self._events, (max(up_s, self.now_s), _UP, len(self.stands) - 1))
        return len(self.stands) - 1

    def drain(self, worker: int) -> None:
        """It begins nothing any more, and is gone once it is empty."""
        stand = self.stands[worker]
        stand.draining = True
        if self._open.pop(worker, None) is not None:
            self._free_slots -= stand.free[0]
        if stand.empty:
            stand.gone_s = self.now_s

    def rank(self, keys: Sequence[float], kept_free: int) -> None:
        """From now on that is who goes first."""
        self._keys, self._kept_free = keys, kept_free
        for queues in self._ready:
            for heap in queues.values():
                heap[:] = [(keys[number], number) for _, number in heap]
                heapq.heapify(heap)

    def go_on(self, task: int, worker: int) -> None:
        """It runs there already."""
        free = self.stands[worker].free
        for kind, need in enumerate(self._demands[task].needs):
            free[kind] -= need
        self._began(task, worker)

    def until(self, stop_s: float = float("inf")) -> None:
        """Go on to that moment, what happens at it included."""
        events, released = self._events, self._released
        while (now_s := self._soonest_s()) <= stop_s and now_s != _LAST_S:
            self.now_s = now_s
            while events and events[0][0] == now_s:
                _, kind, number = heapq.heappop(events)
                if kind == _END:
                    self._end(number)
                elif kind == _UP:
                    self._come_up(number)
                else:
                    self._queue(number)
            while released[self._next][0] == now_s:
                self._queue(released[self._next][1])
                self._next += 1
            if self._queued and self._free_slots:
                self._begin()

    def _soonest_s(self) -> int:
        """When the next thing happens."""
        release_s = self._released[self._next][0]
        return min(release_s, self._events[0][0]) if self._events else release_s

    def _come_up(self, worker: int) -> None:
        stand = self.stands[worker]
        if not stand.draining:
            self._open[worker] = stand.free
            self._free_slots += stand.free[0]

    def _freed(self, number: int) -> None:
        """One less that it waits for."""
        self._waits[number] -= 1
        if not self._waits[number]:
            release_s = self._demands[number].release_s
            if release_s > self.now_s:
                heapq.heappush(self._events, (release_s, _READY, number))
            else:
                self._queue(number)

    def _queue(self, number: int) -> None:
        demand = self._demands[number]
        heap = self._ready[demand.behind][demand.needs]
        heapq.heappush(heap, (self._keys[number], number))
        self._queued += 1

    def _end(self, number: int) -> None:
        self.ends[number] = self.now_s
        stand = self.stands[self.on[number]]
        for kind, need in enumerate(self._demands[number].needs):
            stand.free[kind] += need
        if not stand.draining:
            self._free_slots += self._demands[number].needs[0]
        elif stand.empty:
            stand.gone_s = self.now_s
        for then in self._then[number]:
            self._freed(then)

    def _begin(self) -> None:
        for behind, queues in enumerate(self._ready):
            kept = self._kept_free if behind else 0
            may = [(needs, heap) for needs, heap in queues.items() if heap]
            while len(may) > 1:
                needs, heap = min(may, key=lambda one: one[1][0])
                if not self._begins(needs, heap, kept) or not heap:
                    may.remove((needs, heap))
            for needs, heap in may:
                while heap and self._begins(needs, heap, kept):
                    pass

    def _begins(self, needs: tuple[int, ...], heap: list[tuple[float, int]], kept: int) -> bool:
        """Does the first of them, now?"""
        if self._free_slots < needs[0] + kept:
            return False
        worker = self._fitting(needs)
        if worker == NEVER:
            return False
        self._start(heapq.heappop(heap)[1], worker)
        return True

    def _start(self, number: int, worker: int) -> None:
        free, needs = self.stands[worker].free, self._demands[number].needs
        for kind, need in enumerate(needs):
            free[kind] -= need
        self._free_slots -= needs[0]
        self._queued -= 1
        self._began(number, worker)

    def _began(self, number: int, worker: int) -> None:
        self.starts[number], self.on[number] = self.now_s, worker
        heapq.heappush(self._events, (self.now_s + self._takes[number], _END, number))

    def _fitting(self, needs: tuple[int, ...]) -> int:
        """The worker with the least room left among those that have enough; the first of equals."""
        if self._slots_only:
            return self._with_slots(needs[0])
        found, least = NEVER, [1 << 60]
        for worker, free in self._open.items():
            if needs[0] <= free[0] and free < least and not any(map(gt, needs, free)):
                found, least = worker, free
        return found

    def _with_slots(self, slots: int) -> int:
        """The same where nothing but slots is needed: most of a plan's time is spent here."""
        found, least = NEVER, 1 << 60
        for worker, free in self._open.items():
            if slots <= free[0] < least:
                if free[0] == slots:
                    return worker
                found, least = worker, free[0]
        return found


@dataclass(frozen=True, slots=True)
class Score:
    """What a course came to: `missed` is the value of what was late, `late_s` by how much in all
    (weighted); `makespan_s` the end of all that counts; `unrun` who found no room or no time."""

    missed: float
    late_s: float
    makespan_s: int
    unrun: int

    @property
    def cost(self) -> tuple[float, float, int]:
        return self.missed, self.late_s, self.makespan_s


def rehearsed(
    cast: Cast,
    takes: Sequence[int],
    keys: Sequence[float],
    fleet: Fleet,
    kept_free: int = 0,
) -> Rehearsal:
    """All of it. What runs goes on where it is; who leaves ends that and no more."""
    course = Rehearsal(cast, takes, keys, kept_free)
    number = {one.worker: course.add(one.offering.room, one.up_s) for one in fleet.everyone}
    for at, demand in enumerate(cast.demands):
        if demand.runs_on:
            course.go_on(at, number[demand.runs_on])
    for one in fleet.leaving:
        course.drain(number[one.worker])
    course.until()
    return course


def scored(demands: Sequence[Demand], takes: Sequence[int], ends: Sequence[int]) -> Score:
    missed = late_s = 0.0
    makespan_s = unrun = 0
    for demand, took, end in zip(demands, takes, ends, strict=True):
        if end == NEVER:
            unrun += 1
            missed += demand.value * (not demand.behind)
            continue
        if end > makespan_s and demand.counts:
            makespan_s = end
        if demand.due_s is None and demand.patience_s is None:
            continue
        due = demand.due_by(took)
        if due is not None and end > due:
            missed += demand.value
            late_s += demand.value * (end - due)
    return Score(missed, late_s, makespan_s, unrun)
