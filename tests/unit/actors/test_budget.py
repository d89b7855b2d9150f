"""Where the fleet may not grow: who runs first, and what the others are told. The dispatcher, the
shell of placement and the journal between them are real, the pool is in memory."""

from pathlib import Path
from typing import Any

import pytest

from swarm.actors.landlord import Landlord
from swarm.actors.placement import STREAM, Placing
from swarm.actors.ports import Answer
from swarm.api.growth import Growth
from swarm.config import Settings
from swarm.dispatch.events import Event, Finish, Now, Register
from swarm.dispatch.waiting import Waiting
from swarm.model.plans import Because, Offering
from swarm.model.scaling import PlanMade, Scaled
from swarm.model.work import Offer, Outcome, Resources, SlaClass, TaskId, WorkerId
from swarm.store.journal import open_journal
from tests.contract.capacity.fake import FakeCapacity
from tests.unit.dispatch.builders import WALL_S, Desk, a_task
from tests.unit.migrated import lay_out

NODE = Offering("node", (2, 0, 0), price_usd_per_h=0.1, boot_s=60)
SLA: dict[str, Any] = {"sla": SlaClass.CRITICAL, "expected_duration_s": 240.0}
OTHER: dict[str, Any] = {"sla": SlaClass.STANDARD, "expected_duration_s": 240.0}
BEHIND: dict[str, Any] = {"sla": SlaClass.BACKFILL, "expected_duration_s": 240.0}
BUSY = "every worker that could run it is busy"


class World(Desk):
    """A worker comes with each node that joins."""

    def __init__(self, folder: Path, **placement: object) -> None:
        super().__init__()
        self.pool = FakeCapacity(kinds=(NODE,), now_s=WALL_S)
        lay_out(folder, "dispatch", "placement")
        self.log = open_journal("", folder)
        self._stream = self.log.open("dispatch")
        self._written = 0
        settings = {"state_dir": folder, "placement": {"pool": "static", **placement}}
        self.placing = Placing(
            Settings.model_validate(settings),
            _Told(self),  # type: ignore[arg-type]  # it is told nothing else
            Landlord(lambda: self.pool),
            _Clock(self),
        )

    async def turns(self, count: int) -> None:
        """Ten seconds each."""
        for _ in range(count):
            known = {one.offer.node for one in self.dispatcher.floor.workers.values()}
            for one in self.pool.nodes():
                if one.joined and one.node not in known:
                    place = WorkerId("w"), one.node, 2, Resources(cpu=2.0)
                    self.tell(Register(Offer(*place, pool=one.offering)))
            new, self._written = self.journal[self._written :], len(self.journal)
            if new:
                self._stream.append(new, self.pool.now_s, "test")
            await self.placing.turn()
            self.now_s += 10.0
            self.pool.now_s += 10.0

    def why(self, task: str) -> Waiting | None:
        """As the API tells it."""
        told = self.dispatcher.explain(TaskId(task), Now(self.now_s, WALL_S + self.now_s)).waiting
        found = [one.record for one in self.log.read(STREAM, 0, 10_000)]
        *_, made = (one for one in found if isinstance(one, PlanMade))
        steps = [one for one in reversed(found) if isinstance(one, Scaled)]
        return told and Growth(made, steps).told(TaskId(task), told)


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
        return Answer(1, self._world.tell(event))


@pytest.mark.parametrize(
    ("limit", "because", "fix"),
    [
        ({"most_workers": 1}, Because.MOST_WORKERS, "no more workers (raise `most_workers`)"),
        ({"most_usd_per_h": 0.15}, Because.MOST_USD, "an hour (raise `most_usd_per_h`)"),
    ],
)
async def test_where_the_budget_is_reached_sla_work_runs_first_and_the_rest_waits_with_a_reason(
    tmp_path: Path, limit: dict[str, object], because: Because, fix: str
) -> None:
    world = World(tmp_path, **limit)
    world.submit(*(a_task(f"behind{n}", **BEHIND) for n in range(30)))
    world.submit(*(a_task(f"other{n}", **OTHER) for n in range(20)))
    world.submit(*(a_task(f"sla{n}", **SLA) for n in range(4)))
    await world.turns(8)
    assert world.pool.said[-1] == {"node": 1}
    first = world.acquire_tokens("w")
    assert {str(one.task) for one in first} <= {f"sla{n}" for n in range(4)}
    await world.turns(1)
    for waits in ("other19", "behind29"):
        told = world.why(waits)
        assert told is not None
        assert (told.reason, told.text.startswith(BUSY)) == (because.value, True)
        assert told.text.endswith(fix)
    for token in first:
        world.tell(Finish(token, Outcome.SUCCEEDED))
    second = world.acquire_tokens("w")
    assert {str(one.task) for one in (*first, *second)} == {f"sla{n}" for n in range(4)}
    assert world.pool.said[-1] == {"node": 1}


async def test_a_backfill_that_gets_no_node_of_its_own_is_told_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.submit(*(a_task(f"behind{n}", **BEHIND) for n in range(30)))
    await world.turns(2)
    told = world.why("behind7")
    assert told is not None
    assert (told.reason, told.text) == (
        "behind",
        "there is no worker yet, and it is behind others, who leave it no room until later",
    )


async def test_where_the_quota_is_reached_a_task_says_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.pool.refuses = {"node": Because.QUOTA}
    world.submit(*(a_task(f"sla{n}", **SLA) for n in range(4)))
    await world.turns(4)
    told = world.why("sla3")
    assert told is not None
    assert (told.reason, told.text) == (
        "quota",
        "there is no worker yet, and no more can be had (node: the account's quota allows no more "
        "of them (have it raised))",
    )


async def test_while_more_nodes_come_nothing_is_said_of_a_budget(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.submit(*(a_task(f"sla{n}", **SLA) for n in range(4)))
    await world.turns(4)
    told = world.why("sla3")
    assert told is not None
    assert (told.reason, told.text) == ("no_worker", "there is no worker yet")
