"""Real Dagster and Prefect servers with the pipelines beside this file, for one test session."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm.demo import environments, http
from swarm.demo.processes import Processes, Server, Site, free_ports, wait_for
from tests.integration.places import ENVIRONMENTS

HERE = Path(__file__).parent
DAGSTER_CODE = HERE / "dagster_code"
PREFECT_CODE = HERE / "prefect_code"
START_TIMEOUT_S = 480.0
RUN_TIMEOUT_S = 300.0
_ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED", "SUCCESS", "FAILURE", "CANCELED"}
_LAUNCH = """
mutation($job: String!, $location: String!) {
  launchRun(executionParams: { selector: {
    repositoryLocationName: $location, repositoryName: "__repository__", jobName: $job
  } }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""
_BACKFILL = """
mutation($asset: String!, $days: [String!]!) {
  launchPartitionBackfill(backfillParams: {
    assetSelection: [{ path: ["finance", $asset] }], partitionNames: $days
  }) { __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } }
}
"""


@dataclass(frozen=True)
class DagsterServer:
    """A running Dagster; `url` is the base of its web server."""

    url: str
    home: Path
    server: Server
    start_daemon: Callable[[], Server]
    daemons: list[Server]

    def ask(self, query: str, **variables: object) -> Any:
        return http.graphql(f"{self.url}/graphql", query, **variables)

    def launch(self, job: str, location: str = "sales") -> str:
        launched = self.ask(_LAUNCH, job=job, location=location)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def backfill(self, asset: str, days: list[str]) -> str:
        launched = self.ask(_BACKFILL, asset=asset, days=days)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return str(launched["backfillId"])

    def ended(self, run_id: str) -> str:
        query = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
        return _until_ended(lambda: str(self.ask(query, id=run_id)["runOrError"]["status"]))


@dataclass(frozen=True)
class PrefectServer:
    """A running Prefect; `url` is the base of its server."""

    url: str
    home: Path
    server: Server

    def call(self, method: str, path: str, body: object = None) -> Any:
        return http.call(method, f"{self.url}/api{path}", body)

    def launch(self, flow: str) -> str:
        deployment = self.call("GET", f"/deployments/name/{flow}/lab")
        run = self.call("POST", f"/deployments/{deployment['id']}/create_flow_run", {})
        return str(run["id"])

    def ended(self, run_id: str) -> str:
        return _until_ended(lambda: str(self.call("GET", f"/flow_runs/{run_id}")["state_type"]))

    def tried(self, *runs: str, tasks: int) -> None:
        """Return when the ends of so many tasks of the runs are there: they come after their run
        ended."""
        wanted = {"task_runs": {"flow_run_id": {"any_": runs}, "end_time": {"is_null_": False}}}
        _until(lambda: len(self.call("POST", "/task_runs/filter", wanted)) >= tasks)

    def materialized(self, assets: int) -> None:
        """Return when the events of so many assets are there: they come after their run ended."""
        wanted = {"filter": {"event": {"prefix": ["prefect.asset.materialization"]}}}
        _until(lambda: self.call("POST", "/events/filter", wanted)["total"] >= assets)


def start_dagster(processes: Processes, folder: Path, code: Path = DAGSTER_CODE) -> DagsterServer:
    """Web server and daemon with the workspace in `code`; by default it has three code locations,
    one of which cannot be loaded."""
    site = _site(environments.DAGSTER, folder, code)
    (site.home / "dagster.yaml").write_text((code / "dagster.yaml").read_text())
    env = site.environ(DAGSTER_HOME=str(site.home), DAGSTER_DISABLE_TELEMETRY="1")
    create = "from dagster import DagsterInstance as I; i = I.get(); i.run_storage.get_runs_count()"
    processes.run("dagster-create", [str(site.bin / "python"), "-c", create], env, site.cwd)
    workspace = ["-w", str(code / "workspace.yaml")]
    (port,) = free_ports(1)
    listen = ["-h", "127.0.0.1", "-p", str(port)]
    web = processes.start(
        "dagster-web", [str(site.bin / "dagster-webserver"), *listen, *workspace], env, site.cwd
    )
    command = [str(site.bin / "dagster-daemon"), "run", *workspace]

    def start_daemon() -> Server:
        return processes.start("dagster-daemon", command, env, site.cwd)

    server = DagsterServer(f"http://127.0.0.1:{port}", site.home, web, start_daemon, [])
    info = f"{server.url}/server_info"
    wait_for("Dagster", [web], lambda: http.answers(info) is not None, START_TIMEOUT_S)
    server.daemons.append(start_daemon())
    return server


def start_prefect(processes: Processes, folder: Path) -> PrefectServer:
    """Server, worker and deployments."""
    site = _site(environments.PREFECT, folder, PREFECT_CODE)
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    env = site.environ(
        PREFECT_HOME=str(site.home),
        PREFECT_API_URL=f"{url}/api",
        PREFECT_API_DATABASE_CONNECTION_URL=f"sqlite+aiosqlite:///{site.home}/prefect.db",
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        PREFECT_WORKER_QUERY_SECONDS="1",
    )
    prefect = str(site.bin / "prefect")
    listen = ["--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    server = processes.start("prefect", [prefect, "server", "start", *listen], env, site.cwd)
    ready = f"{url}/api/ready"
    wait_for("Prefect", [server], lambda: http.answers(ready) is not None, START_TIMEOUT_S)
    register = [str(site.bin / "python"), str(PREFECT_CODE / "register.py")]
    processes.run("prefect-register", register, env, site.cwd)
    work = [prefect, "worker", "start", "--pool", "lake-pool", "--type", "process"]
    processes.start("prefect-worker", work, env, site.cwd)
    return PrefectServer(url, site.home, server)


def new_processes(logs: Path) -> Processes:
    return Processes(f"connector-tests-{uuid.uuid4().hex}", logs)


def _site(wanted: environments.Requirements, folder: Path, code: Path) -> Site:
    programs = environments.ensure(ENVIRONMENTS, wanted, lambda text: None)
    home = folder / wanted.name
    home.mkdir(parents=True)
    variables = {"TEST_LAKE": str(home / "lake.db"), "PYTHONDONTWRITEBYTECODE": "1"}
    return Site(programs, home, code, home, variables)


def _until_ended(state: Callable[[], str]) -> str:
    _until(lambda: state() in _ENDED)
    return state()


def _until(there: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + RUN_TIMEOUT_S
    while not there():
        assert time.monotonic() < deadline_s, "did not happen in time"
        time.sleep(0.5)
