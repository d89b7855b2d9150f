"""The Dagster connector against a real Dagster, and against a proxy that misbehaves."""

import json
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from swarm.config import Settings, Source
from swarm.connectors.cursors import TRIED_RUNS
from swarm.connectors.dagster.client import DagsterClient
from swarm.connectors.dagster.connector import DagsterConnector, connect
from swarm.connectors.dagster.queries import WORKSPACE
from swarm.errors import MalformedResponse, SwarmError, Unauthorized, Unavailable
from swarm.model.connectors import Batch, Item
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.pipelines import Backfill, DeclaredEdge, Inventory, Pipeline, Pool
from swarm.model.runs import Run, RunState, TaskRun
from tests.integration.connectors.backdating import A_DAY, Row, copied, new_id, passes, past_of
from tests.integration.connectors.orchestrators import (
    DAGSTER_CODE,
    DagsterServer,
    new_processes,
    start_dagster,
)
from tests.integration.connectors.proxy import Fault, Proxy

pytestmark = [pytest.mark.lab]

T = TypeVar("T")


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterServer]:
    folder = tmp_path_factory.mktemp("dagster")
    processes = new_processes(folder)
    try:
        server = start_dagster(processes, folder)
        runs = [server.launch(job) for job in ("ingest", "broken", "sales_job")]
        for run in runs:
            server.ended(run)
        yield server
    finally:
        processes.stop_all()


@pytest.fixture
def proxy(dagster: DagsterServer) -> Iterator[Proxy]:
    with Proxy(dagster.url) as proxy:
        yield proxy


def make(
    url: str, code: bool = True, timeout_s: float = 120, history_days: int = 0
) -> DagsterConnector:
    source = Source(
        kind="dagster", name="dg", url=url, timeout_s=timeout_s, history_days=history_days
    )
    return connect(source, Settings(code=(DAGSTER_CODE,) if code else ()))


async def all_of(batches: AsyncIterator[Batch]) -> tuple[list[Item], str | None]:
    items: list[Item] = []
    cursor = None
    async for batch in batches:
        items += batch.items
        cursor = batch.cursor
    return items, cursor


def those(kind: type[T], items: Sequence[object]) -> list[T]:
    return [item for item in items if isinstance(item, kind)]


def task(pipeline: str, name: str) -> TaskKey:
    return TaskKey("dg", pipeline, name)


async def test_first_pass_shows_every_job_with_its_tasks_and_declared_edges(
    dagster: DagsterServer,
) -> None:
    items, _ = await all_of(make(dagster.url).observe(None))
    pipelines = {pipeline.key.name: pipeline for pipeline in those(Pipeline, items)}
    assert set(pipelines) == {
        "__ASSET_JOB",
        "broken",
        "daily_job",
        "graphs",
        "ops/ingest",
        "sales/ingest",
        "sales_job",
    }
    sales = pipelines["sales_job"]
    assert {one.key.task: one.kind for one in sales.tasks} == {
        "orders": "asset sqlite table",
        "report": "asset sqlite",
    }
    assert sales.schedule == "0 3 * * *, sensor new_files"
    assert (sales.owner, sales.paused) == ("sales", True)
    assert pipelines["sales/ingest"].paused is False
    assert pipelines["sales/ingest"].tags == ("team:ingest",)
    edges = {edge for pipeline in pipelines.values() for edge in pipeline.declared}
    assert edges == {
        DeclaredEdge(task("sales/ingest", "fetch"), task("sales/ingest", "check"), "op order"),
        DeclaredEdge(task("broken", "fetch"), task("broken", "explode"), "op order"),
        DeclaredEdge(task("graphs", "load.fetch"), task("graphs", "load.check"), "op order"),
        DeclaredEdge(task("graphs", "load.check"), task("graphs", "explode"), "op order"),
        DeclaredEdge(task("sales_job", "orders"), task("sales_job", "report"), "asset dependency"),
        DeclaredEdge(
            task("sales_job", "orders"), task("daily_job", "finance/daily"), "asset dependency"
        ),
        DeclaredEdge(task("sales_job", "report"), task("__ASSET_JOB", "adhoc"), "asset dependency"),
        DeclaredEdge(
            task("sales_job", "orders"), task("daily_job", ""), "asset sensor orders_changed"
        ),
    }


async def test_declared_tables_are_evidence(dagster: DagsterServer) -> None:
    items, _ = await all_of(make(dagster.url).observe(None))
    declared = {
        (one.task.task, one.access, one.dataset)
        for one in those(Evidence, items)
        if one.channel is Channel.DECLARED
    }
    orders, report = DatasetKey("", "lake.sales.orders"), DatasetKey("", "lake.sales.report")
    assert declared == {
        ("orders", Access.WRITE, orders),
        ("report", Access.WRITE, report),
        ("report", Access.READ, orders),
        ("finance/daily", Access.READ, orders),
        ("adhoc", Access.READ, report),
    }


async def test_sql_in_the_metadata_of_a_materialization_is_evidence_as_it_ran(
    dagster: DagsterServer,
) -> None:
    items, _ = await all_of(make(dagster.url).observe(None))
    ran = {
        (one.task, one.access, one.dataset.name)
        for one in those(Evidence, items)
        if one.channel is Channel.SQL_RUN
    }
    assert ran == {
        (task("sales_job", "report"), Access.WRITE, "report"),
        (task("sales_job", "report"), Access.READ, "orders"),
    }


async def test_a_location_that_cannot_be_loaded_is_named_and_the_rest_goes_on(
    dagster: DagsterServer,
) -> None:
    items, _ = await all_of(make(dagster.url).observe(None))
    [failure] = [
        one for one in those(Unresolved, items) if one.reason is UnresolvedReason.IMPORT_ERROR
    ]
    assert failure.place == "code location broken"
    assert "pandas_of_another_team" in failure.detail
    # What the broken location has is not known, so nothing may count as gone.
    assert those(Inventory, items) == []


async def test_runs_and_their_tasks(dagster: DagsterServer) -> None:
    items, _ = await all_of(make(dagster.url).observe(None))
    states = {run.pipeline.name: run.state for run in those(Run, items)}
    assert states["sales/ingest"] is RunState.SUCCEEDED
    assert states["broken"] is RunState.FAILED
    tasks = {(one.task.pipeline, one.task.task): one for one in those(TaskRun, items)}
    assert tasks["broken", "fetch"].state is RunState.SUCCEEDED
    assert tasks["broken", "explode"].state is RunState.FAILED
    report = tasks["sales_job", "report"]
    assert (report.state, report.attempt) == (RunState.SUCCEEDED, 1)
    assert report.started_at_s is not None
    assert report.ended_at_s is not None
    assert report.started_at_s <= report.ended_at_s


async def test_an_idle_pass_is_one_request_and_says_nothing(
    dagster: DagsterServer, proxy: Proxy
) -> None:
    connector = make(proxy.url)
    _, cursor = await all_of(connector.observe(None))
    first = len(proxy.requests)
    items, _ = await all_of(connector.observe(cursor))
    assert items == []
    assert len(proxy.requests) - first == 1
    assert first == 5  # tick, workspace, assets, and the ops of two repositories


async def test_only_queries_are_ever_sent(dagster: DagsterServer, proxy: Proxy) -> None:
    connector = make(proxy.url)
    _, cursor = await all_of(connector.observe(None))
    await all_of(connector.observe(cursor))
    assert len(proxy.requests) > 5
    for seen in proxy.requests:
        assert (seen.method, seen.path) == ("POST", "/graphql")
        query = json.loads(seen.body)["query"]
        assert re.match(r"\s*query\b", query), query
        assert "mutation" not in query.casefold()


async def test_a_new_run_arrives_once_through_the_cursor(dagster: DagsterServer) -> None:
    connector = make(dagster.url)
    _, cursor = await all_of(connector.observe(None))
    run_id = dagster.launch("ingest")
    assert dagster.ended(run_id) == "SUCCESS"
    items, after = await all_of(connector.observe(cursor))
    assert [run.run_id for run in those(Run, items)] == [run_id]
    assert {one.task.task for one in those(TaskRun, items)} == {"fetch", "check"}
    again, _ = await all_of(connector.observe(after))
    assert those(Run, again) == []
    # An old cursor repeats, also in another process.
    repeated, _ = await all_of(make(dagster.url).observe(cursor))
    assert run_id in {run.run_id for run in those(Run, repeated)}


async def test_a_backfill_names_its_pipeline_and_its_days(dagster: DagsterServer) -> None:
    backfill_id = dagster.backfill("daily", ["2026-11-02", "2026-11-04"])
    items, _ = await all_of(make(dagster.url).observe(None))
    [backfill] = [one for one in those(Backfill, items) if one.backfill_id == backfill_id]
    assert backfill.pipeline == PipelineKey("dg", "daily_job")
    assert backfill.from_s == 1793577600.0  # 2026-11-02 UTC
    assert backfill.to_s == 1793750400.0


async def test_the_limit_on_runs_is_a_pool(dagster: DagsterServer) -> None:
    items, _ = await all_of(make(dagster.url).observe(None))
    assert [pool.slots for pool in those(Pool, items) if pool.name == "runs"] == [3]


async def test_code_tells_what_assets_and_ops_touch(dagster: DagsterServer) -> None:
    items, _ = await all_of(make(dagster.url).observe(None))
    seen = {
        (one.task.pipeline, one.task.task, one.access.value, one.dataset.name)
        for one in those(Evidence, items)
        if one.channel is Channel.CODE
    }
    assert ("sales_job", "orders", "read", "raw_orders") in seen
    assert ("sales_job", "orders", "write", "orders") in seen
    assert ("daily_job", "finance/daily", "write", "finance_daily") in seen
    assert ("daily_job", "finance/daily", "read", "orders") in seen
    assert ("sales/ingest", "fetch", "write", "raw_orders") in seen
    assert ("sales/ingest", "check", "read", "raw_orders") in seen
    assert ("graphs", "load.fetch", "write", "raw_orders") in seen
    covered = {one.task for one in those(Coverage, items) if one.channel is Channel.CODE}
    assert task("sales/ingest", "check") in covered


async def test_without_the_code_its_absence_is_reported(dagster: DagsterServer) -> None:
    items, _ = await all_of(make(dagster.url, code=False).observe(None))
    assert not [one for one in those(Evidence, items) if one.channel is Channel.CODE]
    missing = {
        one.subject
        for one in those(Unresolved, items)
        if one.reason is UnresolvedReason.MISSING_SOURCE
    }
    assert "dg/sales_job/orders" in missing
    assert "dg/sales/ingest/fetch" in missing


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (Fault("graphql", status=401), Unauthorized, "401"),
        (Fault("graphql", status=403), Unauthorized, "403"),
        (Fault("graphql", status=429), Unavailable, "429"),
        (Fault("graphql", status=500, body=b"oops"), Unavailable, "500"),
        (Fault("graphql", status=200, body=b"<html>login</html>"), MalformedResponse, "login"),
        (Fault("graphql", status=200, body=b'{"data": {}}'), MalformedResponse, "form"),
        (Fault("graphql", status=200, body=b'{"data": null}'), MalformedResponse, "without data"),
        (Fault("graphql", status=302, headers={"location": "/x"}), MalformedResponse, "302"),
        (Fault("graphql", status=200, filler_bytes=50_000_000), MalformedResponse, "bytes"),
        (Fault("graphql", drop=True), Unavailable, "/graphql"),
    ],
    ids=["401", "403", "429", "500", "html", "empty", "null", "redirect", "50MB", "drop"],
)
async def test_faults(proxy: Proxy, fault: Fault, error: type[SwarmError], says: str) -> None:
    proxy.faults.append(fault)
    with pytest.raises(error, match=says):
        await all_of(make(proxy.url).observe(None))


class Instead(Proxy):
    """Answers the queries whose name is in `answers` itself."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.answers: dict[bytes, Fault] = {}

    def take_fault(self, path: str) -> Fault | None:
        body = self.requests[-1].body
        return next((fault for name, fault in self.answers.items() if name in body), None)


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at_s = time.time()

    def now_s(self) -> float:
        return self.at_s

    def monotonic_s(self) -> float:
        return self.at_s


async def test_too_many_ops_for_one_answer_are_reported_and_the_rest_goes_on(
    dagster: DagsterServer,
) -> None:
    with Instead(dagster.url) as instead:
        instead.answers[b"SwarmOps"] = Fault("graphql", status=200, filler_bytes=50_000_000)
        items, _ = await all_of(make(instead.url).observe(None))
    pipelines = {pipeline.key.name: pipeline for pipeline in those(Pipeline, items)}
    assert pipelines["sales/ingest"].tasks == ()
    assert pipelines["sales_job"].tasks != ()
    reported = {
        one.place for one in those(Unresolved, items) if one.reason is UnresolvedReason.TOO_LARGE
    }
    assert reported == {
        "code location sales, repository __repository__",
        "code location ops, repository __repository__",
    }


async def test_a_location_that_breaks_keeps_its_pipelines_and_their_names(
    dagster: DagsterServer,
) -> None:
    workspace = dagster.ask(WORKSPACE)
    entries = {e["name"]: e for e in workspace["workspaceOrError"]["locationEntries"]}
    loaded = entries["ops"]["locationOrLoadError"]
    with Instead(dagster.url) as instead:
        source = Source(kind="dagster", name="dg", url=instead.url)
        clock = HandClock()
        connector = DagsterConnector(source, Settings(), DagsterClient(source), clock)

        # All three can be loaded: what the inventory lists is all there is.
        entries["broken"]["locationOrLoadError"] = {**loaded, "repositories": []}
        instead.answers[b"SwarmWorkspace"] = _data(workspace)
        before, cursor = await all_of(connector.observe(None))
        [inventory] = those(Inventory, before)
        assert "ops/ingest" in inventory.names

        # One breaks: it is named, and what it had is neither gone nor called otherwise.
        broken = {"__typename": "PythonError", "message": "no module named gone"}
        entries["ops"]["locationOrLoadError"] = broken
        instead.answers[b"SwarmWorkspace"] = _data(workspace)
        clock.at_s += 61
        after, _ = await all_of(connector.observe(cursor))
        [failure] = [
            one for one in those(Unresolved, after) if one.reason is UnresolvedReason.IMPORT_ERROR
        ]
        assert (failure.place, failure.detail) == ("code location ops", "no module named gone")
        [again] = those(Inventory, after)
        assert set(again.names) == set(inventory.names)


def _data(answer: object) -> Fault:
    return Fault("graphql", status=200, body=json.dumps({"data": answer}).encode())


async def test_a_server_that_is_down_is_unavailable() -> None:
    with Proxy() as gone:
        url = gone.url
    with pytest.raises(Unavailable, match=re.escape(url)):
        await all_of(make(url).observe(None))


async def test_a_slow_server_is_given_up_after_the_time_limit(proxy: Proxy) -> None:
    proxy.faults.append(Fault("graphql", stall_s=30))
    with pytest.raises(Unavailable):
        await all_of(make(proxy.url, timeout_s=1).observe(None))
    assert len(proxy.requests) == 1


async def test_a_short_failure_is_not_noticed(proxy: Proxy) -> None:
    proxy.faults.append(Fault("graphql", status=503, times=2))
    items, _ = await all_of(make(proxy.url).observe(None))
    assert those(Pipeline, items)


async def test_the_token_is_sent_and_not_shown(proxy: Proxy, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    source = Source(kind="dagster", name="dg", url=proxy.url, token_file=token)
    proxy.faults.append(Fault("graphql", status=401))
    with pytest.raises(Unauthorized) as caught:
        await all_of(connect(source, Settings()).observe(None))
    assert proxy.requests[0].headers["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in str(caught.value)


# --- what ran before -----------------------------------------------------------------------------


async def test_what_ran_before_is_read_behind_what_runs_now(
    dagster: DagsterServer, proxy: Proxy
) -> None:
    """A connector that ends in the middle of it is followed by one that goes on there."""
    run_id = dagster.launch("ingest")
    assert dagster.ended(run_id) == "SUCCESS"
    ago_s: dict[str, float] = {}

    def named(name: str, row: Row) -> Row:
        other = new_id(name)
        ago_s[other] = time.time() - float(str(row["start_time"]))
        return {
            "id": None,
            "run_id": other,
            "run_body": str(row["run_body"]).replace(run_id, other),
        }

    history = dagster.home / "history"
    copied(history / "runs.db", {"runs": f"WHERE run_id = '{run_id}'"}, named)
    for other, at_s in ago_s.items():
        copy_log(history / "runs", run_id, other, at_s)
    now_s = time.time()
    items, cursor = await anext(passes(make(proxy.url, history_days=40), None))
    runs, tries = past_of(items, now_s), those(TaskRun, items)
    assert run_id in {run.run_id for run in those(Run, items)}
    asked = len(proxy.requests)
    async for told, _ in passes(make(proxy.url, history_days=40), cursor):
        assert not runs.keys() & past_of(told, now_s).keys()
        assert max(runs.values()) <= min(past_of(told, now_s).values(), default=41.0)
        runs |= past_of(told, now_s)
        tries += those(TaskRun, told)
    count = 39 * A_DAY
    assert runs.keys() == {new_id(f"past-{number:04}") for number in range(count)}
    # Of the newest runs alone: a hundred, of which eight were on each day.
    tried = [one for one in tries if one.run_id in runs]
    assert len({one.run_id for one in tried}) == TRIED_RUNS
    assert max(runs[one.run_id] for one in tried) < 16.0
    assert {one.task.task for one in tried} == {"fetch", "check"}
    assert len(tried) == 2 * TRIED_RUNS
    for one in tried:
        began_s, ended_s = one.started_at_s or 0.0, one.ended_at_s or 0.0
        assert one.state is RunState.SUCCEEDED
        assert 0.0 < ended_s - began_s < 3_600.0
        assert abs(now_s - began_s - runs[one.run_id] * 86_400.0) < 3_600.0
    asked = len(proxy.requests) - asked
    print(f"Dagster: {len(runs)} runs, {len(tried)} tries, {asked} requests")  # noqa: T201


def copy_log(folder: Path, run_id: str, other: str, ago_s: float) -> None:
    """Give the run `other`, begun so long ago, the event log of `run_id`."""
    with closing(sqlite3.connect(folder / f"{run_id}.db")) as log:
        log.execute("VACUUM INTO ?", (str(folder / f"{other}.db"),))
        began_s = log.execute("SELECT min(julianday(timestamp)) FROM event_logs").fetchone()[0]
    moved_s = time.time() - ago_s - (began_s - 2_440_587.5) * 86_400.0
    with closing(sqlite3.connect(folder / f"{other}.db")) as log, log:
        for number, text in log.execute("SELECT id, event FROM event_logs").fetchall():
            event = json.loads(text.replace(run_id, other))
            event["timestamp"] += moved_s
            row = (other, json.dumps(event), number)
            log.execute("UPDATE event_logs SET run_id = ?, event = ? WHERE id = ?", row)
