"""Spot or dedicated, and slots to keep free: what placement proposes for tasks that wait, as far as
it still fits.

Nothing of it is replayed. Placement says all of it again and again with its time to live; what is
not renewed is over (fail open), and after a restart nothing is proposed until it is said anew.

Rules
1. What a task says itself stands: one that names its capacity or a pool is nobody else's to place.
2. A proposal is for a task that waits under the grant it was made for. All else is stale: the task
   runs, has ended, or was lost since and is looked at anew.
3. What a promise stands on, and critical tasks, wait for dedicated capacity until placement has
   spoken of them: no young spot gets them first. That placement is careful, or no more, changes no
   place in the queue; what is promised anew is noted task by task.
4. Backfills leave as many slots of the fleet free for all else as placement says, until they are
   late themselves: then they have their turn as any task.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from swarm.dispatch.choice import kept_from
from swarm.dispatch.events import Now, Propose
from swarm.dispatch.floor import Floor
from swarm.dispatch.states import Task
from swarm.dispatch.workers import Worker
from swarm.model.keys import PipelineKey
from swarm.model.sides import Sided
from swarm.model.work import SlaClass, TaskId

PROPOSED_MAX_S = 60.0
AT_ONCE = 1_000  # tasks of which a promise is noted within one step: 6 ms
_UNSEEN_WHY = "it is critical, and placement has not looked at it yet"


class Proposals:
    """Gives the tasks that wait in `floor` the sides that placement proposes."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self.careful = False
        self._promised: frozenset[PipelineKey] = frozenset()  # as it was when careful last
        self._sided: dict[TaskId, Sided] = {}
        self._kept_free = 0
        self._until_s = 0.0
        self._changed: dict[PipelineKey, None] = {}  # whose tasks are to be looked at
        self._behind: Iterator[TaskId] = iter(())  # those of the first that was

    @property
    def stand(self) -> bool:
        """Is anything proposed?"""
        return bool(self._sided) or self.careful or bool(self._kept_free)

    def take(self, propose: Propose, now: Now) -> None:
        """From now on this is what placement proposes."""
        spoken = self._sided
        self._sided = {one.task: one for one in propose.sided}
        self._until_s = now.steady_s + min(propose.for_s, PROPOSED_MAX_S)
        self.careful, self._kept_free = propose.careful, propose.kept_free
        if propose.careful:  # else nothing follows from a promise
            self._changed |= dict.fromkeys(propose.promised ^ self._promised)
            self._promised = propose.promised
        self._settle({**spoken, **self._sided})
        self.catch_up()

    def came(self, task: Task) -> None:
        """A task came to the queue."""
        id_ = task.submission.task
        if id_ in self._sided or task.submission.pipeline in self._promised:
            self._settle([id_])

    def look(self, now: Now) -> None:
        """Let time have its effect. To be asked before anybody is granted anything."""
        if self.stand and now.steady_s >= self._until_s:
            self.take(Propose(), now)

    def catch_up(self) -> None:
        """Note what is promised of `AT_ONCE` tasks that wait: a queue may be long, and who beats
        does not wait. Until it is their turn they go on as before."""
        room = AT_ONCE
        while room:
            piece = list(islice(self._behind, room))
            self._settle(piece)
            room -= len(piece)
            if room and self._changed:
                pipeline = next(iter(self._changed))
                del self._changed[pipeline]
                self._behind = iter(self._floor.queue.of(pipeline))
            elif not piece:
                return

    def others(self, worker: Worker) -> list[Worker]:
        """Those with a free slot that may come before it; none where nothing waits that is better
        elsewhere, for to look at all of them takes a while."""
        if not (self._sided or self.careful):  # then no shape has a side
            return []
        queue = self._floor.queue
        shapes = {shape for team in queue.teams() for shape in queue.shapes(team)}
        sides = {shape.heeded(careful=self.careful) for shape in shapes}
        if all(side is None or side.prefers(worker.offer) for side in sides):
            return []
        workers = self._floor.workers.values()
        return [one for one in workers if one is not worker and one.free_slots]

    def spare(self) -> int | None:
        """How many slots of the fleet what is behind may take (0 or less: none). None: nothing is
        kept from it, or nothing behind waits: to count takes a while."""
        queue = self._floor.queue
        shapes = (shape for team in queue.teams() for shape in queue.shapes(team))
        if not self._kept_free or not any(shape.behind for shape in shapes):
            return None
        workers = self._floor.workers.values()
        free = sum(one.spare_slots for one in workers if "" in one.offer.capabilities)
        return free - self._kept_free

    def keeps_from(self, id_: TaskId, now: Now) -> bool:
        """Does a task wait because what is free is kept for others?"""
        spare = self.spare()
        if spare is None or id_ not in self._floor.queue:
            return False
        _, shape, place = self._floor.queue.find(id_)
        return kept_from(shape, place, spare, now.wall_s)

    def sided(self, id_: TaskId) -> Sided | None:
        """The side of a task that waits, and why."""
        if id_ not in self._floor.queue:
            return None
        said = self._said(id_)
        if said is not None:
            return said
        _, shape, _ = self._floor.queue.find(id_)
        side = shape.heeded(careful=self.careful)
        if side is None:
            return None
        return Sided(id_, self._floor.tasks[id_].grant, side, _UNSEEN_WHY)

    def _said(self, id_: TaskId) -> Sided | None:
        """What placement proposes, as far as it fits."""
        said, task = self._sided.get(id_), self._floor.tasks[id_]
        fits = said is not None and said.grant == task.grant and task.submission.needs.is_free
        return said if fits else None

    def _settle(self, tasks: Iterable[TaskId]) -> None:
        for id_ in tasks:
            if id_ in self._floor.queue:
                said, one = self._said(id_), self._floor.tasks[id_].submission
                promised = one.pipeline in self._promised and one.fills is None
                wary = (promised or one.sla is SlaClass.CRITICAL) and one.needs.is_free
                self._floor.queue.side(id_, None if said is None else said.side, wary=wary)
