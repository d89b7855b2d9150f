"""Which pipelines runs belong to, and what one strange row of Prefect's costs."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from swarm.connectors.cursors import TRIED_RUNS
from swarm.connectors.payloads import Payloads
from swarm.connectors.prefect.mapping import define, map_capacity, read_definitions
from swarm.connectors.prefect.runs import ByHand, Homes, UnderWay, backfills
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Unresolved, UnresolvedReason
from swarm.model.pipelines import Backfill, Pool
from swarm.model.runs import Run, TaskRun

PAYLOADS = Path(__file__).parent / "prefect_payloads"
PREFECT = Payloads("pf", "Prefect 3")


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def homes() -> Homes:
    return Homes(define("pf", payload("flows"), payload("deployments")), PREFECT)


def strange(found: list[Unresolved]) -> list[tuple[str, str]]:
    assert {one.reason for one in found} <= {UnresolvedReason.MALFORMED}
    return [(one.subject, one.place) for one in found]


def test_runs_are_grouped_with_the_runs_of_their_tasks() -> None:
    where = homes()
    rows, odd = where.sound_runs(payload("flow_runs"))
    tasks, more = where.name_tasks(payload("task_runs"))
    assert [*odd, *more] == []
    items = [item for _, group in where.groups(rows, tasks) for item in group]
    assert {item.pipeline.name for item in items if isinstance(item, Run)} == {
        "visits/lab",
        "assets/lab",
        "failing/lab",
    }
    assert any(isinstance(item, TaskRun) for item in items)


VISITS = PipelineKey("pf", "visits/lab")


def test_of_each_deployment_so_many_past_runs_are_asked_for_their_tasks_as_are_kept() -> None:
    tried: Counter[PipelineKey] = Counter()
    visits = [a_visit() | {"id": number} for number in range(TRIED_RUNS + 20)]
    assert homes().wanted(visits[:60], tried) == visits[:60]
    assert homes().wanted(visits[60:], tried) == visits[60:TRIED_RUNS]
    called = {"id": "called", "parent_task_run_id": "x", "deployment_id": None, "flow_id": "y"}
    # No flow that is asked about can have called it.
    assert homes().wanted([*visits[:3], called], tried) == []
    other = next(row for row in payload("flow_runs") if _home(row) not in (None, VISITS))
    assert homes().wanted([visits[0], called, other], tried) == [other, called]
    nobody = a_visit() | {"deployment_id": None, "flow_id": "y"}
    assert homes().wanted([nobody], tried) == []


def _home(row: Any) -> PipelineKey | None:
    found = define("pf", payload("flows"), payload("deployments"))
    home = found.deployment_of(row["deployment_id"], row["flow_id"])
    return home.pipeline.key if home and not row.get("parent_task_run_id") else None


def a_visit() -> dict[str, Any]:
    """A run under way of a deployment that has a schedule; nobody scheduled it."""
    deployments = define("pf", payload("flows"), payload("deployments")).deployments
    [visits] = [id_ for id_, one in deployments.items() if one.pipeline.key == VISITS]
    row: dict[str, Any] = payload("flow_runs")[0]
    return row | {"deployment_id": visits, "state_type": "RUNNING", "auto_scheduled": False}


def by_hand(count: int = 1, **more: object) -> list[ByHand]:
    """What is told of so many."""
    return list(homes().by_hand([a_visit() | more] * count))


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({}, True),
        ({"state_type": "SCHEDULED"}, True),
        ({"state_type": "COMPLETED"}, False),
        ({"auto_scheduled": True}, False),
        ({"parent_task_run_id": "x"}, False),  # a flow started it
        ({"created_by": {"type": "AUTOMATION"}}, False),
        ({"created_by": {"type": "USER"}}, True),
        ({"tags": ["swarm"]}, False),  # a link started it
        ({"deployment_id": None}, False),
    ],
)
def test_whose_runs_may_be_a_backfill(more: dict[str, object], counts: bool) -> None:
    assert [(run.pipeline, run.is_tagged) for run in by_hand(**more)] == [(VISITS, False)] * counts


def test_without_a_schedule_runs_by_hand_are_no_backfill_unless_they_are_tagged() -> None:
    bare = [row | {"schedules": []} for row in payload("deployments")]
    where = Homes(define("pf", payload("flows"), bare), PREFECT)
    assert list(where.by_hand([a_visit()])) == []
    [run] = where.by_hand([a_visit() | {"tags": ["Backfill"]}])
    assert (run.pipeline, run.is_tagged) == (VISITS, True)


def running(since_s: float, left: int) -> Backfill:
    return Backfill(VISITS, "backfill", "running", since_s=since_s, left=left)


NOW_S = 1_000.0
WAITS: dict[str, object] = {"state_type": "SCHEDULED", "expected_start_time": None}


def test_a_backfill_is_many_runs_by_hand_at_once_until_the_last_of_them() -> None:
    assert backfills(by_hand(4, **WAITS), {}, NOW_S) == ({}, [])
    five, one = UnderWay(NOW_S, 5), UnderWay(NOW_S, 1)
    assert backfills(by_hand(5, **WAITS), {}, NOW_S) == ({VISITS: five}, [running(NOW_S, 5)])
    assert backfills(by_hand(1, **WAITS), {VISITS: five}, 2_000.0) == (
        {VISITS: one},
        [running(NOW_S, 1)],
    )
    assert backfills(by_hand(1, **WAITS), {VISITS: one}, 3_000.0) == ({VISITS: one}, [])
    over = Backfill(VISITS, "backfill", "completed")
    assert backfills([], {VISITS: one}, 4_000.0) == ({}, [over])
    tagged = by_hand(1, **WAITS, tags=["backfill"])
    assert backfills(tagged, {}, NOW_S) == ({VISITS: one}, [running(NOW_S, 1)])


def test_the_runs_of_a_backfill_are_due_since_the_first_of_them_was() -> None:
    due = [{"expected_start_time": f"1970-01-01T00:0{minute}:00Z"} for minute in (7, 5, 6)]
    runs = [run for more in (*due, WAITS, WAITS) for run in by_hand(**more)]
    assert backfills(runs, {}, NOW_S) == ({VISITS: UnderWay(300.0, 5)}, [running(300.0, 5)])


def test_a_strange_flow_run_costs_itself_and_names_its_pipeline() -> None:
    rows = payload("flow_runs")
    whole = homes().groups(rows, ())
    [flow_run] = [row for row in rows if row["id"] == whole[0][0]]
    flow_run["start_time"] = "yesterday"
    sound, odd = homes().sound_runs(rows)
    deployments = define("pf", payload("flows"), payload("deployments")).deployments
    name = deployments[flow_run["deployment_id"]].pipeline.key.name
    assert strange(odd) == [(f"pf/{name}", "flow runs")]
    assert homes().groups(sound, ()) == whole[1:]


def test_a_strange_task_run_costs_itself() -> None:
    rows = payload("task_runs")
    sound, odd = homes().name_tasks([*rows, {"id": "x"}, None])
    assert sound == rows
    assert strange(odd) == [("pf", "task runs")] * 2


def test_a_strange_deployment_costs_itself_and_is_named() -> None:
    rows = payload("deployments")
    rows[0]["schedules"] = [{"active": True}]
    found, odd = read_definitions(PREFECT, payload("flows"), rows)
    whole = define("pf", payload("flows"), payload("deployments")).deployments
    assert found.deployments == {key: one for key, one in whole.items() if key != rows[0]["id"]}
    assert strange(odd) == [(f"pf/{whole[rows[0]['id']].pipeline.key.name}", "deployments")]


def test_when_no_flow_can_be_read_it_is_no_prefect() -> None:
    with pytest.raises(KeyError):
        read_definitions(PREFECT, [{"id": 1}], [])


def test_a_strange_pool_costs_itself() -> None:
    pools = [*payload("pools"), {"name": "odd", "concurrency_limit": "many"}]
    *found, odd = map_capacity(PREFECT, pools, payload("queues"))
    assert all(isinstance(pool, Pool) for pool in found)
    assert len(found) == len(payload("pools")) + len(payload("queues"))
    assert isinstance(odd, Unresolved)
    assert strange([odd]) == [("pf", "work pools")]
