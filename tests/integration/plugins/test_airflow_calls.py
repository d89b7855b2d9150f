"""A scheduler of Airflow does not wait for swarm, whatever swarm does."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from swarm.demo import environments
from tests.integration.places import ENVIRONMENTS

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PROMISED_S = 0.05
ANSWER_S = 5.0  # far less than any deadline of the network


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
    assert taken, "nobody called: the executor was not asked to do anything"


@pytest.mark.lab
@pytest.mark.timeout(600)
def test_no_call_of_the_scheduler_waits_for_a_swarm_that_does_not_answer(tmp_path, black_hole):
    (tmp_path / "token").write_text("secret")
    bin_ = environments.ensure(ENVIRONMENTS, environments.AIRFLOW, print)
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [str(bin_ / "python"), str(HERE / "airflow_calls.py")],
        env=kept
        | {
            "PATH": f"{bin_}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "AIRFLOW_HOME": str(tmp_path / "home"),
            "AIRFLOW__API_AUTH__JWT_SECRET": "only for tests on loopback " * 3,
            "AIRFLOW__SWARM__URL": black_hole,
            "AIRFLOW__SWARM__TOKEN_FILE": str(tmp_path / "token"),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5_000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["held"] == 20 * 16
    typical_s = {call: median(seconds) for call, seconds in told["took"].items()}
    assert {call: s for call, s in typical_s.items() if s > PROMISED_S} == {}
    # One call may have stood in line for the machine; none for the network.
    longest_s = {call: max(seconds) for call, seconds in told["took"].items()}
    assert {call: s for call, s in longest_s.items() if s > ANSWER_S} == {}
