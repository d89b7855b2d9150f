"""What worked and was released stays away: twenty times in a row nobody starts it again."""

from collections.abc import Iterator

import pytest
import ray

from swarm.capacity.ray_autoscaler import RayAutoscaler
from swarm.capacity.ray_request import RayRequest
from swarm.errors import CapacityError
from tests.integration.capacity.conftest import Cluster, eventually
from tests.integration.capacity.test_ray_autoscaler import LONG_S, driver, holder, pool

CYCLES = 20


@pytest.fixture
def connected(cluster: Cluster) -> Iterator[None]:
    with driver(cluster):
        yield


@pytest.mark.usefixtures("connected")
def test_a_node_that_was_released_is_not_launched_again(cluster: Cluster) -> None:
    """While its worker holds its CPUs it is refused, and Ray leaves it too; the worker ends, and it
    goes. Then two looks of the autoscaler without anybody booting, and none of those that ever
    were, for Ray remembers the dead."""
    capacity, request = pool(cluster), RayRequest(cluster.address)
    seen = set[str]()
    for cycle in range(CYCLES):
        eventually(lambda: capacity.want({"steady": 1}, LONG_S) is None)
        nodes = eventually(lambda: settled(capacity, request))
        assert not nodes & seen, "a released one came back"
        seen |= nodes
        workers = {node: holder(node) for node in nodes}
        capacity.want({}, LONG_S)
        for node in nodes:
            with pytest.raises(CapacityError, match="does not go"):
                capacity.release(node)
        looked(request)
        assert {one.node for one in capacity.nodes()} == nodes, "a node at work went"
        for worker in workers.values():
            assert ray.get(worker.here.remote(), timeout=300)
            ray.kill(worker)
        eventually(lambda nodes=nodes: gone(capacity, nodes))  # type: ignore[misc]
        for _ in range(2):
            looked(request)
            assert not capacity.nodes(), f"launched again in cycle {cycle}"
    assert len(seen) >= CYCLES
    eventually(lambda: dead() >= seen)
    assert dead() == seen


def settled(capacity: RayAutoscaler, request: RayRequest) -> set[str]:
    """What joined, once nothing boots any more: a busy machine may have launched one twice."""
    looked(request)
    nodes = capacity.nodes()
    return {one.node for one in nodes} if all(one.joined for one in nodes) else set()


def looked(request: RayRequest) -> None:
    """Until the autoscaler has looked once more."""
    last = request.report().look
    eventually(lambda: request.report().look != last)


def gone(capacity: RayAutoscaler, nodes: set[str]) -> bool:
    """Released until they are away: one that joined just now may still be at work for Ray."""
    for node in nodes:
        capacity.release(node)
    return not capacity.nodes()


def dead() -> set[str]:
    return {one["NodeID"] for one in ray.nodes() if not one["Alive"]}
