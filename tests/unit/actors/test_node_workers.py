"""A worker for every node that can work, and no second one."""

from dataclasses import dataclass, field

from swarm.actors.node_workers import Node, NodeWorkers
from swarm.model.work import CapacityClass, Offer, Resources


@dataclass
class Running:
    """A worker that was started."""

    dead: set[str]
    worker: str

    def __call__(self) -> bool:
        return self.worker in self.dead

    def end(self) -> None:
        self.dead.add(self.worker)


@dataclass
class Cluster:
    """Nodes that come and go, and the workers that were started."""

    nodes: dict[str, Node] = field(default_factory=dict)
    started: list[Offer] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)

    def add(self, name: str, cpu: float, **labels: str) -> None:
        keys = {key.replace("__", "/").replace("_", "-"): value for key, value in labels.items()}
        resources = Resources(cpu, memory_bytes=1_000, gpu=1.0)
        self.nodes[name] = Node(name, f"name of {name}", resources, keys)

    def spawn(self, offer: Offer, node: Node):
        assert offer.node == node.id
        self.started.append(offer)
        return Running(self.dead, offer.worker)

    def fleet(self, slots: int = 2) -> NodeWorkers:
        return NodeWorkers(lambda: self.nodes.values(), self.spawn, "head", slots)


def test_each_node_with_cpus_gets_one_worker_that_offers_what_it_has() -> None:
    cluster = Cluster()
    cluster.add("head", 8.0)
    cluster.add("small", 3.7)
    cluster.add("none", 0.0)
    fleet = cluster.fleet()
    for _ in range(3):
        fleet.look()
    assert [(o.node, o.slots, o.resources) for o in cluster.started] == [
        ("head", 2, Resources(2.0, 1_000, 1.0)),
        ("small", 3, Resources(3.7, 1_000, 1.0)),
    ]
    assert len({offer.worker for offer in cluster.started}) == 2


def test_a_head_without_cpus_or_slots_does_not_work() -> None:
    cluster = Cluster()
    cluster.add("head", 0.0)
    cluster.fleet().look()
    cluster.add("head", 8.0)
    cluster.fleet(slots=0).look()
    assert cluster.started == []


def test_a_node_for_other_jobs_is_left_alone() -> None:
    """Also where it is the one that all else of swarm runs on."""
    cluster = Cluster()
    cluster.add("head", 8.0, **{"swarm__keep-off": "true"})
    cluster.add("theirs", 4.0, **{"swarm__keep-off": "true", "ray.io__node-group": "gpu"})
    cluster.add("ours", 1.0)
    fleet = cluster.fleet()
    fleet.look()
    fleet.mend()
    assert [offer.node for offer in cluster.started] == ["ours"]


def test_labels_say_what_a_node_is() -> None:
    cluster = Cluster()
    cluster.add("a", 1.0, **{"ray.io__market-type": "spot", "swarm__pool": "night"})
    cluster.add("b", 1.0, **{"ray.io__market-type": "on-demand", "ray.io__node-group": "large"})
    cluster.add("c", 1.0)
    cluster.fleet().look()
    assert [(offer.capacity, offer.pool) for offer in cluster.started] == [
        (CapacityClass.SPOT, "night"),
        (CapacityClass.DEDICATED, "large"),
        (CapacityClass.DEDICATED, ""),
    ]


def test_a_dead_worker_is_replaced_under_another_name() -> None:
    cluster = Cluster()
    cluster.add("a", 1.0)
    fleet = cluster.fleet()
    fleet.look()
    cluster.dead.add(cluster.started[0].worker)
    fleet.mend()
    fleet.mend()
    assert [offer.node for offer in cluster.started] == ["a", "a"]
    assert cluster.started[0].worker != cluster.started[1].worker


def test_a_worker_that_died_with_its_node_is_not_replaced_there() -> None:
    cluster = Cluster()
    cluster.add("a", 1.0)
    fleet = cluster.fleet()
    fleet.look()
    del cluster.nodes["a"]
    cluster.dead.add(cluster.started[0].worker)
    cluster.add("b", 1.0)
    fleet.mend()
    assert [offer.node for offer in cluster.started] == ["a", "b"]


def test_on_a_returned_node_the_worker_ends_and_none_is_started_until_it_is_kept_again() -> None:
    cluster = Cluster()
    cluster.add("a", 1.0)
    cluster.add("b", 1.0)
    fleet = cluster.fleet()
    fleet.look()
    fleet.leave(["a"])
    fleet.mend()
    fleet.look()
    assert cluster.dead == {cluster.started[0].worker}
    assert len(cluster.started) == 2
    fleet.leave([])
    fleet.look()
    assert [offer.node for offer in cluster.started] == ["a", "b", "a"]
