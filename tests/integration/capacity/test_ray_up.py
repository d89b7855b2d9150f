"""`ray up cluster/onprem.yaml` over SSH: work brings hosts, one dies, swarm returns the others."""

import os
import shutil
from collections.abc import Iterator

import pytest

from benchmarks.ray_up_world import Cluster, brought_up, machines
from tests.integration.capacity.conftest import eventually

PROGRAMS = ("/usr/sbin/sshd", "ssh", "rsync", "redis-server", "ip")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    if os.geteuid() != 0:
        pytest.skip("only root can make network namespaces")
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        reason = f"not installed: {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with machines() as made, brought_up(made) as found:
        yield found


def steps(cluster: Cluster, node: str) -> list[str]:
    return [row["step"] for row in cluster.told() if row["node"] == node]


def test_hosts_come_by_ssh_for_work_and_swarm_returns_them(cluster: Cluster) -> None:
    """The host on spot is killed with the task on it. Who has the other host of its type come in
    its place is Ray, or nobody where swarm said first that it needs none; in the end all go,
    while swarm is up."""
    pool, client = cluster.machines, cluster.client
    (dedicated,) = pool.types["dedicated"]
    assert pool.used() == [pool.head]
    assert not client.workers()

    cluster.hand_in("first", "spot")
    cluster.hand_in("second", "on-demand")
    eventually(lambda: cluster.ran("first") and cluster.ran("second"))
    (lost,) = cluster.ran("first")
    assert lost in pool.types["spot"]
    assert cluster.ran("second") == {dedicated: [1]}
    assert pool.used() == sorted([pool.head, lost, dedicated])
    assert cluster.reached("ordered") == {"spot", "dedicated"}
    on_spot, kept = sorted(client.workers(), key=lambda row: row["capacity"] != "spot")
    eventually(
        lambda: steps(cluster, on_spot["node"]) == steps(cluster, kept["node"]) == ["joined"]
    )

    cluster.end("first")
    cluster.hand_in("tied")
    eventually(lambda: cluster.ran("tied") == {lost: [1]})
    cluster.end("second")
    pool.at(lost).kill()
    eventually(lambda: cluster.ran("tied") == {lost: [1], dedicated: [2]})
    eventually(lambda: client.task("tied")["worker"] == kept["worker"])

    cluster.end("tied")
    eventually(lambda: pool.used() == [pool.head])
    eventually(lambda: steps(cluster, kept["node"]) == ["joined", "drained", "returned", "left"])
    assert steps(cluster, on_spot["node"]) == ["joined", "left"], "it was not returned, but lost"
    assert client.task("tied")["state"] == "succeeded"
    eventually(lambda: not client.workers())
