"""A DAG of the lab's Airflow whose task runs on swarm's workers and outlives one of them.

All other DAGs stay with Airflow's own executor beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from swarm.demo import http
from swarm.demo.airflow_server import Airflow

NAME = "survivor"
_TASK = "work"

# Under its first grant it would run for long; under a later one it ends. It returns when it began.
_DAG = f'''"""Runs on swarm."""

import os
import time

from airflow.sdk import DAG, task

with DAG("{NAME}", schedule=None, default_args={{"retries": 0}}):

    @task(task_id="{_TASK}", executor="SwarmExecutor")
    def work():
        began_s = time.time()
        if os.environ["SWARM_GRANT"] == "1":
            time.sleep(600)
        return began_s

    work()
'''


@dataclass(frozen=True, slots=True)
class Workers:
    """A swarm that an Airflow may hand tasks to."""

    url: str
    token_file: Path


@dataclass(frozen=True, slots=True)
class End:
    """How the task ended. `tries` is how many Airflow counts, `began_s` when it began last, in
    seconds since the epoch."""

    state: str
    tries: int
    began_s: float


def install(workers: Workers, code: Path, plugins: Path) -> Mapping[str, str]:
    """Put the DAG into Airflow's folder `code` and swarm, alone, into `plugins`; the variables by
    which an Airflow uses both."""
    (code / f"{NAME}.py").write_text(_DAG, encoding="utf-8")
    plugins.mkdir()
    # Not where swarm is installed: its neighbours there are not for Airflow's environment.
    (plugins / "swarm").symlink_to(str(resources.files("swarm")))
    return {
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor,swarm.plugins.airflow.SwarmExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__SWARM__URL": workers.url,
        "AIRFLOW__SWARM__TOKEN_FILE": str(workers.token_file),
    }


def trigger(airflow: Airflow) -> str:
    """Start a run; its id."""
    dag = f"{airflow.api}/dags/{NAME}"
    http.call("PATCH", f"{dag}?update_mask=is_paused", {"is_paused": False})
    run = http.call("POST", f"{dag}/dagRuns", {"logical_date": None})["dag_run_id"]
    return str(run)


def runs(airflow: Airflow, run: str) -> bool:
    """Does its task run now?"""
    return bool(http.call("GET", _instance(airflow, run))["state"] == "running")


def ended(airflow: Airflow, run: str) -> End | None:
    """Its end, once it is there."""
    instance = http.call("GET", _instance(airflow, run))
    if instance["state"] not in ("success", "failed"):
        return None
    tries = http.call("GET", f"{_instance(airflow, run)}/tries")["task_instances"]
    began_s = 0.0
    if instance["state"] == "success":
        told = http.call("GET", f"{_instance(airflow, run)}/xcomEntries/return_value")
        began_s = float(told["value"])
    return End(str(instance["state"]), len(tries), began_s)


def _instance(airflow: Airflow, run: str) -> str:
    return f"{airflow.api}/dags/{NAME}/dagRuns/{run.replace('+', '%2B')}/taskInstances/{_TASK}"
