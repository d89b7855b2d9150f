"""Dagster's part of `orchestrator_failover`: a real Dagster whose runs and steps run on swarm.

The process of the run is on the worker that is killed, too: both are lost, and the step is what is
measured.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.orchestrator_world import ROOT, Kill, World, until
from benchmarks.report import progress
from swarm.demo import dagster_server, environments, http
from swarm.demo.processes import Processes, Site

# Dagster 1.13 with its own launcher and settings, the run's process killed with -9: its code server
# sees it and the run has failed; it is not run again. Where that server's machine dies too, nothing
# notices.
STOCK: Mapping[str, float] = {"stock_dagster_detected_s": 1.6}

_LAB = ROOT / ".lab"
_MODULE = "failover_job"
_JOB = '''"""Written by benchmarks.orchestrator_dagster."""

import os
import time
from pathlib import Path

from dagster import Definitions, RetryPolicy, job, op

from swarm.plugins.dagster.steps import swarm_executor


def tell(context):
    told = Path(os.environ["FAILOVER_FOLDER"]) / f"{context.run_id}.{context.op.name}"
    with told.open("a") as file:
        file.write(f"{time.time()}\\n")


@op
def before(context) -> int:
    tell(context)
    return 1


@op(retry_policy=RetryPolicy(max_retries=2))
def work(context, number: int) -> None:
    tell(context)
    if os.environ["SWARM_GRANT"] == "1":
        time.sleep(600)


@job
def failover():
    work(before())


defs = Definitions(jobs=[failover], executor=swarm_executor)
'''
_LAUNCH = """
mutation($location: String!) { launchRun(executionParams: { selector: {
  repositoryLocationName: $location, repositoryName: "__repository__", jobName: "failover"
} }) { ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
_STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_RETRIES = """
query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { __typename } } } }
"""


@dataclass(frozen=True, slots=True)
class _Dagster:
    graphql: str
    told: Path

    def launch(self) -> str:
        launched = http.graphql(self.graphql, _LAUNCH, location=_MODULE)["launchRun"]
        return str(launched["run"]["runId"])

    def succeeded(self, run: str) -> bool:
        found = http.graphql(self.graphql, _STATUS, id=run)["runOrError"]
        return bool(found["status"] == "SUCCESS")

    def retries(self, run: str) -> int:
        events = http.graphql(self.graphql, _RETRIES, id=run)["logsForRun"]["events"]
        return sum(event["__typename"] == "ExecutionStepUpForRetryEvent" for event in events)

    def times_s(self, run: str, op: str) -> list[float]:
        file = self.told / f"{run}.{op}"
        return [float(line) for line in file.read_text().splitlines()] if file.exists() else []


def kills(world: World, rounds: int) -> list[Kill]:
    """Kill the worker under so many runs and their steps, one after the other."""
    processes = Processes(f"failover-{uuid.uuid4().hex}", world.folder)
    try:
        dagster = _start(processes, world)
        return [_kill(dagster, world, number) for number in range(1, rounds + 1)]
    finally:
        processes.stop_all()


def _kill(dagster: _Dagster, world: World, number: int) -> Kill:
    run = dagster.launch()
    until("the step runs", lambda: dagster.times_s(run, "work"))
    task = f"dagster:{run}:work:0"
    at_s = world.kill_worker()
    until("the step runs again", lambda: len(dagster.times_s(run, "work")) > 1)
    until("the run has succeeded", lambda: dagster.succeeded(run))
    again_s = dagster.times_s(run, "work")[1]
    found = Kill(
        detected_s=world.told_at_s(task, "grant 1 lost") - at_s,
        again_s=again_s - at_s,
        start_s=again_s - world.told_at_s(task, "grant 2 runs"),
        retries=dagster.retries(run),
        repeated=len(dagster.times_s(run, "before")) - 1,
    )
    progress(f"dagster {number}: {found}")
    return found


def _start(processes: Processes, world: World) -> _Dagster:
    wanted = environments.DAGSTER
    bin_ = environments.ensure(_LAB / "envs", wanted, progress)
    code, told, home = (world.folder / name for name in ("jobs", "told", "home"))
    for folder in (code, told):
        folder.mkdir()
    (code / f"{_MODULE}.py").write_text(_JOB)
    env = {"FAILOVER_FOLDER": str(told), "PYTHONPATH": str(ROOT)}
    config = {
        "url": world.url,
        "token_file": str(world.token_file),
        "env_vars": ["FAILOVER_FOLDER"],
    }
    launcher = {"module": "swarm.plugins.dagster.launcher", "class": "SwarmRunLauncher"}
    settings = json.dumps({**launcher, "config": config})
    template = _LAB / "templates" / f"{wanted.name}-{environments.digest(wanted)[:12]}"
    site = Site(bin_, home, code, code, env)
    lines = f"run_launcher: {settings}\n"
    started = dagster_server.start(processes, site, _MODULE, template, lines)()
    return _Dagster(started.graphql, told)
