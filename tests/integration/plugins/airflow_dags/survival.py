"""DAGs whose tasks tell when and where they run; none of them has a retry."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, task

FOLDER = Path(os.environ["SURVIVAL_FOLDER"])


def tell(name):
    with (FOLDER / name).open("a") as file:
        file.write(f"{os.environ.get('SWARM_GRANT', '')} {time.time()}\n")


def told_of_failure(context):
    tell(f"{context['dag_run'].run_id}.failures")


COMMON = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "schedule": None,
    "default_args": {"retries": 0, "on_failure_callback": told_of_failure},
}

with DAG("outlives_its_worker", **COMMON):

    @task(executor_config={"swarm": {"cpu": 0.5}})
    def work(run_id=None):
        tell(run_id)
        if os.environ["SWARM_GRANT"] == "1":
            time.sleep(600)
        return "done"

    @task
    def after(what, run_id=None):
        tell(f"{run_id}.after")
        return what

    after(work())

with DAG("waits_to_be_told", **COMMON):

    @task(task_id="work")
    def wait(run_id=None):
        tell(run_id)
        while not (FOLDER / f"{run_id}.go").exists():
            time.sleep(0.1)

    wait()

with DAG("asks_for_nonsense", **COMMON):

    @task(task_id="work", executor_config={"swarm": {"memory": 1}})
    def ask():
        raise AssertionError("it must not run")

    ask()

with DAG("left_out", **COMMON):

    @task(task_id="work")
    def load(run_id=None):
        tell(run_id)

    load()
