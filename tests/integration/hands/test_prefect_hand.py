"""A hand beside a real Prefect."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
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
    Teller,
    a_hold,
    a_release,
    freed_by_a_person,
    held_until_it_runs_out,
    held_until_released,
    killed_while_holding,
    live,
    until,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

AHEAD_S = 40.0  # so long before a start it is made: its worker fetches it 10 s before
NAMES = ("released", "runs_out", "freed", "killed", "redeployed")
IDLE = "idle-pool"  # has no worker: what a worker starts takes the machine long


@dataclass
class Deployment:
    """A deployment whose schedule has one start soon."""

    server: PrefectServer
    id: str
    target: PipelineKey
    due_s: float

    @classmethod
    def made(
        cls, server: PrefectServer, name: str, pool: str = "lake-pool", queue: str = "default"
    ) -> "Deployment":
        flow = server.call("POST", "/flows/", {"name": "held"})
        due_s = float(int(time.time() + AHEAD_S))
        anchor = datetime.fromtimestamp(due_s, UTC).isoformat()
        schedule = {"interval": 86_400, "anchor_date": anchor, "timezone": "UTC"}
        made = server.call(
            "POST",
            "/deployments/",
            {
                "name": name,
                "flow_id": flow["id"],
                "entrypoint": "lake_flows.py:inner",
                "path": str(PREFECT_CODE),
                "work_pool_name": pool,
                "work_queue_name": queue,
                "enforce_parameter_schema": False,
                "schedules": [{"schedule": schedule, "active": True}],
            },
        )
        return cls(server, made["id"], PipelineKey("pf", f"held/{name}"), due_s)

    def runs(self) -> list[Any]:
        """Those for the start at `due_s`, and whatever else is not for another day."""
        wanted = {"flow_runs": {"deployment_id": {"any_": [self.id]}}}
        rows = self.server.call("POST", "/flow_runs/filter", wanted)
        return [r for r in rows if epoch_s(r["expected_start_time"]) < self.due_s + 3600]

    def begun(self) -> list[float]:
        """Without a worker a run begins no further than to wait for one."""
        at = [
            row["start_time"]
            or (row["work_pool_name"] == IDLE and row["next_scheduled_start_time"])
            for row in self.runs()
        ]
        return [epoch_s(text) for text in at if text and epoch_s(text) <= time.time()]

    def free(self) -> None:
        (run,) = self.runs()
        state = {"type": "SCHEDULED", "name": "Scheduled"}
        self.server.call("POST", f"/flow_runs/{run['id']}/set_state", {"state": state})


def epoch_s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    folder = tmp_path_factory.mktemp("prefect")
    processes = new_processes(folder)
    try:
        yield start_prefect(processes, folder)
    finally:
        processes.stop_all()


@pytest.fixture(scope="module")
def hand(prefect: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandProcess]:
    source = {"kind": "prefect", "name": "pf", "url": prefect.url}
    hand = HandProcess(tmp_path_factory.mktemp("beside") / "hand", source)
    hand.start()
    yield hand
    hand.kill()


async def redeployed(teller: Teller, held: Deployment) -> None:
    """A new version of the deployment takes its scheduled runs away, the held one too."""
    await teller.holding(held, held.due_s + BEYOND_S)
    change = {"description": "a new version"}
    await asyncio.to_thread(held.server.call, "PATCH", f"/deployments/{held.id}", change)
    assert await asyncio.to_thread(held.begun) == []
    assert (await teller.tell(a_release(held))).outcome is Carried.DONE
    await until(lambda: bool(held.begun()), "what was taken away begins")


@pytest.fixture(scope="module")
def lived(prefect: PrefectServer, hand: HandProcess) -> Any:
    """How each story ended, and the deployments they were about."""
    figures: dict[str, float] = {}

    def story(name: str, tell: Any) -> Any:
        async def lives() -> None:
            await until(lambda: bool(held[name].runs()), "its run is scheduled")
            async with hand.told(figures) as teller:
                await tell(teller, held[name])

        return lives

    told = {
        "released": held_until_released,
        "runs_out": held_until_it_runs_out,
        "freed": freed_by_a_person,
        "killed": partial(killed_while_holding, hand=hand),
        "redeployed": redeployed,
    }
    prefect.call("POST", "/work_pools/", {"name": IDLE, "type": "process"})
    real = ("released", "runs_out")
    held = {n: Deployment.made(prefect, n, "lake-pool" if n in real else IDLE) for n in told}
    ended = live({name: story(name, tell) for name, tell in told.items()})
    print(figures)  # noqa: T201
    return ended, held


@pytest.mark.parametrize("name", NAMES)
def test_a_held_run_starts_when_it_may_and_once(lived: Any, hand: HandProcess, name: str) -> None:
    ended, held = lived
    if ended[name] is not None:
        raise AssertionError("\n".join([*hand.acts(), hand.log()[-2000:]])) from ended[name]
    assert len(held[name].begun()) == 1
    assert len(held[name].runs()) == 1


async def test_a_trigger_starts_one_run_however_often_it_comes(
    prefect: PrefectServer, hand: HandProcess, teller: Teller
) -> None:
    held = Deployment.made(prefect, "triggered", IDLE)
    trigger = replace(a_hold(held, TTL_S), act=Act.TRIGGER)
    assert (await teller.tell(trigger)).outcome is Carried.DONE
    hand.forget()
    assert (await teller.tell(trigger)).outcome is Carried.DONE
    assert len([run for run in held.runs() if not run["auto_scheduled"]]) == 1


async def test_what_yields_goes_last_and_comes_back(
    prefect: PrefectServer, hand: HandProcess, teller: Teller
) -> None:
    queues = "/work_pools/lake-pool/queues"
    prefect.call("POST", queues, {"name": "own"})
    prefect.call("POST", queues, {"name": "other"})

    def order() -> list[str]:
        rows = prefect.call("POST", f"{queues}/filter", {})
        return [row["name"] for row in sorted(rows, key=lambda row: row["priority"])]

    held = Deployment.made(prefect, "yields", queue="own")
    before = order()
    for number, act, place in ((1, Act.YIELD, -1), (3, Act.PROMOTE, 0)):
        turned = await teller.tell(replace(a_hold(held, TTL_S, number), act=act))
        assert turned.outcome is Carried.DONE, turned
        assert order()[place] == "own"
        assert (await teller.tell(a_release(held, number + 1))).outcome is Carried.DONE
        assert order() == before
    shared = Deployment.made(prefect, "shares")
    refused = await teller.tell(replace(a_hold(shared, TTL_S), act=Act.YIELD))
    assert refused.outcome is Carried.REFUSED
    assert "give it its own" in refused.detail


async def test_what_is_not_there_is_gone(teller: Teller, prefect: PrefectServer) -> None:
    held = Deployment(prefect, "", PipelineKey("pf", "held/nowhere"), time.time() + AHEAD_S)
    assert (await teller.tell(a_hold(held, TTL_S))).outcome is Carried.GONE
