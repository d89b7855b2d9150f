"""A swarm on a cluster that has no nodes for work: what is handed in brings them, and they go."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from swarm.capacity.ray_request import RayRequest
from swarm.client import ApiError, Client
from tests.e2e.conftest import cli, free_port
from tests.integration.capacity.conftest import Cluster, eventually

pytestmark = pytest.mark.timeout(900)

PLACEMENT = {
    "pool": "ray",
    "most_workers": 3,
    "offerings": [
        {"name": "night", "price_usd_per_h": 0.05, "boot_s": 15, "market": "spot", "most": 1},
        {"name": "steady", "price_usd_per_h": 0.1, "boot_s": 15, "most": 2},
    ],
}


@pytest.fixture
def client(cluster: Cluster, tmp_path: Path) -> Iterator[Client]:
    settings, state = tmp_path / "swarm.yaml", tmp_path / "state"
    settings.write_text(
        yaml.safe_dump(
            {
                "state_dir": str(state),
                "ray_address": cluster.address,
                "api": {"port": free_port()},
                "worker": {"slots": 0, "fence_s": 60},
                "placement": PLACEMENT,
            }
        )
    )
    environ = cluster.environ | {"SWARM_CONFIG": str(settings)}
    started = cli("up", **environ)
    assert started.returncode == 0, started.stderr
    url = json.loads((state / "up.json").read_text())["url"]
    with Client(url, (state / "token").read_text()) as found:
        yield found
    cli("down", **environ)


def steps(client: Client) -> list[str]:
    try:
        return [row["step"] for row in client.scaling()]
    except ApiError:
        return []


def test_work_brings_nodes_that_do_it_and_go(client: Client, cluster: Cluster) -> None:
    tasks = client.submit(
        [{"argv": ["sleep", "5"], "sla": "critical", "wait_for_capacity": True} for _ in range(4)]
    )
    eventually(lambda: "joined" in steps(client), timeout_s=240)
    eventually(
        lambda: all(client.task(task)["state"] == "succeeded" for task in tasks), timeout_s=240
    )
    eventually(lambda: len(RayRequest(cluster.address).alive()) == 1, timeout_s=300)
    eventually(lambda: {"ordered", "joined", "drained", "returned"} <= {*steps(client)})
    assert "not_come" not in steps(client)
    eventually(lambda: not client.workers())
