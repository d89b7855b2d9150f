"""Airflow's part of `orchestrator_failover`: a real Airflow 3 whose tasks run on swarm, or by
itself."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.live_swarm import LiveSwarm, until
from benchmarks.orchestrator_world import ROOT, Kill, after_kill, kill_below, p95, times_s
from benchmarks.report import Figures, progress
from swarm.demo import airflow_server, environments, http, runs
from swarm.demo.processes import Processes, Server, Site

# As `stock` found them on Airflow 3.3.2: three tasks, killed together, one retry spent of each. Of
# its settings `task_instance_heartbeat_timeout` decides, which is 300 s.
RECORDED: Mapping[str, float] = {
    "stock_airflow_detected_p95_s": 309.3,
    "stock_airflow_running_again_p95_s": 310.5,
}

_STOCK_TASKS = 3
_STOCK_TIMEOUT_S = 600.0
_LAB = ROOT / ".lab"
_DAG = '''"""Written by benchmarks.orchestrator_airflow."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, task


def tell(name):
    file = Path(os.environ["FAILOVER_FOLDER"]) / name
    is_first = not file.exists()
    with file.open("a") as lines:
        lines.write(f"{time.time()} {os.getpid()}\\n")
    return is_first


AGAIN = {"retries": 2, "retry_delay": timedelta(0)}
with DAG("failover", schedule=None, start_date=datetime(2026, 1, 1), default_args=AGAIN):

    @task
    def before(run_id=None):
        tell(f"{run_id}.before")

    @task
    def work(run_id=None):
        if tell(run_id):
            time.sleep(900)

    before() >> work()
'''


@dataclass(frozen=True, slots=True)
class _Airflow:
    api: str
    scheduler: Server
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

    def retries(self, run: str) -> int:
        return max(int(one["try_number"]) for one in self.tries(run)) - 1

    def times_s(self, name: str) -> list[float]:
        return times_s(self.told / name)


def kills(swarm: LiveSwarm, folder: Path, rounds: int) -> list[Kill]:
    """Kill the worker under so many tasks, one after the other."""
    processes = Processes(f"failover-{uuid.uuid4().hex}", folder)
    more = {
        "AIRFLOW__CORE__EXECUTOR": "swarm.plugins.airflow.SwarmExecutor",
        "AIRFLOW__SWARM__URL": swarm.url,
        "AIRFLOW__SWARM__TOKEN_FILE": str(swarm.token_file),
        "AIRFLOW__SWARM__PASS_ENV": "FAILOVER_FOLDER",
    }
    try:
        airflow = _start(processes, folder, more)
        return [_kill(airflow, swarm, number) for number in range(1, rounds + 1)]
    finally:
        processes.stop_all()


def stock(folder: Path) -> Figures:
    """Airflow by itself: some tasks at once, and of each the process, its supervisor and the worker
    of the `LocalExecutor` above them are killed. Takes six minutes."""
    processes = Processes(f"failover-{uuid.uuid4().hex}", folder)
    try:
        airflow = _start(processes, folder, {})
        started = [airflow.trigger() for _ in range(_STOCK_TASKS)]
        until("the tasks run", lambda: all(airflow.times_s(run) for run in started))
        killed_s = {run: kill_below(airflow.scheduler, airflow.told / run) for run in started}
        again = "the tasks run again"
        until(again, lambda: all(airflow.times_s(run)[1:] for run in started), _STOCK_TIMEOUT_S)
        first = {run: airflow.tries(run)[0]["end_date"] for run in started}
        seen_s = {run: datetime.fromisoformat(at).timestamp() for run, at in first.items()}
        return {
            "stock_airflow_detected_p95_s": p95([seen_s[run] - killed_s[run] for run in started]),
            "stock_airflow_running_again_p95_s": p95(
                [airflow.times_s(run)[1] - killed_s[run] for run in started]
            ),
        }
    finally:
        processes.stop_all()


def _kill(airflow: _Airflow, swarm: LiveSwarm, number: int) -> Kill:
    run = airflow.trigger()
    until("the task runs", lambda: airflow.times_s(run))
    task = swarm.running_task()
    at_s = swarm.kill_worker()
    until("the task runs again", lambda: len(airflow.times_s(run)) > 1)
    until("the run has ended", lambda: airflow.ended(run))
    again_s = airflow.times_s(run)[1]
    assert airflow.tries(run)[-1]["state"] == "success", airflow.tries(run)
    repeated = len(airflow.times_s(f"{run}.before")) - 1
    found = after_kill(swarm, task, at_s, again_s, airflow.retries(run), repeated)
    progress(f"airflow {number}: {found}")
    return found


def _start(processes: Processes, folder: Path, more: Mapping[str, str]) -> _Airflow:
    wanted = environments.AIRFLOW
    bin_ = environments.ensure(_LAB / "envs", wanted, progress)
    dags, told = folder / "dags", folder / "told"
    dags.mkdir()
    told.mkdir()
    (dags / "failover.py").write_text(_DAG)
    env = {"FAILOVER_FOLDER": str(told), "PYTHONPATH": str(ROOT)}
    site = Site(bin_, folder / "home", dags, folder, env)
    template = _LAB / "templates" / f"{wanted.name}-{environments.digest(wanted)[:12]}"
    started = airflow_server.start(processes, site, None, template, more)()
    runs.wait_for_dags(started, dags)
    url = f"{started.api}/dags/failover?update_mask=is_paused"
    http.call("PATCH", url, {"is_paused": False})
    scheduler = next(one for one in started.servers if one.name == "airflow-scheduler")
    return _Airflow(started.api, scheduler, told)
