"""Payloads recorded from Airflow 3.3.2 (v3) and 2.11.2 (v2), read into values."""

import json
from pathlib import Path
from typing import Any

import pytest

from swarm.connectors.airflow import mapping as mapping
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Unresolved, UnresolvedReason
from swarm.model.pipelines import Backfill, Cron, DeclaredEdge, Pool, Task
from swarm.model.runs import Run, RunState, TaskRun

PAYLOADS = Path(__file__).parent / "airflow_payloads"
BOTH = pytest.mark.parametrize("version", ["v3", "v2"])


def recorded(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def key(dag_id: str, task: str = "") -> TaskKey:
    return TaskKey("af", dag_id, task)


@BOTH
def test_dags(version: str) -> None:
    dags = {dag.dag_id: dag for dag in mapping.read_dags(recorded(f"{version}_dags"))}
    assert set(dags) == {"shop_orders", "shop_report", "shop_wait"}
    orders = dags["shop_orders"]
    assert orders.schedule == "0 3 * * *"
    assert (orders.owner, orders.tags, orders.paused) == ("sales", ("team:sales",), False)
    assert orders.file == "/dags/shop.py"
    assert dags["shop_report"].schedule == {"v3": "Asset", "v2": "Dataset"}[version]


@BOTH
def test_the_clock_of_a_dag_is_the_one_by_which_its_next_start_is_one(version: str) -> None:
    page = recorded(f"{version}_dags")
    [row] = [row for row in page["dags"] if row["dag_id"] == "shop_orders"]
    due = {"v3": "next_dagrun_run_after", "v2": "next_dagrun_create_after"}[version]

    def crons(next_: str | None) -> tuple[Cron, ...]:
        row[due] = next_
        dags = {dag.dag_id: dag for dag in mapping.read_dags(page)}
        assert dags["shop_report"].crons == ()  # assets start it
        return dags["shop_orders"].crons

    assert crons("2026-11-23T03:00:00Z") == (Cron("0 3 * * *", "+00:00"),)
    assert crons("2026-10-24T01:00:00Z") == (Cron("0 3 * * *", "+02:00"),)
    assert crons("2026-10-25T02:00:00Z") == (Cron("0 3 * * *", "+01:00"),)
    assert crons("2026-10-25T02:17:00Z") == crons(None) == ()


def test_source_is_asked_for_by_dag_in_3_and_by_file_in_2() -> None:
    (three, *_), (two, *_) = (mapping.read_dags(recorded(f"{v}_dags")) for v in ("v3", "v2"))
    assert three.source_id == three.dag_id
    assert two.source_id == recorded("v2_dags")["dags"][0]["file_token"]


@BOTH
def test_tasks(version: str) -> None:
    found = mapping.read_tasks("af", "shop_wait", recorded(f"{version}_tasks"))
    wait, kick = key("shop_wait", "wait"), key("shop_wait", "kick")
    assert set(found.tasks) == {
        Task(wait, "ExternalTaskSensor"),
        Task(kick, "TriggerDagRunOperator"),
    }
    assert found.order == (DeclaredEdge(wait, kick, "task order"),)


@BOTH
def test_assets(version: str) -> None:
    found = mapping.read_assets("af", [recorded(f"{version}_assets")], 5.0)
    load = key("shop_orders", "load")
    edge = DeclaredEdge(load, key("shop_report"), "asset x-lake://lake/orders")
    assert found.edges == {"shop_report": (edge,)}
    (write,) = found.evidence
    assert (write.task, write.access, write.channel) == (load, Access.WRITE, Channel.DECLARED)
    assert write.dataset == DatasetKey("x-lake://lake", "orders")


def test_a_consuming_task_reads_its_asset() -> None:
    payload = recorded("v3_assets")
    payload["assets"][0]["consuming_tasks"] = [{"dag_id": "other", "task_id": "look"}]
    accesses = {e.task: e.access for e in mapping.read_assets("af", [payload], 5.0).evidence}
    assert accesses == {
        key("shop_orders", "load"): Access.WRITE,
        key("other", "look"): Access.READ,
    }


def test_asset_events_are_dated_writes() -> None:
    event = next(iter(mapping.read_asset_events("af", recorded("v3_asset_events"))))
    assert (event.task, event.access) == (key("shop_orders", "load"), Access.WRITE)
    assert event.observed_at_s == pytest.approx(1795343772.875617)


@pytest.mark.parametrize(
    ("uri", "dataset"),
    [
        ("postgres://db:5432/lake/public/orders", ("postgres://db:5432", "lake.public.orders")),
        ("s3://bucket/raw/orders.csv", ("s3://bucket", "raw/orders.csv")),
        ("lake.orders", ("", "lake.orders")),
    ],
)
def test_assets_are_named_like_the_data_they_stand_for(uri: str, dataset: tuple[str, str]) -> None:
    assert mapping.dataset_of(uri) == DatasetKey(*dataset)


def test_runs() -> None:
    runs = {run.run_id: run for run in mapping.read_runs("af", recorded("v3_runs"))}
    run = runs["scheduled__2026-11-22T03:00:00+00:00"]
    assert run == Run(
        PipelineKey("af", "shop_orders"),
        "scheduled__2026-11-22T03:00:00+00:00",
        RunState.SUCCEEDED,
        scheduled_for_s=1795316400.0,
        started_at_s=1795343769.44266,
        ended_at_s=1795343773.789667,
    )
    manual = runs["manual__2026-11-22T10:36:08.465983+00:00"]
    assert manual.state is RunState.FAILED
    assert manual.scheduled_for_s == 1795343768.465983  # it has no logical date, only `run_after`


def test_runs_of_airflow_2() -> None:
    states = {r.pipeline.name: r.state for r in mapping.read_runs("af", recorded("v2_runs"))}
    assert states == {
        "shop_orders": RunState.SUCCEEDED,
        "shop_report": RunState.SUCCEEDED,
        "shop_wait": RunState.FAILED,
    }


@pytest.mark.parametrize(
    ("conf", "state"),
    [
        ({"swarm": {"left_out": "af/close#3"}}, RunState.SKIPPED),
        ({"swarm": {"label": "2026-11-22"}}, RunState.SUCCEEDED),
        ({"swarm": "left_out"}, RunState.SUCCEEDED),
        (None, RunState.SUCCEEDED),
    ],
)
def test_what_a_hand_left_out_has_made_nothing(conf: object, state: RunState) -> None:
    row = recorded("v3_runs")["dag_runs"][0] | {"state": "success", "conf": conf}
    (run,) = mapping.read_runs("af", {"dag_runs": [row]})
    assert run.state is state


def test_a_state_nobody_knows_is_not_an_error() -> None:
    payload = recorded("v3_runs")
    payload["dag_runs"][0]["state"] = "levitating"
    assert next(iter(mapping.read_runs("af", payload))).state is RunState.UNKNOWN


def test_backfilled_dags() -> None:
    assert mapping.backfilled_dags(recorded("v3_runs")) == {"shop_orders"}
    assert mapping.backfilled_dags(recorded("v2_runs")) == set()


@BOTH
def test_tries(version: str) -> None:
    tries = list(mapping.read_tries("af", recorded(f"{version}_tries")))
    states = {(t.run.task.task, t.run.state) for t in tries}
    assert states >= {
        ("make", RunState.SUCCEEDED),
        ("load", RunState.SUCCEEDED),
        ("wait", RunState.FAILED),
        ("kick", RunState.SKIPPED),
    }
    make = next(t for t in tries if t.run.task.task == "make")
    assert make.operator == "SQLExecuteQueryOperator"
    assert make.rendered["conn_id"] == "lake"
    assert make.run.attempt == 1
    assert make.seen_at_s == make.run.ended_at_s is not None


def test_an_instance_that_nobody_scheduled_is_no_try() -> None:
    payload = recorded("v3_tries")
    for row in payload["task_instances"]:
        row["state"] = None
    assert list(mapping.read_tries("af", payload)) == []


def test_instances_of_a_mapped_task_are_runs_of_their_own() -> None:
    payload = recorded("v3_tries")
    one, two = payload["task_instances"][:2]
    two.update(one, map_index=1)
    one["map_index"] = 0
    payload["task_instances"] = [one, two]
    first, second = mapping.read_tries("af", payload)
    assert first.run.task == second.run.task
    assert first.run.run_id == f"{one['dag_run_id']}[0]"
    assert second.run.run_id == f"{one['dag_run_id']}[1]"


@pytest.mark.parametrize(
    ("state", "folded"),
    [
        ("up_for_retry", RunState.FAILED),
        ("up_for_reschedule", RunState.RUNNING),
        ("deferred", RunState.RUNNING),
        ("scheduled", RunState.QUEUED),
        ("removed", RunState.CANCELLED),
        ("awaiting_moonlight", RunState.UNKNOWN),
    ],
)
def test_states_of_tries(state: str, folded: RunState) -> None:
    payload = recorded("v3_tries")
    row = payload["task_instances"][0]
    row["state"] = state
    payload["task_instances"] = [row]
    (found,) = mapping.read_tries("af", payload)
    assert isinstance(found.run, TaskRun)
    assert found.run.state is folded


@BOTH
def test_pools(version: str) -> None:
    pools = list(mapping.read_pools("af", recorded(f"{version}_pools")))
    assert pools == [Pool("af", "default_pool", 128), Pool("af", "lake_pool", 3)]


def test_a_pool_of_minus_one_slots_has_no_limit() -> None:
    payload = recorded("v3_pools")
    payload["pools"][0].update(slots=-1, running_slots=7, queued_slots=2)
    assert next(iter(mapping.read_pools("af", payload))) == Pool("af", "default_pool", None, 7, 2)


def test_backfills() -> None:
    payload = recorded("v3_backfills")
    (row,) = payload["backfills"]
    row["completed_at"] = None
    pipeline, times = PipelineKey("af", "shop_orders"), (1794268800.0, 1794438000.0)
    running = Backfill(pipeline, "1", "running", *times)
    assert list(mapping.read_backfills("af", payload)) == [running]
    row["is_paused"] = True
    assert next(iter(mapping.read_backfills("af", payload))).state == "paused"
    row["completed_at"] = "2026-11-22T10:53:05Z"
    assert next(iter(mapping.read_backfills("af", payload))).state == "completed"


@BOTH
def test_import_errors_show_the_last_line_and_belong_to_the_instance(version: str) -> None:
    (error,) = mapping.read_import_errors("af", recorded(f"{version}_import_errors"))
    assert error == Unresolved(
        "af",
        UnresolvedReason.IMPORT_ERROR,
        {"v3": "broken.py", "v2": "/dags/broken.py"}[version],
        "ModuleNotFoundError: No module named 'a_module_that_is_not_there'",
    )


def test_versions_grow_with_time() -> None:
    payload = recorded("v3_versions")
    versions = list(mapping.read_versions(payload))
    assert versions == sorted(versions, reverse=True)
    dates = [row["created_at"] for row in payload["dag_versions"]]
    assert dates == sorted(dates, reverse=True)
