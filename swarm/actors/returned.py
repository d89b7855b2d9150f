"""Which nodes placement returns, followed in its stream by whoever keeps the workers."""

from collections.abc import Collection

from swarm.actors.placement import STREAM
from swarm.errors import Trimmed
from swarm.model.scaling import PlacementRecord
from swarm.placement.orders import RELEASED, Orders
from swarm.store.journal import Journal

_BATCH = 1_000


class Returned:
    """Asked for the nodes whose workers are drained, hold nothing, and are to end."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._seq = 0
        self._begin()

    def __call__(self) -> Collection[str]:
        """Raises `StoreError`."""
        try:
            while entries := self._journal.read(STREAM, self._seq, _BATCH):
                for entry in entries:
                    self._take(entry.record)
                self._seq = entries[-1].seq
        except Trimmed:
            self._begin()
        return [node for node, last in self._orders.nodes.items() if last.step in RELEASED]

    def _begin(self) -> None:
        self._orders, snapshot = Orders(), self._journal.snapshot(STREAM)
        self._seq = snapshot.seq if snapshot else 0
        for record in snapshot.records if snapshot else ():
            self._take(record)

    def _take(self, record: object) -> None:
        if isinstance(record, PlacementRecord):
            self._orders.apply(record)
