"""Runs every pipeline once, through its real orchestrator, and waits for the end of all."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm.demo import http, survivor
from swarm.demo.airflow_server import Airflow
from swarm.demo.dagster_server import Dagster
from swarm.demo.prefect_server import POOL, Prefect
from swarm.demo.processes import LabError
from swarm.demo.progress import Progress

NEVER_RUN = frozenset({"ops_season_closing"})
_TIMEOUT_S = 300.0
_PASS_S = 0.5
_LOG_CHARACTERS = 3000

_JOBS = """{repositoriesOrError{... on RepositoryConnection
  {nodes{name location{name} jobs{name}}}}}"""
_LAUNCH = """mutation($selector: JobOrPipelineSelector!){launchRun(executionParams:
  {selector: $selector}){__typename ... on LaunchRunSuccess{run{runId}}
  ... on PythonError{message} ... on RunConfigValidationInvalid{errors{message}}}}"""
_RUNS = "{runsOrError(limit: 200){... on Runs{results{runId jobName status}}}}"
_LOG = """query($id: ID!){logsForRun(runId: $id){... on EventConnection{events
  {__typename ... on MessageEvent{message} ... on ExecutionStepFailureEvent
  {error{message stack}}}}}}"""


def run_airflow(airflow: Airflow, progress: Progress) -> int:
    """Trigger each DAG once and wait. Returns their number; raises `LabError` with the log."""
    dags = [dag["dag_id"] for dag in http.call("GET", f"{airflow.api}/dags?limit=100")["dags"]]
    dags = [dag for dag in dags if dag not in NEVER_RUN and dag != survivor.NAME]
    # All runs wait in their paused DAGs until the last is there: a server on SQLite that takes
    # new runs while tasks start keeps them waiting for its database.
    for dag in dags:
        http.call("POST", f"{airflow.api}/dags/{dag}/dagRuns", {"logical_date": None})
    _pause(f"{airflow.api}/dags?dag_id_pattern=%25&", paused=False)
    for dag in NEVER_RUN:
        _pause(f"{airflow.api}/dags/{dag}?", paused=True)

    def states() -> dict[str, str]:
        runs = http.call("GET", f"{airflow.api}/dags/~/dagRuns?limit=100")["dag_runs"]
        return {run["dag_id"]: run["state"] for run in runs}

    def log(dag: str) -> str:
        return _airflow_log(airflow, dag)

    _wait(_Course("Airflow", states, "success", "failed", log), dags, progress)
    return len(dags)


def wait_for_dags(airflow: Airflow, code: Path) -> None:
    """Wait until every DAG of the folder is loaded; raises `LabError` with the import errors."""
    wanted = sum(file.read_text().count("with DAG(") for file in code.glob("*.py"))
    deadline_s = time.monotonic() + _TIMEOUT_S
    while http.call("GET", f"{airflow.api}/dags?limit=1")["total_entries"] < wanted:
        errors = http.call("GET", f"{airflow.api}/importErrors")["import_errors"]
        if errors:
            raise LabError(f"Airflow cannot import a pipeline: {errors[0]['stack_trace']}")
        if time.monotonic() > deadline_s:
            raise LabError(f"Airflow did not load {wanted} DAGs within {_TIMEOUT_S:.0f} s.")
        time.sleep(_PASS_S)


def run_dagster(dagster: Dagster, progress: Progress) -> int:
    """Launch each job once and wait. Returns their number; raises `LabError` with the log."""
    (repository,) = http.graphql(dagster.graphql, _JOBS)["repositoriesOrError"]["nodes"]
    ids = {}
    for job in repository["jobs"]:
        if job["name"].startswith("__"):
            continue
        selector = {
            "repositoryLocationName": repository["location"]["name"],
            "repositoryName": repository["name"],
            "jobName": job["name"],
        }
        answer = http.graphql(dagster.graphql, _LAUNCH, selector=selector)["launchRun"]
        if "run" not in answer:
            raise LabError(f"Dagster does not launch {job['name']}: {json.dumps(answer)}")
        ids[job["name"]] = answer["run"]["runId"]

    def states() -> dict[str, str]:
        runs = http.graphql(dagster.graphql, _RUNS)["runsOrError"]["results"]
        return {run["jobName"]: run["status"] for run in runs}

    def log(job: str) -> str:
        return json.dumps(http.graphql(dagster.graphql, _LOG, id=ids[job]))[-_LOG_CHARACTERS:]

    _wait(_Course("Dagster", states, "SUCCESS", "FAILURE", log), list(ids), progress)
    return len(ids)


def register_flows(prefect: Prefect, deployments: Path, folder: Path) -> None:
    """Create the deployments of the file; their flows run with `folder` as working directory. A
    queue of its own is the first of the pool."""
    for wanted in json.loads(deployments.read_text()):
        queue = wanted.get("queue", "default")
        if queue != "default":
            first = {"name": queue, "priority": 1}
            http.call("POST", f"{prefect.api}/work_pools/{POOL}/queues", first)
        flow = http.call("POST", f"{prefect.api}/flows/", {"name": wanted["flow"]})
        http.call(
            "POST",
            f"{prefect.api}/deployments/",
            {
                "name": wanted["deployment"],
                "flow_id": flow["id"],
                "path": str(folder),
                "entrypoint": wanted["entrypoint"],
                "work_pool_name": POOL,
                "work_queue_name": queue,
                "job_variables": {"working_dir": str(folder)},
                "enforce_parameter_schema": False,
                "tags": wanted["tags"],
                # Only shown: the lab starts the runs itself.
                "schedules": [{"schedule": {"cron": wanted["cron"]}, "active": False}],
            },
        )


def run_prefect(prefect: Prefect, progress: Progress) -> int:
    """Run each deployment once and wait. Returns their number; raises `LabError` with the log."""
    names = {}
    for deployment in deployments(prefect):
        url = f"{prefect.api}/deployments/{deployment['id']}/create_flow_run"
        names[http.call("POST", url, {})["id"]] = deployment["name"]

    def states() -> dict[str, str]:
        runs = http.call("POST", f"{prefect.api}/flow_runs/filter", {"limit": 200})
        ended = {"CRASHED": "FAILED", "CANCELLED": "FAILED"}
        return {run["id"]: ended.get(run["state_type"], run["state_type"]) for run in runs}

    def log(run: str) -> str:
        wanted = {"logs": {"flow_run_id": {"any_": [run]}}, "limit": 200}
        lines = http.call("POST", f"{prefect.api}/logs/filter", wanted)
        text = "\n".join(line["message"] for line in lines)
        return f"{names[run]}: {text[-_LOG_CHARACTERS:]}"

    _wait(_Course("Prefect", states, "COMPLETED", "FAILED", log), list(names), progress)
    return len(names)


def deployments(prefect: Prefect) -> list[dict[str, Any]]:
    """All deployments as Prefect returns them."""
    found: list[dict[str, Any]] = http.call(
        "POST", f"{prefect.api}/deployments/filter", {"limit": 200}
    )
    return found


def flow_name(prefect: Prefect, flow_id: str) -> str:
    return str(http.call("GET", f"{prefect.api}/flows/{flow_id}")["name"])


@dataclass(frozen=True, slots=True)
class _Course:
    """How to follow the runs of one orchestrator: the states by name, which of them is the good
    end and which the bad, and how to get a run's log."""

    orchestrator: str
    states: Callable[[], dict[str, str]]
    good: str
    bad: str
    log: Callable[[str], str]


def _wait(course: _Course, wanted: list[str], progress: Progress) -> None:
    deadline_s = time.monotonic() + _TIMEOUT_S
    while True:
        now = course.states()
        for name in wanted:
            if now.get(name) == course.bad:
                raise LabError(f"{course.orchestrator}: {name} failed:\n{course.log(name)}")
        left = [name for name in wanted if now.get(name) != course.good]
        progress.report(course.orchestrator, len(wanted) - len(left), len(wanted))
        if not left:
            return
        if time.monotonic() > deadline_s:
            late = f"{left} did not end within {_TIMEOUT_S:.0f} s"
            raise LabError(f"{course.orchestrator}: {late}.")
        time.sleep(_PASS_S)


def _pause(url: str, *, paused: bool) -> None:
    http.call("PATCH", f"{url}update_mask=is_paused", {"is_paused": paused})


def _airflow_log(airflow: Airflow, dag: str) -> str:
    url = f"{airflow.api}/dags/{dag}/dagRuns/~/taskInstances"
    failed = http.call("GET", f"{url}?state=failed&limit=1")["task_instances"]
    if not failed:
        return "no task of it failed"
    task, run = failed[0]["task_id"], failed[0]["dag_run_id"]
    url = f"{airflow.api}/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/1"
    return f"{task}: {json.dumps(http.call('GET', url))[-_LOG_CHARACTERS:]}"
