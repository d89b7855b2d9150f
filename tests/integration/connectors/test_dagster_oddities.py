"""The Dagster connector against recorded answers of a real server that a test makes odd, sent from
a real socket: strange rows, and runs stamped by a clock that is wrong."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from swarm.clock import SystemClock
from swarm.config import Settings, Source
from swarm.connectors.dagster.client import DagsterClient
from swarm.connectors.dagster.connector import DagsterConnector
from swarm.model.connectors import Batch, Item
from swarm.model.lineage import Unresolved, UnresolvedReason
from swarm.model.runs import Run
from tests.integration.connectors.proxy import Fault, Proxy

PAYLOADS = Path(__file__).parents[2] / "unit" / "connectors" / "dagster_payloads"
HOUR_S = 3600.0


def recorded(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


class Recorded(Proxy):
    """Answers each query with what was recorded of it; a test changes `tick` between passes."""

    def __init__(self) -> None:
        super().__init__()
        self.tick = recorded("tick")
        self.tick["live"]["results"] = []
        self.tick["changed"]["results"] = []

    def take_fault(self, path: str) -> Fault | None:
        query = self.requests[-1].body
        if b"SwarmTick" in query:
            return self._answer(self.tick)
        names = {b"SwarmWorkspace": "workspace", b"SwarmAssets": "assets", b"SwarmOps": "ops"}
        return next((self._answer(recorded(n)) for word, n in names.items() if word in query), None)

    def _answer(self, data: object) -> Fault:
        body = json.dumps({"data": data}).encode()
        return Fault("", status=200, body=body, headers={"date": formatdate(usegmt=True)})

    def asked_after_s(self) -> float:
        """The time after which the last pass asked for runs."""
        ticks = [json.loads(seen.body) for seen in self.requests if b"SwarmTick" in seen.body]
        return float(ticks[-1]["variables"]["updatedAfter"])

    def show(self, *runs: dict[str, Any]) -> None:
        self.tick["changed"]["results"] = list(runs)


def a_run(run_id: str, updated_s: float, **other: object) -> dict[str, Any]:
    row: dict[str, Any] = recorded("tick")["changed"]["results"][0]
    return row | {"runId": run_id, "updateTime": updated_s} | other


@pytest.fixture
def server() -> Iterator[Recorded]:
    with Recorded() as server:
        yield server


class Passes:
    def __init__(self, server: Recorded) -> None:
        source = Source(kind="dagster", name="dg", url=server.url, history_days=0)
        client = DagsterClient(source)
        self.connector = DagsterConnector(source, Settings(), client, SystemClock())
        self.cursor: str | None = None

    async def __call__(self) -> list[Item]:
        items: list[Item] = []
        batches: AsyncIterator[Batch] = self.connector.observe(self.cursor)
        async for batch in batches:
            items += batch.items
            self.cursor = batch.cursor
        return items


def runs(items: list[Item]) -> list[str]:
    return [item.run_id for item in items if isinstance(item, Run)]


async def test_a_run_from_a_clock_that_is_ahead_hides_no_other_and_comes_once(
    server: Recorded,
) -> None:
    a_pass, now_s = Passes(server), time.time()
    server.show(a_run("ahead", now_s + 5 * HOUR_S))
    assert runs(await a_pass()) == ["ahead"]
    server.show(a_run("ahead", now_s + 5 * HOUR_S), a_run("other", now_s))
    assert runs(await a_pass()) == ["other"]
    assert server.asked_after_s() < now_s
    assert runs(await a_pass()) == []


async def test_a_server_whose_clock_was_set_back_is_not_waited_for(server: Recorded) -> None:
    a_pass, now_s = Passes(server), time.time()
    server.show(a_run("first", now_s))
    await a_pass()
    assert a_pass.cursor is not None
    cursor = json.loads(a_pass.cursor)
    a_pass.cursor = json.dumps(cursor | {"updated_after_s": now_s + 5 * HOUR_S})
    await a_pass()
    assert server.asked_after_s() < now_s - 0.9 * HOUR_S
    await a_pass()
    assert server.asked_after_s() < now_s


async def test_a_strange_run_costs_itself_and_is_said_once(server: Recorded) -> None:
    a_pass, now_s = Passes(server), time.time()
    server.show(a_run("odd", now_s, stepStats=7), a_run("other", now_s))
    items = await a_pass()
    assert runs(items) == ["other"]
    job = a_run("odd", now_s)["jobName"]
    (problem,) = [
        item
        for item in items
        if isinstance(item, Unresolved) and item.reason is UnresolvedReason.MALFORMED
    ]
    assert (problem.subject, problem.place) == (f"dg/{job}", "runs")
    assert await a_pass() == []
