"""What placement knows of dispatch, followed in the journal: the floor. How tasks usually go, and
how old the pools of spot are, is its memory's."""

from collections.abc import Mapping

from swarm.actors.dispatcher import STREAM
from swarm.dispatch.floor import Floor
from swarm.errors import Damaged, Trimmed, Unreachable
from swarm.model.dispatch import DispatchRecord
from swarm.placement.memory import Memory
from swarm.placement.orders import Crew
from swarm.placement.sides import as_copy
from swarm.placement.situation import Live
from swarm.store.journal import Journal

_BATCH = 2_000
# What a record raises that contradicts the ones before; its writer stands still there and says so.
_FAULTS = (AssertionError, LookupError)


class Followed:
    """`floor`, `spot_pools` and what `memory` learns move with `follow`, from any thread, one call
    at a time."""

    def __init__(self, journal: Journal, memory: Memory) -> None:
        self._journal, self._memory = journal, memory
        self.usual = memory.usual
        self.spot_pools = memory.spot_pools
        self._seq = 0
        self._begin()

    def follow(self) -> None:
        """Take in all that is new. Raises `Unreachable` before a record that cannot be read or that
        contradicts what is known: what stands is not known then, and nothing is decided by it."""
        try:
            while entries := self._journal.read(STREAM, self._seq, _BATCH):
                for entry in entries:
                    self._take(entry.record, entry.at_s, entry.seq)
                self._seq = entries[-1].seq
        except Trimmed:
            self._begin()
            self.follow()
        except Damaged as fault:
            raise Unreachable(str(fault)) from fault
        except _FAULTS as fault:
            self._begin()
            raise Unreachable(f"stream {STREAM} contradicts itself: {fault!r}") from fault

    def live(self) -> list[Live]:
        """The tasks that programs of node workers run or wait for."""
        found = []
        for task in self.floor.tasks.values():
            one = task.submission
            if one.needs.capability:
                continue  # for an agent
            worker = self.floor.workers.get(task.worker) if task.worker else None
            if worker is None:
                found.append(Live(one))
            else:
                began_s = self.usual.began_s(one.task, one.submitted_at_s)
                found.append(Live(one, worker.offer.node, began_s, copied=bool(task.copy_no)))
            if task.copy is not None:
                node = self.floor.workers[task.copy].offer.node
                found.append(Live(as_copy(one), node, began_s, copied=True))
        return found

    def grants(self) -> Mapping[str, int]:
        """How often each task was leased that was."""
        return {id_: task.grant for id_, task in self.floor.tasks.items() if task.grant}

    def crews(self) -> Mapping[str, Crew]:
        """The workers of nodes, by node."""
        return {
            one.offer.node: Crew(one.offer, len(one.held), one.draining)
            for one in self.floor.workers.values()
            if one.offer.slots and "" in one.offer.capabilities
        }

    def _begin(self) -> None:
        """With the snapshot: what was known before is forgotten, but not how tasks went."""
        self.floor = Floor()
        self.usual.begin()
        self.spot_pools.begin()
        snapshot = self._journal.snapshot(STREAM)
        self._seq = snapshot.seq if snapshot else 0
        for record in snapshot.records if snapshot else ():
            self._take(record, snapshot.at_s if snapshot else 0.0)

    def _take(self, record: object, at_s: float, seq: int = 0) -> None:
        if isinstance(record, DispatchRecord):
            self.floor.apply(record)
            self._memory.learn(record, seq, at_s)
