"""A swarm on a cluster that has no nodes for work: what is handed in brings them, and they go."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import ray
import yaml

from swarm.capacity.ray_request import RayRequest
from swarm.client import ApiError, Client
from tests.e2e.conftest import cli, free_port
from tests.integration.capacity.conftest import KINDS, Cluster, a_head, eventually
from tests.integration.capacity.test_ray_autoscaler import Holder, driver

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
    with a_swarm(cluster, tmp_path) as found:
        yield found


@contextmanager
def a_swarm(cluster: Cluster, tmp_path: Path) -> Iterator[Client]:
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
    try:
        started = cli("up", **environ)
        assert started.returncode == 0, started.stderr
        url = json.loads((state / "up.json").read_text())["url"]
        with Client(url, (state / "token").read_text()) as found:
            yield found
    finally:
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
    eventually(lambda: "joined" in steps(client))
    eventually(
        lambda: all(client.task(task)["state"] == "succeeded" for task in tasks), timeout_s=300
    )
    eventually(lambda: len(RayRequest(cluster.address).alive()) == 1)
    eventually(lambda: {"ordered", "joined", "drained", "returned"} <= {*steps(client)})
    assert "not_come" not in steps(client)
    eventually(lambda: not client.workers())


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Cluster, Client]]:
    """On a head of its own: what serves HTTP stays on a head, and so does its port."""
    with a_head() as cluster, a_swarm(cluster, tmp_path) as client:
        yield cluster, client


def test_work_of_a_spot_node_that_dies_runs_on_another_that_comes(
    alone: tuple[Cluster, Client], tmp_path: Path
) -> None:
    """There is no notice: the node is gone, with all that ran on it. Who starts the other depends
    on who sees it first: Ray, which still has been asked for one, or swarm by a new order."""
    cluster, client = alone
    first, go = tmp_path / "first", tmp_path / "go"
    code = f"echo $SWARM_GRANT >> {first}; until [ -e {go} ]; do sleep 0.2; done"
    body = {"argv": ["sh", "-c", code], "effects": "idempotent", "wait_for_capacity": True}
    (task,) = client.submit([body])
    spot = eventually(
        lambda: next((row for row in client.workers() if row["capacity"] == "spot"), None),
        timeout_s=300,
    )
    eventually(lambda: first.exists() and client.task(task)["worker"] == spot["worker"])
    eventually(lambda: spot["node"] in nodes(client, "joined"))
    lose(cluster, spot["node"])
    eventually(lambda: spot["node"] in nodes(client, "left"))
    eventually(lambda: nodes(client, "joined") - {spot["node"]})
    eventually(lambda: first.read_text().split() == ["1", "2"])
    eventually(lambda: client.task(task)["state"] == "running")
    story = client.task(task)
    assert story["grant"] == 2
    assert story["worker"] != spot["worker"]
    go.touch()
    assert client.wait(task, timeout_s=300)["state"] == "succeeded"
    lost = [row["why"] for row in client.scaling() if row["node"] == spot["node"]]
    assert any("nobody returned it: it was lost" in why for why in lost)


def test_a_quota_that_is_exceeded_leads_to_the_next_offering_and_is_said(tmp_path: Path) -> None:
    said = "MaxSpotInstanceCountExceeded: Max spot instance count exceeded"
    with (
        a_head(refused={"night": said}) as cluster,
        a_swarm(cluster, tmp_path) as client,
    ):
        body = {"argv": ["true"], "effects": "idempotent", "wait_for_capacity": True}
        (task,) = client.submit([body])
        assert client.wait(task, timeout_s=300)["state"] == "succeeded"
        eventually(lambda: {"not_come", "joined"} <= {*steps(client)})
        about = {row["step"]: row for row in client.scaling() if row["offering"] == "night"}
        assert "ordered" in about, "it is the cheapest"
        assert about["not_come"]["because"] == "quota"
        environ = cluster.environ | {"SWARM_CONFIG": str(tmp_path / "swarm.yaml")}
        told = cli("scale", "explain", "night", **environ)
        assert "the account's quota allows no more of them" in told.stdout
        assert said.partition(": ")[2] in told.stdout
        joined = {row["offering"] for row in client.scaling() if row["step"] == "joined"}
        assert joined == {"steady"}


def test_nodes_for_other_jobs_of_the_same_ray_are_left_to_them(tmp_path: Path) -> None:
    with (
        a_head(KINDS | {"theirs": ("", 1)}) as cluster,
        a_swarm(cluster, tmp_path) as client,
        driver(cluster),
    ):
        theirs = {"swarm/keep-off": "true"}
        job = ray.remote(Holder).options(num_cpus=2, label_selector=theirs).remote()
        assert ray.get(job.here.remote(), timeout=300)
        (node,) = (one["NodeID"] for one in ray.nodes() if one["Labels"].items() >= theirs.items())
        body = {"argv": ["true"], "effects": "idempotent", "wait_for_capacity": True}
        (task,) = client.submit([body])
        assert client.wait(task, timeout_s=300)["state"] == "succeeded"
        assert {row["offering"] for row in client.scaling()} <= {"", *KINDS}
        eventually(lambda: "returned" in steps(client))
        assert node not in {row["node"] for row in client.scaling()}
        assert node not in {row["node"] for row in client.workers()}
        assert ray.get(job.here.remote(), timeout=300), "it goes on where it was"


def nodes(client: Client, step: str) -> set[str]:
    """Of which this step is told."""
    return {row["node"] for row in client.scaling() if row["step"] == step}


def lose(cluster: Cluster, node: str) -> None:
    """As when its machine is taken away: the node and all its workers."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            line = process.cmdline()
            if process.name() == "raylet" and any(node in word for word in line):
                family = [process, *process.children(recursive=True)]
                for one in family:
                    with suppress(psutil.NoSuchProcess):
                        one.kill()
                return
    raise AssertionError(f"no raylet of node {node}")
