"""Prefect's answers, captured from a real server, as values."""

import json
from pathlib import Path
from typing import Any

import pytest

from swarm.connectors.prefect.code import split_entrypoint
from swarm.connectors.prefect.mapping import (
    Definitions,
    define,
    map_asset_event,
    map_pools,
    map_run,
    map_task_run,
    read_asset_event,
    task_name,
)
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel
from swarm.model.pipelines import Cron, Pool
from swarm.model.runs import RunState

PAYLOADS = Path(__file__).parent / "prefect_payloads"
LAKE = "postgres://lake:5432"


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def defined() -> Definitions:
    return define("pf", payload("flows"), payload("deployments"))


def deployment_row(**more: object) -> dict[str, Any]:
    return payload("deployments")[0] | more


def one_deployment(**more: object) -> Definitions:
    return define("pf", payload("flows"), [deployment_row(**more)])


def run_row(state: str) -> dict[str, Any]:
    return next(dict(row) for row in payload("flow_runs") if row["state_type"] == state)


def test_a_deployment_is_a_pipeline_by_the_name_prefect_shows() -> None:
    pipelines = {one.pipeline.key.name: one for one in defined().deployments.values()}
    assert set(pipelines) == {"visits/lab", "assets/lab", "failing/lab"}
    visits = pipelines["visits/lab"]
    assert visits.pipeline.schedule == "0 4 * * *"
    assert visits.pipeline.owner == "web"
    assert visits.pipeline.tags == ("lab", "team:web")
    assert not visits.pipeline.paused
    assert (visits.path, visits.entrypoint) == ("/srv/flows", "lake_flows.py:visits")


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        ({"cron": "0 4 * * *", "timezone": "UTC"}, "0 4 * * *"),
        ({"cron": "0 4 * * *", "timezone": "Europe/Rome"}, "0 4 * * * Europe/Rome"),
        ({"interval": 3600.0, "timezone": "UTC"}, "every 3600 s"),
        ({"rrule": "FREQ=DAILY"}, "FREQ=DAILY"),
    ],
)
def test_schedules_in_words(schedule: dict[str, object], text: str) -> None:
    found = one_deployment(schedules=[{"active": True, "schedule": schedule}])
    [deployment] = found.deployments.values()
    assert deployment.pipeline.schedule == text


@pytest.mark.parametrize(
    ("schedules", "crons"),
    [
        ([{"cron": "0 4 * * *"}], (Cron("0 4 * * *", "UTC"),)),
        (
            [{"cron": "0 4 * * *", "timezone": "Europe/Rome"}, {"cron": "@hourly"}],
            (Cron("0 4 * * *", "Europe/Rome"), Cron("0 * * * *", "UTC")),
        ),
        ([{"cron": "0 4 1 * 1", "day_or": False}], ()),
        ([{"cron": "0 4 * * *"}, {"interval": 3600.0}], ()),
        ([{"cron": "H 4 * * *"}], ()),
        ([], ()),
    ],
)
def test_starts_by_the_clock_are_told_in_full_or_not_at_all(
    schedules: list[dict[str, object]], crons: tuple[Cron, ...]
) -> None:
    rows = [{"active": True, "schedule": schedule} for schedule in schedules]
    off = {"active": False, "schedule": {"interval": 60.0}}
    [deployment] = one_deployment(schedules=[*rows, *([off] if rows else [])]).deployments.values()
    assert deployment.pipeline.crons == crons


def test_a_schedule_that_is_off_pauses_the_pipeline() -> None:
    off = {"active": False, "schedule": {"cron": "0 4 * * *"}}
    [deployment] = one_deployment(schedules=[off]).deployments.values()
    assert deployment.pipeline.paused
    [deployment] = one_deployment(schedules=[]).deployments.values()
    assert not deployment.pipeline.paused
    [deployment] = one_deployment(paused=True).deployments.values()
    assert deployment.pipeline.paused


def test_a_deployment_whose_flow_is_not_known_yet_waits() -> None:
    assert define("pf", [], payload("deployments")).deployments == {}


def test_a_run_belongs_to_its_deployment() -> None:
    run = map_run(defined(), run_row("FAILED"))
    assert run is not None
    assert run.pipeline == PipelineKey("pf", "failing/lab")
    assert run.state is RunState.FAILED
    assert run.started_at_s is not None
    assert run.ended_at_s is not None
    assert run.scheduled_for_s is not None
    assert run.scheduled_for_s <= run.started_at_s <= run.ended_at_s


def test_a_run_without_deployment_belongs_to_the_only_one_of_its_flow() -> None:
    row = run_row("FAILED") | {"deployment_id": None}
    run = map_run(defined(), row)
    assert run is not None
    assert run.pipeline.name == "failing/lab"
    twin = deployment_row(id="other", name="twin", flow_id=row["flow_id"])
    several = define("pf", payload("flows"), [*payload("deployments"), twin])
    assert map_run(several, row) is None


def test_a_run_of_a_deleted_deployment_belongs_to_no_other() -> None:
    assert map_run(defined(), run_row("FAILED") | {"deployment_id": "deleted"}) is None


def test_a_subflow_is_no_run_of_a_pipeline() -> None:
    assert map_run(defined(), run_row("FAILED") | {"parent_task_run_id": "t"}) is None


def test_an_unknown_state_is_unknown() -> None:
    run = map_run(defined(), run_row("FAILED") | {"state_type": "PONDERING"})
    assert run is not None
    assert run.state is RunState.UNKNOWN


def test_task_runs_go_by_the_name_of_their_task() -> None:
    key = PipelineKey("pf", "p")
    names = {map_task_run(key, row).task.task for row in payload("task_runs")}
    assert names == {"make_orders", "make_report", "bad", "load_visits", "sum up"}


@pytest.mark.parametrize(
    ("name", "dynamic_key", "task_key", "expected"),
    [
        ("load-0b0", "0b0dc85e-6029", "load-1c59f7e2", "load"),
        ("load-12", "12", "load-1c59f7e2", "load"),
        ("load of 2026-11-22", "0b0dc85e-6029", "load-1c59f7e2", "load"),
        ("any words", "0b0", "Loader.load-1c59f7e2", "load"),
        ("any words", "0b0", "old_style", "old_style"),
    ],
)
def test_task_names(name: str, dynamic_key: str, task_key: str, expected: str) -> None:
    row = {"name": name, "dynamic_key": dynamic_key, "task_key": task_key}
    assert task_name(row) == expected


def test_the_try_of_a_task_is_counted_by_prefect() -> None:
    row = payload("task_runs")[0]
    key = PipelineKey("pf", "p")
    assert map_task_run(key, row | {"run_count": 3}).attempt == 3
    assert map_task_run(key, row | {"run_count": 0}).attempt == 1


def test_asset_events_say_what_a_task_writes_and_from_what() -> None:
    [deployment] = [
        one for one in defined().deployments.values() if one.pipeline.key.name == "assets/lab"
    ]
    found = set()
    for row in payload("events")["events"]:
        event = read_asset_event(row)
        assert event is not None
        assert event.deployment_id in defined().deployments
        for one in map_asset_event(deployment, event, ""):
            assert one.channel is Channel.DECLARED
            assert one.observed_at_s == event.occurred_at_s
            found.add((one.task, one.access, one.dataset))
    assert found == {
        (TaskKey("pf", "assets/lab", "make_orders"), Access.WRITE, DatasetKey(LAKE, "orders")),
        (TaskKey("pf", "assets/lab", "make_report"), Access.READ, DatasetKey(LAKE, "orders")),
        (TaskKey("pf", "assets/lab", "make_report"), Access.WRITE, DatasetKey(LAKE, "report")),
    }


def test_the_place_of_asset_evidence_is_the_same_for_every_run() -> None:
    deployment = next(iter(defined().deployments.values()))
    first = payload("events")["events"][0]
    related = [one | {"prefect.resource.name": "other"} for one in first["related"]]
    events = [read_asset_event(first), read_asset_event(first | {"related": related})]
    places = {
        one.place
        for event in events
        if event is not None
        for one in map_asset_event(deployment, event, "t")
    }
    assert places == {"asset postgres://lake/orders"}


def test_other_events_say_nothing() -> None:
    first = payload("events")["events"][0]
    assert read_asset_event(first | {"event": "prefect.asset.observed"}) is None


def test_work_pools_and_queues_are_limits() -> None:
    pools = map_pools("pf", payload("pools"), payload("queues"))
    assert {pool.name: pool for pool in pools} == {
        "lake-pool": Pool("pf", "lake-pool", 4),
        "lake-pool/backfill": Pool("pf", "lake-pool/backfill", 1),
        "lake-pool/default": Pool("pf", "lake-pool/default", None),
    }


@pytest.mark.parametrize(
    ("entrypoint", "found"),
    [
        ("flows/etl.py:main", ("flows/etl.py", "main")),
        ("etl.flows:main", ("etl/flows.py", "main")),
        ("etl.flows.main", ("etl/flows.py", "main")),
        ("", ("", "")),
    ],
)
def test_entrypoints(entrypoint: str, found: tuple[str, str]) -> None:
    assert split_entrypoint(entrypoint) == found
