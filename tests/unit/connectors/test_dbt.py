"""A dbt project read from artefacts that dbt 1.10 and 1.5 wrote for a small project of ours."""

import asyncio
import json
import random
from datetime import datetime
from pathlib import Path

import pytest

from swarm.config import Settings, Source, SqlConnection
from swarm.connectors.dbt.connector import MAX_BYTES, connect
from swarm.errors import ConfigError, MalformedResponse, Unavailable
from swarm.lineage.ledger import Ledger
from swarm.lineage.naming import Naming
from swarm.model.connectors import Batch
from swarm.model.graph import ViewGone
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, View, ViewInventory
from swarm.model.pipelines import Inventory, Pipeline, Task
from swarm.model.runs import Run, RunState, TaskRun

REAL = Path(__file__).parent / "dbt_artifacts"
CLICKS = "/srv/shop/clicks.csv"


def observe(path, cursor=None, settings=None):
    connector = connect(Source(kind="dbt", path=path), settings or Settings())

    async def batches():
        return [batch async for batch in connector.observe(cursor)]

    return asyncio.run(batches())


def items(path, settings=None):
    return [item for batch in observe(path, settings=settings) for item in batch.items]


def only(found, kind):
    return [item for item in found if isinstance(item, kind)]


def touched(found, channel):
    """By task what it reads and writes, in the words of one channel."""
    result = {}
    for item in only(found, Evidence):
        if item.channel is channel:
            sides = result.setdefault(item.task.task, (set(), set()))
            sides[item.access is Access.WRITE].add(item.dataset.name)
    return result


def covered(found, channel):
    return {item.task.task for item in only(found, Coverage) if item.channel is channel}


@pytest.fixture(scope="module")
def built():
    return items(REAL / "build")


@pytest.fixture
def target(tmp_path):
    """A target folder of our own: copies the real artefacts, with a change of one of them."""

    def make(change=lambda name, tree: None, folder="build"):
        for path in (REAL / folder).iterdir():
            tree = json.loads(path.read_text())
            change(path.name, tree)
            (tmp_path / path.name).write_text(json.dumps(tree))
        return tmp_path

    return make


def test_tasks_are_what_dbt_executes(built):
    (pipeline,) = only(built, Pipeline)
    assert str(pipeline.key) == "dbt/shop"
    assert {task.key.task: task.kind for task in pipeline.tasks} == {
        "shop-on-run-start-0": "operation",
        "countries": "seed",
        "customers_history": "snapshot",
        "stg_orders": "model/view",
        "stg_clicks": "model/view",
        "orders_daily": "model/incremental",
        "customer_value": "model/table",
        "scored": "model/table",
        "shop.best": "model/table",
        "costs.best": "model/table",
        "freight": "model/table",
        "price.v1": "model/table",
        "price.v2": "model/table",
        "shop-on-run-end-0": "operation",
    }
    assert pipeline.owner == "anna, ben, finance team"
    assert pipeline.tags == ("nightly",)
    assert only(built, Inventory) == [Inventory("dbt", ("shop",))]


def test_the_order_is_that_of_refs_and_hooks(built):
    (pipeline,) = only(built, Pipeline)
    edges = {(e.upstream.task, e.downstream.task, e.how) for e in pipeline.declared}
    start, end = "shop-on-run-start-0", "shop-on-run-end-0"
    assert edges == {
        ("countries", "stg_orders", "ref"),
        ("stg_orders", "orders_daily", "ref"),
        ("stg_orders", "customer_value", "ref"),
        ("stg_clicks", "customer_value", "ref"),
        ("customer_value", "scored", "ref"),
        ("scored", "shop.best", "ref"),
        ("freight", "costs.best", "ref"),
        ("costs.best", "price.v2", "ref"),
        ("price.v1", "price.v2", "ref"),
        *((start, first, "on-run-start") for first in ("countries", "customers_history")),
        *((start, first, "on-run-start") for first in ("stg_clicks", "freight", "price.v1")),
        *((last, end, "on-run-end") for last in ("customers_history", "orders_daily")),
        *((last, end, "on-run-end") for last in ("shop.best", "price.v2")),
    }


def test_what_dbt_declares(built):
    assert touched(built, Channel.DECLARED) == {
        "countries": (set(), {"lake.main.countries"}),
        "customers_history": ({"lake.raw.customers_v2"}, {"lake.main_history.customers_history"}),
        "stg_orders": ({"lake.raw.orders", "lake.main.countries"}, {"lake.main.stg_orders"}),
        "stg_clicks": ({CLICKS}, {"lake.main.stg_clicks"}),
        "orders_daily": ({"lake.main.stg_orders"}, {"lake.main.orders_daily"}),
        "customer_value": (
            {"lake.raw.customers_v2", "lake.main.stg_orders", "lake.main.stg_clicks"},
            {"lake.main_gold.customer_ltv"},
        ),
        "scored": ({"lake.main_gold.customer_ltv"}, {"lake.main.scored"}),
        "shop.best": ({"lake.main.scored"}, {"lake.main.best"}),
        "costs.best": ({"lake.main_costs.freight"}, {"lake.main_costs.best"}),
        "freight": (set(), {"lake.main_costs.freight"}),
        "price.v1": ({"lake.raw.events"}, {"lake.main.price_v1"}),
        "price.v2": ({"lake.main.price_v1", "lake.main_costs.best"}, {"lake.main.price_v2"}),
    }
    (pipeline,) = only(built, Pipeline)
    assert covered(built, Channel.DECLARED) == {task.key.task for task in pipeline.tasks}


RAN = {
    "customers_history": ({"lake.raw.customers_v2"}, {"lake.main_history.customers_history"}),
    "stg_orders": ({"lake.raw.orders", "lake.main.countries"}, {"lake.main.stg_orders"}),
    "stg_clicks": ({CLICKS}, {"lake.main.stg_clicks"}),
    "orders_daily": (
        {"lake.main.stg_orders", "lake.raw.rejects"},
        {"lake.main.orders_daily", "lake.raw.quarantine", "lake.main.audit"},
    ),
    "customer_value": (
        {
            "lake.raw.customers_v2",
            "lake.main.stg_orders",
            "lake.main.stg_clicks",
            "lake.raw.blocklist",
        },
        {"lake.main_gold.customer_ltv"},
    ),
    "costs.best": ({"lake.main_costs.freight"}, {"lake.main_costs.best"}),
    "freight": (set(), {"lake.main_costs.freight"}),
    "price.v1": ({"lake.raw.events"}, {"lake.main.price_v1"}),
    "price.v2": ({"lake.main.price_v1", "lake.main_costs.best"}, {"lake.main.price_v2"}),
    "shop-on-run-end-0": ({"lake.main.orders_daily"}, {"lake.main.run_log"}),
}


def test_sql_that_ran_shows_tables_that_no_ref_names(built):
    assert touched(built, Channel.SQL_RUN) == RAN
    # A start hook that creates what exists touches nothing, and that is known.
    assert covered(built, Channel.SQL_RUN) == {*RAN, "shop-on-run-start-0"}


def test_sql_of_nodes_that_did_not_run_is_source(built):
    found = touched(built, Channel.SQL_SOURCE)
    assert found == RAN | {"shop.best": ({"lake.main.scored"}, {"lake.main.best"})}
    assert covered(built, Channel.SQL_SOURCE) == {*found, "shop-on-run-start-0"}
    assert only(built, Unresolved) == []


def test_views_lead_to_what_they_read(built):
    assert {
        (view.dataset.name, tuple(r.name for r in view.reads)) for view in only(built, View)
    } == {
        ("lake.main.stg_orders", ("lake.main.countries", "lake.raw.orders")),
        ("lake.main.stg_clicks", (CLICKS,)),
        ("lake.raw.events", ("events/*",)),
    }
    events = next(view for view in only(built, View) if view.dataset.name == "lake.raw.events")
    assert events.reads == (DatasetKey("s3://landing", "events/*"),)


def test_sql_that_ran_is_dated_by_its_run_and_evidence_names_its_place(built):
    found = [e for e in only(built, Evidence) if e.dataset.name == "lake.raw.blocklist"]
    run = next(task for task in only(built, TaskRun) if task.task.task == "customer_value")
    (as_run,) = (e for e in found if e.channel is Channel.SQL_RUN)
    (cover,) = (
        c for c in only(built, Coverage) if (c.task, c.channel) == (run.task, Channel.SQL_RUN)
    )
    assert as_run.observed_at_s == cover.observed_at_s == run.ended_at_s
    assert as_run.place == "models/marts/customer_value.sql (compiled):9"
    hook = next(e for e in only(built, Evidence) if e.dataset.name == "lake.main.audit")
    assert hook.place == "models/marts/orders_daily.sql (post-hook):1"


def test_the_run_and_its_tasks(built):
    tasks = {run.task.task: run for run in only(built, TaskRun)}
    states = {name: run.state for name, run in tasks.items()}
    (pipeline,) = only(built, Pipeline)
    expected = {task.key.task: RunState.SUCCEEDED for task in pipeline.tasks}
    expected |= {"scored": RunState.FAILED, "shop.best": RunState.SKIPPED}
    assert states == expected
    rows = json.loads((REAL / "build/run_results.json").read_text())["results"]
    (timing,) = (row["timing"] for row in rows if row["unique_id"] == "model.shop.price.v1")
    execution = [datetime.fromisoformat(timing[1][key]) for key in ("started_at", "completed_at")]
    price = tasks["price.v1"]
    assert [price.started_at_s, price.ended_at_s] == [time.timestamp() for time in execution]
    assert (tasks["shop.best"].started_at_s, tasks["shop.best"].ended_at_s) == (None, None)
    (run,) = only(built, Run)
    assert run.state is RunState.FAILED
    assert {run.run_id} == {task.run_id for task in tasks.values()}
    times = [t for task in tasks.values() for t in (task.started_at_s, task.ended_at_s) if t]
    assert run.started_at_s <= min(times) <= max(times) <= run.ended_at_s
    assert run.ended_at_s - run.started_at_s < 10


def test_uncompiled_sql_is_read_with_the_manifests_relations():
    found = items(REAL / "parse")
    assert touched(found, Channel.SQL_SOURCE) == {
        task: sides
        for task, sides in RAN.items()
        if task not in ("customers_history", "shop-on-run-end-0", "costs.best")
    } | {"best": RAN["costs.best"]}
    assert touched(found, Channel.SQL_RUN) == {}
    assert only(found, Run) == only(found, TaskRun) == []


def test_a_manifest_of_dbt_1_5_says_the_same():
    found = items(REAL / "v9")
    (pipeline,) = only(found, Pipeline)
    assert pipeline.key.name == "shop"  # it is only there as a digest
    assert touched(found, Channel.SQL_SOURCE)["orders_daily"] == RAN["orders_daily"]
    assert touched(found, Channel.DECLARED)["price.v2"] == RAN["price.v2"]
    assert [u for u in only(found, Unresolved) if u.reason == "malformed"] == []


def test_only_compiling_is_no_run(tmp_path):
    for name in ("docs/run_results.json", "docs/catalog.json", "build/manifest.json"):
        (tmp_path / Path(name).name).write_text((REAL / name).read_text())
    found = items(tmp_path)
    assert only(found, Run) == only(found, TaskRun) == []
    assert touched(found, Channel.SQL_RUN) == {}
    assert touched(found, Channel.SQL_SOURCE)["orders_daily"] == RAN["orders_daily"]


def test_a_model_that_is_removed_takes_its_view_along(built, target):
    def without(name, tree):
        if name == "manifest.json":
            tree["nodes"] = {k: n for k, n in tree["nodes"].items() if n["name"] != "stg_orders"}

    ledger = Ledger(Naming())

    def give(found):
        records = ledger.decide(Batch("dbt", "", tuple(found)), 0.0)
        for record in records:
            ledger.apply(record)
        return [r.dataset.name for r in records if isinstance(r, ViewGone)]

    (listing,) = only(built, ViewInventory)
    assert {view.dataset for view in only(built, View)} <= set(listing.names)
    assert give(built) == []
    assert [name.rpartition(".")[2] for name in give(items(target(without)))] == ["stg_orders"]
    (pipeline,) = only(built, Pipeline)
    assert pipeline.key in ledger.pipelines


def test_the_catalog_tells_views_of_materialisations_nobody_knows(target):
    def change(name, tree):
        if name == "manifest.json":
            tree["nodes"]["model.shop.stg_orders"]["config"]["materialized"] = "secure_thing"
            tree["nodes"]["model.shop.stg_clicks"]["config"]["materialized"] = "secure_thing"

    folder = target(change)
    of_orders = [v for v in only(items(folder), View) if v.dataset.name.endswith("stg_orders")]
    assert of_orders == []
    (folder / "catalog.json").write_text((REAL / "docs/catalog.json").read_text())
    names = {view.dataset.name for view in only(items(folder), View)}
    assert names == {"lake.main.stg_orders", "lake.main.stg_clicks", "lake.raw.events"}


@pytest.mark.parametrize("name", ["shop", "dbt", "default"])
def test_settings_name_the_server(name):
    other = SqlConnection(namespace="duckdb://other")
    known = {"shop": 0, "dbt": 1, "default": 2}
    connections = {below: other for below in known if known[below] > known[name]}
    connections[name] = SqlConnection(namespace="duckdb://lake", dialect="postgres")
    found = only(items(REAL / "build", Settings(connections=connections)), Evidence)
    tables = {e.dataset.namespace for e in found if e.dataset.name != CLICKS}
    assert tables == {"duckdb://lake"}


def test_a_pass_is_repeated_only_when_an_artefact_changed(target):
    folder = target()
    cursor = observe(folder)[-1].cursor
    assert observe(folder, cursor) == []
    (folder / "run_results.json").unlink()
    changed = observe(folder, cursor)
    assert only([item for batch in changed for item in batch.items], Run) == []
    assert changed[-1].cursor != cursor


def test_a_missing_manifest_says_what_to_do(tmp_path):
    with pytest.raises(Unavailable, match=r"manifest\.json.*dbt compile"):
        observe(tmp_path)
    with pytest.raises(ConfigError, match="needs `path`"):
        observe(None)


@pytest.mark.parametrize(
    "text", ['{"nodes": {', "[1]", "{}", '{"nodes": []}', "[" * 100_000, "\xff"]
)
def test_a_broken_manifest_takes_nothing_back(target, text):
    folder = target()
    (folder / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(MalformedResponse, match="manifest"):
        observe(folder)


def test_a_huge_manifest_is_not_read(tmp_path):
    with (tmp_path / "manifest.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # a hole: it takes no room
    with pytest.raises(MalformedResponse, match="over 500000000 bytes"):
        observe(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"results": {}}'])
def test_broken_run_results_cost_only_the_run(target, text):
    folder, name = target(), "run_results.json"
    (folder / name).write_text(text)
    found = items(folder)
    (problem,) = only(found, Unresolved)
    assert (problem.subject, problem.place) == ("dbt", name)
    assert only(found, Run) == []
    assert touched(found, Channel.SQL_SOURCE)["price.v1"] == RAN["price.v1"]


def test_strange_entries_cost_only_themselves(target):
    def change(name, tree):
        if name == "manifest.json":
            tree["metadata"]["dbt_schema_version"] = (
                "https://schemas.getdbt.com/dbt/manifest/v77.json"
            )
            tree["nodes"]["model.costs.freight"] = {"name": ["what"]}
            tree["nodes"]["model.shop.scored"] = None
            tree["sources"]["source.shop.raw.orders"]["external"] = 3
        else:
            tree["results"][1] = {"status": 5}

    found = items(target(change))
    problems = {(u.place, u.subject) for u in only(found, Unresolved)}
    assert problems >= {
        ("manifest.json", "dbt"),
        ("model.costs.freight", "dbt"),
        ("model.shop.scored", "dbt"),
        ("source.shop.raw.orders", "dbt"),
        ("run_results.json: result 2", "dbt"),
    }
    assert any("v77" in u.detail for u in only(found, Unresolved))
    assert touched(found, Channel.SQL_RUN)["customer_value"] == RAN["customer_value"]
    assert only(found, Inventory) == [Inventory("dbt", ("shop",))]


def values(tree, path=()):
    below = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in below:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from values(value, (*path, key))


def test_any_value_may_be_of_another_kind(target):
    seeded = random.Random(7)
    names = ("manifest.json", "run_results.json")
    trees = {name: (REAL / "build" / name).read_text() for name in names}
    folder = target()
    for _ in range(150):
        name = seeded.choice(names)
        tree = json.loads(trees[name])
        *path, last = seeded.choice(list(values(tree)))
        below = tree
        for key in path:
            below = below[key]
        below[last] = seeded.choice([None, 3, "x", "{{ x", "'", [], {}, [None], {"a": None}])
        for each in names:
            text = json.dumps(tree) if each == name else trees[each]
            (folder / each).write_text(text)
        try:
            found = items(folder)
        except MalformedResponse:
            assert path == []  # the section of all nodes
        else:
            assert len(only(found, Pipeline)[0].tasks) >= 10


def test_a_writer_in_another_orchestrator_gives_the_edge(built):
    """The engine alone joins them, through a view that dbt built and one full name."""
    ledger = Ledger(Naming())
    load = TaskKey("airflow", "ingest", "load")
    wrote = Evidence(
        load, Access.WRITE, DatasetKey("", "lake.raw.orders"), Channel.SQL_RUN, 1.0, "x.sql:1"
    )
    airflow = (Pipeline(PipelineKey("airflow", "ingest"), (Task(load),)), wrote)
    for batch in (Batch("dbt", "1", tuple(built)), Batch("airflow", "1", airflow)):
        for record in ledger.decide(batch, 2.0):
            ledger.apply(record)
    found = {
        (key.upstream.task, key.downstream.task, dependency.declared): dependency.confidence
        for key, dependency in ledger.dependencies.items()
    }
    undeclared = {pair[:2] for pair in found if not pair[2]}
    assert undeclared == {
        ("load", "stg_orders"),
        ("load", "orders_daily"),
        ("load", "customer_value"),
    }
    assert all(confidence > 0.9 for confidence in found.values())
