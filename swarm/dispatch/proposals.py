"""Spot or dedicated: what placement proposes for tasks that wait, as far as it still fits.

Nothing of it is replayed. Placement says all of it again and again with its time to live; what is
not renewed is over (fail open), and after a restart nothing is proposed until it is said anew.

Rules
1. What a task says itself stands: one that names its capacity or a pool is nobody else's to place.
2. A proposal is for a task that waits under the grant it was made for. All else is stale: the task
   runs, has ended, or was lost since and is looked at anew.
3. What a promise stands on, and critical tasks, wait for dedicated capacity until placement has
   spoken of them: no young spot gets them first.
"""

from collections.abc import Iterable

from swarm.dispatch.events import Now, Propose
from swarm.dispatch.floor import Floor
from swarm.dispatch.states import Task
from swarm.dispatch.workers import Worker
from swarm.model.sides import Side, Sided
from swarm.model.work import CapacityClass, SlaClass, TaskId

PROPOSED_MAX_S = 60.0
_UNSEEN = Side(CapacityClass.DEDICATED, ())
_UNSEEN_WHY = "it is critical, and placement has not looked at it yet"


class Proposals:
    """Gives the tasks that wait in `floor` the sides that placement proposes."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._propose = Propose()
        self._sided: dict[TaskId, Sided] = {}
        self._until_s = 0.0
        self._new: dict[TaskId, None] = {}  # tasks that came

    @property
    def stand(self) -> bool:
        """Is anything proposed?"""
        return bool(self._sided) or self._propose.careful

    def take(self, propose: Propose, now: Now) -> None:
        """From now on this is what placement proposes."""
        before, spoken = self._propose, self._sided
        self._propose = propose
        self._sided = {one.task: one for one in propose.sided}
        self._until_s = now.steady_s + min(propose.for_s, PROPOSED_MAX_S)
        if propose.careful is not before.careful:
            self._settle(self._floor.queue.tasks())
            return
        for pipeline in propose.promised ^ before.promised:
            self._settle(self._floor.queue.of(pipeline))
        self._settle({**spoken, **self._sided})

    def came(self, task: Task) -> None:
        """A task came to the queue."""
        if self.stand:
            self._new[task.submission.task] = None

    def look(self, now: Now) -> None:
        """Let time and what changed have their effect. To be asked before anybody is granted
        anything."""
        if self.stand and now.steady_s >= self._until_s:
            self.take(Propose(), now)
        new, self._new = self._new, {}
        self._settle(new)

    def others(self, worker: Worker) -> list[Worker]:
        """Those with a free slot that may come before it; none where nothing waits that is better
        elsewhere, for to look at all of them takes a while."""
        if not self.stand:  # then no shape has a side
            return []
        queue = self._floor.queue
        sides = {shape.side for team in queue.teams() for shape in queue.shapes(team)} - {None}
        if all(side is None or side.prefers(worker.offer) for side in sides):
            return []
        workers = self._floor.workers.values()
        return [one for one in workers if one is not worker and one.free_slots]

    def sided(self, id_: TaskId) -> Sided | None:
        """The side of a task that waits, and why."""
        task = self._floor.tasks.get(id_)
        if task is None or id_ not in self._floor.queue or not _is_free(task):
            return None
        said = self._sided.get(id_)
        if said is not None and said.grant == task.grant:
            return said
        submission = task.submission
        promised = submission.pipeline in self._propose.promised and submission.fills is None
        if self._propose.careful and (submission.sla is SlaClass.CRITICAL or promised):
            return Sided(id_, task.grant, _UNSEEN, _UNSEEN_WHY)
        return None

    def _settle(self, tasks: Iterable[TaskId]) -> None:
        for id_ in list(tasks):
            if id_ in self._floor.queue:
                sided = self.sided(id_)
                self._floor.queue.side(id_, None if sided is None else sided.side)


def _is_free(task: Task) -> bool:
    needs = task.submission.needs
    return needs.capacity is None and not needs.pool and not needs.capability
