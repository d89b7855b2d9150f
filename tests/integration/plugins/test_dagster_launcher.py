"""Runs and steps of a real Dagster survive the death of the worker they run on."""

import socket
from collections.abc import Iterator

import pytest

from benchmarks.live_swarm import LiveSwarm
from tests.integration.plugins.live_dagster import LiveDagster, running_dagster
from tests.integration.plugins.watching import eventually

pytestmark = [pytest.mark.lab]


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory, swarm: LiveSwarm) -> Iterator[LiveDagster]:
    with running_dagster(tmp_path_factory.mktemp("dagster"), swarm) as dagster:
        yield dagster


def retries(dagster, run):
    kinds = ("ExecutionStepUpForRetryEvent", "ExecutionStepRestartEvent")
    return [event for event in dagster.events(run) if event[0] in kinds]


def test_only_the_lost_step_runs_again(swarm, dagster):
    run = dagster.launch("three_steps")
    eventually(lambda: ("second", 1) in dagster.noted(run))
    swarm.kill_slot(f"dagster:{run}:second:0")
    assert dagster.ended(run)["status"] == "SUCCESS", dagster.events(run)
    assert dagster.noted(run) == [("first", 1), ("second", 1), ("second", 2), ("third:42", 1)]
    assert retries(dagster, run) == []
    assert swarm.ended(f"dagster:{run}:0")["grant"] == 1, "the run's own process went on"


def test_a_run_outlives_the_worker_of_itself_and_its_step(swarm, dagster):
    run = dagster.launch("three_steps")
    eventually(lambda: ("second", 1) in dagster.noted(run))
    swarm.kill_worker()
    assert dagster.ended(run)["status"] == "SUCCESS", dagster.events(run)
    assert dagster.noted(run) == [("first", 1), ("second", 1), ("second", 2), ("third:42", 1)]
    assert retries(dagster, run) == []
    assert swarm.ended(f"dagster:{run}:0")["grant"] == 2
    assert swarm.ended(f"dagster:{run}:first:0")["grant"] == 1


def test_a_step_that_was_over_when_its_worker_died_is_not_run_again(swarm, dagster):
    run = dagster.launch("lingering")
    task = f"dagster:{run}:lingers:0"
    assert dagster.ended(run)["status"] == "SUCCESS", dagster.events(run)
    swarm.in_state(task, "running")
    swarm.kill_slot(task)
    ended = swarm.ended(task)
    assert (ended["state"], ended["grant"]) == ("succeeded", 2)
    assert dagster.noted(run) == [("lingers", 1), ("third:1", 1)]


def test_a_loss_takes_none_of_the_step_s_retries(swarm, dagster):
    run = dagster.launch("retried")
    eventually(lambda: ("try:0", 1) in dagster.noted(run))
    swarm.kill_slot(f"dagster:{run}:fails_once_after_a_loss:0")
    assert dagster.ended(run)["status"] == "SUCCESS", dagster.events(run)
    assert dagster.noted(run) == [("try:0", 1), ("try:0", 2), ("try:1", 1)]


def test_a_run_is_terminated_with_its_steps_whether_they_run_or_wait(swarm, dagster):
    run = dagster.launch("stopped")
    eventually(lambda: ("sleeps", 1) in dagster.noted(run))
    running, waiting = f"dagster:{run}:sleeps:0", f"dagster:{run}:too_large:0"
    swarm.in_state(waiting, "queued")
    dagster.stop(run)
    assert dagster.ended(run)["status"] == "CANCELED"
    swarm.ended(running)
    assert swarm.ended(waiting)["state"] == "cancelled"
    swarm.ended(f"dagster:{run}:0")


def test_a_step_whose_process_dies_by_itself_has_failed(swarm, dagster):
    run = dagster.launch("dying")
    assert dagster.ended(run)["status"] == "FAILURE"
    assert dagster.noted(run) == [("dies", 1)]


def test_a_step_that_swarm_refuses_has_failed_and_says_why(dagster):
    run = dagster.launch("asking_too_much")
    assert dagster.ended(run)["status"] == "FAILURE"
    assert dagster.noted(run) == []
    assert any("64 CPU" in text for text in dagster.failures(run)), dagster.failures(run)


def test_with_another_executor_the_whole_run_starts_again(swarm, dagster):
    run = dagster.launch("whole")
    eventually(lambda: ("second", 1) in dagster.noted(run))
    swarm.kill_slot(f"dagster:{run}:0")
    assert dagster.ended(run)["status"] == "SUCCESS", dagster.events(run)
    assert dagster.noted(run) == [
        ("first", 1),
        ("second", 1),
        ("first", 2),
        ("second", 2),
        ("third:42", 2),
    ]


def test_runs_go_on_without_the_daemon(dagster):
    run = dagster.launch("lingering")
    eventually(lambda: ("lingers", 1) in dagster.noted(run))
    dagster.kill_daemon()
    assert dagster.ended(run)["status"] == "SUCCESS"
    dagster.start_daemon()


def test_what_a_killed_daemon_had_taken_and_not_handed_in_is_handed_in_by_the_next(dagster):
    dagster.kill_daemon()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dagster.start_daemon(SWARM_URL=f"http://127.0.0.1:{silent.getsockname()[1]}")
        run = dagster.launch("plain")
        eventually(lambda: "swarm/task" in {tag["key"] for tag in dagster.run(run)["tags"]})
        dagster.kill_daemon()
    assert dagster.run(run)["status"] == "STARTING"
    dagster.start_daemon()
    another = dagster.launch("plain")
    for each in (run, another):
        assert dagster.ended(each)["status"] == "SUCCESS"
        assert dagster.noted(each) == [("first", 1), ("third:40", 1)]
