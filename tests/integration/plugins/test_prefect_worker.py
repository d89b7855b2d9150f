"""Flows of a real Prefect survive the death of the worker they run on, and of Prefect's own."""

import socket
from collections.abc import Iterator

import pytest

from benchmarks.live_swarm import LiveSwarm
from tests.integration.plugins.live_prefect import LivePrefect, running_prefect
from tests.integration.plugins.watching import eventually

pytestmark = [pytest.mark.lab]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, swarm: LiveSwarm) -> Iterator[LivePrefect]:
    with running_prefect(tmp_path_factory.mktemp("prefect"), swarm) as server:
        yield server


@pytest.fixture
def prefect(server: LivePrefect) -> LivePrefect:
    """With a worker, if the test before has left none."""
    if not server.workers:
        server.start_worker()
    return server


def test_a_flow_outlives_its_worker_as_the_same_run_and_try(swarm, prefect):
    run = prefect.launch("outlives")
    eventually(lambda: ("task", 1) in prefect.noted(run))
    swarm.kill_worker()
    ended = prefect.ended(run)
    assert ended["state_type"] == "COMPLETED", ended["state"]
    assert ended["run_count"] == 1
    assert prefect.noted(run) == [("flow", 1), ("task", 1), ("flow", 2), ("task", 2)]
    eventually(lambda: "starts again as the same try (grant 2)" in prefect.logs(run))
    assert swarm.ended(prefect.task(run))["state"] == "succeeded"


def test_a_loss_takes_none_of_the_flow_s_retries(swarm, prefect):
    run = prefect.launch("fails_once_after_a_loss")
    eventually(lambda: prefect.noted(run) == [("flow", 1)])
    swarm.kill_worker()
    ended = prefect.ended(run)
    assert ended["state_type"] == "COMPLETED", ended["state"]
    assert prefect.noted(run) == [("flow", 1), ("flow", 2), ("flow", 2)]
    assert ended["run_count"] == 2, "the second is the retry of the flow's own failure"


def test_a_run_that_was_over_when_its_worker_died_is_not_run_again(swarm, prefect):
    run = prefect.launch("lingers")
    assert prefect.ended(run)["state_type"] == "COMPLETED"
    task = prefect.task(run)
    assert swarm.in_state(task, "running")
    swarm.kill_worker()
    ended = swarm.ended(task)
    assert (ended["state"], ended["grant"]) == ("succeeded", 2)
    assert prefect.noted(run) == [("flow", 1)]
    assert prefect.run(run)["state_type"] == "COMPLETED"


def test_the_prefect_worker_may_die_and_a_flow_still_survives_its_machine(swarm, prefect):
    (prefect.notes / "go").unlink(missing_ok=True)
    running, lost = prefect.launch("waits"), prefect.launch("outlives")
    eventually(lambda: prefect.noted(running) == [("flow", 1)])
    eventually(lambda: ("task", 1) in prefect.noted(lost))
    prefect.task(running)
    prefect.task(lost)
    prefect.kill_workers()
    (prefect.notes / "go").touch()
    assert prefect.ended(running)["state_type"] == "COMPLETED"
    swarm.kill_worker()
    ended = prefect.ended(lost)
    assert (ended["state_type"], ended["run_count"]) == ("COMPLETED", 1)
    prefect.start_worker()
    assert prefect.noted(running) == [("flow", 1)]
    again = prefect.launch("waits")
    assert prefect.ended(again)["state_type"] == "COMPLETED"


def test_what_a_killed_worker_had_taken_and_not_handed_in_is_handed_in_by_the_next(prefect):
    prefect.kill_workers()
    (prefect.notes / "go").touch()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        prefect.start_worker(SWARM_URL=f"http://127.0.0.1:{silent.getsockname()[1]}")
        run = prefect.launch("waits")
        prefect.in_state(run, "PENDING")
        prefect.kill_workers()
    assert prefect.run(run)["state_type"] == "PENDING"
    prefect.start_worker()
    assert prefect.ended(run)["state_type"] == "COMPLETED"
    assert prefect.noted(run) == [("flow", 1)]


def test_a_running_flow_is_cancelled_with_its_hooks(swarm, prefect):
    run = prefect.launch("is_cancelled")
    eventually(lambda: prefect.noted(run) == [("flow", 1)])
    prefect.cancel(run)
    assert prefect.ended(run)["state_type"] == "CANCELLED"
    swarm.ended(prefect.task(run))
    assert prefect.noted(run) == [("flow", 1), ("hook", 1)]


def test_a_flow_that_waits_in_swarm_is_cancelled_there(swarm, prefect):
    run = prefect.launch("waits", cpu=64, wait_for_capacity=True)
    task = prefect.task(run)
    swarm.in_state(task, "queued")
    prefect.cancel(run)
    assert prefect.ended(run)["state_type"] == "CANCELLED"
    assert swarm.ended(task)["state"] == "cancelled"
    assert prefect.noted(run) == []


def test_crashes_and_refusals_are_told_as_such(prefect):
    run = prefect.launch("dies")
    ended = prefect.ended(run)
    assert ended["state_type"] == "CRASHED"
    assert "exit code 7" in ended["state"]["message"]
    refused = prefect.ended(prefect.launch("waits", cpu=64))
    assert refused["state_type"] == "CRASHED"
    assert "64 CPU" in refused["state"]["message"]
