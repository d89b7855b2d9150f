"""Starts a real Airflow 3: metadata in SQLite, tasks as forks of its own scheduler."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from swarm.demo import http
from swarm.demo.processes import Processes, Server, Site, free_ports, wait_for
from swarm.demo.templates import restore

_START_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where Airflow's OpenLineage provider posts its events."""

    url: str
    token: str
    endpoint: str = "api/v1/lineage"

    def transport(self) -> str:
        auth = {"type": "api_key", "apiKey": self.token}
        return json.dumps(
            {"type": "http", "url": self.url, "endpoint": self.endpoint, "auth": auth}
        )


@dataclass(frozen=True, slots=True)
class Airflow:
    """A running Airflow; `url` is the base of its web server."""

    url: str
    servers: tuple[Server, ...]

    @property
    def api(self) -> str:
        return f"{self.url}/api/v2"


def start(
    processes: Processes,
    site: Site,
    receiver: Receiver | None,
    template: Path,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Callable[[], Airflow]:
    """Start the servers; the returned function waits until they are healthy.

    `template` keeps the empty metadata database of the first start; `more` are variables that are
    laid over the lab's own settings.
    """
    port, scheduler_port, log_port, trigger_port = free_ports(4)
    url = f"http://127.0.0.1:{port}"
    env = site.environ(**_settings(site, port, receiver)) | dict(more)
    env["AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT"] = str(scheduler_port)
    env["AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"] = str(log_port)
    env["AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT"] = str(trigger_port)
    program = str(site.bin / "airflow")
    migrate = [program, "db", "migrate"]
    restore(
        template,
        site.home,
        ["airflow.db"],
        lambda: processes.run("airflow-migrate", migrate, env, site.cwd),
    )
    servers = tuple(
        processes.start(f"airflow-{name}", [program, name], env, site.cwd)
        for name in ("api-server", "dag-processor", "scheduler")
    )
    airflow = Airflow(url, servers)

    def wait() -> Airflow:
        wait_for("Airflow", servers, lambda: _healthy(airflow), _START_TIMEOUT_S)
        return airflow

    return wait


def _healthy(airflow: Airflow) -> bool:
    health = http.answers(f"{airflow.api}/monitor/health")
    if not health:
        return False
    parts = ("metadatabase", "scheduler", "dag_processor")
    return all(health[part]["status"] == "healthy" for part in parts)


def _settings(site: Site, port: int, receiver: Receiver | None) -> dict[str, str]:
    url = f"http://127.0.0.1:{port}"
    settings = {
        "AIRFLOW_HOME": str(site.home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(site.code),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "3",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        # Secret only in name: everybody is an administrator and it listens on loopback.
        "AIRFLOW__API_AUTH__JWT_SECRET": "the lab listens on loopback only " * 2,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{site.home}/airflow.db",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "True",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
        # Runs are triggered by the lab alone, so each pipeline runs exactly once.
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        # A busy machine makes tasks wait for the server; that is no reason to fail.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    if receiver is None:
        settings["AIRFLOW__OPENLINEAGE__DISABLED"] = "True"
    else:
        settings["AIRFLOW__OPENLINEAGE__TRANSPORT"] = receiver.transport()
        settings["AIRFLOW__OPENLINEAGE__NAMESPACE"] = "airflow"
    return settings
