"""Run inside Airflow's environment: how long each call of the scheduler to the executor takes."""

import json
import sys
import time
import uuid
from types import SimpleNamespace

from airflow.executors import workloads
from airflow.executors.workloads.task import TaskInstanceDTO

from swarm.plugins.airflow import SwarmExecutor

ROUNDS, TASKS = 20, 16


def a_workload(number):
    ti = TaskInstanceDTO(
        id=uuid.uuid4(),
        dag_version_id=uuid.uuid4(),
        task_id=f"task_{number}",
        dag_id="dag",
        run_id="run",
        try_number=1,
        map_index=-1,
        pool_slots=1,
        queue="default",
        priority_weight=1,
        external_executor_id=str(uuid.uuid4()),
    )
    bundle = workloads.BundleInfo(name="dags")
    return workloads.ExecuteTask(
        ti=ti, token="t" * 600, dag_rel_path="dag.py", bundle_info=bundle, log_path="log"
    )


def main() -> None:
    took: dict[str, list[float]] = {}

    def timed(name, call, *args, **named):
        began_s = time.perf_counter()
        call(*args, **named)
        took.setdefault(name, []).append(time.perf_counter() - began_s)

    executor = SwarmExecutor(parallelism=10_000)
    executor.job_id = 1
    timed("start", executor.start)
    for turn in range(ROUNDS):
        works = [a_workload(turn * TASKS + number) for number in range(TASKS)]
        for work in works:
            timed("queue_workload", executor.queue_workload, work, session=None)
        timed("heartbeat", executor.heartbeat)
        timed("sync", executor.sync)
        gone = SimpleNamespace(
            id=uuid.uuid4(), key=f"key {turn}", try_number=1, external_executor_id=str(turn)
        )
        timed("try_adopt_task_instances", executor.try_adopt_task_instances, [gone])
        revoked = SimpleNamespace(key=works[0].key, external_executor_id=None)
        timed("revoke_task", executor.revoke_task, ti=revoked)
    timed("end", executor.end)
    timed("terminate", executor.terminate)
    held = len(executor._book)
    sys.stdout.write(json.dumps({"took": took, "held": held}) + "\n")


if __name__ == "__main__":
    main()
