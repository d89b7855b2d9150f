"""A machine that starts and never joins, of a real Ray: it is paid for until somebody ends it."""

import asyncio
from pathlib import Path

import psutil

from swarm.actors.landlord import Landlord
from swarm.actors.placement import STREAM, Placing
from swarm.capacity.ray_request import RayRequest
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.model.dispatch import Submitted
from swarm.model.scaling import Scaled, Step
from swarm.model.work import Effects, Submission, TaskId
from swarm.store.journal import Journal, open_journal
from tests.integration.capacity.conftest import Cluster, a_head, eventually
from tests.integration.capacity.never_joins import MACHINE
from tests.integration.capacity.test_drain_cycles import looked
from tests.integration.capacity.test_ray_autoscaler import LONG_S, joined, pool, words
from tests.unit.actors.test_placing import Told
from tests.unit.migrated import lay_out

SOON = {"RAY_AUTOSCALER_PENDING_NODE_IDLE_TIMEOUT_S": "3"}  # the cluster files say a minute
OVERDUE_S = 200.0  # more than twice what it takes to boot, and three minutes


def test_it_ends_once_it_is_wanted_no_more_and_not_before() -> None:
    """Ray's limit counts from when nobody wants it, however long it has been booting."""
    with a_head(never=("night",), **SOON) as cluster:
        capacity, request = pool(cluster), RayRequest(cluster.address)
        eventually(lambda: capacity.want({"night": 1, "steady": 1}, LONG_S) is None)
        steady = eventually(lambda: joined(capacity).get("steady"))
        (machine,) = eventually(lambda: rented(cluster))
        for _ in range(6):
            looked(request)
        assert rented(cluster) == {machine}, "it may still join"
        (boots,) = (one for one in capacity.nodes() if not one.joined)
        capacity.want({"steady": 1}, LONG_S)
        capacity.release(boots.node)
        eventually(lambda: not rented(cluster))
        eventually(lambda: list(capacity.nodes()) == [steady])
        for _ in range(2):
            looked(request)
        assert not rented(cluster), "another one was launched"


def test_placement_ends_it_and_another_kind_comes(tmp_path: Path) -> None:
    with a_head(never=("night",), **SOON) as cluster, asyncio.Runner() as runner:
        lay_out(tmp_path, "dispatch", STREAM)
        journal, clock = open_journal("", tmp_path), Ahead()
        task = Submission(TaskId("t"), "team", "d", clock.now_s(), effects=Effects.IDEMPOTENT)
        journal.open("dispatch").append([Submitted(task)], clock.now_s(), "test")
        settings = {"state_dir": tmp_path, "placement": {"pool": "static", "most_workers": 1}}
        placing = Placing(
            Settings.model_validate(settings),
            Told(lambda _: None),  # type: ignore[arg-type]  # it is told nothing else
            Landlord(lambda: pool(cluster)),
            clock,
        )
        machines = set[int]()

        def has_told(step: Step, offering: str) -> bool:
            runner.run(placing.turn())
            machines.update(rented(cluster))
            return (step, offering) in told(journal)

        eventually(lambda: has_told(Step.BOOTING, "night"))
        eventually(lambda: rented(cluster))
        clock.ahead_s = OVERDUE_S
        eventually(lambda: has_told(Step.LEFT, "night"))
        assert not rented(cluster)
        eventually(lambda: has_told(Step.JOINED, "steady"))
        assert len(machines) == 1
        about = [step for step, offering in told(journal) if offering == "night"]
        assert about == [Step.ORDERED, Step.BOOTING, Step.NOT_JOINED, Step.LEFT]


class Ahead(SystemClock):
    """It goes ahead of the true one by what it is told."""

    ahead_s = 0.0

    def now_s(self) -> float:
        return super().now_s() + self.ahead_s

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


def told(journal: Journal) -> list[tuple[Step, str]]:
    entries = (one.record for one in journal.read(STREAM, 0, 10_000))
    return [(one.step, one.offering) for one in entries if isinstance(one, Scaled)]


def rented(cluster: Cluster) -> set[int]:
    """The machines that never join, as long as they are there."""
    found = psutil.process_iter()
    return {one.pid for one in found if words(one)[-2:] == [MACHINE, cluster.address]}
