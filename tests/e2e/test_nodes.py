"""Nodes that join a running swarm get a worker each, and their loss is told."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import Swarm
from tests.e2e.test_tasks import in_state, story
from tests.e2e.test_up import eventually

pytestmark = pytest.mark.parametrize("swarm", ["sqlite"], indirect=True)
SPOT = {"ray.io/market-type": "spot", "swarm/pool": "night"}


@contextmanager
def a_node(swarm: Swarm, name: str) -> Iterator[psutil.Process]:
    """Another raylet on this machine, as `ray start` makes it; its main process."""
    head = psutil.Process(swarm.pid).children()[0].environ()
    token = {key: value for key, value in head.items() if key.startswith("RAY_AUTH")}
    started = subprocess.Popen(
        [
            Path(sys.executable).with_name("ray"),
            "start",
            "--block",
            f"--address={json.loads((swarm.state / 'up.json').read_text())['ray']}",
            "--node-ip-address=127.0.0.1",
            f"--node-name={name}",
            "--num-cpus=1",
            f"--labels={','.join(f'{key}={value}' for key, value in SPOT.items())}",
        ],
        env=os.environ | token,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    process = psutil.Process(started.pid)
    try:
        yield process
    finally:
        for left in [*process.children(recursive=True), process]:
            if left.is_running():
                left.kill()
        started.wait(30)


def raylet(process: psutil.Process) -> psutil.Process | None:
    found = [p for p in process.children(recursive=True) if p.name() == "raylet"]
    return found[0] if found else None


def spots(swarm: Swarm) -> list[dict]:
    return [row for row in swarm.client.workers() if row["capacity"] == "spot"]


def run_there(swarm: Swarm) -> str:
    """A task that ends only where it was not started first."""
    code = "[ $SWARM_GRANT = 2 ] || sleep 300"
    (task,) = swarm.client.submit([{"argv": ["sh", "-c", code], "capacity": "spot"}])
    in_state(swarm, task, "running")
    return task


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_node_joins_works_and_leaves(swarm: Swarm, how: signal.Signals) -> None:
    eventually(lambda: len(swarm.client.workers()) == 1)
    with a_node(swarm, "first") as process:
        (row,) = eventually(lambda: spots(swarm))
        assert (row["slots"], row["cpu"], row["pool"]) == (1, 1.0, "night")
        task = run_there(swarm)
        raylet(process).send_signal(how)
        eventually(lambda: not spots(swarm))
    waits = eventually(lambda: (f := story(swarm, task))["waiting"] and f)
    assert waits["waiting"] == "no_capacity"
    lost = [line["text"] for line in waits["story"] if "lost" in line["text"]]
    assert lost in (["grant 1 lost: process_exit"], ["grant 1 lost: node_gone"])
    with a_node(swarm, "second"):
        ended = in_state(swarm, task, "succeeded")
    assert ended["grant"] == 2
    eventually(lambda: len(swarm.client.workers()) == 1)
