"""Airflow's part of `orchestrator_failover`: a real Airflow 3 whose tasks run on swarm."""

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.orchestrator_world import ROOT, Kill, World, until
from benchmarks.report import progress
from swarm.demo import airflow_server, environments, http, runs
from swarm.demo.processes import Processes, Site

# On Airflow 3.3 with LocalExecutor and its own settings: supervisor, task and their parent killed
# with -9. `task_instance_heartbeat_timeout` is 300 s.
STOCK: Mapping[str, float] = {
    "stock_airflow_detected_s": 306.8,
    "stock_airflow_running_again_s": 309.0,
    "stock_airflow_retries_spent": 1,
}

_LAB = ROOT / ".lab"
_DAG = '''"""Written by benchmarks.orchestrator_airflow."""

import os
import time
from datetime import datetime
from pathlib import Path

from airflow.sdk import DAG, task


def tell(name):
    with (Path(os.environ["FAILOVER_FOLDER"]) / name).open("a") as file:
        file.write(f"{time.time()}\\n")


with DAG("failover", schedule=None, start_date=datetime(2026, 1, 1), default_args={"retries": 2}):

    @task
    def before(run_id=None):
        tell(f"{run_id}.before")

    @task
    def work(run_id=None):
        tell(run_id)
        if os.environ["SWARM_GRANT"] == "1":
            time.sleep(600)

    before() >> work()
'''


@dataclass(frozen=True, slots=True)
class _Airflow:
    api: str
    told: Path

    def trigger(self) -> str:
        body = {"logical_date": None}
        return str(http.call("POST", f"{self.api}/dags/failover/dagRuns", body)["dag_run_id"])

    def ended(self, run: str) -> bool:
        found = http.call("GET", f"{self.api}/dags/failover/dagRuns/{run}")
        return found["state"] in ("success", "failed")

    def tries(self, run: str) -> list[dict[str, Any]]:
        url = f"{self.api}/dags/failover/dagRuns/{run}/taskInstances/work/tries"
        return list(http.call("GET", url)["task_instances"])

    def times_s(self, name: str) -> list[float]:
        file = self.told / name
        return [float(line) for line in file.read_text().splitlines()] if file.exists() else []


def kills(world: World, rounds: int) -> list[Kill]:
    """Kill the worker under so many tasks, one after the other."""
    processes = Processes(f"failover-{uuid.uuid4().hex}", world.folder)
    try:
        airflow = _start(processes, world)
        return [_kill(airflow, world, number) for number in range(1, rounds + 1)]
    finally:
        processes.stop_all()


def _kill(airflow: _Airflow, world: World, number: int) -> Kill:
    run = airflow.trigger()
    until("the task runs", lambda: airflow.times_s(run))
    task = world.running_task()
    at_s = world.kill_worker()
    until("the task runs again", lambda: len(airflow.times_s(run)) > 1)
    until("the run has ended", lambda: airflow.ended(run))
    tries = airflow.tries(run)
    again_s = airflow.times_s(run)[1]
    assert [one["state"] for one in tries][-1] == "success", tries
    found = Kill(
        detected_s=world.told_at_s(task, "grant 1 lost") - at_s,
        again_s=again_s - at_s,
        start_s=again_s - world.told_at_s(task, "grant 2 runs"),
        retries=max(one["try_number"] for one in tries) - 1,
        repeated=len(airflow.times_s(f"{run}.before")) - 1,
    )
    progress(f"airflow {number}: {found}")
    return found


def _start(processes: Processes, world: World) -> _Airflow:
    wanted = environments.AIRFLOW
    bin_ = environments.ensure(_LAB / "envs", wanted, progress)
    dags, told = world.folder / "dags", world.folder / "told"
    shutil.rmtree(dags, ignore_errors=True)
    dags.mkdir()
    told.mkdir()
    (dags / "failover.py").write_text(_DAG)
    env = {"FAILOVER_FOLDER": str(told), "PYTHONPATH": str(ROOT)}
    site = Site(bin_, world.folder / "home", dags, world.folder, env)
    template = _LAB / "templates" / f"{wanted.name}-{environments.digest(wanted)[:12]}"
    more = {
        "AIRFLOW__CORE__EXECUTOR": "swarm.plugins.airflow.SwarmExecutor",
        "AIRFLOW__SWARM__URL": world.url,
        "AIRFLOW__SWARM__TOKEN_FILE": str(world.token_file),
        "AIRFLOW__SWARM__PASS_ENV": "FAILOVER_FOLDER",
    }
    started = airflow_server.start(processes, site, None, template, more)()
    runs.wait_for_dags(started, dags)
    url = f"{started.api}/dags/failover?update_mask=is_paused"
    http.call("PATCH", url, {"is_paused": False})
    return _Airflow(started.api, told)
