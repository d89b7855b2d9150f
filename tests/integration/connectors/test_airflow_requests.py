"""How many requests an Airflow of 3,000 DAGs costs, against a small server on a real socket.

The server is no Airflow: it has the lists, as large as a test wants them. What real servers answer
is tested in `test_airflow_connector.py`.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from swarm.clock import SystemClock
from swarm.config import Settings, Source
from swarm.connectors.airflow.connector import (
    KNOWN_PER_PASS,
    LISTS_S,
    PAGES_PER_PASS,
    AirflowConnector,
)
from swarm.connectors.airflow.http import AirflowHttp
from swarm.connectors.airflow.lists import SWEEP_S
from swarm.errors import MalformedResponse
from swarm.model.connectors import Item
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.pipelines import Inventory, Pipeline
from swarm.model.runs import Run

DAGS = 3_000
SOURCE = "from airflow.sdk import DAG\n"
Row = dict[str, Any]


class MovableClock(SystemClock):
    """What is asked every so often is asked when `passed_s` says so, however long a loaded machine
    takes."""

    def __init__(self) -> None:
        self.began_s = super().monotonic_s()
        self.passed_s = 0.0

    def monotonic_s(self) -> float:
        return self.began_s + self.passed_s


class Lists:
    """What the server lists; a test changes it between two passes."""

    def __init__(self, dags: int) -> None:
        self.dags = [a_dag(f"dag_{number:05}") for number in range(dags)]
        self.versions = [
            {"id": f"v{number:05}", "dag_id": self.dags[0]["dag_id"]} for number in (1,)
        ]
        self.assets: list[Row] = []
        self.events: list[Row] = []
        self.runs: list[Row] = []
        self.tries: list[Row] = []
        self.pools: list[Row] = []
        self.jobs: list[Row] = []
        self.asked: list[str] = []

    def answer(self, path: str) -> Row | None:
        url = urlsplit(path)
        self.asked.append(url.path)
        asked = {
            key: values[0] for key, values in parse_qs(url.query, keep_blank_values=True).items()
        }
        name = url.path.removeprefix("/api/v2")
        if re.fullmatch(r"/dags/[^/~]+/tasks", name):
            return {"tasks": [{"task_id": "load", "operator_name": "X", "downstream_task_ids": []}]}
        if name.startswith("/dagSources/"):
            return {"content": SOURCE}
        if one := [dag for dag in self.dags if name == f"/dags/{dag.get('dag_id')}"]:
            return one[0]
        if name == "/version":
            return {"version": "3.3.2"}
        known: dict[str, tuple[str, list[Row]]] = {
            "/dags": ("dags", self.dags),
            "/dags/~/dagVersions": ("dag_versions", self.versions[::-1]),
            "/dags/~/dagRuns": ("dag_runs", self.runs),
            "/dags/~/dagRuns/~/taskInstances": ("task_instances", self.tries),
            "/assets": ("assets", self.assets),
            "/assets/events": ("asset_events", self.events),
            "/pools": ("pools", self.pools),
            "/jobs": ("jobs", self.jobs),
            "/importErrors": ("import_errors", []),
            "/backfills": ("backfills", []),
        }
        if name not in known:
            return None
        key, rows = known[name]
        by_cursor = "cursor" in asked
        start = int(asked.get("cursor" if by_cursor else "offset") or 0)
        end = start + int(asked["limit"])
        page = {key: rows[start:end], "total_entries": len(rows)}
        return page | {"next_cursor": str(end) if end < len(rows) else None} if by_cursor else page


def a_dag(dag_id: str) -> Row:
    return {
        "dag_id": dag_id,
        "fileloc": f"/dags/{dag_id}.py",
        "timetable_summary": "@daily",
        "owners": ["team"],
        "tags": [],
        "is_paused": False,
    }


def a_run(dag_id: str, **other: object) -> Row:
    row: Row = {"dag_id": dag_id, "dag_run_id": "r1", "state": "success", "run_type": "manual"}
    return row | {"logical_date": None, "start_date": None, "end_date": None} | other


def an_asset(name: str, *producers: str, aliases: tuple[str, ...] = ()) -> Row:
    return {
        "uri": f"x-lake://lake/{name}",
        "producing_tasks": [{"dag_id": dag_id, "task_id": "load"} for dag_id in producers],
        "consuming_tasks": [],
        "scheduled_dags": [],
        "aliases": [{"id": 1, "name": alias} for alias in aliases],
    }


@contextmanager
def served(lists: Lists) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # an answer in one piece: the client waits for the second one

        def do_GET(self) -> None:
            found = lists.answer(self.path)
            body = json.dumps(found or {}).encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Passes:
    """A connector and its cursor; each call is one pass, `asked` what it asked for.

    With `after_s` it is as many passes as the reading of lists then takes; `most` is what the
    costliest of them asked for.
    """

    def __init__(self, lists: Lists, url: str, cursor: str | None = None) -> None:
        self.lists, self.cursor = lists, cursor
        self.clock = MovableClock()
        source = Source(kind="airflow", name="af", url=url, history_days=0)
        http = AirflowHttp(source, self.clock)
        self.connector = AirflowConnector(source, Settings(), http, self.clock)
        self.asked: list[str] = []
        self.most = 0

    async def __call__(self, after_s: float = 0.0) -> list[Item]:
        self.clock.passed_s += after_s
        items = await self._one()
        asked, self.most = self.asked, len(self.asked)
        while after_s and not self._is_read():
            items += await self._one()
            asked, self.most = asked + self.asked, max(self.most, len(self.asked))
        self.asked = asked
        return items

    async def _one(self) -> list[Item]:
        self.lists.asked.clear()
        items: list[Item] = []
        async for batch in self.connector.observe(self.cursor):
            items += batch.items
            self.cursor = batch.cursor
        self.asked = list(self.lists.asked)
        return items

    def _is_read(self) -> bool:
        """Whether the last pass asked for no list but those of every pass."""
        others = r"/(dagRuns|taskInstances|dagVersions|tasks|events|version|jobs)$|/dagSources/"
        return all(re.search(others, path) for path in self.asked)

    def read_dags(self) -> int:
        return sum(path.endswith("/tasks") for path in self.asked)


@pytest.fixture
async def airflow() -> AsyncIterator[Callable[..., Passes]]:
    """Makes passes over a server with so many DAGs."""
    open_now: list[Any] = []

    def make(
        dags: int, url: str = "", cursor: str | None = None, lists: Lists | None = None
    ) -> Passes:
        lists = lists or Lists(dags)
        serving = served(lists)
        open_now.append(serving)
        passes = Passes(lists, serving.__enter__(), cursor)
        open_now.append(passes.connector)
        return passes

    yield make
    for one in reversed(open_now):
        if isinstance(one, AirflowConnector):
            await one.close()
        else:
            one.__exit__(None, None, None)


async def test_what_an_airflow_of_3000_dags_is_asked(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(DAGS)
    first = await a_pass()
    assert len([item for item in first if isinstance(item, Pipeline)]) == DAGS
    costs = {"first": len(a_pass.asked)}
    assert await a_pass() == []
    costs["idle"] = len(a_pass.asked)
    await a_pass(SWEEP_S)
    costs["sweep"], costs["sweep at once"] = len(a_pass.asked), a_pass.most
    await a_pass(LISTS_S)
    costs["lists"], costs["lists at once"] = len(a_pass.asked), a_pass.most
    print(f"requests for {DAGS} DAGs: {costs}")  # noqa: T201
    assert costs["idle"] <= 4
    assert costs["sweep at once"] <= 6
    assert costs["lists at once"] <= 6
    assert costs["sweep"] <= 90
    assert costs["lists"] <= 20
    assert costs["first"] <= 2 * DAGS + 100


async def test_no_quiet_pass_asks_for_more_than_six_things(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(250)
    await a_pass()
    most = 0
    for _ in range(400):
        assert not [item for item in await a_pass() if isinstance(item, Pipeline)]
        a_pass.clock.passed_s += 2.0
        most = max(most, len(a_pass.asked))
    assert most <= 6


async def test_a_new_dag_is_read_in_the_next_pass(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(250)
    await a_pass()
    a_pass.lists.dags.append(a_dag("fresh"))
    a_pass.lists.versions.append({"id": "v00002", "dag_id": "fresh"})
    (told,) = [item for item in await a_pass() if isinstance(item, Pipeline)]
    assert told.key.name == "fresh"
    assert len(a_pass.asked) <= 8
    assert await a_pass() == []
    a_pass.lists.versions.append({"id": "v00003", "dag_id": "never"})  # which is gone already
    assert await a_pass() == []


async def test_many_new_dags_are_read_with_the_list_of_all(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(250)
    await a_pass()
    fresh = [f"fresh_{number:03}" for number in range(50)]
    a_pass.lists.dags += [a_dag(name) for name in fresh]
    a_pass.lists.versions += [
        {"id": f"v{number:05}", "dag_id": name} for number, name in enumerate(fresh, 2)
    ]
    told: list[Item] = []
    for _ in range(5):
        told += await a_pass()
    assert {item.key.name for item in told if isinstance(item, Pipeline)} == set(fresh)


async def test_many_runs_at_once_are_read_in_several_passes(
    airflow: Callable[..., Passes],
) -> None:
    a_pass = airflow(1)
    await a_pass()
    rows = (PAGES_PER_PASS + 1) * 100
    a_pass.lists.runs = [a_run("dag_00000", dag_run_id=f"r{n:05}") for n in range(rows)]
    seen = await a_pass()
    assert len(seen) == PAGES_PER_PASS * 100
    assert len(a_pass.asked) <= PAGES_PER_PASS + 4
    again = airflow(1, lists=a_pass.lists, cursor=a_pass.cursor)
    for passes in (again, a_pass):  # another process goes on there, and so does this one
        told = await passes()
        runs = {item.run_id for item in (*seen, *told) if isinstance(item, Run)}
        assert len(runs) == rows


async def test_all_dags_are_read_again_in_turn(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(250)
    await a_pass()
    read: Counter[str] = Counter()
    for number in range(450):
        await a_pass(SWEEP_S if number % 150 == 0 else 0.0)
        read.update(path for path in a_pass.asked if path.endswith("/tasks"))
    assert len(read) == 250


async def test_many_dags_that_change_at_once_are_read_in_several_passes(
    airflow: Callable[..., Passes],
) -> None:
    a_pass = airflow(DAGS)
    await a_pass()
    lists = a_pass.lists
    lists.versions = [
        {"id": f"v{number + 2:05}", "dag_id": dag["dag_id"]}
        for number, dag in enumerate(lists.dags)
    ]
    seen: set[str] = set()
    await a_pass(LISTS_S)
    while a_pass.read_dags():
        assert a_pass.most <= 2 * KNOWN_PER_PASS + 20
        seen.update(path for path in a_pass.asked if path.endswith("/tasks"))
        await a_pass()
    assert len(seen) == DAGS


# --- what assets declare -------------------------------------------------------------------------


def of_declared(items: list[Item], dag_id: str) -> tuple[set[str], bool]:
    """The datasets that a DAG declares, and whether that is all."""
    task = TaskKey("af", dag_id, "load")
    names = {
        item.dataset.name
        for item in items
        if isinstance(item, Evidence) and (item.task, item.channel) == (task, Channel.DECLARED)
    }
    covered = any(
        isinstance(item, Coverage) and (item.task, item.channel) == (task, Channel.DECLARED)
        for item in items
    )
    return names, covered


async def test_an_outlet_that_was_taken_out_is_taken_back(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(2)
    a_pass.lists.assets = [an_asset("a", "dag_00000"), an_asset("b", "dag_00000")]
    assert of_declared(await a_pass(), "dag_00000") == ({"a", "b"}, True)
    a_pass.lists.assets = [an_asset("a", "dag_00000"), an_asset("b")]
    assert of_declared(await a_pass(LISTS_S), "dag_00000") == ({"a"}, True)
    assert await a_pass(LISTS_S) == []
    # Also what changed while nobody looked.
    a_pass.lists.assets = []
    again = airflow(2, lists=a_pass.lists, cursor=a_pass.cursor)
    assert of_declared(await again(), "dag_00000") == (set(), True)


async def test_a_write_through_an_alias_is_not_taken_back(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(2)
    a_pass.lists.assets = [an_asset("a", "dag_00000"), an_asset("b", aliases=("some",))]
    a_pass.lists.events = [
        {
            "source_dag_id": "dag_00000",
            "source_task_id": "load",
            "uri": "x-lake://lake/b",
            "timestamp": "2026-11-20T10:00:00Z",
        }
    ]
    assert of_declared(await a_pass(), "dag_00000") == ({"a", "b"}, False)
    again = airflow(2, lists=a_pass.lists, cursor=a_pass.cursor)
    assert of_declared(await again(), "dag_00000")[1] is False
    assert of_declared(await again(SWEEP_S), "dag_00001")[1] is False  # it declares nothing


# --- one strange row -----------------------------------------------------------------------------


def strange(items: list[Item]) -> list[tuple[str, str]]:
    return [
        (item.subject, item.place.partition("/api/v2")[2])
        for item in items
        if isinstance(item, Unresolved) and item.reason is UnresolvedReason.MALFORMED
    ]


async def test_a_dag_with_a_strange_row_is_named_and_stays(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(3)
    a_pass.lists.dags[1] = {"dag_id": "dag_00001", "owners": None}
    items = await a_pass()
    assert strange(items) == [("af/dag_00001", "/dags")]
    assert {item.key.name for item in items if isinstance(item, Pipeline)} == {
        "dag_00000",
        "dag_00001",
        "dag_00002",
    }
    assert Inventory("af", ("dag_00000", "dag_00001", "dag_00002")) in items
    assert await a_pass() == []
    a_pass.lists.dags[1] = a_dag("dag_00001")
    items = await a_pass(SWEEP_S)
    (told,) = [item for item in items if isinstance(item, Pipeline)]
    assert told.key.name == "dag_00001"


async def test_a_dag_without_a_name_lets_no_other_go(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(2)
    a_pass.lists.dags[1] = {"tags": "?"}
    items = await a_pass()
    assert strange(items) == [("af", "/dags")]
    assert [item for item in items if isinstance(item, Inventory)] == []


async def test_a_list_that_names_no_dag_is_not_airflows(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(2)
    a_pass.lists.dags = [{}, {}]
    with pytest.raises(MalformedResponse, match="dag_id"):
        await a_pass()


async def test_a_strange_run_costs_itself_and_is_said_once(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(3)
    a_pass.lists.runs = [
        a_run("dag_00000"),
        a_run("dag_00001", start_date=["?"]),
        a_run("dag_00002"),
    ]
    a_pass.lists.tries = [{"dag_id": "dag_00001", "state": "success", "map_index": "?"}]
    a_pass.lists.pools = [{"name": "p", "slots": None}]
    a_pass.lists.assets = [an_asset("a", "dag_00000"), {"uri": None}]
    items = await a_pass()
    assert {item.pipeline.name for item in items if isinstance(item, Run)} == {
        "dag_00000",
        "dag_00002",
    }
    assert set(strange(items)) == {
        ("af/dag_00001", "/dags/~/dagRuns"),
        ("af/dag_00001", "/dags/~/dagRuns/~/taskInstances"),
        ("af", "/pools"),
        ("af", "/assets"),
    }
    # Nobody knows what the strange asset declares: nothing is taken back.
    assert of_declared(items, "dag_00000") == ({"a"}, False)
    assert await a_pass() == []
    dataset = DatasetKey("x-lake://lake", "a")
    (evidence,) = {(e.access, e.dataset) for e in items if isinstance(e, Evidence)}
    assert evidence == (Access.WRITE, dataset)


async def test_strange_tasks_are_said_of_their_dag(airflow: Callable[..., Passes]) -> None:
    a_pass = airflow(2)
    known = a_pass.lists.answer

    def answer(path: str) -> Row | None:
        found = known(path)
        return {"tasks": [None]} if path.endswith("/dag_00001/tasks") else found

    a_pass.lists.answer = answer  # type: ignore[method-assign]
    items = await a_pass()
    assert strange(items) == [("af/dag_00001", "/dags/dag_00001/tasks")]
    assert len([item for item in items if isinstance(item, Pipeline)]) == 2


async def test_a_dag_whose_file_speaks_of_deadlines_is_asked_for_them(
    airflow: Callable[..., Passes],
) -> None:
    a_pass = airflow(3)
    a_pass.lists.dags[1] |= {
        "timetable_summary": "0 6 * * *",
        "next_dagrun_logical_date": "2026-11-20T05:00:00Z",
    }
    fixed = {"id": "1", "name": "a", "reference_type": "DagRunLogicalDateDeadline"}
    moving = {"id": "2", "name": "b", "reference_type": "AverageRuntimeDeadline"}
    known, source = a_pass.lists.answer, [f"{SOURCE}deadline=DeadlineAlert()"]

    def answer(path: str) -> Row | None:
        found = known(path)
        if path.endswith("/dagSources/dag_00001"):
            return {"content": source[0]}
        if path == "/ui/dags/dag_00001/deadlineAlerts":
            alerts = [fixed | {"interval": 5_400.0}, moving | {"interval": 60.0}]
            return {"deadline_alerts": alerts, "total_entries": 2}
        return found

    a_pass.lists.answer = answer  # type: ignore[method-assign]
    items = await a_pass()
    slas = {item.key.name: item.slas for item in items if isinstance(item, Pipeline)}
    assert {name: [sla.at for sla in found] for name, found in slas.items()} == {
        "dag_00000": [],
        "dag_00001": ["06:30"],
        "dag_00002": [],
    }
    [told] = [item for item in items if isinstance(item, Unresolved) and "`b`" in item.detail]
    assert (told.subject, told.reason) == ("af/dag_00001", UnresolvedReason.DYNAMIC)
    assert sum("/ui/" in path for path in a_pass.asked) == 1
    source[0] = SOURCE
    again = await a_pass(SWEEP_S)
    for _ in range(10):  # DAGs are read again in turn, between the lists
        again += await a_pass()
        a_pass.clock.passed_s += 2.0
    moved = [item for item in again if isinstance(item, Pipeline)]
    assert [(pipeline.key.name, pipeline.slas) for pipeline in moved] == [("dag_00001", ())]


async def test_an_airflow_that_does_not_tell_deadlines_is_read_without(
    airflow: Callable[..., Passes],
) -> None:
    a_pass = airflow(1)
    known = a_pass.lists.answer

    def answer(path: str) -> Row | None:
        found = known(path)
        return {"content": "deadline"} if "/dagSources/" in path else found

    a_pass.lists.answer = answer  # type: ignore[method-assign]
    items = await a_pass()
    [told] = [one for one in items if isinstance(one, Unresolved) and "deadline" in one.detail]
    assert (told.subject, told.reason) == ("af/dag_00000", UnresolvedReason.UNREACHABLE)
    assert [item.slas for item in items if isinstance(item, Pipeline)] == [()]
