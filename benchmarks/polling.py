"""What does it cost an Airflow of 2,000 DAGs that swarm looks at it, and how soon is a run known?

A real Airflow (`airflow_fleet`) behind a proxy that counts requests; the connector's passes go the
way of the actors, into a journal on disk, one every `poll_s` (default of the settings).

- `first_pass_s`, `first_pass_requests`: everything of a new source, until its first pass has ended.
- `requests_quiet_tick`: the most requests of any pass while nothing happens in Airflow, over a
  time in which all lists and the list of all DAGs come up again; `_mean`: of all these passes.
- `run_end_to_journal_p50_s`, `_p95_s`, `_max_s`: from the time Airflow gives as the end of a run to
  the moment its end is durable in the journal, while runs go on.
- `tick_s`: seconds between two passes. `dags`, `runs`: how many.
"""

import asyncio
import statistics
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.airflow_fleet import dag_name, running_fleet
from benchmarks.report import Figures, Options, progress, run
from swarm.actors.graph import Conclusions
from swarm.actors.journaled import Journaled
from swarm.clock import SystemClock
from swarm.config import Settings, Source, SqlConnection
from swarm.connectors.airflow.connector import LISTS_S
from swarm.connectors.airflow.lists import SWEEP_S
from swarm.connectors.base import Connector
from swarm.connectors.registry import connect
from swarm.demo import http
from swarm.demo.airflow_server import Airflow
from swarm.lineage.naming import Naming
from swarm.model.connectors import Batch
from swarm.model.runs import Run, RunState
from tests.integration.connectors.proxy import Proxy

_LAB = Path(".lab")
_AWAKE = 20
_ENDED = {RunState.SUCCEEDED, RunState.FAILED}
_AT_ONCE = 3  # runs that are under way
_RUN_TIMEOUT_S = 300.0


class Looking:
    """A connector whose passes go into a journal."""

    def __init__(self, folder: Path, source: Source) -> None:
        lake = SqlConnection(dialect="sqlite", namespace="lake", default_schema="main")
        settings = Settings(state_dir=folder, sources=(source,), connections={"lake": lake})
        self.connector: Connector = connect(source, settings)
        self.clock = SystemClock()
        self._state = Conclusions(Naming(), settings.min_confidence)
        self._journaled = Journaled(settings, "graph", self._state, snapshot_every=100_000)
        self._cursor: str | None = None
        self.delays_s: dict[str, float] = {}

    async def look(self) -> None:
        """One pass."""
        async for batch in self.connector.observe(self._cursor):
            if batch.items:
                now_s = self.clock.now_s()
                await self._state.take(self._journaled, batch, now_s, "pass")
                self._note(batch)
            self._cursor = batch.cursor

    def _note(self, batch: Batch) -> None:
        now_s = self.clock.now_s()
        for item in batch.items:
            if isinstance(item, Run) and item.state in _ENDED and item.ended_at_s is not None:
                self.delays_s.setdefault(item.run_id, now_s - item.ended_at_s)


@asynccontextmanager
async def looking_at(url: str) -> AsyncIterator[Looking]:
    """A new swarm that has seen nothing yet."""
    with tempfile.TemporaryDirectory() as folder:
        looking = Looking(Path(folder), Source(kind="airflow", url=url))
        try:
            yield looking
        finally:
            await looking.connector.close()


async def measure(airflow: Airflow, dags: int, quiet_s: float, runs: int) -> Figures:
    """All figures of a running Airflow."""
    with Proxy(airflow.url) as proxy:
        tick_s = Source(kind="airflow", url=proxy.url).poll_s
        async with looking_at(proxy.url) as looking:
            progress("the first pass")
            begun_s = time.perf_counter()
            await looking.look()
            first_s, first = time.perf_counter() - begun_s, len(proxy.requests)
            progress(f"  {first} requests in {first_s:.1f} s; now {quiet_s:.0f} s of quiet")
            costs = await _quiet(looking, proxy, quiet_s, tick_s)
            progress(f"  {costs}; now {runs} runs")
            await _through_runs(looking, airflow, runs, tick_s)
            delays = sorted(looking.delays_s.values())
    return {
        "dags": dags,
        "tick_s": tick_s,
        "first_pass_s": first_s,
        "first_pass_requests": first,
        "requests_quiet_tick": max(costs),
        "requests_quiet_tick_mean": statistics.fmean(costs),
        "quiet_ticks": len(costs),
        "runs": len(delays),
        "run_end_to_journal_p50_s": _quantile(delays, 0.5),
        "run_end_to_journal_p95_s": _quantile(delays, 0.95),
        "run_end_to_journal_max_s": delays[-1],
    }


async def _quiet(looking: Looking, proxy: Proxy, seconds: float, tick_s: float) -> list[int]:
    costs = []
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        proxy.requests.clear()
        await looking.look()
        costs.append(len(proxy.requests))
        await asyncio.sleep(tick_s)
    return costs


async def _through_runs(looking: Looking, airflow: Airflow, count: int, tick_s: float) -> None:
    looking.delays_s.clear()
    starter = threading.Thread(target=_start_runs, args=(airflow, count))
    starter.start()
    deadline_s = time.monotonic() + _RUN_TIMEOUT_S
    while len(looking.delays_s) < count and time.monotonic() < deadline_s:
        await looking.look()
        await asyncio.sleep(tick_s)
    starter.join()


def _start_runs(airflow: Airflow, count: int) -> None:
    """Start `count` runs, a few at a time, so that they end at all times of a tick."""
    running = f"{airflow.api}/dags/~/dagRuns?state=queued&state=running&limit=1"
    deadline_s = time.monotonic() + _RUN_TIMEOUT_S
    for number in range(count):
        while http.call("GET", running)["total_entries"] >= _AT_ONCE:
            if time.monotonic() > deadline_s:
                return
            time.sleep(0.3)
        path = f"{airflow.api}/dags/{dag_name(number % _AWAKE)}/dagRuns"
        http.call("POST", path, {"logical_date": None})


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> None:
    """Run the benchmark; the first time it takes some minutes to parse the DAGs."""

    def chosen(options: Options) -> Figures:
        dags = 100 if options.quick else 2_000
        quiet_s = 10.0 if options.quick else SWEEP_S + LISTS_S
        runs = 3 if options.quick else 40
        with running_fleet(_LAB / "fleet", dags, _AWAKE, progress) as airflow:
            return asyncio.run(measure(airflow, dags, quiet_s, runs))

    run("polling", "What does looking cost, and how soon is a run known?", chosen)


if __name__ == "__main__":
    main()
