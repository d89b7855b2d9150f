"""The executor `swarm`: each step of a run is a task of swarm.

A step whose worker is lost starts again in swarm, without a retry of its own; steps that ended are
not run again, also when the run's own process is replaced. The process of a run calls the methods
here; none waits for swarm.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dagster import (
    DagsterEvent,
    DagsterInstance,
    Executor,
    Field,
    InitExecutorContext,
    Int,
    Noneable,
    executor,
    multiple_process_executor_requirements,
)
from dagster._core.execution.retries import RetryMode, get_retries_config
from dagster._core.execution.tags import get_tag_concurrency_limits_config
from dagster._core.executor.step_delegating import (
    CheckStepHealthResult,
    StepDelegatingExecutor,
    StepHandler,
    StepHandlerContext,
)
from dagster._serdes import serialize_value

from swarm.plugins.dagster.launcher import SwarmRunLauncher
from swarm.plugins.dagster.tasks import (
    Access,
    Ends,
    Job,
    owner_of,
    python_of,
    step_task,
    task_body,
)
from swarm.plugins.dagster.tracker import BADLY, Tracker
from swarm.plugins.link import Link

_HEALTH_S = 2
_WORD_S = 30.0  # how long after its task a step's end may appear in the event log
_FLUSH_S = 5.0


class SwarmStepHandler(StepHandler):  # type: ignore[misc]
    """Hands steps to swarm."""

    name = "SwarmStepHandler"

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._access = access
        self._tracker: Tracker | None = None

    def open(self, run_id: str) -> None:
        link = Link(self._access.url, self._access.token, owner_of(run_id))
        link.start()
        self._tracker = Tracker(link)

    def close(self) -> None:
        if self._tracker is not None:
            self._tracker.close(_FLUSH_S)

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        args = step_handler_context.execute_step_args
        key, retries = _step_of(step_handler_context)
        repository = args.job_origin.repository_origin
        python = python_of(repository.executable_path, repository.entry_point, sys.executable)
        subject = f"{key} of run {args.run_id}"
        name = step_handler_context.dagster_run.job_name
        job = Job(python, serialize_value(args), subject, retries + 1, name)
        run_tags = step_handler_context.dagster_run.tags
        tags = {**run_tags, **step_handler_context.step_tags[key]}
        task = step_task(args.run_id, key, retries)
        self._told().submit(task_body(task, "step", job, tags, self._access, os.environ))
        yield DagsterEvent.step_worker_starting(
            step_handler_context.get_step_context(key),
            message=f"Handed step {key!r} to swarm as {task}.",
            metadata={},
        )

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        run_id = step_handler_context.execute_step_args.run_id
        task = step_task(run_id, *_step_of(step_handler_context))
        tracker = self._told()
        tracker.hear()
        change = tracker.newest(task)
        if change is None:
            # After a replacement of this process: handed in again, it is the same task.
            if tracker.was_submitted(task):
                return CheckStepHealthResult.healthy()
            return CheckStepHealthResult.unhealthy("it was not handed to swarm from here")
        if change.state in BADLY:
            return CheckStepHealthResult.unhealthy(f"swarm task {change.state}: {change.detail}")
        if tracker.ended_for_s(task) > _WORD_S:
            return CheckStepHealthResult.unhealthy("its process ended without a word")
        return CheckStepHealthResult.healthy()

    def terminate_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        run_id = step_handler_context.execute_step_args.run_id
        self._told().cancel(step_task(run_id, *_step_of(step_handler_context)))
        yield from ()

    def _told(self) -> Tracker:
        assert self._tracker is not None, "the executor opens it"
        return self._tracker


class SwarmStepExecutor(StepDelegatingExecutor):  # type: ignore[misc]
    """Dagster's own executor for steps in processes of their own, with this handler."""

    def __init__(self, handler: SwarmStepHandler, **options: Any) -> None:
        super().__init__(handler, check_step_health_interval_seconds=_HEALTH_S, **options)
        self._handler = handler
        self._ends = Ends()

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[DagsterEvent]:
        self._handler.open(plan_context.run_id)
        try:
            yield from super().execute(plan_context, execution_plan)
        finally:
            self._handler.close()

    def _pop_events(
        self, instance: DagsterInstance, run_id: str, seen_storage_ids: set[int]
    ) -> Sequence[DagsterEvent]:
        return [
            event
            for event in super()._pop_events(instance, run_id, seen_storage_ids)
            if not self._ends.is_repeated(event.event_type_value, event.step_key)
        ]


@executor(  # type: ignore[untyped-decorator]
    name="swarm",
    config_schema={
        "max_concurrent": Field(
            Noneable(Int), default_value=None, description="Steps of one run at a time at most."
        ),
        "tag_concurrency_limits": get_tag_concurrency_limits_config(),
        "retries": get_retries_config(),
    },
    requirements=multiple_process_executor_requirements(),
)
def swarm_executor(context: InitExecutorContext) -> Executor:
    """Runs each step as a task of swarm. swarm is that of the run launcher, or without one that of
    `SWARM_URL` and `SWARM_TOKEN_FILE`."""
    config = context.executor_config
    return SwarmStepExecutor(
        SwarmStepHandler(_access(context.instance)),
        retries=RetryMode.from_config(config["retries"]),
        max_concurrent=config.get("max_concurrent"),
        tag_concurrency_limits=config.get("tag_concurrency_limits") or [],
    )


def _access(instance: DagsterInstance) -> Access:
    url, folder = os.environ.get("SWARM_URL"), os.environ.get("SWARM_FILES")
    env_vars = tuple(filter(None, os.environ.get("SWARM_ENV_VARS", "").split(",")))
    orchestrator = os.environ.get("SWARM_ORCHESTRATOR", "dagster")
    if url and folder:  # this run is a task of swarm itself: the token came with it
        token = (Path(folder) / "token").read_text().strip()
        return Access(url, token, env_vars, orchestrator)
    launcher = instance.run_launcher
    if isinstance(launcher, SwarmRunLauncher):
        return launcher.access()
    try:
        token = Path(os.environ["SWARM_TOKEN_FILE"]).read_text().strip()
        return Access(os.environ["SWARM_URL"], token, env_vars, orchestrator)
    except KeyError as missing:
        raise ValueError(
            f"The executor `swarm` needs swarm's run launcher in dagster.yaml, or {missing} in the "
            "environment."
        ) from None


def _step_of(context: StepHandlerContext) -> tuple[str, int]:
    args = context.execute_step_args
    (key,) = args.step_keys_to_execute
    known = args.known_state
    return key, known.get_retry_state().get_attempt_count(key) if known else 0
