"""Dagster's daemon does not wait for swarm, whatever swarm does."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
import yaml

from swarm.demo import environments
from tests.integration.places import ENVIRONMENTS

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PROMISED_S = 0.05
ANSWER_S = 5.0  # far less than any deadline of the network
CALLS = {
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
    assert taken, "nobody called: the launcher was not asked to do anything"


@pytest.mark.lab
@pytest.mark.timeout(600)
def test_no_call_of_the_daemon_waits_for_a_swarm_that_does_not_answer(tmp_path, black_hole):
    (tmp_path / "token").write_text("secret")
    config = {"url": black_hole, "token_file": str(tmp_path / "token")}
    launcher = {"module": "swarm.plugins.dagster.launcher", "class": "SwarmRunLauncher"}
    settings = {"telemetry": {"enabled": False}, "run_launcher": launcher | {"config": config}}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings))
    bin_ = environments.ensure(ENVIRONMENTS, environments.DAGSTER, print)
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [str(bin_ / "python"), str(HERE / "dagster_calls.py")],
        env=kept
        | {
            "PATH": f"{bin_}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "DAGSTER_HOME": str(tmp_path),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5_000:]
    took = json.loads(done.stdout.splitlines()[-1])
    assert {call for call in took if not call.startswith("own ")} == CALLS
    # What a call writes into Dagster's own database is not swarm's to speed up.
    own_s = {call: median(took.get(f"own {call}", [0.0])) for call in CALLS}
    typical_s = {call: median(took[call]) - own_s[call] for call in CALLS}
    assert {call: s for call, s in typical_s.items() if s > PROMISED_S} == {}
    # One call may have stood in line for the machine; none for the network.
    longest_s = {call: max(seconds) for call, seconds in took.items()}
    assert {call: s for call, s in longest_s.items() if s > ANSWER_S} == {}
