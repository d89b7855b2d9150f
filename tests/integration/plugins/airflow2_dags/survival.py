"""As the DAGs of Airflow 3 beside this folder, for Airflow 2.11."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from airflow.decorators import task
from airflow.models.dag import DAG

FOLDER = Path(os.environ["SURVIVAL_FOLDER"])


def tell(name):
    with (FOLDER / name).open("a") as file:
        file.write(f"{os.environ.get('SWARM_GRANT', '')} {time.time()}\n")


def told_of_failure(context):
    tell(f"{context['run_id']}.failures")


COMMON = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "schedule": None,
    "is_paused_upon_creation": False,
    "default_args": {"retries": 0, "on_failure_callback": told_of_failure},
}

with DAG("outlives_its_worker", **COMMON):

    @task(executor_config={"swarm": {"cpu": 0.5}})
    def work(run_id=None):
        tell(run_id)
        if os.environ["SWARM_GRANT"] == "1":
            time.sleep(600)

    work()

with DAG("waits_to_be_told", **COMMON):

    @task(task_id="work")
    def wait(run_id=None):
        tell(run_id)
        while not (FOLDER / f"{run_id}.go").exists():
            time.sleep(0.1)

    wait()
