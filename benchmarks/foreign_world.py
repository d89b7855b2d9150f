"""A stock Prefect whose workers may be killed, and a swarm that watches it."""

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.live_swarm import LiveSwarm, running_swarm, until
from swarm.client import Client
from swarm.client.calls.findings import Finding
from swarm.demo import environments, http, prefect_server
from swarm.demo.processes import (
    Processes,
    Server,
    Site,
)
from swarm.model.keys import PipelineKey
from swarm.store.projections import Projections, open_projections

POOL = prefect_server.POOL
NAME = "hold/here"
HEARTBEAT_S = 2.0
_FLOW = '''"""A flow that runs until its gate is open, and notes each of its processes."""

import os
import time

from prefect import flow


@flow
def hold(gate: str) -> None:
    with open(f"{gate}.log", "a") as log:
        log.write(f"{os.getpid()}\\n")
    while not os.path.exists(gate):
        time.sleep(0.05)
'''


@dataclass(slots=True)
class World:
    """The server of `url`, its workers by name, and the swarm beside it."""

    processes: Processes
    site: Site
    url: str
    swarm: LiveSwarm
    deployment: str
    projections: Projections
    workers: dict[str, Server] = field(default_factory=dict)

    def start_worker(self, name: str, *, beat: bool) -> psutil.Process:
        """A stock worker, under a beat or alone; returns the worker's own process when swarm has
        heard of it."""
        argv = [str(self.site.bin / "prefect"), "worker", "start", "--pool", POOL]
        argv += ["--type", "process", "--name", name, "--limit", "2"]
        if beat:
            token = ["--url", self.swarm.url, "--token-file", str(self.swarm.token_file)]
            what = ["--orchestrator", "prefect", "--role", "worker", "--name", f"{POOL}/{name}"]
            argv = [sys.executable, "-m", "swarm.plugins.beat", *token, *what, "--", *argv]
        env = self.site.environ(
            PREFECT_HOME=str(self.site.home),
            PREFECT_API_URL=f"{self.url}/api",
            PREFECT_WORKER_QUERY_SECONDS="1",
            PREFECT_WORKER_HEARTBEAT_SECONDS=f"{HEARTBEAT_S:g}",
            PYTHONPATH=str(Path(__file__).parents[1]) if beat else "",
        )
        server = self.processes.start(f"worker-{name}", argv, env, self.site.cwd)
        self.workers[name] = server
        tellers = {"server", "beat"} if beat else {"server"}
        until(f"worker {name} in swarm", lambda: self._alive(name) >= tellers)
        process = psutil.Process(server.process.pid)
        return process.children()[0] if beat else process

    def stop_worker(self, name: str) -> None:
        """End a worker, or its beat."""
        self.processes.stop([self.workers.pop(name)])

    def launch(self, gate: Path) -> tuple[str, int]:
        """A flow run that stays until `gate` exists: its id and its process, when swarm knows."""
        body = {"parameters": {"gate": str(gate)}}
        path = f"/deployments/{self.deployment}/create_flow_run"
        run_id = str(self.call("POST", path, body)["id"])
        pid = until("the flow's process", lambda: self.started(gate)[-1:])[0]
        until("the run in swarm", lambda: self._knows(run_id))
        return run_id, pid

    def started(self, gate: Path) -> list[int]:
        """The processes that a flow ever had."""
        with contextlib.suppress(OSError):
            return [int(line) for line in Path(f"{gate}.log").read_text().split()]
        return []

    def missing(self, name: str) -> Finding | None:
        """The open finding about a worker."""
        subject = f"prefect/{POOL}/{name} "
        found = (one for one in self.swarm.client.findings() if one["subject"].startswith(subject))
        return next(found, None)

    def flow_run(self, run_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/flow_runs/{run_id}"))

    def call(self, method: str, path: str, body: object = None) -> Any:
        return http.call(method, f"{self.url}/api{path}", body)

    def _alive(self, name: str) -> set[str]:
        return {
            one["seen_by"]
            for one in self.swarm.client.foreign_workers()
            if one["name"] == f"{POOL}/{name}" and one["presence"] == "alive"
        }

    def _knows(self, run_id: str) -> bool:
        runs = self.projections.runs.of(PipelineKey("prefect", NAME), 100)
        return any(run.run_id == run_id and run.process for run in runs)


def kill(*pids: int) -> float:
    """End processes at once; returns when, by the monotonic clock."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return time.monotonic()


@contextlib.contextmanager
def world(folder: Path, environments_in: Path, *, recover: bool) -> Iterator[World]:
    """A Prefect server without workers, a flow in it, and a swarm that has read both."""
    shutil.rmtree(folder, ignore_errors=True)
    code, home = folder / "code", folder / "home"
    for made in (code, home, folder / "logs"):
        made.mkdir(parents=True)
    (code / "holding.py").write_text(_FLOW)
    programs = environments.ensure(environments_in, environments.PREFECT, lambda _: None)
    site = Site(programs, home, code, code, {"PYTHONDONTWRITEBYTECODE": "1"})
    processes = Processes(str(folder), folder / "logs")
    try:
        template = environments_in.parent / "templates" / "foreign-prefect"
        prefect = prefect_server.start(processes, site, template)()
        processes.stop(prefect.servers[1:])  # its own worker
        deployment = _deploy(prefect.url, code)
        source = {"kind": "prefect", "url": f"{prefect.url}/api", "recover": recover}
        with (
            running_swarm(folder, sources=[source]) as swarm,
            contextlib.closing(open_projections("", folder / "state")) as read,
        ):
            until("the flow in swarm", lambda: _has_flow(swarm.client))
            yield World(processes, site, prefect.url, swarm, deployment, read)
    finally:
        processes.stop_all()


def _deploy(url: str, code: Path) -> str:
    flow = http.call("POST", f"{url}/api/flows/", {"name": "hold"})
    deployment = {
        "name": "here",
        "flow_id": flow["id"],
        "work_pool_name": POOL,
        "entrypoint": "holding.py:hold",
        "path": str(code),
        "enforce_parameter_schema": False,
    }
    return str(http.call("POST", f"{url}/api/deployments/", deployment)["id"])


def _has_flow(swarm: Client) -> bool:
    return any(pipeline["pipeline"] == NAME for pipeline in swarm.pipelines())
