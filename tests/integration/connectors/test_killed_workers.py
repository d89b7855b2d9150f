"""Dagster's daemon is killed: what the connector then tells, and that it ends when it is back."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from swarm.config import Settings, Source
from swarm.connectors.base import Connector
from swarm.connectors.dagster.connector import connect as connect_dagster
from swarm.errors import Unavailable
from swarm.graph.watched import Watched
from swarm.model.connectors import Batch
from swarm.model.findings import Finding
from swarm.model.foreign import Presence
from swarm.model.graph import RunSeen
from swarm.model.runs import Run, TaskRun
from tests.integration.connectors.orchestrators import (
    DagsterServer,
    new_processes,
    start_dagster,
)

pytestmark = [pytest.mark.lab]
GENEROUS_S = 300.0


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
            with contextlib.suppress(Unavailable):  # as long as the machine is busy elsewhere
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


async def test_a_killed_dagster_daemon_is_found_and_its_successor_ends_that(
    dagster: DagsterServer,
) -> None:
    source = Source(kind="dagster", name="dg", url=dagster.url)
    watcher = Watcher(connect_dagster(source, Settings()))
    daemon = "daemon SENSOR"
    await watcher.until("the daemon", lambda: watcher.alive(daemon))
    assert watcher.open == {}
    kill_tree(dagster.daemons[-1].process.pid)
    await watcher.until("the finding", lambda: daemon in watcher.open)
    dagster.daemons.append(dagster.start_daemon())
    await watcher.until("its end", lambda: watcher.open == {})


def kill_tree(pid: int) -> None:
    """End a server and all its processes at once, as the loss of its node would."""
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended with the one before
            process.kill()
