"""Ray's own autoscaler starts and ends real nodes as the fleet is stated."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from swarm.capacity.base import Standing
from swarm.capacity.head import find
from swarm.capacity.ray_autoscaler import RayAutoscaler
from swarm.capacity.ray_request import RayRequest
from swarm.clock import SystemClock
from swarm.errors import CapacityError
from swarm.model.plans import Because, Offering
from swarm.model.work import CapacityClass
from tests.integration.capacity.conftest import Cluster, a_head, eventually

OFFERINGS = (
    Offering("night", (2,), 0.05, boot_s=5, capacity=CapacityClass.SPOT, most=1),
    Offering("steady", (2,), 0.1, boot_s=5, most=2),
)
LONG_S = 3_600.0


class Holder:
    """As a worker does: keeps the CPUs of its node."""

    def here(self) -> bool:
        return True


def pool(cluster: Cluster) -> RayAutoscaler:
    return RayAutoscaler(OFFERINGS, RayRequest(cluster.address), SystemClock())


def joined(capacity: RayAutoscaler) -> dict[str, Standing]:
    return {one.offering: one for one in capacity.nodes() if one.joined}


def holder(node: str) -> Any:
    """A worker that is up on this node."""
    only_there = NodeAffinitySchedulingStrategy(node, soft=False)
    worker = ray.remote(Holder).options(num_cpus=2, scheduling_strategy=only_there).remote()
    assert ray.get(worker.here.remote(), timeout=300)
    return worker


def released(capacity: RayAutoscaler, node: str) -> bool:
    """Asked for until it is gone: a worker's CPUs are free only some time after its death."""
    capacity.release(node)
    return all(one.node != node for one in capacity.nodes())


@contextmanager
def driver(cluster: Cluster) -> Iterator[None]:
    ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def guard(cluster: Cluster) -> Iterator[None]:
    running = subprocess.Popen(
        [sys.executable, "-m", "swarm.capacity.guard", "--address", cluster.address],
        env=cluster.environ,
    )
    try:
        yield
    finally:
        running.terminate()
        assert running.wait(180) == 0


def test_a_node_comes_as_wanted_stays_while_it_works_and_goes_when_released(
    cluster: Cluster,
) -> None:
    capacity = pool(cluster)
    # One more than there may be: Ray by itself would start none at all.
    eventually(lambda: capacity.want({"night": 2}, LONG_S) is None)
    node = eventually(lambda: joined(capacity).get("night"))
    assert [one.offering for one in capacity.nodes()] == ["night"]
    with driver(cluster):
        (seen,) = (one for one in ray.nodes() if one["NodeID"] == node.node)
        assert seen["Labels"]["ray.io/market-type"] == "spot"
        worker = holder(node.node)
        capacity.want({}, LONG_S)
        with pytest.raises(CapacityError, match="does not go"):
            capacity.release(node.node)
        assert joined(capacity) == {"night": node}
        ray.kill(worker)
        eventually(lambda: released(capacity, node.node))
    capacity.release(node.node)
    eventually(lambda: not capacity.nodes())  # a report may count it as booting for a while
    assert not joined(capacity), "nobody came for it"


def test_of_two_equal_nodes_the_released_one_goes(cluster: Cluster) -> None:
    capacity = pool(cluster)
    capacity.want({"steady": 2}, LONG_S)
    eventually(lambda: Counter(one.joined for one in capacity.nodes()) == {True: 2})
    first, second = (one.node for one in capacity.nodes())
    with driver(cluster):
        workers = {node: holder(node) for node in (first, second)}
        capacity.want({"steady": 1}, LONG_S)
        ray.kill(workers[second])
        eventually(lambda: released(capacity, second))
        assert [one.node for one in capacity.nodes()] == [first]


def test_a_fleet_that_nobody_renews_is_cleared(cluster: Cluster) -> None:
    capacity, request = pool(cluster), RayRequest(cluster.address)

    def has_come() -> bool:
        """Renewed until then, however long it takes."""
        capacity.want({"steady": 1}, 20.0)
        return "steady" in joined(capacity)

    with guard(cluster):
        eventually(has_come)
        eventually(lambda: request.lease() is None)
        eventually(lambda: not capacity.nodes())


def test_what_a_provider_refuses_is_told_in_its_words_and_does_not_boot() -> None:
    """Ray goes on to try it, and what can be had comes meanwhile."""
    said = "MaxSpotInstanceCountExceeded: Max spot instance count exceeded"
    with a_head(refused={"night": said}) as cluster:
        capacity = pool(cluster)
        eventually(lambda: capacity.want({"night": 1}, LONG_S) is None)
        told = eventually(lambda: capacity.not_given().get("night"))
        assert told.because is Because.QUOTA
        assert said.partition(": ")[2] in told.said
        assert not capacity.nodes()
        assert [one.most for one in capacity.offerings() if one.name == "night"] == [0]
        capacity.want({"steady": 1}, LONG_S)
        eventually(lambda: joined(capacity).keys() == {"steady"})


def test_an_autoscaler_that_died_is_told_and_one_that_was_started_again_too() -> None:
    """Ray's server goes on to give its last report, and the nodes stay as they are."""
    with a_head() as cluster:
        capacity = RayAutoscaler(OFFERINGS, RayRequest(cluster.address), SystemClock(), 10.0)
        eventually(lambda: capacity.want({"steady": 1}, LONG_S) is None)
        eventually(lambda: joined(capacity))
        monitor = autoscaler(cluster)
        argv, environ, folder = monitor.cmdline(), monitor.environ(), monitor.cwd()
        monitor.kill()
        eventually(lambda: is_told(capacity, "reported nothing for"))
        assert len(RayRequest(cluster.address).alive()) == 2
        with subprocess.Popen(argv, env=environ, cwd=folder) as again:
            eventually(lambda: is_told(capacity, ""))
            again.kill()


def autoscaler(cluster: Cluster) -> psutil.Process:
    """The process of Ray's own, which may call this machine by another address."""
    port = cluster.address.rpartition(":")[2]
    return next(
        one
        for one in psutil.process_iter()
        if any(word.endswith("/monitor.py") for word in words(one))
        and any(re.fullmatch(rf"--gcs-address=.*:{port}", word) for word in words(one))
    )


def words(process: psutil.Process) -> list[str]:
    try:
        line: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return line


def is_told(capacity: RayAutoscaler, what: str) -> bool:
    """Empty: nothing is wrong."""
    try:
        capacity.nodes()
    except CapacityError as error:
        return bool(what) and what in str(error)
    return not what


def test_a_head_without_redis_is_not_to_be_started_again(cluster: Cluster) -> None:
    """The guard leaves it: a new one would know of nobody."""
    assert find(int(cluster.address.rpartition(":")[2])) is None
