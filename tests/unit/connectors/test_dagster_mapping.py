"""Dagster's answers, captured from a real server, as values."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from swarm.connectors.dagster.answers import (
    Freshness,
    Job,
    Location,
    OpGraph,
    read_assets,
    read_locations,
    read_op_graphs,
)
from swarm.connectors.dagster.mapping import Definitions, define, load_failures
from swarm.connectors.dagster.queries import ASSETS, ASSETS_BEFORE_FRESHNESS
from swarm.connectors.dagster.runs import map_backfills, map_capacity, map_pools, map_run
from swarm.connectors.payloads import Payloads
from swarm.lineage.naming import dataset_from_table
from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.pipelines import Backfill, Cron, DeclaredEdge, Pool
from swarm.model.runs import Run, RunState, TaskRun
from swarm.model.sla import Sla

PAYLOADS = Path(__file__).parent / "dagster_payloads"
SALES = ("sales", "__repository__")
DAGSTER = Payloads("dg", "Dagster 1.9")


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def dataset_of(table: str) -> DatasetKey:
    return dataset_from_table(table, SqlContext())


def defined(locations: tuple[Location, ...] | None = None) -> Definitions:
    graphs = {
        (SALES, name): graph for name, graph in read_op_graphs(payload("ops"), DAGSTER)[0].items()
    }
    found = read_locations(payload("workspace"), DAGSTER)[0] if locations is None else locations
    return define("dg", found, read_assets(payload("assets"), DAGSTER)[0], graphs, dataset_of, 10.0)


def run_of(job: str) -> dict[str, Any]:
    rows = payload("tick")["changed"]["results"]
    return next(dict(row) for row in rows if row["jobName"] == job)


def task(pipeline: str, name: str) -> TaskKey:
    return TaskKey("dg", pipeline, name)


def a_job(location: str, name: str, repository: str = "__repository__") -> Location:
    job = Job((location, repository), name, False, (), "", "", False)
    return Location(f"{location}/{repository}", True, jobs=(job,))


def test_jobs_are_pipelines_and_the_same_name_twice_is_told_apart() -> None:
    names = {pipeline.key.name for pipeline in defined().pipelines}
    assert names == {
        "__ASSET_JOB",
        "broken",
        "daily_job",
        "graphs",
        "ops/ingest",
        "sales/ingest",
        "sales_job",
    }


def test_two_repositories_of_one_location_are_told_apart() -> None:
    locations = (a_job("etl", "load", "one"), a_job("etl", "load", "two"), a_job("x", "load"))
    found = define("dg", locations, (), {}, dataset_of, 0.0)
    assert [pipeline.key.name for pipeline in found.pipelines] == [
        "etl/one/load",
        "etl/two/load",
        "x/load",
    ]


def test_the_implicit_job_holds_only_assets_of_no_other_job() -> None:
    tasks = {p.key.name: [one.key.task for one in p.tasks] for p in defined().pipelines}
    assert tasks["__ASSET_JOB"] == ["adhoc"]
    assert sorted(tasks["sales_job"]) == ["orders", "report"]
    assert tasks["daily_job"] == ["finance/daily"]


def test_an_implicit_job_without_assets_of_its_own_is_no_pipeline() -> None:
    assets = [asset for asset in read_assets(payload("assets"), DAGSTER)[0] if asset.key != "adhoc"]
    found = define(
        "dg", read_locations(payload("workspace"), DAGSTER)[0], assets, {}, dataset_of, 0.0
    )
    assert "__ASSET_JOB" not in {pipeline.key.name for pipeline in found.pipelines}


def test_the_order_of_ops_goes_through_nested_graphs() -> None:
    graph = read_op_graphs(payload("ops"), DAGSTER)[0]["graphs"]
    assert graph == OpGraph(
        {"load.fetch": "fetch", "load.check": "check", "explode": "explode"},
        (("load.check", "explode"), ("load.fetch", "load.check")),
    )


def test_the_order_of_ops_goes_through_graphs_inside_graphs() -> None:
    def mapped(port: str, solid: str) -> dict[str, object]:
        inner = {"definition": {"name": "result"}, "solid": {"name": solid}}
        return {"definition": {"name": port}, "mappedOutput": inner, "mappedInput": inner}

    def handle(at: str, inner: str = "", before: str = "") -> dict[str, object]:
        source = {"definition": {"name": "result"}, "solid": {"name": before}}
        port = {"definition": {"name": "result"}, "dependsOn": [source] if before else []}
        mappings = [mapped("result", inner)]
        kind = "CompositeSolidDefinition" if inner else "SolidDefinition"
        definition = {"__typename": kind, "name": at, "outputMappings": mappings}
        definition["inputMappings"] = mappings
        name = at.rpartition(".")[2]
        return {
            "handleID": at,
            "solid": {"name": name, "inputs": [port], "definition": definition},
        }

    handles = [
        handle("a", inner="b"),
        handle("a.b", inner="c"),
        handle("a.b.c"),
        handle("x", inner="y", before="a"),
        handle("x.y"),
    ]
    answer = {"repositoryOrError": {"jobs": [{"name": "deep", "solidHandles": handles}]}}
    graph = read_op_graphs(answer, DAGSTER)[0]["deep"]
    assert set(graph.definitions) == {"a.b.c", "x.y"}
    assert graph.order == (("a.b.c", "x.y"),)


def test_dependencies_between_assets_are_declared_also_across_jobs() -> None:
    pipelines = {pipeline.key.name: pipeline for pipeline in defined().pipelines}
    orders, daily = task("sales_job", "orders"), task("daily_job", "finance/daily")
    assert pipelines["daily_job"].declared == (
        DeclaredEdge(orders, daily, "asset dependency"),
        DeclaredEdge(orders, task("daily_job", ""), "asset sensor orders_changed"),
    )


def test_what_starts_a_job_is_its_schedule_and_off_is_paused() -> None:
    pipelines = {pipeline.key.name: pipeline for pipeline in defined().pipelines}
    assert pipelines["sales_job"].schedule == "0 3 * * *, sensor new_files"
    assert pipelines["sales_job"].paused
    assert pipelines["sales/ingest"].schedule == "5 * * * *"
    assert not pipelines["sales/ingest"].paused
    assert not pipelines["broken"].paused  # nothing starts it, so nothing is switched off
    assert pipelines["sales/ingest"].owner == "ingest"


def test_starts_by_the_clock_are_those_of_running_schedules() -> None:
    answer = payload("workspace")
    [entry] = [e for e in answer["workspaceOrError"]["locationEntries"] if e["name"] == "sales"]
    repository = entry["locationOrLoadError"]["repositories"][0]

    def crons(*told: tuple[str, str]) -> tuple[Cron, ...]:
        repository["schedules"] = [
            {
                "name": f"s{number}",
                "pipelineName": "sales_job",
                "cronSchedule": text,
                "executionTimezone": "Europe/Rome",
                "scheduleState": {"status": status},
            }
            for number, (text, status) in enumerate(told)
        ]
        locations, _ = read_locations(answer, DAGSTER)
        jobs = (job for location in locations for job in location.jobs)
        return next(job.crons for job in jobs if job.name == "sales_job")

    three, six = Cron("0 3 * * *", "Europe/Rome"), Cron("0 6 * * 1-5", "Europe/Rome")
    assert crons(("0 3 * * *", "RUNNING"), ("every now and then", "STOPPED")) == (three,)
    assert crons(("['0 3 * * *', '0 6 * * 1-5']", "RUNNING")) == (three, six)
    assert crons(("0 3 * * *", "STOPPED"), ("0 6 * * 1-5", "STOPPED")) == (three, six)
    assert crons(("0 3 * * *", "RUNNING"), ("every now and then", "RUNNING")) == ()


def test_table_names_are_evidence_and_the_reading_is_complete() -> None:
    stated = defined().stated[PipelineKey("dg", "sales_job")]
    report = task("sales_job", "report")
    assert [
        (one.access, one.dataset.name, one.channel)
        for one in stated
        if isinstance(one, Evidence) and one.task == report
    ] == [
        (Access.WRITE, "lake.sales.report", Channel.DECLARED),
        (Access.READ, "lake.sales.orders", Channel.DECLARED),
    ]
    assert Coverage(report, Channel.DECLARED, 10.0) in stated


def test_an_asset_without_a_table_states_nothing_of_itself() -> None:
    [read, coverage] = defined().stated[PipelineKey("dg", "daily_job")]
    assert isinstance(read, Evidence)
    assert read.access is Access.READ
    assert isinstance(coverage, Coverage)


def test_code_is_looked_for_where_the_team_says_it_is() -> None:
    [target] = [one for one in defined().targets if one.task == task("sales_job", "orders")]
    assert target.names == ("orders",)
    assert target.references[0].path == "/srv/etl/sales_defs.py"
    assert target.references[0].line > 0
    assert target.writes


def test_a_location_that_cannot_be_loaded_is_reported_of_the_instance() -> None:
    [failure] = load_failures("dg", read_locations(payload("workspace"), DAGSTER)[0])
    assert failure.subject == "dg"
    assert failure.place == "code location broken"
    assert failure.reason is UnresolvedReason.IMPORT_ERROR
    assert "pandas_of_another_team" in failure.detail


def test_a_location_that_is_loading_is_no_failure() -> None:
    entry = {"name": "slow", "locationOrLoadError": None}
    [location] = read_locations({"workspaceOrError": {"locationEntries": [entry]}}, DAGSTER)[0]
    assert not location.loaded
    assert load_failures("dg", [location]) == ()


def test_a_run_with_the_tries_of_its_tasks() -> None:
    run, *tries = map_run(defined(), run_of("broken"), SqlContext())
    assert isinstance(run, Run)
    assert run.pipeline == PipelineKey("dg", "broken")
    assert run.state is RunState.FAILED
    states = {(one.task.task, one.state) for one in tries if isinstance(one, TaskRun)}
    assert states == {("fetch", RunState.SUCCEEDED), ("explode", RunState.FAILED)}


def test_sql_in_metadata_is_evidence_of_the_task_that_ran() -> None:
    items = map_run(defined(), run_of("sales_job"), SqlContext())
    ran = {
        (one.task.task, one.access, one.dataset.name)
        for one in items
        if isinstance(one, Evidence) and one.channel is Channel.SQL_RUN
    }
    assert ran == {("report", Access.WRITE, "report"), ("report", Access.READ, "orders")}


def test_each_try_counts_and_only_the_last_has_the_step_s_state() -> None:
    attempts = [{"startTime": 1.0, "endTime": 2.0}, {"startTime": 3.0, "endTime": 4.0}]
    step = {"stepKey": "fetch", "status": "SUCCESS", "attempts": attempts}
    _, *tries = map_run(defined(), run_of("broken") | {"stepStats": [step]}, SqlContext())
    assert [(one.attempt, one.state) for one in tries if isinstance(one, TaskRun)] == [
        (1, RunState.FAILED),
        (2, RunState.SUCCEEDED),
    ]


def test_mapped_steps_of_an_op_are_one_task() -> None:
    def step(key: str, status: str, start: float, end: float | None) -> Mapping[str, Any]:
        attempts = [{"startTime": start, "endTime": end}]
        return {"stepKey": f"fetch[{key}]", "status": status, "attempts": attempts}

    steps = [step("a", "SUCCESS", 2.0, 3.0), step("b", "FAILURE", 1.0, 5.0)]
    _, one = map_run(defined(), run_of("broken") | {"stepStats": steps}, SqlContext())
    run_id = run_of("broken")["runId"]
    assert one == TaskRun(task("broken", "fetch"), run_id, 1, RunState.FAILED, 1.0, 5.0)


def test_a_step_that_was_running_when_the_run_failed_failed_with_it() -> None:
    attempts = [{"startTime": 1.0, "endTime": None}]
    step = {"stepKey": "fetch", "status": "IN_PROGRESS", "attempts": attempts}
    _, one = map_run(defined(), run_of("broken") | {"stepStats": [step]}, SqlContext())
    assert isinstance(one, TaskRun)
    assert one.state is RunState.FAILED


def test_a_run_of_the_implicit_job_tells_of_the_tasks_of_named_jobs() -> None:
    row = run_of("sales_job") | {"jobName": "__ASSET_JOB"}
    items = map_run(defined(), row, SqlContext())
    tasks = {one.task for one in items if isinstance(one, TaskRun)}
    assert tasks == {task("sales_job", "orders"), task("sales_job", "report")}


def test_a_run_of_a_job_that_is_gone_is_nothing() -> None:
    assert map_run(defined(), run_of("broken") | {"jobName": "old"}, SqlContext()) == ()


def test_a_partition_that_is_a_day_is_the_time_a_run_is_for() -> None:
    tags = [{"key": "dagster/partition", "value": "2026-11-02"}]
    run, *_ = map_run(defined(), run_of("broken") | {"tags": tags}, SqlContext())
    assert isinstance(run, Run)
    assert run.scheduled_for_s == 1793577600.0


def test_limits_are_pools() -> None:
    tick = payload("tick")
    limit = {"concurrencyKey": "db", "slotCount": 2, "activeSlotCount": 1, "pendingStepCount": 4}
    tick["instance"]["concurrencyLimits"] = [limit]
    tick["queued"]["count"] = 7
    assert map_pools("dg", tick) == (
        Pool("dg", "runs", 3, running=0, queued=7),
        Pool("dg", "db", 2, running=1, queued=4),
    )


def test_a_backfill_of_assets_is_one_of_each_pipeline() -> None:
    row = {
        "id": "b1",
        "status": "REQUESTED",
        "jobName": None,
        "partitionNames": ["2026-11-04", "2026-11-02"],
        "assetSelection": [{"path": ["finance", "daily"]}, {"path": ["orders"]}],
    }
    answer = {"partitionBackfillsOrError": {"results": [row]}}
    times = (1793577600.0, 1793750400.0)
    assert map_backfills(defined(), answer) == (
        Backfill(PipelineKey("dg", "daily_job"), "b1", "requested", *times),
        Backfill(PipelineKey("dg", "sales_job"), "b1", "requested", *times),
    )


def test_partitions_that_are_no_times_have_none() -> None:
    row = {
        "id": "b1",
        "status": "COMPLETED",
        "jobName": "broken",
        "partitionNames": ["eu", "us"],
        "assetSelection": None,
    }
    answer = {"partitionBackfillsOrError": {"results": [row]}}
    [backfill] = map_backfills(defined(), answer)
    assert (backfill.from_s, backfill.to_s) == (None, None)


@pytest.mark.parametrize("name", ["workspace", "assets", "ops"])
def test_an_answer_of_another_form_raises_what_the_caller_expects(name: str) -> None:
    read = {"workspace": read_locations, "assets": read_assets, "ops": read_op_graphs}[name]
    for broken in ({}, dict.fromkeys(payload(name)), dict.fromkeys(payload(name), 7)):
        with pytest.raises((KeyError, TypeError, AttributeError, ValueError)):
            read(broken, DAGSTER)  # type: ignore[operator]


def strange(found: list[Unresolved]) -> list[tuple[str, str]]:
    assert {one.reason for one in found} <= {UnresolvedReason.MALFORMED}
    return [(one.subject, one.place) for one in found]


def test_a_strange_job_costs_itself_and_its_place_is_told() -> None:
    answer = payload("workspace")
    whole, nothing = read_locations(payload("workspace"), DAGSTER)
    assert nothing == []
    [entry] = [e for e in answer["workspaceOrError"]["locationEntries"] if e["name"] == "sales"]
    repository = entry["locationOrLoadError"]["repositories"][0]
    lost = repository["jobs"][0]["name"]
    repository["jobs"][0]["tags"] = [{"key": "team"}]
    repository["schedules"].append({"name": "s", "pipelineName": "sales_job"})
    locations, found = read_locations(answer, DAGSTER)
    place = "code location sales, repository __repository__"
    assert strange(found) == [
        (f"dg/{lost}", f"{place}, jobs"),
        ("dg/sales_job", f"{place}, schedules"),
    ]
    kept = {job.name for location in locations for job in location.jobs}
    assert kept == {job.name for location in whole for job in location.jobs} - {lost}


def test_a_strange_location_counts_as_one_that_is_not_loaded() -> None:
    answer = payload("workspace")
    answer["workspaceOrError"]["locationEntries"][0]["locationOrLoadError"] = {"__typename": 7}
    name = answer["workspaceOrError"]["locationEntries"][0]["name"]
    locations, found = read_locations(answer, DAGSTER)
    assert strange(found) == [("dg", f"code location {name}")]
    assert [one.loaded for one in locations if one.name == name] == [False]


def test_a_strange_asset_and_a_strange_graph_cost_themselves() -> None:
    assets, ops = payload("assets"), payload("ops")
    assets["assetNodes"].append({"assetKey": {"path": ["odd"]}})
    ops["repositoryOrError"]["jobs"].append({"name": "odd", "solidHandles": 7})
    found, odd = read_assets(assets, DAGSTER)
    assert (found, strange(odd)) == (
        read_assets(payload("assets"), DAGSTER)[0],
        [("dg", "asset graph")],
    )
    graphs, odd = read_op_graphs(ops, DAGSTER)
    assert graphs == read_op_graphs(payload("ops"), DAGSTER)[0]
    assert strange(odd) == [("dg/odd", "ops of jobs")]


def test_a_strange_limit_and_a_strange_backfill_cost_themselves() -> None:
    tick = payload("tick")
    tick["instance"]["concurrencyLimits"] = [{"concurrencyKey": "db", "slotCount": "many"}]
    tick["partitionBackfillsOrError"] = {"results": [{"jobName": "sales_job"}]}
    *pools, limit, backfill = map_capacity(defined(), tick, DAGSTER)
    assert [pool.name for pool in pools if isinstance(pool, Pool)] == ["runs"]
    assert isinstance(limit, Unresolved)
    assert isinstance(backfill, Unresolved)
    assert strange([limit, backfill]) == [
        ("dg", "concurrency limits"),
        ("dg/sales_job", "backfills"),
    ]


def test_automation_is_named_in_the_edges() -> None:
    assets = [
        replace(one, automation="eager") for one in read_assets(payload("assets"), DAGSTER)[0]
    ]
    found = define(
        "dg", read_locations(payload("workspace"), DAGSTER)[0], assets, {}, dataset_of, 0.0
    )
    [daily] = [p for p in found.pipelines if p.key.name == "daily_job"]
    assert daily.declared[0].how == "asset dependency, automation eager"


def test_a_freshness_policy_with_a_cron_text_is_an_sla_of_the_pipeline() -> None:
    slas = {pipeline.key.name: pipeline.slas for pipeline in defined().pipelines}
    key = PipelineKey("dg", "sales_job")
    assert slas["sales_job"] == (Sla(key, 7.5 * 3_600, "Europe/Berlin", (0, 1, 2, 3, 4)),)
    assert slas["daily_job"] == slas["__ASSET_JOB"] == ()


def test_a_policy_that_is_no_time_of_day_is_told() -> None:
    stated = defined().stated
    told = {
        (one.subject, one.place): one.detail
        for items in stated.values()
        for one in items
        if isinstance(one, Unresolved)
    }
    assert told == {
        ("dg/sales_job", "asset orders"): "its freshness policy is no SLA here: no older than "
        "25 h is no time of day; a cron policy or a tag `sla` states one",
        ("dg/__ASSET_JOB", "asset adhoc"): "its freshness policy is no SLA here: `0 7 1 * *` is no "
        "few times of day on days of the week; a cron policy or a tag `sla` states one",
    }


def test_of_several_pipelines_that_make_an_asset_those_that_run_promise_it() -> None:
    where = ("etl", "__repository__")

    def job(name: str, schedule: str, *, paused: bool = False) -> Job:
        return Job(where, name, True, (), "", schedule, paused)

    policy = Freshness("0 8 * * *", "UTC")
    asset = replace(
        read_assets(payload("assets"), DAGSTER)[0][-1],
        repository=where,
        jobs=("all", "nightly", "old"),
        freshness=policy,
    )
    jobs = (job("all", ""), job("nightly", "0 3 * * *"), job("old", "0 4 * * *", paused=True))
    found = define("dg", [Location("etl", True, jobs=jobs)], [asset], {}, dataset_of, 0.0)
    assert [p.key.name for p in found.pipelines if p.slas] == ["nightly"]
    none = (job("all", ""), job("nightly", ""), job("old", ""))
    found = define("dg", [Location("etl", True, jobs=none)], [asset], {}, dataset_of, 0.0)
    assert [p.key.name for p in found.pipelines if p.slas] == ["all", "nightly", "old"]


def test_a_dagster_that_knows_no_freshness_policies_is_read_without() -> None:
    answer = payload("assets")
    for node in answer["assetNodes"]:
        del node["internalFreshnessPolicy"]
    assert not any(asset.freshness for asset in read_assets(answer, DAGSTER)[0])
    assert "internalFreshnessPolicy" in ASSETS
    assert "reshness" not in ASSETS_BEFORE_FRESHNESS


def test_a_schedule_tells_by_which_clock_it_goes() -> None:
    answer = payload("workspace")
    [sales] = [
        entry["locationOrLoadError"]["repositories"][0]
        for entry in answer["workspaceOrError"]["locationEntries"]
        if entry["name"] == "sales"
    ]
    hourly, nightly = sales["schedules"]
    hourly["executionTimezone"], nightly["executionTimezone"] = "UTC", "Europe/Berlin"
    found = defined(read_locations(answer, DAGSTER)[0])
    schedules = {pipeline.key.name: pipeline.schedule for pipeline in found.pipelines}
    assert schedules["sales/ingest"] == "5 * * * *"
    assert schedules["sales_job"] == "0 3 * * * Europe/Berlin, sensor new_files"
