"""Airflow's scheduler is killed with the task it runs: what the connector tells, and its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.config import Settings, Source
from swarm.connectors.airflow.connector import connect
from tests.integration.connectors.airflow_server import AirflowServer, running_airflow
from tests.integration.connectors.test_killed_workers import Watcher, kill_tree

pytestmark = [pytest.mark.lab]
HOLD = """
import time
from airflow.sdk import DAG, task

with DAG("holding", schedule=None):

    @task
    def hold():
        time.sleep(3600)

    hold()
"""


@pytest.fixture
def airflow(tmp_path: Path) -> Iterator[AirflowServer]:
    with running_airflow(3, tmp_path) as server:
        yield server


async def test_a_killed_scheduler_is_found_with_its_task_and_closes_when_it_is_back(
    airflow: AirflowServer,
) -> None:
    (airflow.dags / "holding.py").write_text(HOLD)
    source = Source(kind="airflow", name="af", url=airflow.url)
    watcher = Watcher(connect(source, Settings()))
    await watcher.until("the DAG", lambda: _is_known(airflow))
    airflow.unpause("holding")
    airflow.call("POST", "/dags/holding/dagRuns", {"logical_date": None})
    await watcher.until("the task", lambda: len(watcher.watched.process_of) == 1)
    await watcher.until("the scheduler", lambda: watcher.alive("scheduler@"))
    assert watcher.open == {}
    (ran,) = watcher.watched.process_of
    kill_tree(airflow.schedulers[-1].process.pid)

    def is_found() -> bool:
        return {name.partition("@")[0].partition("/")[0] for name in watcher.open} >= {
            "scheduler",
            "holding",
        }

    await watcher.until("the findings", is_found)
    for name, finding in watcher.open.items():
        if name.startswith(("scheduler", "holding")):
            assert finding.worker is not None
            assert finding.worker.runs == (ran,)
    airflow.start_scheduler()
    await watcher.until(
        "its end", lambda: not [name for name in watcher.open if name.startswith("scheduler")]
    )


def _is_known(airflow: AirflowServer) -> bool:
    return "holding" in {dag["dag_id"] for dag in airflow.call("GET", "/dags?limit=100")["dags"]}
