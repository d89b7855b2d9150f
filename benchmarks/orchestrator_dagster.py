"""Dagster's part of `orchestrator_failover`: a real Dagster whose runs and steps run on swarm, or
by itself.

The process of the run is on the worker that is killed, too: both are lost, and the step is what is
measured.
"""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.live_swarm import LiveSwarm, until
from benchmarks.orchestrator_world import ROOT, Kill, after_kill, kill_below, p95, times_s
from benchmarks.report import Figures, progress
from swarm.demo import dagster_server, environments, http
from swarm.demo.processes import Processes, Server, Site

_LAB = ROOT / ".lab"
_MODULE = "failover_job"
_STOCK_KILLS = 3
_JOB = '''"""Written by benchmarks.orchestrator_dagster."""

import os
import time
from pathlib import Path

from dagster import Definitions, RetryPolicy, job, op


def tell(context):
    run = context.run.tags.get("dagster/root_run_id", context.run_id)
    file = Path(os.environ["FAILOVER_FOLDER"]) / f"{run}.{context.op.name}"
    is_first = not file.exists()
    with file.open("a") as lines:
        lines.write(f"{time.time()} {os.getpid()}\\n")
    return is_first


@op
def before(context) -> int:
    tell(context)
    return 1


@op(retry_policy=RetryPolicy(max_retries=2))
def work(context, number: int) -> None:
    if tell(context):
        time.sleep(900)


@job
def failover():
    work(before())


if "FAILOVER_STOCK" in os.environ:
    defs = Definitions(jobs=[failover])
else:
    from swarm.plugins.dagster.steps import swarm_executor

    defs = Definitions(jobs=[failover], executor=swarm_executor)
'''
_LAUNCH = """
mutation($location: String!) { launchRun(executionParams: { selector: {
  repositoryLocationName: $location, repositoryName: "__repository__", jobName: "failover"
} }) { ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
_RUN = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status endTime } } }"
_RETRIES = """
query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { __typename } } } }
"""


@dataclass(frozen=True, slots=True)
class _Dagster:
    graphql: str
    code_server: Server
    told: Path

    def launch(self) -> str:
        launched = http.graphql(self.graphql, _LAUNCH, location=_MODULE)["launchRun"]
        return str(launched["run"]["runId"])

    def run(self, run: str) -> dict[str, Any]:
        return dict(http.graphql(self.graphql, _RUN, id=run)["runOrError"])

    def retries(self, run: str) -> int:
        events = http.graphql(self.graphql, _RETRIES, id=run)["logsForRun"]["events"]
        return sum(event["__typename"] == "ExecutionStepUpForRetryEvent" for event in events)

    def file(self, run: str, op: str) -> Path:
        return self.told / f"{run}.{op}"

    def times_s(self, run: str, op: str) -> list[float]:
        return times_s(self.file(run, op))


def kills(swarm: LiveSwarm, folder: Path, rounds: int) -> list[Kill]:
    """Kill the worker under so many runs and their steps, one after the other."""
    config = {
        "url": swarm.url,
        "token_file": str(swarm.token_file),
        "env_vars": ["FAILOVER_FOLDER"],
    }
    launcher = {"module": "swarm.plugins.dagster.launcher", "class": "SwarmRunLauncher"}
    settings = f"run_launcher: {json.dumps({**launcher, 'config': config})}\n"
    processes = Processes(f"failover-{uuid.uuid4().hex}", folder)
    try:
        dagster = _start(processes, folder, settings, {})
        return [_kill(dagster, swarm, number) for number in range(1, rounds + 1)]
    finally:
        processes.stop_all()


def stock(folder: Path) -> Figures:
    """Dagster by itself, its code server alive: of some runs the process and that of the step are
    killed. By its own settings the run has failed then and nothing runs again; here failed runs are
    retried (`run_retries`), which is another run and one retry."""
    processes = Processes(f"failover-{uuid.uuid4().hex}", folder)
    settings = "run_retries: {enabled: true, max_retries: 1}\n"
    try:
        dagster = _start(processes, folder, settings, {"FAILOVER_STOCK": "1"})
        played = [_stock_kill(dagster) for _ in range(_STOCK_KILLS)]
    finally:
        processes.stop_all()
    return {
        "stock_dagster_detected_p95_s": p95([detected_s for detected_s, _ in played]),
        "stock_dagster_with_run_retries_running_again_p95_s": p95(
            [again_s for _, again_s in played]
        ),
    }


def _kill(dagster: _Dagster, swarm: LiveSwarm, number: int) -> Kill:
    run = dagster.launch()
    until("the step runs", lambda: dagster.times_s(run, "work"))
    at_s = swarm.kill_worker()
    until("the step runs again", lambda: len(dagster.times_s(run, "work")) > 1)
    until("the run has succeeded", lambda: dagster.run(run)["status"] == "SUCCESS")
    again_s = dagster.times_s(run, "work")[1]
    retries = dagster.retries(run)
    repeated = len(dagster.times_s(run, "before")) - 1
    found = after_kill(swarm, f"dagster:{run}:work:0", at_s, again_s, retries, repeated)
    progress(f"dagster {number}: {found}")
    return found


def _stock_kill(dagster: _Dagster) -> tuple[float, float]:
    """Seconds until Dagster knew, and until the step ran again."""
    run = dagster.launch()
    until("the step runs", lambda: dagster.times_s(run, "work"))
    at_s = kill_below(dagster.code_server, dagster.file(run, "work"))
    until("the run has failed", lambda: dagster.run(run)["status"] == "FAILURE")
    until("the step runs again", lambda: len(dagster.times_s(run, "work")) > 1)
    found = dagster.run(run)["endTime"] - at_s, dagster.times_s(run, "work")[1] - at_s
    progress(f"stock dagster: known after {found[0]:.1f} s, runs again after {found[1]:.1f} s")
    return found


def _start(processes: Processes, folder: Path, settings: str, more: dict[str, str]) -> _Dagster:
    wanted = environments.DAGSTER
    bin_ = environments.ensure(_LAB / "envs", wanted, progress)
    code, told, home = (folder / name for name in ("jobs", "told", "home"))
    for each in (code, told):
        each.mkdir()
    (code / f"{_MODULE}.py").write_text(_JOB)
    env = {"FAILOVER_FOLDER": str(told), "PYTHONPATH": str(ROOT), **more}
    template = _LAB / "templates" / f"{wanted.name}-{environments.digest(wanted)[:12]}"
    site = Site(bin_, home, code, code, env)
    started = dagster_server.start(processes, site, _MODULE, template, settings)()
    code_server = next(one for one in started.servers if one.name == "dagster-code")
    return _Dagster(started.graphql, code_server, told)
