"""A real Airflow whose tasks run on a real swarm."""

import contextlib
import os
import shutil
import signal
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.live_swarm import LiveSwarm
from swarm.demo import airflow_server, environments, http, runs
from swarm.demo.processes import Processes, Server, Site, free_ports
from swarm.demo.templates import restore
from tests.integration.places import ENVIRONMENTS, LAB
from tests.integration.plugins.watching import eventually

ROOT = Path(__file__).parents[3]
DAGS = Path(__file__).parent / "airflow_dags"
DAGS_2 = Path(__file__).parent / "airflow2_dags"
# By default a scheduler counts as dead after 30 s, and what it left is looked for every 300 s.
SOON = {
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "8",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "2",
}


@dataclass
class Scheduled:
    """A running scheduler of Airflow; its tasks tell of themselves in files in `folder`."""

    folder: Path
    processes: Processes
    scheduler: Server
    site: Site
    env: Mapping[str, str]

    def told(self, name: str) -> list[int]:
        """The grants under which a task ran, as it wrote them down itself."""
        file = self.folder / name
        return [int(line.split()[0]) for line in _lines(file)]

    def failures(self, run: str) -> int:
        """How often the callback for failures was called."""
        return len(_lines(self.folder / f"{run}.failures"))

    def go(self, run: str) -> None:
        """Let the task end that waits to be told."""
        (self.folder / f"{run}.go").touch()

    def swarm_id(self, run: str) -> str:
        """What the task `work` is called in swarm, once Airflow knows that."""
        return self._of_work("external_executor_id", run) or ""

    def scheduler_job(self, run: str) -> int:
        """Which scheduler looks after the task `work`."""
        return int(self._of_work("queued_by_job_id", run))

    def tries(self, run: str) -> list[tuple[int, str]]:
        """The tries of the task `work` that Airflow counts, with their ends."""
        past = "SELECT try_number, state FROM task_instance_history"
        rows = self.rows(f"{past} WHERE run_id = ? AND task_id = 'work'", run)
        return [*rows, (self._of_work("try_number", run), self._of_work("state", run))]

    def ended(self, run: str) -> str:
        """Wait for the end of a run; its state."""
        wanted = "SELECT state FROM dag_run WHERE run_id = ? AND state IN ('success', 'failed')"
        return str(eventually(lambda: self.rows(wanted, run))[0][0])

    def said(self, run: str, event: str) -> list[str]:
        """The texts of an event in Airflow's own log of a run, once there is one: a scheduler that
        is slow writes it when the run has gone on."""
        wanted = "SELECT coalesce(extra, '') FROM log WHERE run_id = ? AND event = ? ORDER BY id"
        return [text for (text,) in eventually(lambda: self.rows(wanted, run, event))]

    def newest_scheduler(self) -> int:
        """The job of the scheduler that began last and has gone round once."""
        live = "job_type = 'SchedulerJob' AND latest_heartbeat > start_date"
        return int(self.rows(f"SELECT max(id) FROM job WHERE {live}")[0][0])

    def rows(self, query: str, *values: str) -> list[Any]:
        """What Airflow's database answers."""
        with contextlib.closing(sqlite3.connect(self.site.home / "airflow.db", timeout=60)) as db:
            return db.execute(query, values).fetchall()

    def _of_work(self, column: str, run: str) -> Any:
        wanted = f"SELECT {column} FROM task_instance WHERE run_id = ? AND task_id = 'work'"
        return self.rows(wanted, run)[0][0]

    def restart_killed_scheduler(
        self, more: Mapping[str, str], meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        """End the scheduler by SIGKILL, then start another one with more settings."""
        self.kill_scheduler(self.scheduler)
        meanwhile()
        self.start_scheduler(more)

    def kill_scheduler(self, scheduler: Server) -> None:
        os.killpg(scheduler.process.pid, signal.SIGKILL)
        scheduler.process.wait()

    def start_scheduler(self, more: Mapping[str, str]) -> None:
        """Start another one, beside those that run, with more settings."""
        health_port, log_port = free_ports(2)
        ports = {
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(health_port),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_port),
        }
        command = [str(self.site.bin / "airflow"), "scheduler"]
        env = {**self.env, **ports, **more}
        self.scheduler = self.processes.start("airflow-scheduler", command, env, self.site.cwd)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


@dataclass
class Airflow(Scheduled):
    """An Airflow 3."""

    api: str

    def call(self, method: str, path: str, body: object = None) -> Any:
        return http.call(method, f"{self.api}{path}", body)

    def trigger(self, dag: str) -> str:
        """Start a run; its id."""
        self.call("PATCH", f"/dags/{dag}?update_mask=is_paused", {"is_paused": False})
        run = self.call("POST", f"/dags/{dag}/dagRuns", {"logical_date": None})
        return str(run["dag_run_id"])

    def instance(self, run: str) -> str:
        """The id of the instance of the task `work`."""
        return str(self._of_work("id", run))


@dataclass
class Airflow2(Scheduled):
    """An Airflow 2.11 without its web server."""

    def trigger(self, dag: str) -> str:
        """Start a run; its id."""
        run = f"{dag}-{uuid.uuid4().hex[:8]}"
        command = [str(self.site.bin / "airflow"), "dags", "trigger", "--run-id", run, dag]
        self.processes.run("airflow-trigger", command, self.env, self.site.cwd)
        return run


@contextlib.contextmanager
def running_airflow(folder: Path, swarm: LiveSwarm, **settings: str) -> Iterator[Airflow]:
    """`settings` are laid over Airflow's own."""
    told = folder / "told"
    told.mkdir()
    bin_ = environments.ensure(ENVIRONMENTS, environments.AIRFLOW, print)
    dags = folder / "dags"
    shutil.copytree(DAGS, dags)
    env = {"SURVIVAL_FOLDER": str(told), "PYTHONPATH": str(ROOT)}
    site = Site(bin_, folder / "home", dags, folder, env)
    processes = Processes(f"plugin-tests-{uuid.uuid4().hex}", folder)
    name = environments.AIRFLOW.name
    template = LAB / "templates" / f"{name}-{environments.digest(environments.AIRFLOW)[:12]}"
    more = {
        "AIRFLOW__CORE__EXECUTOR": "swarm.plugins.airflow.SwarmExecutor",
        "AIRFLOW__SWARM__URL": swarm.url,
        "AIRFLOW__SWARM__TOKEN_FILE": str(swarm.token_file),
        "AIRFLOW__SWARM__PASS_ENV": "SURVIVAL_FOLDER",
    }
    try:
        started = airflow_server.start(processes, site, None, template, more | settings)()
        runs.wait_for_dags(started, dags)
        scheduler = next(s for s in started.servers if s.name == "airflow-scheduler")
        env = psutil.Process(scheduler.process.pid).environ()
        yield Airflow(told, processes, scheduler, site, env, started.api)
    finally:
        processes.stop_all()


@contextlib.contextmanager
def running_airflow2(folder: Path, swarm: LiveSwarm) -> Iterator[Airflow2]:
    """A scheduler of Airflow 2.11, which reads the DAGs itself."""
    told, dags = folder / "told", folder / "dags"
    told.mkdir()
    shutil.copytree(DAGS_2, dags)
    wanted = environments.AIRFLOW_2
    env = {"SURVIVAL_FOLDER": str(told), "PYTHONPATH": str(ROOT)}
    bin_ = environments.ensure(ENVIRONMENTS, wanted, print)
    site = Site(bin_, folder / "home", dags, folder, env)
    processes = Processes(f"plugin-tests-{uuid.uuid4().hex}", folder)
    template = LAB / "templates" / f"plugins-{wanted.name}-{environments.digest(wanted)[:12]}"
    (log_port,) = free_ports(1)
    env = site.environ(
        AIRFLOW_HOME=str(site.home),
        AIRFLOW__CORE__DAGS_FOLDER=str(dags),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__EXECUTOR="swarm.plugins.airflow.SwarmExecutor2",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{site.home}/airflow.db",
        # It takes SQLite for fit for one task at a time only.
        _AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK="1",
        AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC="1",
        AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=str(log_port),
        AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False",
        AIRFLOW__SWARM__URL=swarm.url,
        AIRFLOW__SWARM__TOKEN_FILE=str(swarm.token_file),
        AIRFLOW__SWARM__PASS_ENV="SURVIVAL_FOLDER",
    )
    airflow = str(bin_ / "airflow")
    try:
        make = [airflow, "db", "migrate"]
        restore(
            template,
            site.home,
            ["airflow.db"],
            lambda: processes.run("airflow-migrate", make, env, folder),
        )
        scheduler = processes.start("airflow-scheduler", [airflow, "scheduler"], env, folder)
        running = Airflow2(told, processes, scheduler, site, env)
        eventually(lambda: running.rows("SELECT dag_id FROM serialized_dag"))
        yield running
    finally:
        processes.stop_all()
