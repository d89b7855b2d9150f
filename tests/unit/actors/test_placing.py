"""The shell of placement: a real journal, a pool in memory, and whom it tells to drain."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest

from swarm.actors.landlord import Landlord
from swarm.actors.placement import STREAM, Placing
from swarm.actors.ports import Answer
from swarm.capacity.static import Static
from swarm.config import Settings
from swarm.dispatch.events import Drain, Event, Propose, Receipt
from swarm.errors import UnknownKey, Unreachable
from swarm.model.dispatch import (
    DispatchRecord,
    DrainAsked,
    Ended,
    Granted,
    Lost,
    Rearmed,
    Started,
    Submitted,
    WorkerGone,
    WorkerJoined,
    WorkerKept,
)
from swarm.model.keys import PipelineKey
from swarm.model.learned import DayBooked, Learned
from swarm.model.plans import Because, Offering, Standing
from swarm.model.scaling import ClockStepped, Expected, Outlook, PlanMade, Scaled, Step
from swarm.model.work import (
    CapacityClass,
    Effects,
    LossCause,
    Offer,
    Outcome,
    Resources,
    SlaClass,
    Submission,
    TaskId,
    Token,
    WorkerId,
)
from swarm.placement.explain import of_foretold, of_step
from swarm.store.journal import open_journal
from tests.contract.capacity.fake import FakeCapacity
from tests.unit.migrated import lay_out

NODE = Offering("node", (2, 0, 0), price_usd_per_h=0.1, boot_s=60)
T = 1_000_000.0


@dataclass
class Told:
    """A dispatcher that journals a drain, or cannot be reached."""

    write: Callable[[DispatchRecord], None]
    away: bool = False
    drained: list[str] = field(default_factory=list)
    asked: int = 0

    async def tell(self, event: Event, cause_id: str) -> Answer:
        if isinstance(event, Propose):
            return Answer(1, Receipt.DONE)
        assert isinstance(event, Drain)
        assert event.by == STREAM
        self.asked += 1
        if self.away:
            raise Unreachable("the dispatcher did not answer")
        if event.worker in self.drained:
            raise UnknownKey("told twice")
        self.drained.append(event.worker)
        self.write(DrainAsked(event.worker, event.by))
        return Answer(1, Receipt.DONE)


class World:
    """Time passes with `turns`; a worker comes with each node that joins."""

    def __init__(self, folder: Path, **placement: object) -> None:
        self.settings = Settings.model_validate(
            {"state_dir": folder, "placement": {"pool": "static", "most_workers": 8, **placement}}
        )
        self.pool = FakeCapacity(kinds=(NODE,), now_s=T)
        lay_out(folder, "dispatch", "placement")
        self.journal = open_journal("", folder)
        self._stream = self.journal.open("dispatch")
        self.dispatch = Told(self.write)
        self.workers: dict[str, WorkerId] = {}
        self.running: dict[Token, tuple[float, str]] = {}
        self.waiting: list[TaskId] = []
        self.ahead_s = 0.0  # of the wall clock
        self.grants: dict[TaskId, int] = {}
        self._number = 0
        self.start()

    def start(self, pool: object = None) -> None:
        """Also after a crash."""
        port = pool or self.pool
        self.placing = Placing(
            self.settings,
            self.dispatch,  # type: ignore[arg-type]  # it is told nothing else
            Landlord(lambda: port),  # type: ignore[arg-type,return-value]
            self,
        )

    def now_s(self) -> float:
        return self.pool.now_s + self.ahead_s

    def monotonic_s(self) -> float:
        return self.pool.now_s

    def write(self, *records: DispatchRecord) -> None:
        self._stream.append(records, self.now_s(), "test")

    def hand_in(self, count: int, sla: SlaClass = SlaClass.CRITICAL, **more: object) -> None:
        for _ in range(count):
            self._number += 1
            one = Submission(TaskId(f"t{self._number}"), "team", "d", self.now_s(), sla=sla)
            one = replace(one, expected_duration_s=240.0, **more)
            self.write(Submitted(one))
            self.waiting.append(one.task)

    def work(self) -> None:
        """Nodes that joined have a worker; who is done gives its slot to the next."""
        for token, (until_s, _) in list(self.running.items()):
            if self.monotonic_s() >= until_s:
                self.write(Ended(token, Outcome.SUCCEEDED))
                del self.running[token]
        self.pool.down, down = False, self.pool.down
        for node in self.pool.nodes():
            if node.joined and node.node not in self.workers:
                worker = self.workers[node.node] = WorkerId(f"w-{node.node}")
                kind = next(one for one in self.pool.kinds if one.name == node.offering)
                place = {"capacity": kind.capacity, "pool": kind.name}
                self.write(WorkerJoined(Offer(worker, node.node, 2, Resources(cpu=2.0), **place)))  # type: ignore[arg-type]
        there = {one.node for one in self.pool.nodes()}
        self.pool.down = down
        for name in self.workers.keys() - there:
            assert name not in self.held(), f"{name} was returned with work on it"
            self.write(WorkerGone(self.workers.pop(name), LossCause.NODE_GONE))
        for name, worker in self.workers.items():
            while (
                self.waiting and worker not in self.dispatch.drained and self.held().count(name) < 2
            ):
                task = self.waiting.pop(0)
                self.grants[task] = self.grants.get(task, 0) + 1
                token = Token(task, self.grants[task])
                self.write(Granted(token, worker, 1), Started(token))
                self.running[token] = (self.monotonic_s() + 240.0, name)

    def lose_all(self) -> list[Token]:
        """Every node dies, with what runs there; all of it may run again."""
        lost = list(self.running)
        for name in list(self.workers):
            self.pool.lose(name)
            for token in [one for one, (_, node) in self.running.items() if node == name]:
                del self.running[token]
                self.write(Lost(token, LossCause.NODE_GONE), Rearmed(token))
                self.waiting.append(token.task)
            self.write(WorkerGone(self.workers.pop(name), LossCause.NODE_GONE))
        return lost

    def held(self) -> list[str]:
        return [node for _, node in self.running.values()]

    async def turns(self, count: int, every_s: float = 10.0) -> None:
        for _ in range(count):
            self.work()
            await self.placing.turn()
            self.pool.now_s += every_s

    def told(self) -> list[Scaled]:
        entries = self.journal.read(STREAM, 0, 10_000)
        return [one.record for one in entries if isinstance(one.record, Scaled)]

    def steps(self) -> list[Step]:
        return [one.step for one in self.told()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_work_orders_nodes_does_itself_and_the_nodes_go_again(world: World) -> None:
    world.hand_in(24)
    await world.turns(1)
    ordered = world.steps().count(Step.ORDERED)
    assert 1 < ordered <= 8
    assert world.pool.said[-1] == {"node": ordered}
    await world.turns(150)
    assert not world.waiting
    assert not world.running
    assert not world.pool.nodes()
    steps = world.steps()
    for step in (Step.JOINED, Step.DRAINED, Step.RETURNED, Step.LEFT):
        assert steps.count(step) == steps.count(Step.ORDERED), step
    assert all(one.move is not None for one in world.told() if one.step is Step.ORDERED)


async def test_of_too_many_workers_only_the_empty_ones_are_drained(world: World) -> None:
    world.pool.want({"node": 5}, 60.0)
    world.pool.now_s += 100.0
    world.hand_in(3)
    world.work()
    busy = {world.workers[name] for name in world.held()}
    assert len(busy) == 2
    await world.turns(6)
    assert len(world.dispatch.drained) == 3
    assert not busy & set(world.dispatch.drained)
    assert len(set(world.pool.released)) == 3


async def test_two_plans_of_the_same_decide_the_same_and_say_so_once(world: World) -> None:
    world.hand_in(12)
    await world.turns(8)
    before = len(world.journal.read(STREAM, 0, 10_000))
    said = len(world.pool.said)
    wanted = world.pool.said[-1]
    await world.turns(4, every_s=1.0)
    assert world.steps().count(Step.DRAINED) == 0
    assert all(one == wanted for one in world.pool.said[said:])
    assert len(world.journal.read(STREAM, 0, 10_000)) - before <= 4


async def test_noise_does_not_make_nodes_come_and_go(world: World) -> None:
    """Work that comes and goes every few minutes is worth the nodes that it needs again."""
    dice = Random(7)
    for _ in range(60):
        world.hand_in(dice.choice([0, 0, 3, 6]), sla=SlaClass.STANDARD)
        await world.turns(6)
    steps = world.steps()
    assert steps.count(Step.DRAINED) <= 6
    assert steps.count(Step.ORDERED) <= 10


async def test_the_fleet_is_said_again_before_its_lease_is_over(world: World) -> None:
    world.hand_in(24)
    await world.turns(30)
    assert len(world.pool.said) == 30


async def test_while_the_pool_is_down_that_is_said_once_and_it_is_asked_again(world: World) -> None:
    world.hand_in(8)
    world.pool.down = True
    await world.turns(5)
    assert world.steps() == [Step.UNREACHABLE]
    assert world.told()[0].detail == "the pool does not answer"
    world.pool.down = False
    await world.turns(1)
    assert Step.REACHABLE in world.steps()
    assert Step.ORDERED in world.steps()


async def test_a_drain_that_the_dispatcher_did_not_hear_is_told_again(world: World) -> None:
    world.pool.want({"node": 1}, 60.0)
    world.pool.now_s += 100.0
    world.dispatch.away = True
    await world.turns(5)
    assert world.steps().count(Step.DRAINED) == 1
    assert world.pool.released == []
    world.dispatch.away = False
    await world.turns(2)
    assert world.pool.released[:1] == ["node-1"]


async def test_a_dispatcher_that_does_not_answer_is_waited_for_once_a_turn(world: World) -> None:
    """A few deadlines in a row are longer than the fleet's lease."""
    world.pool.want({"node": 3}, 60.0)
    world.pool.now_s += 100.0
    world.dispatch.away = True
    await world.turns(5)
    assert world.steps().count(Step.DRAINED) >= 2
    said, asked = len(world.pool.said), world.dispatch.asked
    await world.turns(4)
    assert (len(world.pool.said) - said, world.dispatch.asked - asked) == (4, 4)


async def test_by_a_journal_that_contradicts_itself_nothing_is_decided(world: World) -> None:
    world.pool.want({"node": 1}, 60.0)
    world.pool.now_s += 100.0
    await world.turns(1)
    said = len(world.pool.said)
    world.write(Ended(Token(TaskId("of nobody"), 1), Outcome.SUCCEEDED))
    for _ in range(3):
        with pytest.raises(Unreachable, match="contradicts itself"):
            await world.placing.turn()
    assert len(world.pool.said) == said
    assert world.dispatch.drained == []


async def test_after_a_crash_what_was_ordered_is_not_ordered_again(world: World) -> None:
    world.hand_in(24)
    await world.turns(1)
    ordered = world.steps().count(Step.ORDERED)
    world.pool.now_s += 1.0
    world.start()
    await world.turns(2)
    assert world.steps().count(Step.ORDERED) == ordered
    assert world.pool.said[-1] == {"node": ordered}
    plans = [
        one.record.number
        for one in world.journal.read(STREAM, 0, 10_000)
        if isinstance(one.record, PlanMade)
    ]
    assert plans == sorted(set(plans))


async def test_a_budget_that_is_reached_is_said_with_its_reason(tmp_path: Path) -> None:
    world = World(tmp_path, most_workers=1)
    world.hand_in(40)
    await world.turns(3)
    assert world.pool.said[-1] == {"node": 1}
    refused = [one for one in world.told() if one.step is Step.REFUSED]
    assert [one.move.because for one in refused if one.move] == ["most_workers"]


async def test_a_quota_that_is_reached_leads_to_the_next_offering(tmp_path: Path) -> None:
    """Within the next turns, not after the time that the node would have had to boot."""
    world = World(tmp_path)
    spot = Offering("spot", (2, 0, 0), 0.03, 600, CapacityClass.SPOT)
    world.pool.kinds = (spot, NODE)
    world.pool.refuses = {"spot": Because.QUOTA}
    world.hand_in(12, sla=SlaClass.STANDARD, effects=Effects.IDEMPOTENT)
    await world.turns(4)
    (first, *_) = [one for one in world.told() if one.step is Step.ORDERED]
    assert first.offering == "spot"
    refused = [one for one in world.told() if one.step is Step.NOT_COME]
    assert {(one.offering, one.because) for one in refused} == {("spot", Because.QUOTA)}
    assert world.pool.said[-1].keys() == {"node"}
    await world.turns(120)
    assert not world.waiting
    assert not world.running


async def test_a_node_that_boots_and_never_joins_is_returned_and_another_kind_does_the_work(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    never = Offering("never", (2, 0, 0), 0.03, 10)
    world.pool.kinds = (never, NODE)
    world.pool.stuck = {"never"}
    world.hand_in(12)
    await world.turns(60)
    stuck = [one for one in world.told() if one.step is Step.NOT_JOINED]
    assert {one.offering for one in stuck} == {"never"}
    assert all("still boots" in one.detail for one in stuck)
    assert set(world.pool.released) >= {one.node for one in stuck}, "nobody goes on to pay for it"
    await world.turns(120)
    assert not world.waiting
    assert not world.running
    assert "node" in {one.offering for one in world.told() if one.step is Step.JOINED}


async def test_a_price_spike_moves_what_is_ordered_to_the_next_offering(tmp_path: Path) -> None:
    """Spot that costs more than dedicated now is not ordered, and its nodes are not held on to."""
    world = World(tmp_path)
    spot = Offering("spot", (2, 0, 0), 0.03, 60, CapacityClass.SPOT)
    world.pool.kinds = (spot, NODE)
    world.hand_in(8, sla=SlaClass.STANDARD, effects=Effects.IDEMPOTENT)
    await world.turns(2)
    assert {one.offering for one in world.told() if one.step is Step.ORDERED} == {"spot"}
    await world.turns(150)
    before = len([one for one in world.told() if one.step is Step.ORDERED])
    world.pool.kinds = (NODE, replace(spot, price_usd_per_h=0.9))
    world.hand_in(8, sla=SlaClass.STANDARD, effects=Effects.IDEMPOTENT)
    await world.turns(2)
    ordered = [one.offering for one in world.told() if one.step is Step.ORDERED][before:]
    assert ordered
    assert set(ordered) == {"node"}
    await world.turns(150)
    assert not world.waiting
    assert not world.running


async def test_nodes_come_before_the_runs_that_need_them(world: World) -> None:
    """A pipeline that ran here is expected again: its nodes are up when it begins."""
    daily = PipelineKey("air", "daily")
    for number in range(8):
        more = {"pipeline": daily, "run": "run1", "subject": f"task{number} run1"}
        world.hand_in(1, **more)
    await world.turns(120)
    assert not world.pool.nodes()
    assert world.placing.expect(Outlook()) == {daily}
    start_s = world.now_s() + 600.0
    world.placing.expect(Outlook((Expected(daily, starts_s=(start_s,)),)))
    ordered_at: list[float] = []
    while world.now_s() < start_s:
        world.placing.expect(Outlook((Expected(daily, starts_s=(start_s,)),)))
        await world.turns(1)
        ordered_at += [one.at_s for one in world.told() if one.step is Step.ORDERED][-1:]
    assert len([one for one in world.pool.nodes() if one.joined]) >= 2
    assert start_s - max(ordered_at) >= NODE.boot_s


async def test_after_a_restart_it_knows_how_long_tasks_take(world: World) -> None:
    """Also what the dispatcher's stream does not tell any more."""
    daily = PipelineKey("air", "daily")
    more = {"pipeline": daily, "run": "run1", "subject": "load run1"}
    world.hand_in(1, **more)
    await world.turns(120)
    last = world._stream.last()
    world._stream.save_snapshot(last, [])
    world._stream.trim(last)
    world.start()
    usual = world.placing._memory.usual
    assert usual.pipelines() == {daily}
    spread = usual.takes(replace(Submission(TaskId("x"), "team", "d", T), **more))
    assert spread is not None
    assert 230.0 <= spread.at(0.5) <= 250.0


async def test_when_all_zones_are_lost_at_once_dedicated_nodes_take_the_work(
    tmp_path: Path,
) -> None:
    """Three pools of spot in three zones, each with a node, gone together and sold out."""
    zones = [
        Offering(f"spot-{zone}", (2, 0, 0), 0.03, 60, CapacityClass.SPOT, most=1) for zone in "abc"
    ]
    world = World(tmp_path)
    world.pool.kinds = (*zones, NODE)
    world.pool.want({one.name: 1 for one in zones}, 60.0)
    world.pool.now_s += 100.0
    world.hand_in(12, sla=SlaClass.STANDARD, effects=Effects.IDEMPOTENT)
    await world.turns(2)
    assert {name.rpartition("-")[0] for name in world.held()} == {one.name for one in zones}
    plan = world.placing._memory.orders.plan
    assert plan is not None
    assert [one.pool for one in plan.risks] == [one.name for one in zones]
    world.pool.kinds = (*(replace(one, most=0) for one in zones), world.pool.kinds[-1])
    lost = world.lose_all()
    assert len(lost) == 6
    await world.turns(120)
    assert world.told()[-1].step is not Step.UNREACHABLE
    assert not world.waiting
    assert not world.running, "all of it was run, on what can still be had"
    assert sum(one.step is Step.LEFT and "lost" in one.detail for one in world.told()) == 3
    ordered = {one.offering for one in world.told() if one.step is Step.ORDERED}
    assert "node" in ordered
    age_s = world.placing._memory.spot_pools.age_s
    assert [age_s(one.name, world.now_s()) for one in zones] == [0.0] * 3


@pytest.mark.parametrize("by_s", [36_000.0, -36_000.0])
async def test_a_clock_that_is_set_returns_no_node_and_orders_none(
    world: World, by_s: float
) -> None:
    """While they boot, and while they work."""
    world.hand_in(16, deadline_s=T + 80_000.0)
    await world.turns(3)
    ordered = world.steps().count(Step.ORDERED)
    assert ordered > 1
    world.ahead_s += by_s
    await world.turns(2)
    assert Step.NOT_JOINED not in world.steps()
    await world.turns(6)
    assert len([one for one in world.pool.nodes() if one.joined]) == ordered
    world.ahead_s -= by_s
    await world.turns(2)
    assert world.steps().count(Step.ORDERED) == ordered
    assert set(world.steps()) <= {Step.ORDERED, Step.BOOTING, Step.JOINED, Step.REFUSED}
    stepped = [
        one.record.by_s
        for one in world.journal.read(STREAM, 0, 10_000)
        if isinstance(one.record, ClockStepped)
    ]
    assert stepped == [by_s, -by_s]


async def test_after_a_restart_and_a_set_clock_pools_of_spot_are_as_old_as_before(
    world: World,
) -> None:
    offer = Offer(WorkerId("w"), "n", 2, Resources(cpu=2.0), capacity=CapacityClass.SPOT, pool="p")
    world.write(WorkerJoined(offer))
    world.write(WorkerJoined(replace(offer, worker=WorkerId("v"), node="m")))
    await world.turns(1, every_s=3_600.0)
    world.write(WorkerGone(WorkerId("v"), LossCause.NODE_GONE))
    await world.turns(2, every_s=1_800.0)
    pools = world.placing._memory.spot_pools
    age_s, seen = pools.age_s("p", world.now_s()), pools.survival.chance("p", 0.0, 600.0)
    assert age_s == 3_600.0
    last = world._stream.last()
    world._stream.save_snapshot(last, [WorkerKept(offer, draining=False, acquire_no=0)])
    world._stream.trim(last)
    world.start()
    await world.turns(1, every_s=0.0)
    world.ahead_s -= 7_200.0
    await world.turns(1, every_s=0.0)
    pools = world.placing._memory.spot_pools
    assert pools.age_s("p", world.now_s()) == pytest.approx(age_s)
    assert pools.survival.chance("p", 0.0, 600.0) == pytest.approx(seen, rel=0.05)


async def test_nodes_come_before_the_work_that_comes_every_day(world: World) -> None:
    """Nobody announces it; it was there on every day like this one."""
    day_s, quarters, random = 86_400.0, 96, Random(7)
    today = int(T // day_s) + 21
    like = [day for day in range(today - 20, today) if day % 7 not in (2, 3)]
    days = tuple(
        DayBooked(
            day,
            quarters,
            quarters - 1,
            (0.0,) * quarters,
            tuple(random.uniform(3.0, 6.0) * 900.0 for _ in range(quarters)),
        )
        for day in like
    )
    if today % 7 in (2, 3):
        today += 2
    world.placing._memory.apply(Learned(0, days=days))
    world.pool.now_s = today * day_s + 6 * 3_600.0
    await world.turns(90)
    assert len([one for one in world.pool.nodes() if one.joined]) >= 2
    ordered = [one for one in world.told() if one.step is Step.ORDERED]
    assert all("By the forecast" in of_step(one) for one in ordered)


async def test_of_two_days_nothing_is_foretold_and_work_is_met_when_it_comes(world: World) -> None:
    day_s, quarters = 86_400.0, 96
    today = int(T // day_s) + 2
    days = tuple(
        DayBooked(day, quarters, quarters - 1, (0.0,) * quarters, (4 * 900.0,) * quarters)
        for day in (today - 2, today - 1)
    )
    world.placing._memory.apply(Learned(0, days=days))
    world.pool.now_s = today * day_s + 6 * 3_600.0
    await world.turns(30)
    assert Step.ORDERED not in world.steps(), "two days are no habit"
    world.hand_in(8)
    await world.turns(1)
    assert Step.ORDERED in world.steps()
    plan = world.placing._memory.orders.plan
    assert plan is not None
    assert "too few days like this one were seen" in of_foretold(plan.foretold)


async def test_a_static_pool_is_planned_for_and_left_as_it_is(tmp_path: Path) -> None:
    world = World(tmp_path)
    machines = [Standing("m1", "node", T), Standing("m2", "node", T)]
    world.start(Static([NODE], lambda: machines))
    for one in machines:
        world.write(WorkerJoined(Offer(WorkerId(f"w-{one.node}"), one.node, 2, Resources(cpu=2.0))))
    world.hand_in(30)
    world.waiting.clear()
    await world.turns(4)
    assert world.dispatch.drained == []
    made = [
        one.record
        for one in world.journal.read(STREAM, 0, 10_000)
        if isinstance(one.record, PlanMade)
    ]
    assert made[-1].wanted == (("node", 2),)
    assert set(world.steps()) <= {Step.JOINED, Step.REFUSED}


async def test_the_fleet_is_measured_as_it_is_wanted_and_stands(world: World) -> None:
    world.hand_in(24)
    world.pool.refuses["node"] = Because.QUOTA
    await world.turns(3)
    figures = {one.metric.name: one.value for one in world.placing.placed.figures()}
    assert figures["swarm_nodes"] == 0
    assert figures["swarm_nodes_refused_total"] == world.steps().count(Step.NOT_COME) > 0
    world.pool.refuses.clear()
    await world.turns(100)
    world.hand_in(24)
    await world.turns(10)
    figures = {one.metric.name: one.value for one in world.placing.placed.figures()}
    assert figures["swarm_nodes"] == len(world.pool.nodes()) > 0
    assert figures["swarm_nodes_wanted"] == world.pool.said[-1]["node"]
    assert figures["swarm_nodes_usd_per_hour"] == pytest.approx(0.1 * len(world.pool.nodes()))
    assert figures["swarm_plan_gap_ratio"] >= 1.0
