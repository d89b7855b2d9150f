"""Airflow's scheduler and Dagster's daemon do not wait for swarm, whatever swarm does."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import yaml

from swarm.demo import environments
from tests.integration.places import ENVIRONMENTS

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PROMISED_S = 0.05
ANSWER_S = 5.0  # far less than any deadline of the network
OF_DAGSTER = {
    "launch_run",
    "resume_run",
    "terminate",
    "check_run_worker_health",
    "get_run_worker_debug_info",
}


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A server that takes every connection and never says a word."""
    taken = []

    def take(listener: socket.socket) -> None:
        while True:
            try:
                taken.append(listener.accept()[0])
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=take, args=(listener,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in taken:
        connection.close()
    assert taken, "nobody called: the plug-in was not asked to do anything"


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Any]:
    """Run a script in the environment of an orchestrator; what it prints last."""

    def run(wanted: environments.Requirements, script: str, **environ: str) -> Any:
        bin_ = environments.ensure(ENVIRONMENTS, wanted, print)
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        path = f"{bin_}:{os.environ['PATH']}"
        done = subprocess.run(
            [str(bin_ / "python"), str(HERE / script)],
            env=kept | {"PATH": path, "PYTHONPATH": str(ROOT)} | environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-5_000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


def assert_nothing_waited(took: dict[str, list[float]]) -> None:
    # What a call writes into the orchestrator's own database is not swarm's to speed up.
    calls = [call for call in took if not call.startswith("own ")]
    own_s = {call: median(took.get(f"own {call}", [0.0])) for call in calls}
    typical_s = {call: median(took[call]) - own_s[call] for call in calls}
    assert {call: s for call, s in typical_s.items() if s > PROMISED_S} == {}
    # One call may have stood in line for the machine; none for the network.
    longest_s = {call: max(took[call]) for call in calls}
    assert {call: s for call, s in longest_s.items() if s > ANSWER_S} == {}


@pytest.mark.lab
def test_no_call_of_airflow_s_scheduler_waits_for_a_swarm_that_does_not_answer(
    tmp_path, black_hole, told
):
    (tmp_path / "token").write_text("secret")
    found = told(
        environments.AIRFLOW,
        "airflow_calls.py",
        AIRFLOW_HOME=str(tmp_path / "home"),
        AIRFLOW__API_AUTH__JWT_SECRET="only for tests on loopback " * 3,
        AIRFLOW__SWARM__URL=black_hole,
        AIRFLOW__SWARM__TOKEN_FILE=str(tmp_path / "token"),
    )
    assert found["held"] == 20 * 16
    assert_nothing_waited(found["took"])


@pytest.mark.lab
def test_no_call_of_dagster_s_daemon_waits_for_a_swarm_that_does_not_answer(
    tmp_path, black_hole, told
):
    (tmp_path / "token").write_text("secret")
    config = {"url": black_hole, "token_file": str(tmp_path / "token")}
    launcher = {"module": "swarm.plugins.dagster.launcher", "class": "SwarmRunLauncher"}
    settings = {"telemetry": {"enabled": False}, "run_launcher": launcher | {"config": config}}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings))
    took = told(environments.DAGSTER, "dagster_calls.py", DAGSTER_HOME=str(tmp_path))
    assert {call for call in took if not call.startswith("own ")} == OF_DAGSTER
    assert_nothing_waited(took)
