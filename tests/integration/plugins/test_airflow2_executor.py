"""Tasks of a real Airflow 2.11 survive the death of what runs them, and of what schedules them."""

from collections.abc import Iterator

import pytest

from benchmarks.live_swarm import LiveSwarm
from tests.integration.plugins.airflow_world import SOON, Airflow2, running_airflow2
from tests.integration.plugins.watching import eventually

pytestmark = [pytest.mark.lab]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, swarm: LiveSwarm) -> Iterator[Airflow2]:
    with running_airflow2(tmp_path_factory.mktemp("airflow2"), swarm) as airflow:
        yield airflow


def test_a_task_outlives_its_worker_within_the_same_try(swarm, airflow):
    run = airflow.trigger("outlives_its_worker")
    eventually(lambda: airflow.told(run) == [1])
    task = eventually(lambda: airflow.swarm_id(run))
    swarm.kill_worker()
    assert airflow.ended(run) == "success"
    assert airflow.told(run) == [1, 2]
    assert airflow.tries(run) == [(1, "success")]
    assert airflow.failures(run) == 0
    assert "worker of grant 1 is lost" in airflow.said(run, "swarm runs it again")[-1]
    eventually(lambda: "grant 1 lost: process_exit" in swarm.story(task))


def test_a_task_of_a_killed_scheduler_is_adopted_by_the_next(swarm, airflow):
    run = airflow.trigger("waits_to_be_told")
    eventually(lambda: airflow.told(run) == [1])
    killed = airflow.scheduler_job(run)
    airflow.restart_killed_scheduler(SOON)
    eventually(lambda: airflow.scheduler_job(run) != killed)
    airflow.go(run)
    assert airflow.ended(run) == "success"
    assert airflow.told(run) == [1]
    assert airflow.tries(run) == [(1, "success")]
    assert swarm.ended(airflow.swarm_id(run))["state"] == "succeeded"
