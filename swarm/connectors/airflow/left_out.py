"""Runs that are left out, in an orchestrator that makes one for each tick of a DAG that goes on.

Such a run is made while its DAG is paused, and each of its tasks is skipped before any can begin.
So Airflow has a run for that tick and makes no other; it ends it as a success with nothing done,
as its own operators do that skip what is late. Its `conf` says that it was left out.
"""

import contextlib

from swarm.connectors.airflow.http import AirflowHttp, quoted
from swarm.connectors.http_answers import Contradicts

_SKIPPED = "skipped"


def conf_of(intent_id: str) -> dict[str, object]:
    """Of a run that is left out; `mapping.is_left_out` knows it by that."""
    return {"swarm": {"left_out": intent_id}}


def skip_all(http: AirflowHttp, dag_id: str, run_id: str) -> None:
    """Skip every task of a run that waits in a paused DAG; those that are stay so."""
    instances = f"/dags/{quoted(dag_id)}/dagRuns/{quoted(run_id)}/taskInstances"
    body: dict[str, object] = {"new_state": _SKIPPED}
    if http.major < 3:
        body["dry_run"] = False
    rows = [
        (str(row["task_id"]), int(row["map_index"]))
        for page in http.pages(instances, "task_instances")
        for row in page["task_instances"]
        if row["state"] != _SKIPPED
    ]
    for task_id, map_index in rows:
        mapped = f"/{map_index}" if map_index >= 0 else ""
        with contextlib.suppress(Contradicts):  # it is skipped already
            http.write("PATCH", f"{instances}/{quoted(task_id)}{mapped}", body)
