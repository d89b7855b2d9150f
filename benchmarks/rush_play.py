"""A morning played through: by swarm's planner, and by the orders it is compared with.

The planner is asked `LEAD_S` before the hour, every five minutes, and every second minute while a
worker has nothing to do. It never sees how long anything takes before it has ended, nor what people
ask before they do. What is played is judged apart from the planner (`violations`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from time import perf_counter, process_time

from benchmarks.rush_world import (
    END_S,
    MIN_S,
    PATIENCE_S,
    SLOTS,
    WORKERS,
    Morning,
    without_hidden,
)
from swarm.model.plans import Budget, Offering, Plan, Rented, ScaleDown, ScaleUp
from swarm.placement.demand import Demand, Spread, subset
from swarm.placement.ordering import latest
from swarm.placement.planner import Effort, Situation, plan
from swarm.placement.rehearsal import NEVER, Cast, Rehearsal
from swarm.placement.sizing import Worth

LEAD_S = 5 * MIN_S
OFFERING = Offering("c5.large", (SLOTS,), price_usd_per_h=0.085, boot_s=2 * MIN_S)
BUDGET = Budget(WORKERS)
AHEAD_S = 20 * MIN_S  # so far ahead at least each plan looks
_EVERY_S, _CALM_EVERY_S = 2 * MIN_S, 5 * MIN_S
_PAID_S = 60  # at least, of each worker


@dataclass(slots=True)
class Worker:
    """`at` is its number in the rehearsal; times since the hour."""

    name: str
    at: int
    paid_from_s: int
    up_s: int


@dataclass(slots=True)
class Played:
    """How the day went, in seconds since the hour; by task, in the order of the morning."""

    starts: list[int]
    ends: list[int]
    on: list[int]
    paid: list[tuple[int, int]]  # from, until: of each worker, in the order they were ordered
    first: Plan | None = None
    planning_s: list[float] = field(default_factory=list)
    planning_cpu_s: list[float] = field(default_factory=list)


def planned(day: Morning, draws: int) -> Played:
    """By the planner, who knows durations as distributions only."""
    return Live(day, draws).play()


def clairvoyant(day: Morning, tries: int) -> tuple[Plan, float]:
    """The plan of one who knows how long all takes, and how much CPU that took. Times begin
    `LEAD_S` before the hour."""
    demands = [
        replace(one, takes=Spread((float(took),)))
        for one, took in zip(day.demands, day.takes, strict=True)
    ]
    horizon_s = 60 * MIN_S
    kept = [n for n, one in enumerate(demands) if one.release_s < horizon_s]
    later = [one.moved(LEAD_S) for one in subset(demands, kept)]
    situation = _situation(later, (), horizon_s + LEAD_S)
    began_s = process_time()
    found = plan(situation, Random(1), Effort(tries=tries))
    return found, process_time() - began_s


def in_order(day: Morning, keys: Sequence[float], blind: bool = False) -> Played:
    """By a fixed order on the full fleet, there from the hour to the end; nothing is behind.
    `blind`: what is declared nowhere is not waited for."""
    demands = without_hidden(day) if blind else day.demands
    cast = Cast([replace(one, behind=False) for one in demands])
    course = Rehearsal(cast, day.takes, keys)
    for _ in range(WORKERS):
        course.add((SLOTS,))
    course.until()
    return Played(course.starts, course.ends, course.on, [(0, END_S)] * WORKERS)


def base_workers(day: Morning) -> int:
    """The fewest on which no task of the base load waits for longer than it may, were there nothing
    else; first in, first out."""
    numbers = [number for number, one in enumerate(day.demands) if one.patience_s is not None]
    cast = Cast(subset(day.demands, numbers))
    takes = [day.takes[number] for number in numbers]
    order = [float(one.release_s) for one in cast.demands]
    for workers in range(1, WORKERS):
        course = Rehearsal(cast, takes, order)
        for _ in range(workers):
            course.add((SLOTS,))
        course.until()
        pairs = zip(cast.demands, course.starts, strict=True)
        if all(start - one.release_s <= PATIENCE_S for one, start in pairs):
            return workers
    return WORKERS


def fifo(day: Morning) -> list[float]:
    """By release."""
    return [float(one.release_s) for one in day.demands]


def own_path(day: Morning) -> list[float]:
    """The longest way to the end of its own pipeline first, as orchestrators weigh tasks."""
    left = [one.takes.mean() for one in day.demands]
    pipeline = [*day.pipeline, *(-1 - n for n in range(len(day.demands) - len(day.pipeline)))]
    for number in range(len(left) - 1, -1, -1):
        for before in day.demands[number].after:
            if pipeline[before] == pipeline[number]:
                mean = day.demands[before].takes.mean()
                left[before] = max(left[before], mean + left[number])
    return [-one for one in left]


def ray_order(day: Morning, seed: int) -> list[float]:
    """Ray's scheduling classes, one a function, stand in a hash table and are served in its order;
    each class is first in, first out. The order of a hash table is as good as any."""
    dice = Random(seed)
    return [dice.random() for _ in day.demands]


def global_slack(day: Morning, known: bool) -> list[float]:
    """By global latest start over the whole graph, or over the declared part of it."""
    demands = day.demands if known else without_hidden(day)
    rush = len(day.pipeline)
    keys = latest(demands[:rush], (WORKERS * SLOTS,))
    return [*keys, *(1e9 + one.release_s for one in demands[rush:])]


def violations(day: Morning, starts: Sequence[int], ends: Sequence[int], on: Sequence[int]) -> int:
    """Tasks that begin too soon, or on a worker that has no slot left."""
    found = 0
    events: list[tuple[int, int, int]] = []
    for number, demand in enumerate(day.demands):
        if number < len(starts) and starts[number] != NEVER:
            found += starts[number] < demand.release_s
            found += any(not 0 <= ends[b] <= starts[number] for b in demand.after)
            events += [(ends[number], -1, on[number]), (starts[number], 1, on[number])]
    used: dict[int, int] = {}
    for _, change, worker in sorted(events):
        used[worker] = used.get(worker, 0) + change
        found += used[worker] > SLOTS
    return found


def stale_reads(day: Morning, played: Played) -> int:
    """Tasks that began before what they read, and nobody declared, was there."""
    pairs = day.hidden
    return len({reader for writer, reader in pairs if played.starts[reader] < played.ends[writer]})


class Live:
    """The shell: asks for plans, orders and drains workers, and tells who goes first."""

    def __init__(self, day: Morning, draws: int) -> None:
        self._day, self._draws = day, draws
        self._demands = [one.moved(LEAD_S) for one in day.demands]
        self._keys = [float("inf")] * len(day.demands)
        self._course = Rehearsal(Cast(self._demands), day.takes, self._keys)
        self._number = {one.name: number for number, one in enumerate(day.demands)}
        self._workers: list[Worker] = []
        self._planning_s: list[float] = []
        self._planning_cpu_s: list[float] = []
        self._first: Plan | None = None

    def play(self) -> Played:
        now_s = asked_s = 0
        self._ask(0)
        while now_s < END_S + LEAD_S:
            now_s += _EVERY_S
            self._course.until(now_s)
            idle = any(self._empty(worker, now_s) for worker in self._workers)
            if idle or now_s - asked_s >= _CALM_EVERY_S:
                self._ask(now_s)
                asked_s = now_s
        course = self._course
        paid = [
            (one.paid_from_s - LEAD_S, until_s)
            for one in self._workers
            if (until_s := self._paid_until_s(one)) is not None
        ]
        starts, ends = (
            [at if at == NEVER else at - LEAD_S for at in of] for of in (course.starts, course.ends)
        )
        return Played(
            starts, ends, course.on, paid, self._first, self._planning_s, self._planning_cpu_s
        )

    def _empty(self, worker: Worker, now_s: int) -> bool:
        stand = self._course.stands[worker.at]
        return worker.up_s <= now_s and not stand.draining and stand.empty

    def _paid_until_s(self, worker: Worker) -> int | None:
        """None: it was called off before it was ordered."""
        gone_s = self._course.stands[worker.at].gone_s
        if gone_s is not None and gone_s <= worker.paid_from_s:
            return None
        until_s = END_S + LEAD_S if gone_s is None else gone_s
        return max(until_s, worker.paid_from_s + _PAID_S) - LEAD_S

    def _ask(self, now_s: int) -> None:
        horizon_s = max(60 * MIN_S + LEAD_S - now_s, AHEAD_S)
        demands = self._seen(now_s, horizon_s)
        rented = tuple(
            Rented(
                one.name, OFFERING, max(0, one.up_s - now_s), self._course.stands[one.at].draining
            )
            for one in self._workers
            if self._course.stands[one.at].gone_s is None
        )
        situation = _situation(demands, rented, horizon_s)
        began_s, cpu_s = perf_counter(), process_time()
        draws = self._draws // 2 if now_s else self._draws
        found = plan(situation, Random(now_s), Effort(draws))
        self._planning_s.append(perf_counter() - began_s)
        self._planning_cpu_s.append(process_time() - cpu_s)
        self._first = self._first or found
        self._carry_out(found, now_s)

    def _seen(self, now_s: int, horizon_s: int) -> list[Demand]:
        """What is not over, as it is known now; times from now on."""
        course, kept = self._course, []
        known: list[Demand] = list(self._demands)
        names = [worker.name for worker in self._workers]
        for number, demand in enumerate(self._demands):
            hidden = self._day.known_s[number] and self._day.known_s[number] + LEAD_S > now_s
            ended = course.ends[number] != NEVER and course.ends[number] <= now_s
            if ended or hidden or demand.release_s > now_s + horizon_s:
                continue
            kept.append(number)
            if course.starts[number] != NEVER:
                ran_s = now_s - course.starts[number]
                known[number] = demand.begun(names[course.on[number]], ran_s)
        return [one.moved(-now_s) for one in subset(known, kept)]

    def _carry_out(self, found: Plan, now_s: int) -> None:
        for move in found.moves:
            if isinstance(move, ScaleUp):
                up_s = now_s + move.up_s
                at = self._course.add(OFFERING.room, up_s)
                self._workers.append(Worker(f"w{at}", at, now_s + move.order_s, up_s))
            elif isinstance(move, ScaleDown):
                at = next(one.at for one in self._workers if one.name == move.worker)
                self._course.now_s = now_s
                self._course.drain(at)
        for place, name in enumerate(found.order):
            self._keys[self._number[name]] = place
        self._course.rank(self._keys, found.kept_free)


def _situation(demands: Sequence[Demand], rented: tuple[Rented, ...], horizon_s: int) -> Situation:
    return Situation(tuple(demands), rented, (OFFERING,), BUDGET, horizon_s, Worth())
