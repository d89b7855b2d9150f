"""Runs on swarm's worker: `python -m swarm.plugins.dagster.process run|step FILE`, where FILE holds
the arguments as Dagster packs them.

It may be started again under a later grant of the same task, when the worker before it was lost.
Then what the event log tells decides:

    run   ended: nothing; to be cancelled: it is; begun: it is resumed; else it is executed
    step  ended under this try: nothing; else it is executed, without Dagster's own check that it
          was not begun before: begun it was, on a worker that is gone
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus
from dagster._cli.api import execute_run_command, execute_step_command, resume_run_command
from dagster._grpc.types import ExecuteRunArgs, ExecuteStepArgs, ResumeRunArgs
from dagster._serdes import deserialize_value, serialize_value

from swarm.plugins.dagster.tasks import Next, has_ended, next_step

_LOOK_S = 2.0  # how often it is looked whether the run is to be cancelled
_TO_END = frozenset({DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED})
_STEP_ENDS = {
    DagsterEventType.STEP_SUCCESS,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.STEP_SKIPPED,
    DagsterEventType.STEP_UP_FOR_RETRY,
}
_PAGE = 1_000


def main(arguments: Sequence[str]) -> None:
    """Exits with Dagster's own exit code."""
    kind, path = arguments
    packed = Path(path).read_text()
    if kind == "run":
        _run(packed)
    else:
        _step(packed)


def _run(packed: str) -> None:
    args = deserialize_value(packed, ExecuteRunArgs)
    with DagsterInstance.from_ref(args.instance_ref) as instance:
        run = instance.get_run_by_id(args.run_id)
        step = next_step(run.status.value) if run else Next.NOTHING
        if step is Next.CANCEL:
            instance.report_run_canceled(run)
        if step in (Next.CANCEL, Next.NOTHING):
            return
        with _ended_when_cancelled(instance, args.run_id):
            if step is Next.EXECUTE:
                execute_run_command.main([packed], standalone_mode=False)
            else:
                resumed = ResumeRunArgs(
                    job_origin=args.job_origin,
                    run_id=args.run_id,
                    instance_ref=args.instance_ref,
                    set_exit_code_on_failure=args.set_exit_code_on_failure,
                )
                resume_run_command.main([serialize_value(resumed)], standalone_mode=False)


def _step(packed: str) -> None:
    args = deserialize_value(packed, ExecuteStepArgs)
    (key,) = args.step_keys_to_execute
    retries = args.known_state.get_retry_state().get_attempt_count(key) if args.known_state else 0
    with DagsterInstance.from_ref(args.instance_ref) as instance:
        if has_ended(_ends(instance, args.run_id), key, retries):
            sys.stderr.write(f"swarm: step {key} has ended already\n")
            return
        with _ended_when_cancelled(instance, args.run_id):
            execute_step_command.main([packed], standalone_mode=False)


def _ends(instance: DagsterInstance, run_id: str) -> Iterator[tuple[str, str | None]]:
    cursor = None
    while True:
        page = instance.get_records_for_run(run_id, cursor, of_type=_STEP_ENDS, limit=_PAGE)
        for record in page.records:
            event = record.event_log_entry.dagster_event
            if event is not None:
                yield event.event_type_value, event.step_key
        if not page.has_more:
            return
        cursor = page.cursor


@contextlib.contextmanager
def _ended_when_cancelled(instance: DagsterInstance, run_id: str) -> Iterator[None]:
    """Interrupts this process when its run is to be cancelled, as a terminal would."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(_LOOK_S):
            run = instance.get_run_by_id(run_id)
            if run is not None and run.status in _TO_END:
                os.kill(os.getpid(), signal.SIGINT)
                return

    watcher = threading.Thread(target=look, name="swarm-cancellation", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


if __name__ == "__main__":
    main(sys.argv[1:])
