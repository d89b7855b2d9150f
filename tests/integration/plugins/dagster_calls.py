"""Run inside Dagster's environment: how long each call of the daemon to the run launcher takes."""

import json
import sys
import time

from dagster import DagsterInstance, job, op
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.launcher.base import LaunchRunContext, ResumeRunContext

ROUNDS = 20


@op
def nothing_op():
    pass


@job
def nothing():
    nothing_op()


def write_as_launch(instance, run):
    instance.add_run_tags(run.run_id, {"swarm/task": "x"})
    instance.report_engine_event("Handed in.", run)


def write_as_terminate(instance, run):
    instance.report_run_canceling(instance.get_run_by_id(run.run_id))


def main() -> None:
    took: dict[str, list[float]] = {}

    def timed(name, call, *args):
        began_s = time.perf_counter()
        answer = call(*args)
        took.setdefault(name, []).append(time.perf_counter() - began_s)
        return answer

    origin = ReconstructableJob.for_file(__file__, "nothing").get_python_origin()
    with DagsterInstance.get() as instance:
        launcher = instance.run_launcher
        for _ in range(ROUNDS):
            run = instance.create_run_for_job(nothing, job_code_origin=origin)
            instance.report_engine_event("taken from the queue", run)  # makes the run's own log
            timed("launch_run", launcher.launch_run, LaunchRunContext(run, None))
            run = instance.get_run_by_id(run.run_id)
            health = timed("check_run_worker_health", launcher.check_run_worker_health, run)
            assert health.status.value == "RUNNING", health
            timed("get_run_worker_debug_info", launcher.get_run_worker_debug_info, run)
            timed("resume_run", launcher.resume_run, ResumeRunContext(run, None, 1))
            assert timed("terminate", launcher.terminate, run.run_id)
        # What Dagster's own database takes of each call.
        for _ in range(ROUNDS):
            run = instance.create_run_for_job(nothing, job_code_origin=origin)
            instance.report_engine_event("taken from the queue", run)
            for call in ("launch_run", "resume_run"):
                timed(f"own {call}", write_as_launch, instance, run)
            timed("own terminate", write_as_terminate, instance, run)
    sys.stdout.write(json.dumps(took) + "\n")


if __name__ == "__main__":
    main()
