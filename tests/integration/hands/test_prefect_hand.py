"""A hand beside a real Prefect."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from swarm.model.intents import Act, Carried
from swarm.model.keys import PipelineKey
from tests.integration.connectors.orchestrators import (
    PREFECT_CODE,
    PrefectServer,
    new_processes,
    start_prefect,
)
from tests.integration.hands.beside import (
    BEYOND_S,
    TTL_S,
    HandProcess,
    Place,
    Teller,
    a_hold,
    a_release,
    can_be_held,
    epoch_s,
    first_left_out,
    until,
)
from tests.integration.hands.every_hand import (
    test_a_held_run_starts_when_it_may_and_once as test_a_held_run_starts_when_it_may_and_once,
)
from tests.integration.hands.every_hand import (
    test_what_is_late_is_left_out as test_what_is_late_is_left_out,
)
from tests.integration.hands.every_hand import triggers_once

pytestmark = [pytest.mark.lab]

AHEAD_S = 39.0  # so long before a start it is made: its worker fetches it 10 s before
SOON_S = 18.0  # a start that is sooner is not held in a story
DAY_S = 86_400
IDLE = "idle-pool"  # has no worker: what a worker starts takes the machine long


@dataclass
class Deployment:
    """A deployment whose schedule has one start soon, once it is planned, and then every
    `every_s`."""

    server: PrefectServer
    name: str
    pool: str = "lake-pool"
    queue: str = "default"
    every_s: int = DAY_S
    id: str = ""
    due_s: float = 0.0

    @property
    def target(self) -> PipelineKey:
        return PipelineKey("pf", f"held/{self.name}")

    def plan(self) -> "Deployment":
        """Make it, or make it anew; what was planned before is not any more."""
        flow = self.server.call("POST", "/flows/", {"name": "held"})
        self.due_s = float(int(time.time() + AHEAD_S))
        anchor = datetime.fromtimestamp(self.due_s, UTC).isoformat()
        schedule = {"interval": self.every_s, "anchor_date": anchor, "timezone": "UTC"}
        made = self.server.call(
            "POST",
            "/deployments/",
            {
                "name": self.name,
                "flow_id": flow["id"],
                "entrypoint": "lake_flows.py:inner",
                "path": str(PREFECT_CODE),
                "work_pool_name": self.pool,
                "work_queue_name": self.queue,
                "enforce_parameter_schema": False,
                "schedules": [{"schedule": schedule, "active": True}],
            },
        )
        self.id = made["id"]
        return self

    def is_there(self) -> bool:
        """What its server did not schedule in time is planned anew."""
        if self.due_s - time.time() < SOON_S:
            self.plan()
        return bool(self.runs()) and can_be_held(self.due_s, SOON_S)

    def runs(self) -> list[Any]:
        """Those for the start at `due_s`, and whatever else is not for another one."""
        from_s, to_s = self.due_s - 1, self.due_s + min(3600, self.every_s - 1)
        return [r for r in self.all() if from_s < epoch_s(r["expected_start_time"]) < to_s]

    def all(self) -> list[Any]:
        wanted = {"flow_runs": {"deployment_id": {"any_": [self.id]}}}
        rows: list[Any] = self.server.call("POST", "/flow_runs/filter", wanted)
        return rows

    def begun(self) -> list[float]:
        """Without a worker a run begins no further than to wait for one."""
        at = [
            (row["run_count"] and row["start_time"])  # what was cancelled has one without a run
            or (_waits_for_a_worker(row) and row["next_scheduled_start_time"])
            for row in self.runs()
        ]
        return [epoch_s(text) for text in at if text and epoch_s(text) <= time.time()]

    def free(self) -> None:
        (run,) = self.runs()
        state = {"type": "SCHEDULED", "name": "Scheduled"}
        self.server.call("POST", f"/flow_runs/{run['id']}/set_state", {"state": state})

    def is_left_out(self) -> bool:
        return [run["state_type"] for run in self.runs()] == ["CANCELLED"]

    def goes_on(self) -> bool:
        """The run of the next day is scheduled."""
        return any(
            epoch_s(run["expected_start_time"]) == self.due_s + DAY_S
            and run["state_type"] == "SCHEDULED"
            for run in self.all()
        )


def _waits_for_a_worker(run: Any) -> bool:
    return bool(run["work_pool_name"] == IDLE and run["state_type"] == "SCHEDULED")


@contextmanager
def running(folder: Path) -> Iterator[PrefectServer]:
    processes = new_processes(folder)
    try:
        server = start_prefect(processes, folder)
        server.call("POST", "/work_pools/", {"name": IDLE, "type": "process"})
        yield server
    finally:
        processes.stop_all()


def source(server: PrefectServer) -> Mapping[str, object]:
    return {"kind": "prefect", "name": "pf", "url": server.url}


def held(server: PrefectServer, names: Sequence[str]) -> Mapping[str, Deployment]:
    real = ("released", "runs_out")
    every_s = {"goes_on": 60, "skips": 60}
    return {
        n: Deployment(server, n, "lake-pool" if n in real else IDLE, every_s=every_s.get(n, DAY_S))
        for n in names
    }


async def redeployed(teller: Teller, held: Deployment) -> None:
    """A new version of the deployment takes its scheduled runs away, the held one too."""
    await teller.holding(held, held.due_s + BEYOND_S)
    change = {"description": "a new version"}
    await asyncio.to_thread(held.server.call, "PATCH", f"/deployments/{held.id}", change)
    assert await asyncio.to_thread(held.begun) == []
    assert (await teller.tell(a_release(held))).outcome is Carried.DONE
    await until(lambda: bool(held.begun()), "what was taken away begins")


async def the_first_goes(teller: Teller, held: Deployment) -> None:
    """Two starts fall into a hold; the first is let go, and the hold goes on for the other."""
    late = replace(held, due_s=held.due_s + held.every_s)
    await teller.holding(held, late.due_s + BEYOND_S)
    assert await asyncio.to_thread(held.begun) == []
    goes_on = replace(a_hold(held, TTL_S, 2), due_s=(late.due_s,), let_go_s=(held.due_s,))
    answer = await teller.tell(goes_on)
    assert answer.outcome is Carried.DONE, answer
    await until(lambda: bool(held.begun()), "what was let go begins")
    for number in (2, 3):  # renewed, and goes on
        again = replace(goes_on, number=number, valid_until_s=time.time() + TTL_S)
        answer = await teller.tell(again)
        assert answer.outcome is Carried.DONE, answer
    assert await asyncio.to_thread(late.begun) == []
    answer = await teller.tell(a_release(held, 4))
    assert answer.outcome is Carried.DONE, answer
    await until(lambda: bool(late.begun()), "what was held on begins")


async def the_first_is_left_out(teller: Teller, held: Deployment) -> None:
    await first_left_out(teller, held, replace(held, due_s=held.due_s + held.every_s))


STORIES = {
    "redeployed": redeployed,
    "goes_on": the_first_goes,
    "skips": the_first_is_left_out,
}
PLACE = Place("prefect", running, source, held, STORIES)


async def test_a_trigger_starts_one_run_however_often_it_comes(
    server: PrefectServer, hand: HandProcess, teller: Teller
) -> None:
    held = Deployment(server, "triggered", IDLE).plan()

    def triggered(intent_id: str) -> int:
        return len([run for run in held.all() if not run["auto_scheduled"]])

    await triggers_once(teller, hand, held, triggered)


async def test_what_yields_goes_last_and_comes_back(server: PrefectServer, teller: Teller) -> None:
    queues = "/work_pools/lake-pool/queues"
    server.call("POST", queues, {"name": "own"})
    server.call("POST", queues, {"name": "other"})

    def order() -> list[str]:
        rows = server.call("POST", f"{queues}/filter", {})
        return [row["name"] for row in sorted(rows, key=lambda row: row["priority"])]

    held = Deployment(server, "yields", queue="own").plan()
    before = order()
    for number, act, place in ((1, Act.YIELD, -1), (3, Act.PROMOTE, 0)):
        turned = await teller.tell(replace(a_hold(held, TTL_S, number), act=act))
        assert turned.outcome is Carried.DONE, turned
        assert order()[place] == "own"
        assert (await teller.tell(a_release(held, number + 1))).outcome is Carried.DONE
        assert order() == before
    shared = Deployment(server, "shares").plan()
    refused = await teller.tell(replace(a_hold(shared, TTL_S), act=Act.YIELD))
    assert refused.outcome is Carried.REFUSED
    assert "give it its own" in refused.detail


async def test_what_is_not_there_is_gone(teller: Teller, server: PrefectServer) -> None:
    held = Deployment(server, "nowhere", due_s=time.time() + AHEAD_S)
    assert (await teller.tell(a_hold(held, TTL_S))).outcome is Carried.GONE
