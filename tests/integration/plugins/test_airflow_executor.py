"""Tasks of a real Airflow 3 survive the death of what runs them, and of what schedules them."""

from collections.abc import Iterator

import pytest

from benchmarks.live_swarm import LiveSwarm
from tests.integration.plugins.airflow_world import Airflow, running_airflow
from tests.integration.plugins.eventually import eventually

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, swarm: LiveSwarm) -> Iterator[Airflow]:
    with running_airflow(tmp_path_factory.mktemp("airflow"), swarm) as airflow:
        yield airflow


def test_a_task_outlives_its_worker_within_the_same_try(swarm, airflow):
    dag = "outlives_its_worker"
    run = airflow.trigger(dag)
    eventually(lambda: airflow.told(run) == [1])
    before = airflow.instance(run)
    task = airflow.swarm_id(run)
    assert swarm.story(task)[:3] == ["handed in by team airflow", "grant 1", "grant 1 runs"]
    swarm.kill_worker()
    assert airflow.ended(run) == "success"
    assert airflow.told(run) == [1, 2]
    assert airflow.told(f"{run}.after") == [1]
    assert airflow.tries(run) == [(1, "success")]
    assert airflow.instance(run) == before
    assert airflow.failures(run) == 0
    assert "worker of grant 1 is lost" in airflow.events(run)["swarm runs it again"]
    assert swarm.ended(task)["state"] == "succeeded"
    assert swarm.story(task)[3:7] == [
        "grant 1 lost: process_exit",
        "may run again",
        "grant 2",
        "grant 2 runs",
    ]


def test_a_task_that_airflow_has_the_end_of_is_not_run_again(swarm, airflow):
    dag = "waits_to_be_told"
    run = airflow.trigger(dag)
    eventually(lambda: airflow.told(run) == [1])
    task = airflow.swarm_id(run)
    path = f"/dags/{dag}/dagRuns/{run.replace('+', '%2B')}/taskInstances/work"
    airflow.call("PATCH", path, {"new_state": "success"})
    swarm.kill_worker()
    assert swarm.ended(task)["state"] == "succeeded"
    assert airflow.ended(run) == "success"
    assert airflow.told(run) == [1]
    assert airflow.tries(run) == [(1, "success")]


def test_a_task_of_a_killed_scheduler_is_adopted_by_the_next(swarm, airflow):
    dag = "waits_to_be_told"
    run = airflow.trigger(dag)
    eventually(lambda: airflow.told(run) == [1])
    killed = airflow.scheduler_job(run)
    # By default 30 s until it counts as dead, and 300 s between two looks for what it has left.
    soon = {
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "8",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "2",
    }
    airflow.restart_killed_scheduler(soon)
    eventually(lambda: airflow.scheduler_job(run) != killed)
    airflow.go(run)
    assert airflow.ended(run) == "success"
    assert airflow.told(run) == [1]
    assert airflow.tries(run) == [(1, "success")]
    assert swarm.ended(airflow.swarm_id(run))["state"] == "succeeded"


def test_a_task_that_loses_its_worker_while_its_scheduler_is_dead_runs_again(swarm, airflow):
    dag = "outlives_its_worker"
    run = airflow.trigger(dag)
    eventually(lambda: airflow.told(run) == [1])
    # Airflow itself would look for it in an hour.
    late = {
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3600",
    }
    airflow.restart_killed_scheduler(late, meanwhile=swarm.kill_worker)
    assert airflow.ended(run) == "success"
    assert airflow.told(run) == [1, 2]
    assert airflow.tries(run) == [(1, "success")]
    assert airflow.failures(run) == 0


def test_needs_that_are_not_there_fail_the_task_and_say_why(airflow):
    dag = "asks_for_nonsense"
    run = airflow.trigger(dag)
    assert airflow.ended(run) == "failed"
    assert "did you mean 'memory_bytes'" in airflow.events(run)["state mismatch"]
