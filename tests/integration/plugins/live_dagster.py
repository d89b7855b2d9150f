"""A real Dagster whose runs and steps are tasks of a swarm."""

import contextlib
import os
import signal
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from benchmarks.live_swarm import LiveSwarm
from swarm.demo import dagster_server, environments, http
from swarm.demo.processes import Processes, Server, Site
from tests.integration.places import ENVIRONMENTS, LAB
from tests.integration.plugins.watching import eventually, noted

CODE = Path(__file__).parent / "dagster_code"
_MODULE = "survival"
_LAUNCH = """
mutation($job: String!, $location: String!) {
  launchRun(executionParams: { selector: {
    repositoryLocationName: $location, repositoryName: "__repository__", jobName: $job
  } }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""
_RUN = """
query($id: ID!) { runOrError(runId: $id) { ... on Run {
  status tags { key value } stepStats { stepKey status attempts { startTime } } } } }
"""
_EVENTS = """
query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
  __typename ... on MessageEvent { message stepKey }
  ... on ExecutionStepFailureEvent { error { message } } } } } }
"""
_STOP = """
mutation($id: String!) { terminateRun(runId: $id) { __typename ... on PythonError { message } } }
"""
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


@dataclass
class LiveDagster:
    """A running Dagster; ops note what they do in `notes`. `environ` is the daemon's."""

    dagster: dagster_server.Dagster
    daemon: Server
    environ: Mapping[str, str]
    processes: Processes
    site: Site
    notes: Path

    def ask(self, query: str, **variables: object) -> Any:
        return http.graphql(self.dagster.graphql, query, **variables)

    def launch(self, job: str) -> str:
        launched = self.ask(_LAUNCH, job=job, location=_MODULE)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def run(self, run: str) -> dict[str, Any]:
        return dict(self.ask(_RUN, id=run)["runOrError"])

    def in_state(self, run: str, *statuses: str) -> dict[str, Any]:
        """The run, once its status is one of these."""
        found: dict[str, Any] = eventually(
            lambda: (seen := self.run(run))["status"] in statuses and seen
        )
        return found

    def ended(self, run: str) -> dict[str, Any]:
        return self.in_state(run, *_ENDED)

    def stop(self, run: str) -> None:
        stopped = self.ask(_STOP, id=run)["terminateRun"]
        assert stopped["__typename"] == "TerminateRunSuccess", stopped

    def events(self, run: str) -> list[tuple[str, str]]:
        """(type, step key or message) of all that the run's log tells."""
        events = self.ask(_EVENTS, id=run)["logsForRun"]["events"]
        return [(e["__typename"], e.get("stepKey") or e.get("message") or "") for e in events]

    def failures(self, run: str) -> list[str]:
        """Why steps failed."""
        events = self.ask(_EVENTS, id=run)["logsForRun"]["events"]
        return [e["error"]["message"] for e in events if e.get("error")]

    def noted(self, run: str) -> list[tuple[str, int]]:
        """What the run's code noted: words, and under which grant."""
        return noted(self.notes / run)

    def kill_daemon(self) -> None:
        os.killpg(self.daemon.process.pid, signal.SIGKILL)
        self.daemon.process.wait()

    def start_daemon(self, **environ: str) -> None:
        command = [str(self.site.bin / "dagster-daemon"), "run"]
        command += ["-w", str(self.site.home / "workspace.yaml")]
        env = {**self.environ, **environ}
        self.daemon = self.processes.start("dagster-daemon", command, env, self.site.cwd)


@contextlib.contextmanager
def running_dagster(folder: Path, swarm: LiveSwarm) -> Iterator[LiveDagster]:
    """Code server, web server and daemon, with swarm's run launcher."""
    programs = environments.ensure(ENVIRONMENTS, environments.DAGSTER, print)
    plugins = environments.plugins(programs, folder / "plugins", print)
    home, notes = folder / "dagster", folder / "notes"
    home.mkdir()
    notes.mkdir()
    env = {
        "PYTHONPATH": str(plugins),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TEST_NOTES": str(notes),
        "SWARM_URL": swarm.url,
    }
    launcher = {
        "module": "swarm.plugins.dagster.launcher",
        "class": "SwarmRunLauncher",
        "config": {
            "url": {"env": "SWARM_URL"},
            "token_file": str(swarm.token_file),
            "env_vars": ["TEST_NOTES"],
        },
    }
    site = Site(programs, home, CODE, home, env)
    processes = Processes(f"dagster-plugin-{uuid.uuid4().hex}", folder)
    kept = f"{environments.DAGSTER.name}-{environments.digest(environments.DAGSTER)[:12]}"
    settings = yaml.safe_dump({"run_launcher": launcher})
    try:
        dagster = dagster_server.start(
            processes, site, _MODULE, LAB / "templates" / kept, settings
        )()
        daemon = next(server for server in dagster.servers if server.name == "dagster-daemon")
        environ = psutil.Process(daemon.process.pid).environ()
        yield LiveDagster(dagster, daemon, environ, processes, site, notes)
    finally:
        processes.stop_all()
