"""Stock workers are killed while swarm watches: the finding, what ran on them, what it leads to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.foreign_world import POOL, World, kill, world
from benchmarks.live_swarm import until
from tests.integration.places import ENVIRONMENTS

pytestmark = [
    pytest.mark.lab,
    # swarm's process is ended by its pid, as `swarm down` does, and not by who started it.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("foreign")
    with world(folder, ENVIRONMENTS, recover=True) as made:
        yield made


def runs_of(finding: dict[str, Any]) -> list[str]:
    return [ran["run_id"] for ran in finding["worker"]["runs"]]


def test_a_silent_prefect_worker_is_found_with_its_run_and_closes_when_it_is_back(
    prefect: World, tmp_path: Path
) -> None:
    worker = prefect.start_worker("plain", beat=False)
    gate = tmp_path / "gate"
    run_id, pid = prefect.launch(gate)
    kill(worker.pid)
    finding = until("the finding", lambda: prefect.missing("plain"))
    assert (finding["kind"], finding["level"]) == ("missing_worker", "warn")
    assert finding["worker"]["presence"] == "silent"
    assert runs_of(finding) == [run_id]
    assert "make sure" in finding["worker"]["advice"]
    prefect.stop_worker("plain")
    prefect.start_worker("plain", beat=False)
    until("its end", lambda: prefect.missing("plain") is None)
    # Silence proves nothing: the run was left alone, and so could end by itself.
    gate.touch()
    until("the run's end", lambda: prefect.flow_run(run_id)["end_time"])
    assert prefect.started(gate) == [pid]
    prefect.stop_worker("plain")


def test_a_killed_prefect_worker_is_seen_by_its_beat_and_its_run_goes_on_elsewhere(
    prefect: World, tmp_path: Path
) -> None:
    worker = prefect.start_worker("first", beat=True)
    gate = tmp_path / "gate"
    run_id, pid = prefect.launch(gate)
    kill(worker.pid, pid)
    finding = until("the finding", lambda: prefect.missing("first"))
    assert (finding["level"], finding["worker"]["presence"]) == ("gate", "dead")
    assert finding["worker"]["detail"] == "killed by signal 9"
    until("its run in it", lambda: runs_of(prefect.missing("first") or finding))
    until("recovery", lambda: prefect.flow_run(run_id)["state_type"] == "SCHEDULED")
    prefect.start_worker("second", beat=True)
    pids = until("the run elsewhere", lambda: prefect.started(gate)[1:])
    assert pids != [pid]
    gate.touch()
    ended = until("its end", lambda: _ended(prefect, run_id))
    assert (ended["state_type"], ended["run_count"]) == ("COMPLETED", 2)
    assert len(prefect.started(gate)) == 2
    # The one that began later stands in for it.
    until("the finding's end", lambda: prefect.missing("first") is None)
    prefect.stop_worker("second")


def test_a_run_that_outlives_its_worker_is_left_alone_until_it_is_dead_too(
    prefect: World, tmp_path: Path
) -> None:
    worker = prefect.start_worker("third", beat=True)
    gate = tmp_path / "gate"
    run_id, pid = prefect.launch(gate)
    kill(worker.pid)
    finding = until("the finding", lambda: prefect.missing("third"))
    assert runs_of(finding) == []  # no process of a run has ended
    assert prefect.flow_run(run_id)["state_type"] == "RUNNING"
    kill(pid)
    until("its run in it", lambda: runs_of(prefect.missing("third") or finding))
    until("recovery", lambda: prefect.flow_run(run_id)["state_type"] == "SCHEDULED")
    prefect.call("POST", f"/flow_runs/{run_id}/set_state", {"state": {"type": "CANCELLED"}})


def test_a_worker_that_is_stopped_is_no_finding(prefect: World) -> None:
    prefect.start_worker("fourth", beat=True)
    prefect.stop_worker("fourth")

    def told() -> set[str]:
        found = prefect.swarm.client.foreign_workers()
        return {one["seen_by"] for one in found if one["name"] == f"{POOL}/fourth"}

    until("the stop", lambda: "beat" not in told())
    assert prefect.missing("fourth") is None


def _ended(prefect: World, run_id: str) -> dict[str, Any] | None:
    run = prefect.flow_run(run_id)
    return run if run["end_time"] else None
