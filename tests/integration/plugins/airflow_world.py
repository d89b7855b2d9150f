"""A real swarm, and a real Airflow whose tasks run on it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
import yaml

from swarm.client import ApiError, Client
from swarm.demo import airflow_server, environments, http, runs
from swarm.demo.processes import Processes, Server, Site
from tests.integration.places import ENVIRONMENTS, LAB

T = TypeVar("T")
ROOT = Path(__file__).parents[3]
DAGS = Path(__file__).parent / "airflow_dags"
WITHIN_S = 240.0


def eventually(look: Callable[[], T]) -> T:
    """What `look` finds, once it finds something."""
    deadline_s = time.monotonic() + WITHIN_S
    while not (found := look()):
        assert time.monotonic() < deadline_s, f"{look} found nothing within {WITHIN_S:.0f} s"
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Swarm:
    """A running swarm."""

    client: Client
    url: str
    pid: int
    token_file: Path

    def kill_worker(self) -> float:
        """End the process of the worker by SIGKILL; when that was."""
        family = psutil.Process(self.pid).children(recursive=True)
        worker = next(p for p in family if p.name().startswith("ray::WorkerActor"))
        worker.kill()
        return time.time()

    def story(self, task: str) -> list[str]:
        """What happened to a task, without the workers' names."""
        lines = self.client.task(task)["story"]
        return [line["text"].partition(" to worker")[0] for line in lines]

    def state(self, task: str) -> str:
        """Where a task is; nothing before it is known."""
        try:
            return str(self.client.task(task)["state"])
        except ApiError as error:
            if error.status != 404:
                raise
            return ""


@contextlib.contextmanager
def running_swarm(folder: Path) -> Iterator[Swarm]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings, state = folder / "swarm.yaml", folder / "state"
    settings.write_text(yaml.safe_dump({"state_dir": str(state), "api": {"port": port}}))
    _cli("up", settings)
    try:
        running = json.loads((state / "up.json").read_text())
        token_file = state / "token"
        with Client(running["url"], token_file.read_text()) as client:
            yield Swarm(client, running["url"], int(running["pid"]), token_file)
    finally:
        _cli("down", settings)


def _cli(command: str, settings: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "swarm", command],
        env=os.environ | {"NO_COLOR": "1", "SWARM_CONFIG": str(settings)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@dataclass
class Airflow:
    """A running Airflow; its tasks tell of themselves in files in `folder`."""

    api: str
    folder: Path
    processes: Processes
    scheduler: Server
    site: Site

    def call(self, method: str, path: str, body: object = None) -> Any:
        return http.call(method, f"{self.api}{path}", body)

    def trigger(self, dag: str) -> str:
        """Start a run; its id."""
        self.call("PATCH", f"/dags/{dag}?update_mask=is_paused", {"is_paused": False})
        run = self.call("POST", f"/dags/{dag}/dagRuns", {"logical_date": None})
        return str(run["dag_run_id"])

    def state(self, dag: str, run: str) -> str:
        return str(self.call("GET", f"/dags/{dag}/dagRuns/{run}")["state"])

    def ended(self, dag: str, run: str) -> str:
        """Wait for the end of a run; its state."""
        return eventually(lambda: (s := self.state(dag, run)) in ("success", "failed") and s)

    def instance(self, dag: str, run: str, task: str = "work") -> dict[str, Any]:
        found = self.call("GET", f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}")
        return dict(found)

    def tries(self, dag: str, run: str, task: str = "work") -> list[tuple[int, str]]:
        found = self.call("GET", f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/tries")
        return [(one["try_number"], one["state"]) for one in found["task_instances"]]

    def told(self, name: str) -> list[int]:
        """The grants under which a task ran, as it wrote them down itself."""
        return [int(grant) for grant, _ in self.times(name)]

    def times(self, name: str) -> list[tuple[str, float]]:
        file = self.folder / name
        if not file.exists():
            return []
        lines = (line.split(" ") for line in file.read_text().splitlines())
        return [(grant, float(at_s)) for grant, at_s in lines]

    def swarm_id(self, run: str) -> str:
        """What the task `work` is called in swarm, as Airflow has it."""
        wanted = "SELECT external_executor_id FROM task_instance"
        return str(self._row(f"{wanted} WHERE run_id = ? AND task_id = 'work'", run)[0][0])

    def scheduler_job(self, run: str) -> int:
        """Which scheduler looks after the task `work`."""
        wanted = "SELECT queued_by_job_id FROM task_instance"
        return int(self._row(f"{wanted} WHERE run_id = ? AND task_id = 'work'", run)[0][0])

    def events(self, run: str) -> dict[str, str]:
        """Airflow's own log of what happened in a run: the newest text of each event."""
        wanted = "SELECT event, coalesce(extra, '') FROM log WHERE run_id = ? ORDER BY id"
        return dict(self._row(wanted, run))

    def _row(self, query: str, *values: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.site.home / "airflow.db", timeout=60)) as db:
            return db.execute(query, values).fetchall()

    def restart_killed_scheduler(
        self, more: Mapping[str, str], meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        """End the scheduler by SIGKILL, then start another one with more settings."""
        env = psutil.Process(self.scheduler.process.pid).environ()
        os.killpg(self.scheduler.process.pid, signal.SIGKILL)
        self.scheduler.process.wait()
        meanwhile()
        command = [str(self.site.bin / "airflow"), "scheduler"]
        env |= more
        self.scheduler = self.processes.start("airflow-scheduler", command, env, self.site.cwd)


@contextlib.contextmanager
def running_airflow(folder: Path, swarm: Swarm, **settings: str) -> Iterator[Airflow]:
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
        yield Airflow(started.api, told, processes, scheduler, site)
    finally:
        processes.stop_all()
