"""Prefect's part of `orchestrator_failover`: a real Prefect whose flow runs run on swarm, or on a
worker of its own."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.live_swarm import LiveSwarm, until
from benchmarks.orchestrator_world import ROOT, Kill, after_kill, kill_below, times_s
from benchmarks.report import Figures, progress
from swarm.demo import environments, http, prefect_server
from swarm.demo.processes import Processes, Server, Site

_STOCK_FLOWS = 3
_STOCK_WAIT_S = 45.0  # nothing in Prefect would ever notice: one has to stop somewhere
_LAB = ROOT / ".lab"
_POOL = "workers"
_FLOW = '''"""Written by benchmarks.orchestrator_prefect."""

import os
import time
from pathlib import Path

from prefect import flow, runtime


@flow(retries=2)
def failover():
    file = Path(os.environ["FAILOVER_FOLDER"]) / runtime.flow_run.id
    is_first = not file.exists()
    with file.open("a") as lines:
        lines.write(f"{time.time()} {os.getpid()}\\n")
    if is_first:
        time.sleep(900)
'''
_REGISTER = '''"""Written by benchmarks.orchestrator_prefect."""

import asyncio
import os
import sys
from pathlib import Path

import failover_flow
from prefect import get_client


async def main(pool):
    async with get_client() as client:
        await client.create_deployment(
            flow_id=await client.create_flow(failover_flow.failover),
            name="failover",
            work_pool_name=pool,
            entrypoint="failover_flow.py:failover",
            path=str(Path(__file__).parent),
            job_variables={"env": {"FAILOVER_FOLDER": os.environ["FAILOVER_FOLDER"]}},
        )


asyncio.run(main(sys.argv[1]))
'''


@dataclass(frozen=True, slots=True)
class _Prefect:
    api: str
    worker: Server
    told: Path

    def launch(self) -> str:
        deployment = http.call("GET", f"{self.api}/deployments/name/failover/failover")
        url = f"{self.api}/deployments/{deployment['id']}/create_flow_run"
        return str(http.call("POST", url, {})["id"])

    def run(self, run: str) -> dict[str, Any]:
        return dict(http.call("GET", f"{self.api}/flow_runs/{run}"))

    def times_s(self, run: str) -> list[float]:
        return times_s(self.told / run)


def kills(swarm: LiveSwarm, folder: Path, rounds: int) -> list[Kill]:
    """Kill the worker under so many flows, one after the other."""
    processes = Processes(f"failover-{uuid.uuid4().hex}", folder)
    try:
        prefect = _start(processes, folder, "swarm", swarm.environ())
        return [_kill(prefect, swarm, number) for number in range(1, rounds + 1)]
    finally:
        processes.stop_all()


def stock(folder: Path) -> Figures:
    """Prefect by itself: its worker is killed with the flows that it runs, as when their machine
    dies. With a worker that lives the run is *Crashed* within a second, and not run again."""
    processes = Processes(f"failover-{uuid.uuid4().hex}", folder)
    try:
        prefect = _start(processes, folder, "process", {})
        started = [prefect.launch() for _ in range(_STOCK_FLOWS)]
        until("the flows run", lambda: all(prefect.times_s(run) for run in started))
        for run in started:
            kill_below(prefect.worker, prefect.told / run)
        prefect.worker.process.kill()
        at_s = time.monotonic()
        until("some seconds pass", lambda: time.monotonic() > at_s + _STOCK_WAIT_S)
        missed = [run for run in started if prefect.run(run)["state_type"] == "RUNNING"]
        progress(f"stock prefect: {len(missed)} of {len(started)} dead flows are still Running")
        return {
            "stock_prefect_not_detected_after_s": _STOCK_WAIT_S,
            "stock_prefect_not_detected": len(missed),
        }
    finally:
        processes.stop_all()


def _kill(prefect: _Prefect, swarm: LiveSwarm, number: int) -> Kill:
    run = prefect.launch()
    until("the flow runs", lambda: prefect.times_s(run))
    task = swarm.running_task()
    at_s = swarm.kill_worker()
    until("the flow runs again", lambda: len(prefect.times_s(run)) > 1)
    until("the flow has ended", lambda: prefect.run(run)["state_type"] == "COMPLETED")
    again_s = prefect.times_s(run)[1]
    retries = prefect.run(run)["run_count"] - 1
    found = after_kill(swarm, task, at_s, again_s, retries, repeated=0)  # a flow is one step
    progress(f"prefect {number}: {found}")
    return found


def _start(processes: Processes, folder: Path, kind: str, more: Mapping[str, str]) -> _Prefect:
    """The server, a pool of this kind, and a worker of it."""
    wanted = environments.PREFECT
    bin_ = environments.ensure(_LAB / "envs", wanted, progress)
    plugins = environments.plugins(bin_, folder / "plugins", progress)
    code, told, home = (folder / name for name in ("flows", "told", "home"))
    for each in (code, told, home):
        each.mkdir()
    (code / "failover_flow.py").write_text(_FLOW)
    (code / "register.py").write_text(_REGISTER)
    env = {"FAILOVER_FOLDER": str(told), "PYTHONPATH": str(plugins), **more}
    site = Site(bin_, home, code, home, env)
    template = _LAB / "templates" / f"{wanted.name}-{environments.digest(wanted)[:12]}"
    started = prefect_server.serve(processes, site, template)()
    environ = prefect_server.environ(site, started.url)
    create = [str(bin_ / "prefect"), "work-pool", "create", _POOL, "--type", kind]
    processes.run("prefect-pool", create, environ, home)
    register = [str(bin_ / "python"), str(code / "register.py"), _POOL]
    processes.run("prefect-register", register, environ, home)
    worker = prefect_server.start_worker(processes, site, started, _POOL, kind)
    return _Prefect(started.api, worker, told)
