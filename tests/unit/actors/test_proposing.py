"""The plan's choice of spot or dedicated, from placement through the dispatcher to who gets what:
both engines and the shell of placement over one journal."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from swarm.actors.landlord import Landlord
from swarm.actors.placement import STREAM, Placing
from swarm.actors.ports import Answer
from swarm.api.scaling_schemas import PlanRow
from swarm.capacity.static import Static
from swarm.config import Settings
from swarm.dispatch.events import Event, Finish, Now, WorkerLost
from swarm.dispatch.waiting import WaitReason
from swarm.errors import Unreachable
from swarm.model.plans import Offering, Standing
from swarm.model.scaling import PlanMade
from swarm.model.work import (
    CapacityClass,
    Effects,
    LossCause,
    Outcome,
    SlaClass,
    TaskId,
    WorkerId,
)
from swarm.placement.spot import Because
from swarm.store.journal import open_journal
from tests.unit.dispatch.builders import WALL_S, Desk, a_task
from tests.unit.migrated import lay_out

SPOT, SURE = CapacityClass.SPOT, CapacityClass.DEDICATED
KINDS = [
    Offering("market", (4, 0, 0), 0.05, 60, SPOT),
    Offering("sure", (4, 0, 0), 0.20, 60, SURE),
]


class World(Desk):
    """Two machines that stand: the dispatcher that is told what placement decides is real."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.away = False
        self.settings = Settings.model_validate(
            {"state_dir": folder, "placement": {"pool": "static"}}
        )
        lay_out(folder, "dispatch", "placement")
        self.log = open_journal("", folder)
        self._stream = self.log.open("dispatch")
        self._written = 0
        self.worker("market", capacity=SPOT, pool="market")
        self.worker("sure", capacity=SURE, pool="sure")
        machines = [
            Standing(f"node-of-{name}", name, WALL_S - 86_400.0) for name in ("market", "sure")
        ]
        landlord = Landlord(lambda: Static(KINDS, lambda: machines))
        self.placing = Placing(self.settings, _Told(self), landlord, _Clock(self))  # type: ignore[arg-type]

    def write(self) -> None:
        new, self._written = self.journal[self._written :], len(self.journal)
        if new:
            self._stream.append(new, WALL_S + self.now_s, "test")

    async def turn(self) -> None:
        self.write()
        await self.placing.turn()

    def plans(self) -> Iterable[PlanMade]:
        for one in self.log.read(STREAM, 0, 10_000):
            if isinstance(one.record, PlanMade):
                yield one.record


class _Clock:
    def __init__(self, world: World) -> None:
        self._world = world

    def now_s(self) -> float:
        return WALL_S + self._world.now_s

    def monotonic_s(self) -> float:
        return self._world.now_s


class _Told:
    def __init__(self, world: World) -> None:
        self._world = world

    async def tell(self, event: Event, cause_id: str) -> Answer:
        if self._world.away:
            raise Unreachable("the dispatcher did not answer")
        return Answer(1, self._world.tell(event))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_critical_work_is_granted_on_dedicated_capacity_and_other_on_spot(
    world: World,
) -> None:
    world.submit(
        a_task("critical", sla=SlaClass.CRITICAL, expected_duration_s=600.0),
        a_task("other", expected_duration_s=60.0),
        a_task("own", sla=SlaClass.CRITICAL, capacity=SPOT),
    )
    await world.turn()
    assert world.acquire("market") == ["own", "other"]
    assert world.acquire("sure") == ["critical"]


async def test_between_two_turns_critical_work_does_not_slip_onto_young_spot(world: World) -> None:
    await world.turn()
    world.submit(a_task("critical", sla=SlaClass.CRITICAL))
    assert world.acquire("market") == []
    assert world.acquire("sure") == ["critical"]


async def test_the_choice_and_its_reason_are_told_for_the_task_and_with_the_plan(
    world: World,
) -> None:
    due = {"expected_duration_s": 600.0, "deadline_s": WALL_S + 7_200.0}
    world.submit(a_task("critical", sla=SlaClass.CRITICAL, **due))
    await world.turn()
    now = Now(world.now_s, WALL_S + world.now_s)
    told = world.dispatcher.explain(TaskId("critical"), now)
    assert told.sided is not None
    assert told.sided.why == Because.TOO_RISKY.value
    assert told.waiting is not None
    assert told.waiting.reason is WaitReason.NEXT
    *_, made = world.plans()
    assert [one.why for one in PlanRow.of(made).proposed] == [
        f"critical goes on dedicated capacity alone: {Because.TOO_RISKY.value}."
    ]


async def test_a_dispatcher_that_was_away_hears_it_in_the_next_turn(world: World) -> None:
    world.submit(a_task("critical", sla=SlaClass.CRITICAL))
    world.away = True
    await world.turn()
    world.away = False
    await world.turn()
    assert world.acquire("market") == []


async def test_if_placement_falls_silent_everything_goes_on(world: World) -> None:
    world.submit(a_task("critical", sla=SlaClass.CRITICAL))
    await world.turn()
    world.now_s += 61.0
    assert world.acquire("market") == ["critical"]


async def test_late_critical_work_on_spot_runs_a_second_time_and_outlives_its_node(
    world: World,
) -> None:
    """From placement's look at what runs to the copy that goes on alone."""
    due = {"sla": SlaClass.CRITICAL, "expected_duration_s": 60.0, "deadline_s": WALL_S + 400.0}
    world.submit(a_task("late", effects=Effects.IDEMPOTENT, **due))
    tokens = world.acquire_tokens("market")
    world.beat("market", tokens)
    await world.turn()
    assert world.acquire("sure") == [], "lost now it could run again in time"
    world.now_s += 270.0
    world.beat("market", tokens)
    world.beat("sure")
    await world.turn()
    assert world.acquire_tokens("sure") == tokens
    *_, made = world.plans()
    assert [(one.task, one.why) for one in made.sided] == [("late", Because.OVERRUN.value)]
    await world.turn()
    *_, made = world.plans()
    assert made.sided == (), "it has its copy"
    world.tell(WorkerLost(WorkerId("market"), LossCause.NODE_GONE))
    assert world.dispatcher.floor.holders(TaskId("late")) == (WorkerId("sure"),)
    await world.turn()
    assert world.placing._followed.live()[0].node == "node-of-sure"


async def test_slots_that_the_plan_keeps_free_are_not_given_to_backfills(world: World) -> None:
    """Backfills of an hour would take one by one the slots that a promise needs together."""
    world.submit(*(a_task(f"runs{number}", expected_duration_s=60.0) for number in range(8)))
    first, *others = [*world.acquire_tokens("market"), *world.acquire_tokens("sure")]
    critical, fill = SlaClass.CRITICAL, SlaClass.BACKFILL
    world.submit(
        a_task("large", 4.0, sla=critical, expected_duration_s=60.0, deadline_s=WALL_S + 400.0),
        *(a_task(f"fill{n}", sla=fill, expected_duration_s=3_600.0) for n in range(8)),
    )
    await world.turn()
    *_, made = world.plans()
    assert made.kept_free == 4
    world.tell(Finish(first, Outcome.SUCCEEDED))
    assert world.acquire("market") == []
    for token in others:
        world.tell(Finish(token, Outcome.SUCCEEDED))
    assert world.acquire("market") == ["large"]
    assert world.acquire("sure") == [], "as many stay free as the plan said"
    await world.turn()
    assert len(world.acquire("sure")) == 4, "nothing else waits or comes"
