"""Tasks of a real Airflow 3 survive the death of what runs them, and of what schedules them."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.live_swarm import LiveSwarm
from tests.integration.plugins.airflow_world import SOON, Airflow, running_airflow
from tests.integration.plugins.watching import eventually

pytestmark = [pytest.mark.lab]
# A token lives for as long as a task may wait for its turn.
AT_ONCE_TOO_OLD = {
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "1",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "3600",
}
TOO_OLD_S = 3.0


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, swarm: LiveSwarm) -> Iterator[Airflow]:
    folder = tmp_path_factory.mktemp("airflow")
    with running_airflow(folder, swarm, AIRFLOW__API_AUTH__JWT_LEEWAY="0") as airflow:
        yield airflow


def test_a_task_outlives_its_worker_within_the_same_try(swarm, airflow):
    dag = "outlives_its_worker"
    run = airflow.trigger(dag)
    eventually(lambda: airflow.told(run) == [1])
    before = airflow.instance(run)
    task = eventually(lambda: airflow.swarm_id(run))
    began = ["handed in by team airflow", "grant 1", "grant 1 runs"]
    eventually(lambda: swarm.story(task)[:3] == began)
    swarm.kill_worker()
    assert airflow.ended(run) == "success"
    assert airflow.told(run) == [1, 2]
    assert airflow.told(f"{run}.after") == [1]
    assert airflow.tries(run) == [(1, "success")]
    assert airflow.instance(run) == before
    assert airflow.failures(run) == 0
    assert "worker of grant 1 is lost" in airflow.said(run, "swarm runs it again")[-1]
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
    task = eventually(lambda: airflow.swarm_id(run))
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
    airflow.restart_killed_scheduler(SOON)
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


def test_a_task_whose_token_got_too_old_while_no_scheduler_ran_begins_with_a_new_one(
    swarm, airflow
):
    airflow.restart_killed_scheduler(AT_ONCE_TOO_OLD)
    (worker,) = swarm.client.workers()
    blockers = swarm.client.submit([{"argv": ["sleep", "600"]} for _ in range(worker["slots"])])
    for blocker in blockers:
        swarm.in_state(blocker, "running")
    run = airflow.trigger("waits_to_be_told")
    airflow.go(run)
    task = eventually(lambda: airflow.swarm_id(run))
    swarm.in_state(task, "queued")

    def begins() -> None:
        killed_s = time.time()
        eventually(lambda: time.time() > killed_s + TOO_OLD_S)
        for blocker in blockers:
            swarm.client.cancel(blocker)
        assert swarm.ended(task)["state"] == "failed"

    airflow.restart_killed_scheduler(SOON, meanwhile=begins)
    assert airflow.ended(run) == "success"
    assert airflow.told(run) == [1]
    assert airflow.tries(run) == [(1, "success")]
    assert airflow.failures(run) == 0
    assert airflow.swarm_id(run) != task
    assert "had not begun" in airflow.said(run, "swarm hands it over again")[-1]


def test_two_schedulers_deal_with_a_loss_once_and_one_adopts_from_the_other(swarm, airflow):
    ends, waits = airflow.trigger("outlives_its_worker"), airflow.trigger("waits_to_be_told")
    eventually(lambda: (airflow.told(ends), airflow.told(waits)) == ([1], [1]))
    first, first_job = airflow.scheduler, airflow.scheduler_job(waits)
    airflow.start_scheduler(SOON)
    eventually(lambda: airflow.newest_scheduler() > first_job)
    swarm.kill_worker()
    assert airflow.ended(ends) == "success"
    eventually(lambda: airflow.told(waits) == [1, 2])
    airflow.kill_scheduler(first)
    eventually(lambda: airflow.scheduler_job(waits) > first_job)
    airflow.go(waits)
    assert airflow.ended(waits) == "success"
    for run in (ends, waits):
        assert airflow.told(run) == [1, 2]
        assert airflow.tries(run) == [(1, "success")]
        assert len(airflow.said(run, "swarm runs it again")) == 1


def test_needs_that_are_not_there_fail_the_task_and_say_why(airflow):
    dag = "asks_for_nonsense"
    run = airflow.trigger(dag)
    assert airflow.ended(run) == "failed"
    assert "did you mean 'memory_bytes'" in airflow.said(run, "state mismatch")[-1]


def test_what_waits_for_its_data_until_its_latest_start_is_left_out_and_nothing_else(
    swarm, airflow
):
    def waits() -> dict[str, Any]:
        found = swarm.client.dependencies(declared=False)
        return next((edge for edge in found if edge["downstream"]["pipeline"] == "left_out"), {})

    def held() -> bool:
        return any(row["pipeline"] == "airflow/left_out" for row in swarm.client.decisions())

    edge = eventually(waits)
    swarm.client.judge(edge, "accepted", "a test")
    eventually(held)
    run = airflow.trigger("left_out")
    task = eventually(lambda: airflow.swarm_id(run))
    assert airflow.ended(run) == "success"  # as where Airflow's own operators skip what is late
    assert airflow.tries(run) == [(1, "skipped")]
    assert airflow.failures(run) == 0
    swarm.in_state(task, "skipped")
    swarm.client.judge(edge, "rejected", "a test")
    eventually(lambda: not held())
    begins = airflow.trigger("left_out")
    assert airflow.ended(begins) == "success"
    assert (airflow.told(run), airflow.told(begins)) == ([], [1])
