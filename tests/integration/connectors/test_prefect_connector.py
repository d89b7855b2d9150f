"""The Prefect connector against a real Prefect, and against a proxy that misbehaves."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import TypeVar

import pytest

from swarm.config import Settings, Source
from swarm.connectors.cursors import TRIED_RUNS
from swarm.connectors.prefect.connector import PrefectConnector, connect
from swarm.errors import MalformedResponse, SwarmError, Unauthorized, Unavailable
from swarm.model.connectors import Batch, Item
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.pipelines import Inventory, Pipeline, Pool
from swarm.model.recovery import Recovered, Recovery
from swarm.model.runs import Run, RunState, TaskRun
from tests.integration.connectors.backdating import A_DAY, Row, copied, new_id, passes, past_of
from tests.integration.connectors.orchestrators import (
    PREFECT_CODE,
    RUN_TIMEOUT_S,
    PrefectServer,
    new_processes,
    start_prefect,
)
from tests.integration.connectors.proxy import Fault, Proxy

pytestmark = [pytest.mark.lab]

# Prefect reads lists by POST; these change nothing.
READS = re.compile(r"/api(/[a-z_0-9-]+)+/(filter|paginate|count)$")

T = TypeVar("T")


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    folder = tmp_path_factory.mktemp("prefect")
    processes = new_processes(folder)
    try:
        server = start_prefect(processes, folder)
        runs = [server.launch(flow) for flow in ("visits", "assets", "failing", "nested")]
        for run in runs:
            server.ended(run)
        server.tried(*runs[:3], tasks=5)
        server.materialized(assets=3)
        yield server
    finally:
        processes.stop_all()


@pytest.fixture
def proxy(prefect: PrefectServer) -> Iterator[Proxy]:
    with Proxy(prefect.url) as proxy:
        yield proxy


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@asynccontextmanager
async def made(
    url: str, home: Path, code: bool = True, timeout_s: float = 120, history_days: int = 0
) -> AsyncIterator[PrefectConnector]:
    source = Source(
        kind="prefect", name="pf", url=url, timeout_s=timeout_s, history_days=history_days
    )
    settings = Settings(state_dir=home, code=(PREFECT_CODE,) if code else ())
    connector = connect(source, settings)
    try:
        yield connector
    finally:
        await connector.close()


async def all_of(batches: AsyncIterator[Batch]) -> tuple[list[Item], str | None]:
    items: list[Item] = []
    cursor = None
    async for batch in batches:
        items += batch.items
        cursor = batch.cursor
    return items, cursor


async def everything(url: str, home: Path, code: bool = True) -> list[Item]:
    async with made(url, home, code) as connector:
        items, _ = await all_of(connector.observe(None))
        return items


def those(kind: type[T], items: Sequence[object]) -> list[T]:
    return [item for item in items if isinstance(item, kind)]


async def test_first_pass_shows_every_deployment(prefect: PrefectServer, home: Path) -> None:
    items = await everything(prefect.url, home)
    pipelines = {pipeline.key.name: pipeline for pipeline in those(Pipeline, items)}
    assert set(pipelines) == {"visits/lab", "assets/lab", "failing/lab", "nested/lab"}
    visits = pipelines["visits/lab"]
    assert visits.schedule == "0 4 * * *"
    assert visits.owner == "web"
    assert visits.tags == ("lab", "team:web")
    assert [one.key.task for one in visits.tasks] == ["visits", "load_visits", "sum up"]
    [inventory] = those(Inventory, items)
    assert set(inventory.names) == set(pipelines)


async def test_pools_and_queues_are_limits(prefect: PrefectServer, home: Path) -> None:
    pools = {pool.name: pool for pool in those(Pool, await everything(prefect.url, home))}
    assert set(pools) == {"lake-pool", "lake-pool/default", "lake-pool/backfill"}
    assert pools["lake-pool"].slots == 4
    assert pools["lake-pool/backfill"].slots == 1
    assert pools["lake-pool/default"].slots is None


async def test_runs_and_their_tasks_by_the_tasks_own_names(
    prefect: PrefectServer, home: Path
) -> None:
    items = await everything(prefect.url, home)
    runs = {run.pipeline.name: run for run in those(Run, items)}
    assert runs["visits/lab"].state is RunState.SUCCEEDED
    assert runs["failing/lab"].state is RunState.FAILED
    tasks = {(one.task.pipeline, one.task.task): one for one in those(TaskRun, items)}
    assert tasks["visits/lab", "sum up"].state is RunState.SUCCEEDED
    assert tasks["failing/lab", "bad"].state is RunState.FAILED
    one = tasks["visits/lab", "load_visits"]
    assert one.attempt == 1
    assert one.run_id == runs["visits/lab"].run_id
    assert one.started_at_s is not None
    assert one.ended_at_s is not None


async def test_asset_events_are_evidence_of_the_task_that_sent_them(
    prefect: PrefectServer, home: Path
) -> None:
    items = await everything(prefect.url, home)
    seen = {
        (one.task, one.access, one.dataset)
        for one in those(Evidence, items)
        if one.channel is Channel.DECLARED
    }
    lake = "postgres://lake:5432"
    assert seen == {
        (TaskKey("pf", "assets/lab", "make_orders"), Access.WRITE, DatasetKey(lake, "orders")),
        (TaskKey("pf", "assets/lab", "make_report"), Access.READ, DatasetKey(lake, "orders")),
        (TaskKey("pf", "assets/lab", "make_report"), Access.WRITE, DatasetKey(lake, "report")),
        # Made in a subflow: it belongs to the deployment that called it.
        (TaskKey("pf", "nested/lab", "make_parts"), Access.WRITE, DatasetKey(lake, "parts")),
    }


async def test_code_tells_what_each_task_touches(prefect: PrefectServer, home: Path) -> None:
    items = await everything(prefect.url, home)
    seen = {
        (one.task.pipeline, one.task.task, one.access.value, one.dataset.name)
        for one in those(Evidence, items)
        if one.channel is Channel.CODE and one.task.pipeline == "visits/lab"
    }
    assert seen >= {
        ("visits/lab", "load_visits", "read", "raw_visits"),
        ("visits/lab", "load_visits", "write", "visits"),
        ("visits/lab", "sum up", "read", "visits"),
        ("visits/lab", "sum up", "write", "visit_totals"),
    }
    covered = {one.task.task for one in those(Coverage, items) if one.channel is Channel.CODE}
    assert {"load_visits", "sum up"} <= covered


async def test_without_the_code_its_absence_is_reported(prefect: PrefectServer, home: Path) -> None:
    items = await everything(prefect.url, home, code=False)
    missing = {
        one.subject
        for one in those(Unresolved, items)
        if one.reason is UnresolvedReason.MISSING_SOURCE
    }
    assert missing == {"pf/visits/lab", "pf/assets/lab", "pf/failing/lab", "pf/nested/lab"}


async def test_code_outside_the_allowed_folders_is_not_read(
    prefect: PrefectServer, tmp_path: Path
) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    source = Source(kind="prefect", name="pf", url=prefect.url)
    connector = connect(source, Settings(state_dir=tmp_path, code=(allowed,)))
    try:
        items, _ = await all_of(connector.observe(None))
    finally:
        await connector.close()
    assert not [one for one in those(Evidence, items) if one.channel is Channel.CODE]


async def test_an_idle_pass_is_two_requests_and_says_nothing(proxy: Proxy, home: Path) -> None:
    async with made(proxy.url, home) as connector:
        _, cursor = await all_of(connector.observe(None))
        first = len(proxy.requests)
        # As if what ended lately had ended long ago: later than the overlap.
        late = re.sub(r'"ended_after_s":[\d.]+', f'"ended_after_s":{time.time() + 60}', str(cursor))
        items, _ = await all_of(connector.observe(late))
    assert items == []
    idle = [seen.path for seen in proxy.requests[first:]]
    assert idle == ["/api/flow_runs/filter", "/api/events/filter"]
    # The token against forged requests, four lists, runs, their tasks, events, a pool's workers.
    assert first == 9


def a_recovery(run_id: str, process: str) -> Recovery:
    return Recovery("id", PipelineKey("pf", "visits/lab"), run_id, process, time.time() + 60)


async def test_a_run_that_ended_is_only_looked_at(
    prefect: PrefectServer, proxy: Proxy, home: Path
) -> None:
    (run, *_) = prefect.call("POST", "/flow_runs/filter", {"limit": 1})
    async with made(proxy.url, home) as connector:
        outcome, why = await connector.recover(a_recovery(run["id"], f"{run['id']}@7"))
    assert outcome is Recovered.NOT_NEEDED
    assert why.startswith("its state is ")
    assert {(seen.method, seen.path) for seen in proxy.requests if "csrf" not in seen.path} == {
        ("GET", f"/api/flow_runs/{run['id']}")
    }


async def test_recovery_writes_the_state_of_that_run_alone(
    prefect: PrefectServer, proxy: Proxy, home: Path
) -> None:
    (run, *_) = prefect.call("POST", "/flow_runs/filter", {"limit": 1})
    path = f"/api/flow_runs/{run['id']}"
    lost = run | {"state_type": "RUNNING", "infrastructure_pid": "7"}
    taken = {"state": None, "status": "ACCEPT", "details": {}}
    proxy.faults.append(Fault("/set_state", status=201, body=json.dumps(taken).encode()))
    proxy.faults.append(Fault(f"{path}$", status=200, body=json.dumps(lost).encode()))
    async with made(proxy.url, home) as connector:
        recovered = await connector.recover(a_recovery(run["id"], f"{run['id']}@7"))
    assert recovered == (Recovered.DONE, "")
    sent = [seen for seen in proxy.requests if "csrf" not in seen.path]
    assert [(seen.method, seen.path) for seen in sent] == [
        ("GET", path),
        ("POST", f"{path}/set_state"),
    ]
    body = json.loads(sent[1].body)
    assert body["state"]["type"] == "SCHEDULED"
    assert "force" not in body


async def test_only_reads_are_ever_sent(proxy: Proxy, home: Path) -> None:
    async with made(proxy.url, home) as connector:
        _, cursor = await all_of(connector.observe(None))
        await all_of(connector.observe(cursor))
        await connector.wait(1)
    assert len(proxy.requests) > 8
    for seen in proxy.requests:
        path = seen.path.partition("?")[0]
        assert seen.method == "GET" or (seen.method == "POST" and READS.fullmatch(path)), seen


async def test_a_new_run_arrives_once_through_the_cursor(
    prefect: PrefectServer, home: Path
) -> None:
    async with made(prefect.url, home) as connector:
        _, cursor = await all_of(connector.observe(None))
        run_id = await asyncio.to_thread(prefect.launch, "assets")
        assert await asyncio.to_thread(prefect.ended, run_id) == "COMPLETED"
        found: list[Item] = []
        after = cursor
        # Prefect stores task runs and events a moment after the run itself.
        deadline_s = time.monotonic() + RUN_TIMEOUT_S
        while len(those(TaskRun, found)) < 2 or not those(Evidence, found):
            assert time.monotonic() < deadline_s, found
            await connector.wait(0.5)
            items, after = await all_of(connector.observe(after))
            found += items
        assert {run.run_id for run in those(Run, found)} == {run_id}
        assert {one.run_id for one in those(TaskRun, found)} == {run_id}
        repeated, _ = await all_of(connector.observe(cursor))
        assert run_id in {run.run_id for run in those(Run, repeated)}


async def test_a_run_that_is_due_is_seen_before_anybody_begins_it(
    prefect: PrefectServer, proxy: Proxy, home: Path
) -> None:
    """Also where a busy server tells a time that is seconds old."""
    async with made(proxy.url, home) as connector:
        proxy.headers["date"] = formatdate(time.time() - 5, usegmt=True)
        _, cursor = await all_of(connector.observe(None))
        run_id = await asyncio.to_thread(prefect.launch, "visits")
        items, _ = await all_of(connector.observe(cursor))
        assert run_id in {run.run_id for run in those(Run, items)}
        assert await asyncio.to_thread(prefect.ended, run_id) == "COMPLETED"


async def test_the_event_stream_ends_the_waiting(prefect: PrefectServer, home: Path) -> None:
    async with made(prefect.url, home) as connector:
        await all_of(connector.observe(None))
        await connector.wait(3)  # connects
        await asyncio.to_thread(prefect.launch, "visits")
        begun_s = time.monotonic()
        await connector.wait(600)
        assert time.monotonic() - begun_s < 300


async def test_waiting_ends_in_time_without_a_stream(home: Path) -> None:
    with Proxy() as silent:
        async with made(silent.url, home) as connector:
            begun_s = time.monotonic()
            await connector.wait(0.5)
            assert time.monotonic() - begun_s < 30


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (Fault("/filter", status=401), Unauthorized, "401"),
        (Fault("/filter", status=403), Unauthorized, "403"),
        (Fault("/filter", status=429), Unavailable, "429"),
        (Fault("/filter", status=500, body=b"oops"), Unavailable, "500"),
        (Fault("/filter", status=200, body=b"<html>login</html>"), MalformedResponse, "login"),
        (Fault("/filter", status=200, body=b'{"detail": 1}'), MalformedResponse, "list"),
        (Fault("/filter", status=200, body=b'[{"id": 1}]'), MalformedResponse, "form"),
        (Fault("/filter", status=302, headers={"location": "/x"}), MalformedResponse, "302"),
        (Fault("/filter", status=200, filler_bytes=50_000_000), MalformedResponse, "bytes"),
        (Fault("/filter", drop=True), Unavailable, "no answer"),
    ],
    ids=["401", "403", "429", "500", "html", "object", "row", "redirect", "50MB", "drop"],
)
async def test_faults(
    proxy: Proxy, home: Path, fault: Fault, error: type[SwarmError], says: str
) -> None:
    proxy.faults.append(fault)
    async with made(proxy.url, home) as connector:
        with pytest.raises(error, match=says):
            await all_of(connector.observe(None))


async def test_a_server_that_asks_to_come_back_much_later_does_not_hold_us(
    proxy: Proxy, home: Path
) -> None:
    proxy.faults.append(Fault("/filter", status=429, headers={"Retry-After": "3600"}))
    begun_s = time.monotonic()
    async with made(proxy.url, home) as connector:
        with pytest.raises(Unavailable):
            await all_of(connector.observe(None))
    assert time.monotonic() - begun_s < 300


async def test_a_server_that_is_down_is_unavailable(home: Path) -> None:
    with Proxy() as gone:
        url = gone.url
    async with made(url, home) as connector:
        with pytest.raises(Unavailable, match=re.escape(url)):
            await all_of(connector.observe(None))


async def test_a_slow_server_is_given_up_after_the_time_limit(proxy: Proxy, home: Path) -> None:
    proxy.faults.append(Fault("/filter", stall_s=30))
    async with made(proxy.url, home, timeout_s=1) as connector:
        with pytest.raises(Unavailable):
            await all_of(connector.observe(None))


async def test_a_short_failure_is_not_noticed(proxy: Proxy, home: Path) -> None:
    proxy.faults.append(Fault("/filter", status=503, times=2))
    assert those(Pipeline, await everything(proxy.url, home))


async def test_the_token_is_sent_and_not_shown(proxy: Proxy, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    source = Source(kind="prefect", name="pf", url=proxy.url, token_file=token)
    proxy.faults.append(Fault("/filter", status=401))
    connector = connect(source, Settings(state_dir=tmp_path))
    try:
        with pytest.raises(Unauthorized) as caught:
            await all_of(connector.observe(None))
    finally:
        await connector.close()
    assert {seen.headers["Authorization"] for seen in proxy.requests} == {"Bearer s3cret"}
    assert "s3cret" not in str(caught.value)


# --- what ran before -----------------------------------------------------------------------------


async def test_what_ran_before_is_read_behind_what_runs_now(
    prefect: PrefectServer, proxy: Proxy, home: Path
) -> None:
    """A connector that ends in the middle of it is followed by one that goes on there."""
    run_id = await asyncio.to_thread(prefect.launch, "assets")
    assert await asyncio.to_thread(prefect.ended, run_id) == "COMPLETED"
    await asyncio.to_thread(lambda: prefect.tried(run_id, tasks=2))

    def named(name: str, row: Row) -> Row:
        mine = {"id": new_id(name, row["id"]), "state_id": None}
        if row["id"] == run_id:
            return mine | {"idempotency_key": name}
        return mine | {"flow_run_id": new_id(name, run_id), "dynamic_key": name}

    mine = {"flow_run": f"WHERE id = '{run_id}'", "task_run": f"WHERE flow_run_id = '{run_id}'"}
    copied(prefect.home / "prefect.db", mine, named)
    now_s = time.time()
    async with made(proxy.url, home, history_days=40) as connector:
        items, cursor = await anext(passes(connector, None))
    newest, tries = past_of(items, now_s), those(TaskRun, items)
    runs = dict(newest)
    assert run_id in {run.run_id for run in those(Run, items)}
    asked = len(proxy.requests)
    async with made(proxy.url, home, history_days=40) as connector:
        async for told, _ in passes(connector, cursor):
            assert not runs.keys() & past_of(told, now_s).keys()
            assert max(runs.values()) <= min(past_of(told, now_s).values(), default=41.0)
            runs |= past_of(told, now_s)
            tries += those(TaskRun, told)
    count = 39 * A_DAY
    assert runs.keys() == {new_id(f"past-{number:04}", run_id) for number in range(count)}
    # Of the newest runs alone, of which eight were on each day; the next process counts anew.
    tried = [one for one in tries if one.run_id in runs]
    assert all(one.ended_at_s and one.started_at_s for one in tried)
    ids = {one.run_id for one in tried}
    first = ids & newest.keys()
    assert len(first) == TRIED_RUNS
    assert max(runs[run_id] for run_id in first) < 1.0 + TRIED_RUNS / A_DAY + 1.0
    assert ids - first == runs.keys() - newest.keys()
    asked = len(proxy.requests) - asked
    print(f"Prefect: {len(runs)} runs, {len(tried)} tries, {asked} requests")  # noqa: T201
