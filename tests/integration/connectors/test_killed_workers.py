"""Airflow's scheduler and Dagster's daemon are killed: what the connectors then tell, and that it
ends when they are back. A Prefect's workers are in `test_foreign_workers.py`."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from swarm.config import Settings, Source
from swarm.connectors.airflow.connector import connect as connect_airflow
from swarm.connectors.base import Connector
from swarm.connectors.dagster.connector import connect as connect_dagster
from swarm.graph.watched import Watched
from swarm.model.findings import Finding
from swarm.model.foreign import Presence
from swarm.model.journal import Batch, RunSeen
from swarm.model.runs import Run, TaskRun
from tests.integration.connectors.airflow_server import AirflowServer, running_airflow
from tests.integration.connectors.orchestrators import (
    DagsterServer,
    new_processes,
    start_dagster,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
GENEROUS_S = 300.0
HOLD = """
import time
from airflow.sdk import DAG, task

with DAG("holding", schedule=None):

    @task
    def hold():
        time.sleep(3600)

    hold()
"""


class Watcher:
    """Passes of a connector, and the findings that follow; memory is what the journal would be."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self.cursor: str | None = None
        self.watched = Watched()
        self.open: dict[str, Finding] = {}

    async def __call__(self) -> None:
        async for batch in self.connector.observe(self.cursor):
            self.cursor = batch.cursor
            for record in self.watched.decide(batch):
                self.watched.apply(record)
            self._ran(batch)
        for told in self.watched.findings(time.time()):
            self.watched.apply(told)
            finding = told.finding
            assert finding.worker is not None
            self.open[finding.worker.name] = finding
            if finding.closed_at_s is not None:
                del self.open[finding.worker.name]

    def _ran(self, batch: Batch) -> None:
        for item in batch.items:
            if isinstance(item, Run | TaskRun):
                self.watched.apply(RunSeen(item))

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + GENEROUS_S
        while not holds():
            assert time.monotonic() < deadline_s, f"{what}: {self.watched.workers}"
            await self()
            await asyncio.sleep(1.0)

    def alive(self, start: str) -> bool:
        found = (one for one in self.watched.workers if one.name.startswith(start))
        return any(one.presence is Presence.ALIVE for one in found)


@pytest.fixture
def dagster(tmp_path: Path) -> Iterator[DagsterServer]:
    processes = new_processes(tmp_path)
    try:
        yield start_dagster(processes, tmp_path)
    finally:
        processes.stop_all()


@pytest.fixture
def airflow(tmp_path: Path) -> Iterator[AirflowServer]:
    with running_airflow(3, tmp_path) as server:
        yield server


async def test_a_killed_dagster_daemon_is_found_and_its_successor_ends_that(
    dagster: DagsterServer,
) -> None:
    source = Source(kind="dagster", name="dg", url=dagster.url)
    watcher = Watcher(connect_dagster(source, Settings()))
    daemon = "daemon SENSOR"
    await watcher.until("the daemon", lambda: watcher.alive(daemon))
    assert watcher.open == {}
    _kill_tree(dagster.daemons[-1].process.pid)
    await watcher.until("the finding", lambda: daemon in watcher.open)
    dagster.daemons.append(dagster.start_daemon())
    await watcher.until("its end", lambda: watcher.open == {})


async def test_a_killed_scheduler_is_found_with_its_task_and_closes_when_it_is_back(
    airflow: AirflowServer,
) -> None:
    (airflow.dags / "holding.py").write_text(HOLD)
    source = Source(kind="airflow", name="af", url=airflow.url)
    watcher = Watcher(connect_airflow(source, Settings()))
    await watcher.until("the DAG", lambda: _is_known(airflow))
    airflow.unpause("holding")
    airflow.call("POST", "/dags/holding/dagRuns", {"logical_date": None})
    await watcher.until("the task", lambda: len(watcher.watched.process_of) == 1)
    await watcher.until("the scheduler", lambda: watcher.alive("scheduler@"))
    assert watcher.open == {}
    (ran,) = watcher.watched.process_of
    _kill_tree(airflow.schedulers[-1].process.pid)

    def is_found() -> bool:
        return {name.partition("@")[0].partition("/")[0] for name in watcher.open} >= {
            "scheduler",
            "holding",
        }

    await watcher.until("the findings", is_found)
    for finding in watcher.open.values():
        assert finding.worker is not None
        assert finding.worker.runs == (ran,)
    airflow.start_scheduler()
    await watcher.until(
        "its end", lambda: not [name for name in watcher.open if name.startswith("scheduler")]
    )


def _is_known(airflow: AirflowServer) -> bool:
    return "holding" in {dag["dag_id"] for dag in airflow.call("GET", "/dags?limit=100")["dags"]}


def _kill_tree(pid: int) -> None:
    """End a server and all its processes at once, as the loss of its node would."""
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        os.kill(process.pid, signal.SIGKILL)
