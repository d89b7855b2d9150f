"""The Airflow connector against real servers, 3.3 and 2.11, and a proxy that misbehaves."""

import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from swarm.clock import SystemClock
from swarm.config import Settings, Source, SqlConnection
from swarm.connectors.airflow.connector import LISTS_S, AirflowConnector, connect
from swarm.connectors.airflow.http import AirflowHttp
from swarm.connectors.airflow.lists import SWEEP_S
from swarm.connectors.cursors import TRIED_RUNS
from swarm.errors import ConfigError, MalformedResponse, SwarmError, Unauthorized, Unavailable
from swarm.model.connectors import Batch, Item
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.pipelines import Backfill, DeclaredEdge, Inventory, Pipeline, Pool
from swarm.model.runs import Run, RunState, TaskRun
from tests.e2e.conftest import free_port
from tests.integration.connectors.airflow_server import (
    PASSWORD,
    USER,
    AirflowServer,
    running_airflow,
)
from tests.integration.connectors.backdating import A_DAY, Row, copied, new_id, passes, past_of
from tests.integration.connectors.proxy import Fault, Proxy

pytestmark = [pytest.mark.lab]

T = TypeVar("T")
NAMES = ("shop_idle", "shop_orders", "shop_python", "shop_report", "shop_wait")
LAKE = SqlConnection(dialect="sqlite", namespace="sqlite://lake")


class MovableClock(SystemClock):
    """A clock that is `ahead_s` fast. What is asked every so often is asked when `passed_s` says
    so, however long a loaded machine takes."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.ahead_s = ahead_s
        self.began_s = super().monotonic_s()
        self.passed_s = 0.0

    def now_s(self) -> float:
        return super().now_s() + self.ahead_s

    def monotonic_s(self) -> float:
        return self.began_s + self.passed_s


@pytest.fixture(scope="module")
def airflow3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowServer]:
    with running_airflow(3, tmp_path_factory.mktemp("airflow3")) as server:
        server.run("shop_orders")
        server.run("shop_python")
        yield server


@pytest.fixture(scope="module")
def airflow2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowServer]:
    with running_airflow(2, tmp_path_factory.mktemp("airflow2")) as server:
        server.run("shop_orders")
        server.run("shop_python")
        yield server


@pytest.fixture(params=["airflow3", "airflow2"])
def airflow(request: pytest.FixtureRequest) -> AirflowServer:
    server: AirflowServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return file


@pytest.fixture
def proxy(airflow3: AirflowServer) -> Iterator[Proxy]:
    with Proxy(airflow3.url) as proxy:
        yield proxy


def a_source(
    url: str, password: Path | None = None, timeout_s: float = 120.0, history_days: int = 0
) -> Source:
    return Source(
        kind="airflow",
        name="af",
        url=url,
        username=USER,
        password_file=password,
        timeout_s=timeout_s,
        history_days=history_days,
    )


def a_connector(
    source: Source, clock: SystemClock | None = None, page_size: int = 100, **settings: object
) -> AirflowConnector:
    clock = clock or SystemClock()
    tree = Settings.model_validate({"connections": {"lake": LAKE}, **settings})
    return AirflowConnector(source, tree, AirflowHttp(source, clock, page_size), clock)


async def all_of(batches: AsyncIterator[Batch]) -> tuple[list[Item], str | None]:
    items: list[Item] = []
    cursor = None
    async for batch in batches:
        items += batch.items
        cursor = batch.cursor
    return items, cursor


def those(kind: type[T], items: Sequence[object]) -> list[T]:
    return [item for item in items if isinstance(item, kind)]


def task(dag_id: str, name: str = "") -> TaskKey:
    return TaskKey("af", dag_id, name)


def lake(name: str) -> DatasetKey:
    return DatasetKey("sqlite://lake", name)


# --- what is read --------------------------------------------------------------------------------


async def test_a_first_pass_shows_every_dag_with_its_declared_edges(
    airflow: AirflowServer, password: Path
) -> None:
    items, _ = await all_of(a_connector(a_source(airflow.url, password)).observe(None))
    assert those(Inventory, items) == [Inventory("af", NAMES)]
    pipelines = {pipeline.key.name: pipeline for pipeline in those(Pipeline, items)}
    assert set(pipelines) == set(NAMES)
    orders = pipelines["shop_orders"]
    assert (orders.schedule, orders.owner, orders.tags) == ("0 3 * * *", "sales", ("team:sales",))
    assert [(t.key.task, t.kind) for t in orders.tasks] == [
        ("load", "SQLExecuteQueryOperator"),
        ("make", "SQLExecuteQueryOperator"),
    ]
    assert {name for name, pipeline in pipelines.items() if pipeline.paused} == {
        "shop_idle",
        "shop_report",
        "shop_wait",
    }
    wait, kick, load = task("shop_wait", "wait"), task("shop_wait", "kick"), "asset x-lake://lake"
    assert {edge for pipeline in pipelines.values() for edge in pipeline.declared} == {
        DeclaredEdge(task("shop_orders", "make"), task("shop_orders", "load"), "task order"),
        DeclaredEdge(wait, kick, "task order"),
        DeclaredEdge(task("shop_orders", "load"), task("shop_report"), f"{load}/orders"),
        DeclaredEdge(task("shop_orders", "load"), wait, "sensor"),
        DeclaredEdge(kick, task("shop_python"), "trigger"),
    }
    # Each edge is in the pipeline that it leads to.
    assert all(
        edge.downstream.pipeline == name
        for name, pipeline in pipelines.items()
        for edge in pipeline.declared
    )


async def test_what_tasks_touch_is_known_from_runs_source_code_and_assets(
    airflow: AirflowServer, password: Path
) -> None:
    items, _ = await all_of(a_connector(a_source(airflow.url, password)).observe(None))
    found = {(e.task.task, e.access, e.dataset, e.channel) for e in those(Evidence, items)}
    assert found >= {
        ("load", Access.READ, lake("raw_orders"), Channel.SQL_RUN),
        ("load", Access.WRITE, lake("orders"), Channel.SQL_RUN),
        ("load", Access.WRITE, DatasetKey("x-lake://lake", "orders"), Channel.DECLARED),
        ("report", Access.READ, lake("orders"), Channel.SQL_SOURCE),
        ("report", Access.WRITE, lake("order_report"), Channel.SQL_SOURCE),
        ("never", Access.READ, lake("orders"), Channel.SQL_SOURCE),
        ("never", Access.WRITE, lake("archive"), Channel.SQL_SOURCE),
    }
    code = {(access, name.name) for t, access, name, c in found if (t, c) == ("publish", "code")}
    assert code == {(Access.READ, "raw_orders"), (Access.WRITE, "published")}
    covered = {(c.task.task, c.channel) for c in those(Coverage, items)}
    assert covered >= {
        ("load", Channel.SQL_RUN),
        ("never", Channel.SQL_SOURCE),
        ("publish", Channel.CODE),
    }
    # What ran is not guessed from the source again.
    assert ("load", Channel.SQL_SOURCE) not in covered


async def test_a_file_that_airflow_cannot_load_is_named_with_the_reason(
    airflow: AirflowServer, password: Path
) -> None:
    items, _ = await all_of(a_connector(a_source(airflow.url, password)).observe(None))
    (problem,) = those(Unresolved, items)
    assert (problem.subject, problem.reason) == ("af", UnresolvedReason.IMPORT_ERROR)
    assert problem.place.endswith("broken.py")
    assert problem.detail == "ModuleNotFoundError: No module named 'a_module_that_is_not_there'"


async def test_runs_tries_and_pools(airflow: AirflowServer, password: Path) -> None:
    items, _ = await all_of(a_connector(a_source(airflow.url, password)).observe(None))
    runs = those(Run, items)
    assert {run.pipeline.name for run in runs} >= {"shop_orders", "shop_python"}
    assert len(set(runs)) == len(runs)
    tries = [t for t in those(TaskRun, items) if t.task == task("shop_orders", "load")]
    assert {(t.attempt, t.state) for t in tries} == {(1, RunState.SUCCEEDED)}
    assert all(t.started_at_s and t.ended_at_s and t.started_at_s <= t.ended_at_s for t in tries)
    assert {t.run_id for t in tries} <= {run.run_id for run in runs}
    pools = {pool.name: pool.slots for pool in those(Pool, items)}
    assert pools == {"default_pool": 128, "lake_pool": 3}


async def test_a_backfill_is_seen(airflow3: AirflowServer) -> None:
    clock = MovableClock()
    connector = a_connector(a_source(airflow3.url), clock)
    _, cursor = await all_of(connector.observe(None))
    backfill_id = airflow3.backfill("shop_orders", "2026-11-10")
    clock.passed_s += LISTS_S
    seen: list[Backfill] = []
    while not seen:
        items, cursor = await all_of(connector.observe(cursor))
        seen = [b for b in those(Backfill, items) if b.backfill_id == backfill_id]
        clock.passed_s += LISTS_S
    assert seen[0].pipeline.name == "shop_orders"
    assert (seen[0].from_s, seen[0].to_s) == (1794268800.0, 1794351600.0)
    airflow3.settle()


# --- how much is asked ---------------------------------------------------------------------------


async def test_only_reads_are_sent_besides_one_login(
    airflow: AirflowServer, password: Path
) -> None:
    clock = MovableClock()
    with Proxy(airflow.url) as proxy:
        connector = a_connector(a_source(proxy.url, password), clock)
        _, cursor = await all_of(connector.observe(None))
        for _ in range(12):
            clock.passed_s += SWEEP_S
            _, cursor = await all_of(connector.observe(cursor))
        await connector.close()
        writes = [(seen.method, seen.path) for seen in proxy.requests if seen.method != "GET"]
        assert writes == [("POST", "/auth/token")]
        assert proxy.methods["GET"] > 30


async def test_an_idle_pass_asks_little_and_says_nothing(
    airflow: AirflowServer, password: Path
) -> None:
    with Proxy(airflow.url) as proxy:
        connector = a_connector(a_source(proxy.url, password), MovableClock())
        _, cursor = await all_of(connector.observe(None))
        _, cursor = await all_of(connector.observe(cursor))  # what ended during the first pass
        proxy.requests.clear()
        items, _ = await all_of(connector.observe(cursor))
        assert items == []
        paths = [seen.path.partition("?")[0].rpartition("/")[2] for seen in proxy.requests]
        assert paths == [
            *(["dagVersions"] if airflow.major == 3 else []),
            "dagRuns",
            "taskInstances",
        ]


async def test_a_run_that_ends_is_news_of_one_pass(airflow: AirflowServer, password: Path) -> None:
    connector = a_connector(a_source(airflow.url, password))
    _, cursor = await all_of(connector.observe(None))
    run_id = airflow.run("shop_python")
    items, cursor = await all_of(connector.observe(cursor))
    (run,) = (run for run in those(Run, items) if run.run_id == run_id)
    assert run.state is RunState.SUCCEEDED
    (attempt,) = (t for t in those(TaskRun, items) if t.run_id == run_id)
    assert attempt.task == task("shop_python", "publish")
    items, _ = await all_of(connector.observe(cursor))
    assert [item for item in items if getattr(item, "run_id", "") == run_id] == []


async def test_a_wrong_clock_hides_no_run(airflow3: AirflowServer) -> None:
    connector = a_connector(a_source(airflow3.url), MovableClock(ahead_s=3600.0))
    _, cursor = await all_of(connector.observe(None))
    run_id = airflow3.run("shop_python")
    items, _ = await all_of(connector.observe(cursor))
    assert run_id in {run.run_id for run in those(Run, items)}


async def test_small_pages_give_the_same(airflow: AirflowServer, password: Path) -> None:
    def timeless(items: list[Item]) -> set[str]:
        return {re.sub(r"observed_at_s=[\d.]+", "", str(item)) for item in items}

    source = a_source(airflow.url, password)
    small, _ = await all_of(a_connector(source, page_size=2).observe(None))
    large, _ = await all_of(a_connector(source).observe(None))
    assert timeless(small) == timeless(large)


async def test_a_changed_dag_is_read_again_and_no_other(airflow3: AirflowServer) -> None:
    clock = MovableClock()
    with Proxy(airflow3.url) as proxy:
        connector = a_connector(a_source(proxy.url), clock)
        _, cursor = await all_of(connector.observe(None))
        proxy.requests.clear()
        # `shop_python` has run, so Airflow makes a version of its change.
        with airflow3.changed("    publish()\n", "    publish() >> publish()\n", "shop_python"):
            clock.passed_s += LISTS_S
            items, _ = await all_of(connector.observe(cursor))
    (changed,) = those(Pipeline, items)
    assert changed.key.name == "shop_python"
    assert [t.key.task for t in changed.tasks] == ["publish", "publish__1"]
    asked = [s.path for s in proxy.requests if re.search(r"/dags/\w+/tasks", s.path)]
    assert asked == ["/api/v2/dags/shop_python/tasks"]


# --- nothing is lost -----------------------------------------------------------------------------


async def test_a_batch_that_nobody_took_is_offered_again(airflow3: AirflowServer) -> None:
    connector = a_connector(a_source(airflow3.url))
    taken: list[Batch] = []
    offered: list[Item] = []
    cursor = None
    async for batch in connector.observe(None):
        if those(Pool, batch.items):
            offered += batch.items
            break  # whoever took the batch failed to keep it
        taken.append(batch)
        cursor = batch.cursor
    assert taken
    items, _ = await all_of(connector.observe(cursor))
    assert set(those(Pool, offered)) <= set(items)
    assert {p.key.name for p in those(Pipeline, items)} == set(NAMES)


async def test_an_old_cursor_repeats_what_came_after_it(airflow3: AirflowServer) -> None:
    connector = a_connector(a_source(airflow3.url))
    _, old = await all_of(connector.observe(None))
    run_id = airflow3.run("shop_python")
    await all_of(connector.observe(old))
    again, _ = await all_of(connector.observe(old))
    assert run_id in {run.run_id for run in those(Run, again)}


async def test_a_new_process_goes_on_at_the_cursor_and_knows_all_dags(
    airflow3: AirflowServer,
) -> None:
    source = a_source(airflow3.url)
    first, cursor = await all_of(a_connector(source).observe(None))
    airflow3.run("shop_python")
    items, _ = await all_of(a_connector(source).observe(cursor))
    assert {p.key.name for p in those(Pipeline, items)} == set(NAMES)
    assert 1 <= len(those(Run, items)) < len(those(Run, first))


# --- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault("/dags[?]", 401), Unauthorized, "answered 401"),
        (Fault("/dags[?]", 403), Unauthorized, "permission"),
        (Fault("/dags[?]", 404), MalformedResponse, "answered 404"),
        (Fault("/dags[?]", 500, b"oh no"), Unavailable, "answered 500: oh no"),
        (Fault("/dags[?]", 429, headers={"Retry-After": "0"}), Unavailable, "answered 429"),
        (Fault("/dags[?]", 200, b"<html>Sign in"), MalformedResponse, "<html>Sign in"),
        (Fault("/dags[?]", 200, b'{"dags": [{}], "total_entries": 1}'), MalformedResponse, "dag"),
        (Fault("/dags[?]", 200, b'{"dags": 7}'), MalformedResponse, "no list `dags`"),
        (Fault("/dags[?]", 200, b"{", filler_bytes=50_000_000), MalformedResponse, "more than"),
        (Fault("/dags[?]", drop=True), Unavailable, "no answer"),
        (Fault("/dags[?]", stall_s=30), Unavailable, "no answer within 1 s"),
        (Fault(".*", 404), MalformedResponse, "is it an Airflow"),
    ],
    ids=lambda value: f"{value.status}{value.body[:9]!r}" if isinstance(value, Fault) else None,
)
async def test_a_fault_of_the_server_is_an_error_that_names_the_address(
    proxy: Proxy, fault: Fault, error: type[SwarmError], words: str
) -> None:
    proxy.faults.append(fault)
    source = a_source(proxy.url, timeout_s=1.0) if fault.stall_s else a_source(proxy.url)
    with pytest.raises(error, match=re.escape(words)) as caught:
        await all_of(a_connector(source).observe(None))
    assert proxy.url in str(caught.value)


async def test_a_server_that_is_not_there_is_no_slow_one() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Unavailable, match="Connection refused") as caught:
        await all_of(a_connector(a_source(url)).observe(None))
    assert str(caught.value).startswith(url)


async def test_after_a_fault_the_next_pass_shows_everything(proxy: Proxy) -> None:
    connector = a_connector(a_source(proxy.url))
    for path in ("/dags[?]", "taskInstances", "/dags/shop_orders/tasks", "dagSources", "/pools"):
        proxy.faults[:] = [Fault(path, 503), Fault("/dags[?]limit=1$", 503)]
        if path != "/pools":
            proxy.faults.append(Fault("nothing"))
        with pytest.raises(Unavailable):
            await all_of(connector.observe(None))
    proxy.faults.clear()
    items, _ = await all_of(connector.observe(None))
    assert {p.key.name for p in those(Pipeline, items)} == set(NAMES)
    assert those(TaskRun, items)


async def test_a_passing_fault_is_not_noticed(proxy: Proxy) -> None:
    proxy.faults += [Fault("/dags[?]", 500, times=1), Fault("/pools", drop=True, times=1)]
    items, _ = await all_of(a_connector(a_source(proxy.url)).observe(None))
    assert those(Inventory, items) == [Inventory("af", NAMES)]
    assert len([s for s in proxy.requests if "/dags?" in s.path]) == 2


async def test_a_busy_server_is_asked_again_once(proxy: Proxy) -> None:
    proxy.faults.append(Fault("/pools", 429, headers={"Retry-After": "1"}))
    started_s = time.monotonic()
    with pytest.raises(Unavailable, match="429"):
        await all_of(a_connector(a_source(proxy.url)).observe(None))
    assert time.monotonic() - started_s >= 1.0
    assert len([s for s in proxy.requests if "/pools" in s.path]) == 2


async def test_a_redirect_is_not_followed(proxy: Proxy) -> None:
    with Proxy() as elsewhere:
        headers = {"Location": f"{elsewhere.url}/api/v2/dags"}
        proxy.faults.append(Fault("/dags[?]", 307, headers=headers))
        with pytest.raises(MalformedResponse, match="Redirects are not followed"):
            await all_of(a_connector(a_source(proxy.url)).observe(None))
        assert elsewhere.requests == []


async def test_a_server_that_is_down() -> None:
    with Proxy() as gone:
        url = gone.url
    with pytest.raises(Unavailable, match=url):
        await all_of(a_connector(a_source(url)).observe(None))


async def test_one_dag_that_the_server_cannot_show_leaves_the_rest(proxy: Proxy) -> None:
    clock = MovableClock()
    connector = a_connector(a_source(proxy.url), clock)
    fault = Fault("/dags/shop_idle/tasks", 500, b"boom")
    proxy.faults.append(fault)
    items, cursor = await all_of(connector.observe(None))
    assert {p.key.name for p in those(Pipeline, items)} == set(NAMES)
    (problem,) = (u for u in those(Unresolved, items) if u.reason is UnresolvedReason.UNREACHABLE)
    assert problem.subject == "af/shop_idle"
    assert problem.place.endswith("/dags/shop_idle/tasks")
    assert "boom" in problem.detail
    # A pipeline that is told again takes back what was said of it.
    proxy.faults.clear()
    clock.passed_s += SWEEP_S
    items, _ = await all_of(connector.observe(cursor))
    (idle,) = (p for p in those(Pipeline, items) if p.key.name == "shop_idle")
    assert [t.key.task for t in idle.tasks] == ["never"]


async def test_source_that_is_not_given_out_is_found_in_the_teams_code(
    proxy: Proxy, airflow3: AirflowServer
) -> None:
    proxy.faults.append(Fault("/dagSources/", 403))
    items, _ = await all_of(a_connector(a_source(proxy.url)).observe(None))
    missing = {u.subject for u in those(Unresolved, items) if u.reason == "missing_source"}
    assert missing == {
        "af/shop_idle/never",
        "af/shop_python/publish",
        "af/shop_report/report",
    }
    source = a_source(proxy.url)
    items, _ = await all_of(a_connector(source, code=(airflow3.dags,)).observe(None))
    assert [u for u in those(Unresolved, items) if u.reason == "missing_source"] == []
    assert ("publish", "published") in {
        (e.task.task, e.dataset.name) for e in those(Evidence, items)
    }


async def test_a_wrong_password_is_told(airflow2: AirflowServer, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not it")
    with pytest.raises(Unauthorized, match=airflow2.url):
        await all_of(a_connector(a_source(airflow2.url, wrong)).observe(None))


async def test_a_token_that_was_replaced_in_its_file_is_used(
    proxy: Proxy, airflow3: AirflowServer, tmp_path: Path
) -> None:
    old, new, clock = airflow3.token(), airflow3.token(), MovableClock()
    file = tmp_path / "token"
    file.write_text(old)
    source = Source(kind="airflow", name="af", url=proxy.url, token_file=file, history_days=0)
    connector = a_connector(source, clock)
    _, cursor = await all_of(connector.observe(None))
    file.write_text(new)
    clock.passed_s += 100.0
    proxy.faults.append(Fault("dagRuns[?]", 401, times=1))
    await all_of(connector.observe(cursor))
    runs = [s.headers["Authorization"] for s in proxy.requests if "dagRuns?" in s.path]
    assert runs == [f"Bearer {old}", f"Bearer {old}", f"Bearer {new}"]


async def test_a_token_that_ran_out_is_renewed_once(proxy: Proxy, password: Path) -> None:
    clock = MovableClock()
    connector = a_connector(a_source(proxy.url, password), clock)
    _, cursor = await all_of(connector.observe(None))
    proxy.faults.append(Fault("dagRuns[?]", 403, b'{"detail": "Token Expired"}', times=1))
    clock.passed_s += 100.0
    await all_of(connector.observe(cursor))
    assert proxy.methods["POST"] == 2
    proxy.faults.append(Fault("dagRuns[?]", 403))
    with pytest.raises(Unauthorized):
        await all_of(connector.observe(cursor))
    assert proxy.methods["POST"] == 2, "what we may not read is no reason to log in again"


def test_a_source_without_a_usable_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`url` has to be Airflow's address"):
        connect(Source(kind="airflow", url="airflow:8080"), Settings())


# --- what ran before -----------------------------------------------------------------------------


async def test_what_ran_before_is_read_behind_what_runs_now(
    airflow: AirflowServer, password: Path
) -> None:
    """A connector that ends in the middle of it is followed by one that goes on there."""

    def named(name: str, row: Row) -> Row:
        other = {"run_id": name}
        if "run_after" in row:
            other["logical_date"] = None
        if len(str(row.get("id"))) == 32:
            other["id"] = new_id(name, row["id"]).replace("-", "")
        elif "id" in row:
            other["id"] = None
        return other

    run_id = airflow.run("shop_python")
    mine = f"WHERE run_id = '{run_id}'"
    database = airflow.dags.parent / "home" / "airflow.db"
    copied(database, {"dag_run": mine, "task_instance": mine}, named)
    now_s = time.time()
    with Proxy(airflow.url) as proxy:
        source = a_source(proxy.url, password, history_days=30)
        first = passes(a_connector(source, page_size=50), None)
        items, cursor = await anext(first)
        runs, tries = past_of(items, now_s), those(TaskRun, items)
        assert run_id in {run.run_id for run in those(Run, items)}
        asked = len(proxy.requests)
        async for told, _ in passes(a_connector(source, page_size=50), cursor):
            assert not runs.keys() & past_of(told, now_s).keys()
            assert max(runs.values()) <= min(past_of(told, now_s).values(), default=31.0)
            runs |= past_of(told, now_s)
            tries += those(TaskRun, told)
        asked = len(proxy.requests) - asked
    assert sorted(runs) == [f"past-{number:04}" for number in range(29 * A_DAY)]
    # Of each task no more than are kept, of the newest days; eight runs were on each.
    tried = [one for one in tries if one.run_id in runs]
    assert set(Counter(one.task for one in tried).values()) == {TRIED_RUNS}
    assert max(runs[one.run_id] for one in tried) < 16.0
    assert all(one.ended_at_s and one.started_at_s for one in tried)
    print(f"Airflow {airflow.major}: {len(runs)} runs, {len(tried)} tries, {asked} requests")  # noqa: T201
