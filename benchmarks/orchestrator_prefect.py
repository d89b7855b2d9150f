"""Prefect's part of `orchestrator_failover`: a real Prefect whose flow runs run on swarm."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.orchestrator_world import ROOT, Kill, World, until
from benchmarks.report import progress
from swarm.demo import environments, http, prefect_server
from swarm.demo.processes import Processes, Site

# Prefect 3.9, its worker and the flow's process killed with -9: after 45 s the run was still
# Running, and nothing in Prefect would have changed that. With a worker that lives the run is
# Crashed after 0.8 s, and not run again.
STOCK: Mapping[str, float] = {"stock_prefect_not_detected_after_s": 45.0}

_LAB = ROOT / ".lab"
_POOL = "on-swarm"
_FLOW = '''"""Written by benchmarks.orchestrator_prefect."""

import os
import time
from pathlib import Path

from prefect import flow, runtime


@flow(retries=2)
def failover():
    with (Path(os.environ["FAILOVER_FOLDER"]) / runtime.flow_run.id).open("a") as file:
        file.write(f"{time.time()}\\n")
    if os.environ["SWARM_GRANT"] == "1":
        time.sleep(600)
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
            name="swarm",
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
    told: Path

    def launch(self) -> str:
        deployment = http.call("GET", f"{self.api}/deployments/name/failover/swarm")
        url = f"{self.api}/deployments/{deployment['id']}/create_flow_run"
        return str(http.call("POST", url, {})["id"])

    def run(self, run: str) -> dict[str, Any]:
        return dict(http.call("GET", f"{self.api}/flow_runs/{run}"))

    def times_s(self, run: str) -> list[float]:
        file = self.told / run
        return [float(line) for line in file.read_text().splitlines()] if file.exists() else []


def kills(world: World, rounds: int) -> list[Kill]:
    """Kill the worker under so many flows, one after the other."""
    processes = Processes(f"failover-{uuid.uuid4().hex}", world.folder)
    try:
        prefect = _start(processes, world)
        return [_kill(prefect, world, number) for number in range(1, rounds + 1)]
    finally:
        processes.stop_all()


def _kill(prefect: _Prefect, world: World, number: int) -> Kill:
    run = prefect.launch()
    until("the flow runs", lambda: prefect.times_s(run))
    task = world.running_task()
    at_s = world.kill_worker()
    until("the flow runs again", lambda: len(prefect.times_s(run)) > 1)
    until("the flow has ended", lambda: prefect.run(run)["state_type"] == "COMPLETED")
    again_s = prefect.times_s(run)[1]
    found = Kill(
        detected_s=world.told_at_s(task, "grant 1 lost") - at_s,
        again_s=again_s - at_s,
        start_s=again_s - world.told_at_s(task, "grant 2 runs"),
        retries=prefect.run(run)["run_count"] - 1,
        repeated=0,  # a flow is one step
    )
    progress(f"prefect {number}: {found}")
    return found


def _start(processes: Processes, world: World) -> _Prefect:
    wanted = environments.PREFECT
    bin_ = environments.ensure(_LAB / "envs", wanted, progress)
    plugins = environments.plugins(bin_, world.folder / "plugins", progress)
    code, told, home = (world.folder / name for name in ("flows", "told", "home"))
    for folder in (code, told, home):
        folder.mkdir()
    (code / "failover_flow.py").write_text(_FLOW)
    (code / "register.py").write_text(_REGISTER)
    env = {
        "FAILOVER_FOLDER": str(told),
        "PYTHONPATH": str(plugins),
        "SWARM_URL": world.url,
        "SWARM_TOKEN_FILE": str(world.token_file),
    }
    site = Site(bin_, home, code, home, env)
    template = _LAB / "templates" / f"{wanted.name}-{environments.digest(wanted)[:12]}"
    started = prefect_server.serve(processes, site, template)()
    environ = prefect_server.environ(site, started.url)
    create = [str(bin_ / "prefect"), "work-pool", "create", _POOL, "--type", "swarm"]
    processes.run("prefect-pool", create, environ, home)
    register = [str(bin_ / "python"), str(code / "register.py"), _POOL]
    processes.run("prefect-register", register, environ, home)
    prefect_server.start_worker(processes, site, started, _POOL, "swarm")
    return _Prefect(started.api, told)
