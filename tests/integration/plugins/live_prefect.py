"""A real Prefect whose flow runs are tasks of a swarm."""

import contextlib
import os
import signal
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.live_swarm import LiveSwarm
from swarm.demo import environments, http, prefect_server
from swarm.demo.processes import Processes, Server, Site
from tests.integration.places import ENVIRONMENTS, LAB
from tests.integration.plugins.watching import eventually, noted

CODE = Path(__file__).parent / "prefect_code"
POOL = "on-swarm"
_ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@dataclass
class LivePrefect:
    """A running Prefect with a worker of type `swarm`; flows note what they do in `notes`."""

    prefect: prefect_server.Prefect
    processes: Processes
    site: Site
    notes: Path
    workers: list[Server] = field(default_factory=list)

    def call(self, method: str, path: str, body: object = None) -> Any:
        return http.call(method, f"{self.prefect.api}{path}", body)

    def start_worker(self, **environ: str) -> None:
        site = Site(
            self.site.bin, self.site.home, CODE, self.site.cwd, {**self.site.env, **environ}
        )
        worker = prefect_server.start_worker(
            self.processes, site, self.prefect, POOL, "swarm", "--name", str(uuid.uuid4())
        )
        self.workers.append(worker)

    def kill_workers(self) -> None:
        for worker in self.workers:
            os.killpg(worker.process.pid, signal.SIGKILL)
            worker.process.wait()
        self.workers.clear()

    def launch(self, flow: str, **variables: object) -> str:
        """Have a flow run; its id."""
        name = flow.replace("_", "-")
        deployment = self.call("GET", f"/deployments/name/{name}/test")
        path = f"/deployments/{deployment['id']}/create_flow_run"
        return str(self.call("POST", path, {"job_variables": variables})["id"])

    def run(self, run: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/flow_runs/{run}"))

    def in_state(self, run: str, *kinds: str) -> dict[str, Any]:
        """The flow run, once its state is one of these."""
        found: dict[str, Any] = eventually(
            lambda: (seen := self.run(run))["state_type"] in kinds and seen
        )
        return found

    def ended(self, run: str) -> dict[str, Any]:
        return self.in_state(run, *_ENDED)

    def task(self, run: str) -> str:
        """The task of swarm that the run is, once Prefect knows it."""
        return str(eventually(lambda: self.run(run)["infrastructure_pid"]))

    def cancel(self, run: str) -> None:
        state = {"type": "CANCELLING", "name": "Cancelling"}
        self.call("POST", f"/flow_runs/{run}/set_state", {"state": state})

    def noted(self, run: str) -> list[tuple[str, int]]:
        """What the run's code noted: words, and under which grant."""
        return noted(self.notes / run)

    def logs(self, run: str) -> str:
        wanted = {"logs": {"flow_run_id": {"any_": [run]}}}
        return "\n".join(line["message"] for line in self.call("POST", "/logs/filter", wanted))


@contextlib.contextmanager
def running_prefect(folder: Path, swarm: LiveSwarm) -> Iterator[LivePrefect]:
    """Server, pool and deployments; a worker is for the caller to start."""
    programs = environments.ensure(ENVIRONMENTS, environments.PREFECT, print)
    plugins = environments.plugins(programs, folder / "plugins", print)
    home, notes = folder / "prefect", folder / "notes"
    home.mkdir()
    notes.mkdir()
    env = {
        "PYTHONPATH": str(plugins),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TEST_NOTES": str(notes),
        **swarm.environ(),
    }
    site = Site(programs, home, CODE, home, env)
    processes = Processes(f"prefect-plugin-{uuid.uuid4().hex}", folder)
    try:
        template = f"{environments.PREFECT.name}-{environments.digest(environments.PREFECT)[:12]}"
        prefect = prefect_server.serve(processes, site, LAB / "templates" / template)()
        environ = prefect_server.environ(site, prefect.url)
        create = [str(programs / "prefect"), "work-pool", "create", POOL, "--type", "swarm"]
        processes.run("prefect-pool", create, environ, home)
        register = [str(programs / "python"), str(CODE / "register_survival.py"), POOL]
        processes.run("prefect-register", register, environ, home)
        yield LivePrefect(prefect, processes, site, notes)
    finally:
        processes.stop_all()
