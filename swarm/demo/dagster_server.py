"""Starts a real Dagster: code server, web server and daemon; runs are in-process jobs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from swarm.demo import http
from swarm.demo.processes import LabError, Processes, Server, Site, free_ports, wait_for
from swarm.demo.templates import restore

_START_TIMEOUT_S = 300.0
_INSTANCE = """\
telemetry:
  enabled: false
run_coordinator:
  module: dagster._core.run_coordinator
  class: QueuedRunCoordinator
  config:
    max_concurrent_runs: 2
    dequeue_interval_seconds: 1
    # The daemon may have asked for the code before its server listened, and then waits a while.
    max_user_code_failure_retries: 20
    user_code_failure_retry_delay: 1
"""
_CREATE = (
    "from dagster import DagsterInstance as I; i = I.get();"
    "i.run_storage.get_runs_count(); i.schedule_storage.all_instigator_state()"
)
_REPOSITORIES = (
    "{repositoriesOrError{__typename ... on RepositoryConnection"
    "{nodes{name location{name} jobs{name}}}}}"
)
_DAEMONS = "{instance{daemonHealth{allDaemonStatuses{daemonType healthy required}}}}"


@dataclass(frozen=True, slots=True)
class Dagster:
    """A running Dagster; `url` is the base of its web server."""

    url: str
    servers: tuple[Server, ...]

    @property
    def graphql(self) -> str:
        return f"{self.url}/graphql"


def start(
    processes: Processes, site: Site, module: str, template: Path, settings: str = ""
) -> Callable[[], Dagster]:
    """Start the servers; the returned function waits until they are healthy.

    `template` keeps the empty databases of the first start; `settings` are more lines for
    `dagster.yaml`.
    """
    code_port, port = free_ports(2)
    site.home.mkdir(parents=True, exist_ok=True)
    (site.home / "dagster.yaml").write_text(_INSTANCE + settings)
    workspace = site.home / "workspace.yaml"
    workspace.write_text(
        "load_from:\n  - grpc_server:\n      host: 127.0.0.1\n"
        f"      port: {code_port}\n      location_name: {module}\n"
    )
    env = site.environ(DAGSTER_HOME=str(site.home), DAGSTER_DISABLE_TELEMETRY="1")
    # Its servers would all create the databases at once, and fail.
    make = [str(site.bin / "python"), "-c", _CREATE]
    restore(
        template,
        site.home,
        ["history", "schedules"],
        lambda: processes.run("dagster-migrate", make, env, site.cwd),
    )
    commands = (
        ("code", _code_server(site, module, code_port)),
        ("web", [str(site.bin / "dagster-webserver"), *_listen(port), "-w", str(workspace)]),
        ("daemon", [str(site.bin / "dagster-daemon"), "run", "-w", str(workspace)]),
    )
    servers = tuple(
        processes.start(f"dagster-{name}", argv, env, site.cwd) for name, argv in commands
    )
    dagster = Dagster(f"http://127.0.0.1:{port}", servers)

    def wait() -> Dagster:
        wait_for("Dagster", servers, lambda: _healthy(dagster), _START_TIMEOUT_S)
        return dagster

    return wait


def _code_server(site: Site, module: str, port: int) -> list[str]:
    folder = ["-d", str(site.code), "-m", module]
    return [str(site.bin / "dagster"), "api", "grpc", *_listen(port), *folder]


def _listen(port: int) -> list[str]:
    return ["-h", "127.0.0.1", "-p", str(port)]


def _healthy(dagster: Dagster) -> bool:
    if http.answers(f"{dagster.url}/server_info") is None:
        return False
    try:
        found = http.graphql(dagster.graphql, _REPOSITORIES)["repositoriesOrError"]
        daemons = http.graphql(dagster.graphql, _DAEMONS)["instance"]["daemonHealth"]
    except LabError:
        return False
    statuses = daemons["allDaemonStatuses"]
    return bool(found.get("nodes")) and all(s["healthy"] for s in statuses if s["required"])
