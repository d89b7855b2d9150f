"""The run launcher: each run is a task of swarm. Its methods are called by Dagster's daemon and
web server; none of them waits for swarm, whose network is on the link's own threads.

A run whose worker is lost starts again in swarm (`process.py`), without the daemon. What has ended
in swarm without a word to Dagster (out of memory, parked, cancelled there) is told by the daemon's
run monitoring where that is on, else by a thread here.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from dagster import Array, DagsterRun, DagsterRunStatus, Field, RunsFilter, StringSource
from dagster._core.launcher.base import (
    CheckRunHealthResult,
    LaunchRunContext,
    ResumeRunContext,
    RunLauncher,
    WorkerStatus,
)
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData, serialize_value

from swarm.plugins.dagster.tasks import (
    TASK_TAG,
    Access,
    Job,
    owner_of,
    python_of,
    run_of,
    run_task,
    task_body,
)
from swarm.plugins.dagster.tracker import BADLY, Tracker
from swarm.plugins.link import Change, Link

log = logging.getLogger(__name__)

_LOOK_S = 0.2
_GRACE_S = 30.0  # how long a run worker may take to end its steps and itself


class SwarmRunLauncher(RunLauncher[Any], ConfigurableClass):  # type: ignore[misc]
    """Configured in `dagster.yaml`: `url` of swarm's API, `token_file` with its token, `name` of
    this Dagster among those that use the same swarm, `env_vars` of the daemon's environment that
    runs and steps get besides the usual ones, `orchestrator`, the name of this Dagster among the
    sources in swarm's settings."""

    def __init__(
        self,
        url: str,
        token_file: str,
        name: str = "default",
        env_vars: list[str] | None = None,
        orchestrator: str = "dagster",
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        self._inst_data = inst_data
        self._url, self._token_file, self._name = url, token_file, name
        self._env_vars = tuple(env_vars or ())
        self._orchestrator = orchestrator
        # Every process with an instance makes a launcher; most never use it.
        self._lock = threading.Lock()
        self._tracker: Tracker | None = None
        self._closed = threading.Event()
        self._to_end: dict[str, float] = {}  # tasks, and when patience with them ends
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {
            "url": Field(StringSource),
            "token_file": Field(StringSource),
            "name": Field(StringSource, default_value="default"),
            "env_vars": Field(Array(StringSource), default_value=[]),
            "orchestrator": Field(StringSource, default_value="dagster"),
        }

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> Self:
        return cls(inst_data=inst_data, **config_value)

    def access(self) -> Access:
        """How swarm is reached. Raises `OSError` when the token cannot be read."""
        token = Path(self._token_file).read_text().strip()
        return Access(self._url, token, self._env_vars, self._orchestrator)

    def launch_run(self, context: LaunchRunContext) -> None:
        self._hand_in(context.dagster_run, 0)

    @property
    def supports_resume_run(self) -> bool:
        return True

    def resume_run(self, context: ResumeRunContext) -> None:
        self._hand_in(context.dagster_run, context.resume_attempt_number or 1)

    def terminate(self, run_id: str) -> bool:
        run = self._instance.get_run_by_id(run_id)
        task = run.tags.get(TASK_TAG) if run else None
        if run is None or run.is_finished or task is None:
            return False
        # The run's own process sees this and ends its steps and itself.
        self._instance.report_run_canceling(run)
        with self._lock:
            self._open()
            self._to_end[task] = time.monotonic() + _GRACE_S
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        task = run.tags.get(TASK_TAG)
        if task is None:
            return CheckRunHealthResult(WorkerStatus.UNKNOWN, "swarm was not asked to run it")
        with self._lock:
            tracker = self._open()
            change, unknown = tracker.newest(task), tracker.is_unknown(task)
            silent_s = tracker.contact_age_s()
        if unknown:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"swarm does not know {task}")
        if change is None:
            # While swarm is silent nothing is known to be lost: what it runs goes on.
            message = f"swarm told nothing of {task} yet, and nothing at all for {silent_s:.0f} s"
            return CheckRunHealthResult(WorkerStatus.RUNNING, message, run_worker_id=task)
        message = f"swarm task {task}, grant {change.grant}: {change.state} {change.detail}"
        return CheckRunHealthResult(_status(change), message, run_worker_id=task)

    def get_run_worker_debug_info(
        self, run: DagsterRun, include_container_logs: bool | None = True
    ) -> str | None:
        return f"`swarm tasks explain {run.tags.get(TASK_TAG)}` tells its story."

    def dispose(self) -> None:
        self._closed.set()
        with self._lock:
            if self._tracker is not None:
                self._tracker.close(flush_s=2.0)

    # --- towards swarm ----------------------------------------------------------------------------

    def _hand_in(self, run: DagsterRun, resumption: int) -> None:
        task = run_task(run.run_id, resumption)
        origin = run.job_code_origin
        if origin is None:
            raise ValueError(f"Run {run.run_id} has no code to run: it has no origin.")
        repository = origin.repository_origin
        args = ExecuteRunArgs(
            job_origin=origin,
            run_id=run.run_id,
            instance_ref=self._instance.get_ref(),
            set_exit_code_on_failure=True,
        )
        python = python_of(repository.executable_path, repository.entry_point, sys.executable)
        subject = f"{run.job_name} {run.run_id}"
        # A run that is to be resumed is under way.
        name = "" if resumption else run.run_id
        waits_s = self._start_timeout_s()
        argument = serialize_value(args)
        job = Job(python, argument, subject, resumption + 1, run.job_name, name, waits_s)
        body = task_body(task, "run", job, run.tags, self.access(), os.environ)
        self._instance.add_run_tags(run.run_id, {TASK_TAG: task})
        with self._lock:
            self._open().submit(body)
        self._instance.report_engine_event(f"Handed to swarm as {task}.", run, cls=type(self))

    def _start_timeout_s(self) -> float:
        """After so long run monitoring fails a run that has not started; 0: it is off."""
        if not self._instance.run_monitoring_enabled:
            return 0.0
        return float(self._instance.run_monitoring_start_timeout_seconds)

    def _open(self) -> Tracker:
        """The tracker, and the thread that acts on what it hears; made when first needed."""
        if self._tracker is None:
            access = self.access()
            link = Link(access.url, access.token, owner_of(self._name))
            link.start()
            self._tracker = Tracker(link)
            threading.Thread(target=self._follow, name="swarm-follow", daemon=True).start()
        return self._tracker

    def _follow(self) -> None:
        untold: list[Change] = []
        is_taken_up = False
        while not self._closed.wait(_LOOK_S):
            with self._lock:
                tracker = self._open()
                untold += tracker.hear()
                self._end_what_is_due(tracker)
            if not self.has_instance:
                return
            try:
                if not is_taken_up and tracker.caught_up:
                    self._take_up(tracker)
                    is_taken_up = True
                while untold:
                    self._tell(untold[0])
                    del untold[0]
            except Exception:
                log.exception("swarm: Dagster's storage does not answer; again soon")

    def _take_up(self, tracker: Tracker) -> None:
        """Hand in what a daemon before this one had taken and perhaps not handed in: twice is
        once."""
        for run in self._instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTING])):
            with self._lock:
                is_unknown = TASK_TAG in run.tags and tracker.is_unknown(run.tags[TASK_TAG])
            if is_unknown:
                self._hand_in(run, 0)

    def _end_what_is_due(self, tracker: Tracker) -> None:
        now_s = time.monotonic()
        for task, until_s in list(self._to_end.items()):
            change = tracker.newest(task)
            runs = change is not None and change.state in ("leased", "running")
            if (change is not None and not runs) or now_s > until_s:
                tracker.cancel(task)
                del self._to_end[task]

    def _tell(self, change: Change) -> None:
        """Tell Dagster of an end that the run's own process could not tell."""
        run_id = run_of(change.id)
        if run_id is None or change.state not in BADLY:
            return
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or run.tags.get(TASK_TAG) != change.id:
            return
        message = f"swarm: task {change.id} {change.state}: {change.detail}"
        if change.state in ("cancelled", "skipped"):
            self._instance.report_run_canceled(run, message)
        elif not (self._instance.run_monitoring_enabled and run.status.value == "STARTED"):
            self._instance.report_run_failed(run, message)


def _status(change: Change) -> WorkerStatus:
    if change.state == "succeeded":
        return WorkerStatus.SUCCESS
    if change.state in BADLY:
        return WorkerStatus.FAILED
    return WorkerStatus.RUNNING  # also while swarm finds it another worker
