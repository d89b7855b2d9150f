"""Starts a real Prefect: the server and one worker that runs each flow as a process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from swarm.demo import http
from swarm.demo.processes import Processes, Server, Site, free_ports, wait_for
from swarm.demo.templates import restore

POOL = "lab"
_DATABASE = "prefect.db"
_START_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Prefect:
    """A running Prefect; `url` is the base of its server, the API is below `/api`."""

    url: str
    servers: tuple[Server, ...]

    @property
    def api(self) -> str:
        return f"{self.url}/api"


def start(processes: Processes, site: Site, template: Path) -> Callable[[], Prefect]:
    """Start the server; the returned function waits for it and starts the worker.

    `template` keeps the empty database of the first start.
    """
    serving = serve(processes, site, template)

    def wait() -> Prefect:
        prefect = serving()
        http.call("POST", f"{prefect.api}/work_pools/", {"name": POOL, "type": "process"})
        worker = start_worker(processes, site, prefect, POOL, "process", "--limit", "2")
        return Prefect(prefect.url, (*prefect.servers, worker))

    return wait


def serve(processes: Processes, site: Site, template: Path) -> Callable[[], Prefect]:
    """Start the server alone; the returned function waits for it."""
    (port,) = free_ports(1)
    prefect = f"http://127.0.0.1:{port}"
    env = environ(site, prefect)
    program = str(site.bin / "prefect")
    listen = ["--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    migrate = [program, "server", "database", "upgrade", "-y"]
    restore(
        template,
        site.home,
        [_DATABASE],
        lambda: processes.run("prefect-migrate", migrate, env, site.cwd),
    )
    server = processes.start("prefect-server", [program, "server", "start", *listen], env, site.cwd)

    def wait() -> Prefect:
        ready = f"{prefect}/api/ready"
        wait_for("Prefect", [server], lambda: http.answers(ready) is not None, _START_TIMEOUT_S)
        return Prefect(prefect, (server,))

    return wait


def start_worker(
    processes: Processes, site: Site, prefect: Prefect, pool: str, kind: str, *options: str
) -> Server:
    """Start a worker of a pool of this kind."""
    program = str(site.bin / "prefect")
    work = ["worker", "start", "--pool", pool, "--type", kind, *options]
    return processes.start("prefect-worker", [program, *work], environ(site, prefect.url), site.cwd)


def environ(site: Site, url: str) -> dict[str, str]:
    """The variables of every program of a server's, or that talks to it."""
    return site.environ(
        PREFECT_HOME=str(site.home),
        PREFECT_API_URL=f"{url}/api",
        PREFECT_API_DATABASE_CONNECTION_URL=f"sqlite+aiosqlite:///{site.home / _DATABASE}",
        PREFECT_SERVER_DATABASE_TIMEOUT="60",
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        PREFECT_CLI_COLORS="false",
        PREFECT_WORKER_QUERY_SECONDS="1",
        PREFECT_LOGGING_LEVEL="INFO",
    )
