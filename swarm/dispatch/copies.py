"""A second copy of work that runs, where placement wants one: behind the fence it costs a slot and
saves a promise, for whichever copy ends first counts.

Nothing of what is wanted is replayed, as with `proposals.py`; that a copy was given is.

Rules
1. A copy runs under the same grant, so a fenced sink takes one commit of both. Only work that may
   run twice, that swarm itself would run again, and that never took a worker down has one.
2. It is for the grant that placement saw, and each grant has one at most: one that is gone is not
   replaced, and one that leads has none.
3. It runs on another node than the first, where placement wants it, and comes before what waits:
   it is wanted where a promise is about to be broken. Copies hold `SHARE` of the fleet at most.
"""

from collections.abc import Iterator

from swarm.dispatch.events import Now, Propose
from swarm.dispatch.floor import Floor
from swarm.dispatch.proposals import PROPOSED_MAX_S
from swarm.dispatch.states import HELD, Task
from swarm.dispatch.workers import Worker
from swarm.model.dispatch import Copied
from swarm.model.sides import Sided
from swarm.model.work import Resources

SHARE = 0.1  # the dominant share of the fleet that copies may hold; one may always run
_NOTHING = Resources()


class Copies:
    """Which tasks of `floor` are to run a second time, and where."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._wanted: tuple[Sided, ...] = ()
        self._until_s = 0.0

    def take(self, propose: Propose, now: Now) -> None:
        """From now on these are wanted."""
        self._wanted = propose.copies
        self._until_s = now.steady_s + min(propose.for_s, PROPOSED_MAX_S)

    def granted(self, worker: Worker, number: int, now: Now) -> tuple[Copied, ...]:
        """What `worker` gets of them by its request `number`."""
        if not self._wanted or now.steady_s >= self._until_s:
            return ()
        return tuple(self._fitting(worker, number))

    def _fitting(self, worker: Worker, number: int) -> Iterator[Copied]:
        tasks, free_slots = self._floor.tasks, worker.free_slots
        room = worker.offer.resources - worker.used
        held = sum((_takes(tasks[id_]) for id_ in self._floor.copied), _NOTHING)
        for one in self._wanted:
            task = tasks.get(one.task)
            if not free_slots or task is None or not self._may(task, one, worker):
                continue
            takes = _takes(task)
            share = (held + takes).share_of(self._floor.total)
            if takes.fits(room) and (held == _NOTHING or share <= SHARE):
                yield Copied(task.token, worker.offer.worker, number, one.why)
                room, held, free_slots = room - takes, held + takes, free_slots - 1

    def _may(self, task: Task, wanted: Sided, worker: Worker) -> bool:
        """Is it to run a second time, and there?"""
        if task.state not in HELD or task.grant != wanted.grant or task.copy_no:
            return False
        if task.cancelled_by or task.alone or not task.harmless:
            return False
        one = task.submission
        if not one.may_run_twice or not one.needs.is_free or "" not in worker.offer.capabilities:
            return False
        assert task.worker is not None
        node = self._floor.workers[task.worker].offer.node
        return node != worker.offer.node and wanted.side.allows(worker.offer)


def _takes(task: Task) -> Resources:
    return task.submission.needs.resources
