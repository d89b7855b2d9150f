"""One worker on every node that has CPUs for work: made when the node comes, anew when it dies.
A node that says so is for other jobs and gets none.

A node that left is forgotten; that its worker is gone is told by whoever watches that worker.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import floor
from typing import Protocol

import structlog

from swarm.model.work import KEEP_OFF_LABEL, MARKET_LABEL, CapacityClass, Offer, Resources, WorkerId

POOL_LABEL = "swarm/pool"
GROUP_LABEL = "ray.io/node-group"  # the pool of nodes that name none

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is there. `name` outlives it: a machine that comes back has another id."""

    id: str
    name: str
    resources: Resources
    labels: Mapping[str, str] = field(default_factory=dict)


def pool_of(node: Node) -> str:
    """The pool it belongs to; empty where its labels tell none."""
    return node.labels.get(POOL_LABEL) or node.labels.get(GROUP_LABEL, "")


class Death(Protocol):
    """Tells when asked whether a worker is gone, and ends it."""

    def __call__(self) -> bool: ...

    def end(self) -> None: ...


class NodeWorkers:
    """`nodes()` are those that are there, `spawn(offer, node)` starts a worker. `here` is the id of
    the node that the rest of swarm runs on, with `slots` of its own, for it has other work too."""

    def __init__(
        self,
        nodes: Callable[[], Iterable[Node]],
        spawn: Callable[[Offer, Node], Death],
        here: str,
        slots: int,
    ) -> None:
        self._nodes, self._spawn = nodes, spawn
        self._here, self._slots = here, slots
        self._workers: dict[str, Death] = {}
        self._left: frozenset[str] = frozenset()

    def look(self) -> None:
        """Bring the workers in line with the nodes."""
        nodes = {node.id: node for node in self._nodes()}
        for gone in self._workers.keys() - nodes.keys():
            log.info("node left", node=gone)
            del self._workers[gone]
        for node in nodes.values():
            death = self._workers.get(node.id)
            offer = self._offer(node)
            if node.id in self._left or KEEP_OFF_LABEL in node.labels:
                continue
            if offer.slots and (death is None or death()):
                log.info("worker starts", worker=offer.worker, node=node.name, slots=offer.slots)
                self._workers[node.id] = self._spawn(offer, node)

    def leave(self, nodes: Collection[str]) -> None:
        """These are returned: the workers on them end, and no others are started there."""
        for node in frozenset(nodes) - self._left:
            if (death := self._workers.pop(node, None)) is not None:
                log.info("worker ends: its node is returned", node=node)
                death.end()
        self._left = frozenset(nodes)

    def mend(self) -> None:
        """Look at once if a worker has died: it may have been its node."""
        if any(death() for death in self._workers.values()):
            self.look()

    def _offer(self, node: Node) -> Offer:
        has, cpu = node.resources, node.resources.cpu
        slots = floor(cpu)
        if node.id == self._here and cpu:
            slots, cpu = self._slots, float(self._slots)
        spot = node.labels.get(MARKET_LABEL) == CapacityClass.SPOT
        return Offer(
            WorkerId(f"worker:{uuid.uuid4().hex[:8]}"),  # never used twice: it is in grants
            node.id,
            slots,
            Resources(cpu, has.memory_bytes, has.gpu),
            capacity=CapacityClass.SPOT if spot else CapacityClass.DEDICATED,
            pool=pool_of(node),
        )
