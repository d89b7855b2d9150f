"""A real Airflow, 3.3 or 2.11, with the DAGs beside this file, for one test session."""

import base64
import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from swarm.demo import environments
from swarm.demo.processes import LabError, Processes, Server, Site, free_ports, wait_for
from swarm.demo.templates import restore
from tests.integration.connectors.orchestrators import new_processes
from tests.integration.places import ENVIRONMENTS, LAB

DAGS = Path(__file__).parent / "airflow_dags"
USER, PASSWORD = "admin", "secret"
START_TIMEOUT_S = 480.0
RUN_TIMEOUT_S = 300.0
_BUSY = 503  # another one writes to its SQLite file: it did nothing, and may be asked again
_PARTS = {2: ("webserver", "scheduler"), 3: ("api-server", "scheduler", "dag-processor")}
_WANTED = {2: environments.AIRFLOW_2, 3: environments.AIRFLOW}


@dataclass(frozen=True)
class AirflowServer:
    """A running Airflow; `dags` is its own copy of the DAG files."""

    major: int
    url: str
    dags: Path
    start_scheduler: Callable[[], Server]
    schedulers: list[Server]

    @property
    def api(self) -> str:
        return f"{self.url}/api/v{self.major - 1}"

    def call(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            self.api + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        if self.major == 2:
            pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            request.add_header("authorization", f"Basic {pair}")
        answers: list[Any] = []

        def answered() -> bool:
            try:
                with urllib.request.urlopen(request, timeout=180) as answer:
                    answers.append(json.load(answer))
            except urllib.error.HTTPError as error:
                if error.code != _BUSY:
                    raise
            return bool(answers)

        self._until(answered)
        return answers[0]

    def token(self) -> str:
        """A new token of Airflow 3."""
        with urllib.request.urlopen(f"{self.url}/auth/token", timeout=180) as answer:
            return str(json.load(answer)["access_token"])

    def unpause(self, dag_id: str) -> None:
        self.call("PATCH", f"/dags/{dag_id}?update_mask=is_paused", {"is_paused": False})

    def run(self, dag_id: str) -> str:
        """Start a run, wait until nothing runs any more, return its id."""
        self.unpause(dag_id)
        started = self.call(
            "POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None} if self.major == 3 else {}
        )
        run_id = str(started["dag_run_id"])
        self.settle()
        return run_id

    def backfill(self, dag_id: str, day: str) -> str:
        """Start a backfill of one day, return its id."""
        body = {
            "dag_id": dag_id,
            "from_date": f"{day}T00:00:00Z",
            "to_date": f"{day}T23:00:00Z",
            "max_active_runs": 1,
            "reprocess_behavior": "none",
            "run_backwards": False,
            "dag_run_conf": {},
        }
        return str(self.call("POST", "/backfills", body)["id"])

    def settle(self) -> None:
        """Wait until nothing runs."""
        states = "state=queued&state=running&limit=1"
        self._until(lambda: self.call("GET", f"/dags/~/dagRuns?{states}")["total_entries"] == 0)

    @contextmanager
    def changed(self, old: str, new: str, dag_id: str) -> Iterator[None]:
        """Change the source of the DAGs; at the end it is as before, and Airflow knows it."""
        path, file = f"/dags/{dag_id}/tasks", self.dags / "shop.py"
        before, text = self.call("GET", path)["total_entries"], file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        try:
            self._until(lambda: self.call("GET", path)["total_entries"] != before)
            yield
        finally:
            file.write_text(text)
            self._until(lambda: self.call("GET", path)["total_entries"] == before)

    def _until(self, ready: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + RUN_TIMEOUT_S
        while not ready():
            assert time.monotonic() < deadline_s, f"{self.url} did not get there in time"
            time.sleep(0.5)


@contextmanager
def running_airflow(major: int, folder: Path) -> Iterator[AirflowServer]:
    """An Airflow with five DAGs, one file that it cannot load, and a pool of three slots."""
    processes = new_processes(folder)
    try:
        yield _start(processes, major, folder)
    finally:
        processes.stop_all()


def _start(processes: Processes, major: int, folder: Path) -> AirflowServer:
    try:
        programs = environments.ensure(ENVIRONMENTS, _WANTED[major], _say)
    except LabError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"Airflow {major} cannot be installed here: {error}")
    home, dags = folder / "home", folder / "dags"
    shutil.copytree(DAGS, dags)
    site = Site(programs, home, dags, folder, {})
    ports = free_ports(3)
    env = site.environ(**_settings(major, site, ports))
    airflow = str(programs / "airflow")

    def run(name: str, *words: str) -> None:
        processes.run(name, [airflow, *words], env, folder)

    def make() -> None:
        run("migrate", "db", "migrate")
        if major == 2:
            person = ("--firstname", "a", "--lastname", "b", "--email", "a@example.invalid")
            login = ("--username", USER, "--password", PASSWORD, "--role", "Admin")
            run("user", "users", "create", *login, *person)
        run("pool", "pools", "set", "lake_pool", "3", "tasks that touch the lake")

    # To make an empty database takes longer than to start the servers.
    template = (
        LAB
        / "templates"
        / f"connector-{_WANTED[major].name}-database-{environments.digest(_WANTED[major])[:12]}"
    )
    restore(template, home, ["airflow.db"], make)
    servers = [processes.start(part, [airflow, part], env, folder) for part in _PARTS[major]]

    def start_scheduler() -> Server:
        return processes.start("scheduler", [airflow, "scheduler"], env, folder)

    scheduler = servers[_PARTS[major].index("scheduler")]
    url = f"http://127.0.0.1:{ports[0]}"
    server = AirflowServer(major, url, dags, start_scheduler, [scheduler])
    _wait_until_loaded(server, servers)
    return server


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _wait_until_loaded(server: AirflowServer, processes: list[Server]) -> None:
    def loaded() -> bool:
        try:
            dags, errors = server.call("GET", "/dags"), server.call("GET", "/importErrors")
        except OSError:
            return False
        return bool(dags["total_entries"] == 5 and errors["total_entries"] == 1)

    wait_for("Airflow", processes, loaded, START_TIMEOUT_S)


def _settings(major: int, site: Site, ports: list[int]) -> dict[str, str]:
    port, log_port, trigger_port = ports
    url = f"http://127.0.0.1:{port}"
    lake = json.dumps({"conn_type": "sqlite", "host": str(site.home / "lake.db")})
    return {
        "AIRFLOW_HOME": str(site.home),
        "AIRFLOW_CONN_LAKE": lake,
        "LAKE_FILE": str(site.home / "lake.db"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(site.code),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Airflow 2 runs several tasks at a time only with a database server.
        "AIRFLOW__CORE__EXECUTOR": {2: "SequentialExecutor", 3: "LocalExecutor"}[major],
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{site.home}/airflow.db",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth",
        "AIRFLOW__API_AUTH__JWT_SECRET": "only for tests on loopback " * 3,
        "AIRFLOW__WEBSERVER__WEB_SERVER_HOST": "127.0.0.1",
        "AIRFLOW__WEBSERVER__WEB_SERVER_PORT": str(port),
        "AIRFLOW__WEBSERVER__WORKERS": "1",
        "AIRFLOW__WEBSERVER__SECRET_KEY": "only for tests",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "3",
        "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "3",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "3",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_port),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_port),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
