"""What was drained and released stays away: twenty times in a row nobody starts it again."""

from collections.abc import Iterator

import pytest
import ray

from swarm.capacity.ray_autoscaler import RayAutoscaler
from swarm.capacity.ray_request import RayRequest
from tests.integration.capacity.conftest import Cluster, eventually
from tests.integration.capacity.test_ray_autoscaler import LONG_S, driver, joined, pool

pytestmark = pytest.mark.timeout(900)  # takes three minutes where the machine has nothing else
CYCLES = 20
LOOKS = 2  # of the autoscaler, in which a node that came back would show


@pytest.fixture
def connected(cluster: Cluster) -> Iterator[None]:
    with driver(cluster):
        yield


@pytest.mark.usefixtures("connected")
def test_a_node_that_was_released_is_not_launched_again(cluster: Cluster) -> None:
    """Ray remembers the dead: there were as many nodes as were asked for, and no more."""
    capacity, request = pool(cluster), RayRequest(cluster.address)
    seen = set[str]()
    for _ in range(CYCLES):
        eventually(lambda: capacity.want({"steady": 1}, LONG_S) is None)
        node = eventually(lambda: joined(capacity).get("steady")).node
        assert node not in seen, "a released one came back"
        seen.add(node)
        capacity.want({}, LONG_S)
        eventually(lambda node=node: gone(capacity, node))  # type: ignore[misc]
        for _ in range(LOOKS):
            last = request.report().look
            eventually(lambda last=last: request.report().look != last)  # type: ignore[misc]
        assert not joined(capacity)
    eventually(lambda: dead() >= seen)
    assert dead() == seen


def gone(capacity: RayAutoscaler, node: str) -> bool:
    """Released until it is away: a node that joined just now may still be at work for Ray."""
    capacity.release(node)
    return all(one.node != node for one in capacity.nodes())


def dead() -> set[str]:
    return {one["NodeID"] for one in ray.nodes() if not one["Alive"]}
