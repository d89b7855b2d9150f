"""A head whose server dies goes on where it was, by the guard beside it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from swarm.capacity.head import find
from swarm.capacity.lease import Lease
from swarm.capacity.ray_request import Bundle, RayRequest
from tests.e2e.conftest import free_port
from tests.integration.capacity.conftest import Cluster, a_head, eventually


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        reason = "redis-server is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    port = free_port()
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: _listens(port))
    yield f"127.0.0.1:{port}"
    running.terminate()
    running.wait(180)


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def port_of(cluster: Cluster) -> int:
    return int(cluster.address.rpartition(":")[2])


def test_a_server_that_dies_is_started_again_and_knows_what_it_knew(redis: str) -> None:
    with a_head(RAY_REDIS_ADDRESS=redis) as cluster:
        request = RayRequest(cluster.address)
        nodes = {info.node_id for info in request.alive()}
        lease = Lease("before", 3_600.0)
        request.state([Bundle(2, (("swarm/offering", "steady"),))], lease)
        head = eventually(lambda: find(port_of(cluster)))
        with subprocess.Popen(
            [sys.executable, "-m", "swarm.capacity.guard", "--address", cluster.address],
            env=cluster.environ,
            stdout=subprocess.PIPE,
            text=True,
        ) as guard:
            eventually(lambda: _runs(guard))
            head.server.kill()
            eventually(
                lambda: (new := find(port_of(cluster))) and new.server.pid != head.server.pid
            )
            eventually(lambda: nodes <= {info.node_id for info in request.alive()})
            assert request.lease() == lease
            guard.send_signal(signal.SIGTERM)


def _runs(process: subprocess.Popen[str]) -> bool:
    """It has handled its signals: from then on it looks."""
    caught = psutil.Process(process.pid)
    status = Path(f"/proc/{caught.pid}/status").read_text()
    mask = int(
        next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1], 16
    )
    return bool(mask >> (signal.SIGTERM - 1) & 1)
