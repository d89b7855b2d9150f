"""A day as swarm's placement has it go: the decisions of `swarm.placement`, as its actor asks them.

They are asked once a minute, at once where a quarter more waits, and every ten seconds, as the
actor asks always, while an empty worker is on its way out. How tasks usually go is learned from the
records of dispatch, what nobody announced is foretold from the days before, and the fleet is
steered step by step. What sequencing tells is told here (`cost_expects.py`).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from benchmarks.cost_expects import Expects, pipeline_of, run_of
from benchmarks.cost_fleet import BOOT_S, SPOT_PRICE, TICK_S, Now, Order, Rule, Turn, Worker
from benchmarks.cost_fleet import offering as called
from benchmarks.cost_rules import Known, Reactive
from benchmarks.cost_world import DAY_S, HOUR_S, Day
from swarm.dispatch.queue import PATIENCE_S
from swarm.model.dispatch import (
    DispatchRecord,
    DrainAsked,
    Ended,
    Granted,
    Lost,
    Submitted,
    WorkerGone,
    WorkerJoined,
)
from swarm.model.learned import Foretold
from swarm.model.plans import Because, Budget, NotGiven, Offering, Standing
from swarm.model.sides import Side
from swarm.model.work import (
    CapacityClass,
    Effects,
    LossCause,
    Needs,
    Offer,
    Outcome,
    Resources,
    SlaClass,
    Submission,
    TaskId,
    Token,
    WorkerId,
)
from swarm.placement.days import QUARTER_S
from swarm.placement.deciding import decided
from swarm.placement.demand import Spread
from swarm.placement.memory import Memory
from swarm.placement.orders import Crew, Orders, View
from swarm.placement.sides import Market, Sides, as_copy, sides
from swarm.placement.situation import Coming, Live, Scene, Terms
from swarm.placement.sizing import Worth
from swarm.placement.steering import Planned, steer
from swarm.placement.unannounced import foreseen

PRICE_USD_PER_H = 0.2
_MOST_WORKERS = 200
_MONDAY = 4  # the number of the first one since the epoch
_AGAIN_S, _LARGE = 10.0, 1.25
_STANDARD_S = PATIENCE_S[SlaClass.STANDARD]
_BY = "placement"
_SPOT = CapacityClass.SPOT


def terms(late_usd: float) -> Terms:
    """What a fleet may have, and what it is worth to it to be in time."""
    return Terms(Budget(_MOST_WORKERS), Worth(late_usd, 0.0), PATIENCE_S, int(HOUR_S))


@dataclass(slots=True)
class _Task:
    """One that is ready and not done; `copy` is on another worker."""

    submission: Submission
    on: Worker | None = None
    begun_s: float = 0.0
    copy: Worker | None = None
    copy_begun_s: float = 0.0
    grant: int = 0


class Swarm(Rule):
    """`memory` is what was learned on the days before; it learns from this one, too. `pools`: of
    spot, so many. `foretold` is what it last expected besides what was announced."""

    def __init__(
        self, day: Day, known: Known, memory: Memory, limits: Terms, slots: int, pools: int = 0
    ) -> None:
        self._day, self._known, self._memory, self._limits = day, known, memory, limits
        self._begins_s = (day.number + _MONDAY) * DAY_S
        self._slots, self._kinds = slots, _kinds(slots, pools)
        self._expects = Expects(day.tasks, known, self._begins_s)
        self._memory.orders = Orders()
        self._live: dict[int, _Task] = {}
        self._chosen = Sides()
        self._not_given: dict[str, NotGiven] = {}
        self._returns: frozenset[str] = frozenset()
        self._empty: set[str] = set()
        self._at_s = self._planned_s = -inf
        self._waited = 0
        self.foretold = Foretold()

    def key(self, ready_s: float, number: int) -> float:
        return min(self._known.latest_s[number], ready_s + _STANDARD_S)

    def side(self, number: int) -> Side | None:
        return self._chosen.of.get(self._id(number))

    def turn(self, now: Now) -> Turn:
        many = len(now.waiting) > _LARGE * self._waited + 1
        if not now.asked and not (many and now.at_s >= self._planned_s + _AGAIN_S):
            return Turn()
        at_s = self._begins_s + now.at_s
        view = self._view(now, at_s)
        scene = self._scene(view, at_s)
        planned = decided(scene, self._memory.days, self._choose, self._limits, self._returns, at_s)
        self._returns, self.foretold = planned.returns, planned.foretold
        self._planned_s, self._waited = now.at_s, len(now.waiting)
        return self._steered(view, planned, at_s)

    def ready(self, number: int, at_s: float) -> None:
        task, at_s = self._day.tasks[number], self._begins_s + at_s
        run = run_of(self._day, number)
        submission = Submission(
            self._id(number),
            "data",
            "",
            at_s,
            Needs(resources=Resources(float(task.slots))),
            effects=Effects.IDEMPOTENT,
            subject=f"{task.name} {run}",
            pipeline=pipeline_of(task),
            run=run if task.pipeline else "",
        )
        self._live[number] = _Task(submission)
        self._learn(Submitted(submission), at_s)

    def begun(self, number: int, worker: Worker, at_s: float, *, copy: bool) -> None:
        task, at_s = self._live[number], self._begins_s + at_s
        if copy:
            task.copy, task.copy_begun_s = worker, at_s
            return
        task.on, task.begun_s, task.grant = worker, at_s, task.grant + 1
        self._learn(Granted(Token(self._id(number), task.grant), _worker(worker), 0), at_s)

    def ended(self, number: int, at_s: float) -> None:
        task = self._live.pop(number)
        self._expects.ended(number)
        token = Token(self._id(number), task.grant)
        self._learn(Ended(token, Outcome.SUCCEEDED), self._begins_s + at_s)

    def lost(self, number: int, at_s: float) -> None:
        task = self._live[number]
        task.on = None
        token = Token(self._id(number), task.grant)
        self._learn(Lost(token, LossCause.NODE_GONE), self._begins_s + at_s)

    def came(self, worker: Worker, at_s: float) -> None:
        self._learn(WorkerJoined(self._offer(worker)), self._begins_s + at_s)

    def gone(self, worker: Worker, at_s: float, *, lost: bool) -> None:
        if worker.up_s <= at_s:
            self._learn(WorkerGone(_worker(worker), LossCause.NODE_GONE), self._begins_s + at_s)

    def refused(self, order: Order, at_s: float) -> None:
        found = NotGiven(self._begins_s + at_s, Because.LAUNCH_FAILED)
        self._not_given[called(order.pool)] = found

    def _id(self, number: int) -> TaskId:
        return TaskId(f"{self._day.number} {number}")

    def _learn(self, record: DispatchRecord, at_s: float) -> None:
        self._memory.learn(record, self._memory.seq + 1, at_s)

    def _choose(self, scene: Scene) -> Sides:
        pools, at_s = self._memory.spot_pools, self._begins_s + self._at_s
        market = Market(lambda name: pools.age_s(name, at_s), pools.survival)
        grants = {str(one.submission.task): one.grant for one in self._live.values()}
        self._chosen = sides(scene, market, self._limits, grants, at_s)
        return self._chosen

    def _scene(self, view: View, at_s: float) -> Scene:
        usual, orders = self._memory.usual, self._memory.orders
        expected = self._expects.at(at_s, self._limits.horizon_s)
        return Scene(
            offerings=orders.offerings(view, at_s),
            rented=orders.rented(view, at_s),
            live=list(self._lives()),
            coming=list(usual.coming(expected, at_s, at_s + self._limits.horizon_s)),
            expected=expected,
            takes=usual.takes,
        )

    def _lives(self) -> Iterator[Live]:
        for task in self._live.values():
            one, copied = task.submission, task.copy is not None
            if task.on is not None:
                yield Live(one, _node(task.on), task.begun_s, copied)
            elif task.copy is None:
                yield Live(one)
            if task.copy is not None:
                yield Live(as_copy(one), _node(task.copy), task.copy_begun_s, copied=True)

    def _view(self, now: Now, at_s: float) -> View:
        self._at_s = now.at_s
        standing = [
            Standing(
                _node(one),
                called(one.pool),
                self._begins_s + one.ordered_s,
                joined=one.up_s <= now.at_s,
            )
            for one in now.workers
        ]
        crews = {
            _node(one): Crew(self._offer(one), len(one.running), one.draining)
            for one in now.workers
            if one.up_s <= now.at_s
        }
        self._empty = {node for node, crew in crews.items() if not crew.holds}
        return View(self._kinds, standing, crews, not_given=self._not_given)

    def _offer(self, worker: Worker) -> Offer:
        spot = worker.pool is not None
        return Offer(
            _worker(worker),
            _node(worker),
            self._slots,
            Resources(float(self._slots)),
            capacity=CapacityClass.SPOT if spot else CapacityClass.DEDICATED,
            pool=called(worker.pool),
        )

    def _steered(self, view: View, planned: Planned, at_s: float) -> Turn:
        orders = self._memory.orders
        todo = steer(orders, view, planned, at_s)
        for record in todo.records:
            orders.apply(record)
        for worker in todo.drain:
            self._learn(DrainAsked(worker, _BY), at_s)
        waiting = Counter(one.offering for one in orders.waiting)
        pools = {called(None): None, **{called(n): n for n in range(len(self._kinds) - 1)}}
        return Turn(
            [Order(count, pools[name]) for name, count in waiting.items()],
            [_number(worker) for worker in todo.drain],
            [_number(node) for node in todo.release],
            [int(one.task.split()[1]) for one in self._chosen.copies],
            _AGAIN_S if todo.drain or self._returns & self._empty else inf,
        )


class Watched(Swarm):
    """It only learns, while a fleet runs that reacts."""

    idle_s = TICK_S

    def turn(self, now: Now) -> Turn:
        if now.asked and now.at_s % QUARTER_S == 0:
            at_s = self._begins_s + now.at_s
            scene = self._scene(self._view(now, at_s), at_s)
            until_s = at_s + self._limits.horizon_s
            foreseen(self._memory.days, scene, self._limits.budget, at_s, until_s)
        return Reactive(self._day.tasks, self._slots, self.idle_s).turn(now)


class Clairvoyant(Swarm):
    """It knows how long everything takes, and what people will ask for."""

    def __init__(self, day: Day, known: Known, limits: Terms, slots: int) -> None:
        super().__init__(day, known, Memory(), limits, slots)
        self._soonest_s: list[float] = []
        for task in day.tasks:
            ends = (self._soonest_s[n] + day.tasks[n].takes_s for n in task.after)
            self._soonest_s.append(max([task.release_s, *ends]))
        self._came: set[int] = set()

    def ready(self, number: int, at_s: float) -> None:
        super().ready(number, at_s)
        self._came.add(number)

    def _learn(self, record: DispatchRecord, at_s: float) -> None:
        """There is nothing to learn."""

    def _scene(self, view: View, at_s: float) -> Scene:
        expected = self._expects.at(at_s, self._limits.horizon_s)
        orders = self._memory.orders
        return Scene(
            offerings=orders.offerings(view, at_s),
            rented=orders.rented(view, at_s),
            live=list(self._lives()),
            coming=list(self._to_come(at_s)),
            expected=expected,
            takes=lambda one: self._takes(int(one.task.split()[1])),
        )

    def _to_come(self, at_s: float) -> Iterator[Coming]:
        for number, task in enumerate(self._day.tasks):
            soonest_s = self._begins_s + self._soonest_s[number]
            if number not in self._came and soonest_s < at_s + self._limits.horizon_s:
                needs = Needs(resources=Resources(float(task.slots)))
                key, takes = pipeline_of(task), self._takes(number)
                at = max(at_s, soonest_s)
                yield Coming(self._id(number), key, at, needs, SlaClass.STANDARD, takes)

    def _takes(self, number: int) -> Spread:
        return Spread((self._day.tasks[number].takes_s,))


def _kinds(slots: int, pools: int) -> tuple[Offering, ...]:
    spot = (
        Offering(called(number), (slots,), PRICE_USD_PER_H * SPOT_PRICE, int(BOOT_S), _SPOT)
        for number in range(pools)
    )
    return *spot, Offering(called(None), (slots,), PRICE_USD_PER_H, int(BOOT_S))


def _node(worker: Worker) -> str:
    return f"node-{worker.number}"


def _worker(worker: Worker) -> WorkerId:
    return WorkerId(f"worker-{worker.number}")


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
