"""A node that joins a running swarm gets a worker. When it dies, its work goes on elsewhere."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import Swarm
from tests.e2e.test_tasks import in_state, story
from tests.e2e.test_up import eventually

pytestmark = pytest.mark.parametrize("swarm", ["nodes"], indirect=True)
SPOT = {"ray.io/market-type": "spot", "swarm/pool": "night"}


@contextmanager
def a_node(swarm: Swarm, name: str, labels: Mapping[str, str] = SPOT) -> Iterator[psutil.Process]:
    """Another raylet on this machine, as `ray start` makes it; its main process."""
    head = psutil.Process(swarm.pid).children()[0].environ()
    token = {key: value for key, value in head.items() if key.startswith("RAY_AUTH")}
    argv = [
        Path(sys.executable).with_name("ray"),
        "start",
        "--block",
        f"--address={json.loads((swarm.state / 'up.json').read_text())['ray']}",
        "--node-ip-address=127.0.0.1",
        f"--node-name={name}",
        "--num-cpus=1",
        f"--labels={','.join(f'{key}={value}' for key, value in labels.items())}",
    ]
    for _ in range(3):  # Ray gives up after 30 s, which beside load is soon
        with _begun(argv, os.environ | token) as process:
            if any("Ray runtime started" in line for line in process.stdout):
                yield psutil.Process(process.pid)
                return
    raise AssertionError(f"no node of Ray began: {argv}")


@contextmanager
def _begun(
    argv: Sequence[str | Path], environ: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """A process whose output nobody reads to its end, which is little; ended with all its own."""
    with subprocess.Popen(
        argv, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(psutil.NoSuchProcess):
                for left in psutil.Process(process.pid).children(recursive=True):
                    left.kill()
            process.kill()


def raylet(process: psutil.Process) -> psutil.Process:
    return next(p for p in process.children() if p.name() == "raylet")


def spots(swarm: Swarm) -> list[dict]:
    return [row for row in swarm.client.workers() if row["capacity"] == "spot"]


def test_a_node_joins_works_and_dies(swarm: Swarm) -> None:
    eventually(lambda: len(swarm.client.workers()) == 1)
    sleep = {"argv": ["sleep", "300"]}
    fillers = swarm.client.submit([sleep, sleep])
    for filler in fillers:
        in_state(swarm, filler, "running")
    with a_node(swarm, "another") as process:
        (row,) = eventually(lambda: spots(swarm))
        assert (row["slots"], row["cpu"], row["pool"]) == (1, 1.0, "night")
        (task,) = swarm.client.submit([sleep])
        assert in_state(swarm, task, "running")["worker"] == row["worker"]
        swarm.client.cancel(fillers[0])
        in_state(swarm, fillers[0], "cancelled")
        raylet(process).kill()
        eventually(lambda: not spots(swarm))
        found = eventually(lambda: (f := story(swarm, task))["grant"] == 2 and f)
    lost = [line["text"] for line in found["story"] if "lost" in line["text"]]
    assert lost == ["grant 1 lost: process_exit"], "it had to be proven, and that only"
    in_state(swarm, task, "running")
    for left in (task, fillers[1]):
        swarm.client.cancel(left)
        in_state(swarm, left, "cancelled")
    assert len(swarm.client.workers()) == 1


def test_the_doctor_asks_each_node_what_it_is(swarm: Swarm, tmp_path: Path) -> None:
    address = json.loads((swarm.state / "up.json").read_text())["ray"]
    head = psutil.Process(swarm.pid).children()[0].environ()
    token = {key: value for key, value in head.items() if key.startswith("RAY_AUTH")}
    file = tmp_path / "doctor.yaml"
    file.write_text(f"state_dir: {tmp_path}/state\nray_address: '{address}'\n")

    def asked() -> dict[str, str]:
        """By node what is to be mended on it."""
        done = subprocess.run(
            [sys.executable, "-m", "swarm", "doctor", "-c", file, "-o", "json"],
            env=os.environ | token,
            capture_output=True,
            text=True,
            check=False,
        )
        looks = {one["what"]: one["fix"] for one in json.loads(done.stdout)["looks"]}
        return {what: fix for what, fix in looks.items() if what.startswith("node ")}

    with a_node(swarm, "second"):
        eventually(lambda: len(spots(swarm)) == 1)
        # Until Ray has found it dead, the node that was killed before counts as one.
        nodes = eventually(lambda: (found := asked()) and "node another" not in found and found)
    assert "node second" in nodes
    assert len(nodes) == 2
    assert set(nodes.values()) == {""}
