"""What a worker gets that asks for work.

Of its own this has only which worker is kept free for which late task; that is not replayed.
"""

from collections.abc import Iterator, Mapping, Sequence

from swarm.dispatch.choice import Chosen, Fleet, choose
from swarm.dispatch.copies import Copies
from swarm.dispatch.detector import Detector
from swarm.dispatch.events import Acquire, Grants, Now
from swarm.dispatch.floor import Floor
from swarm.dispatch.guidance import Guidance
from swarm.dispatch.proposals import Proposals
from swarm.dispatch.workers import Worker, suits
from swarm.model.dispatch import DispatchRecord, Granted
from swarm.model.work import Rearm, TaskId, Token, WorkerId


class Granting:
    """Chooses of what waits on `floor`; a team that `weights` does not name weighs 1."""

    def __init__(
        self,
        floor: Floor,
        detector: Detector,
        guidance: Guidance,
        proposals: Proposals,
        copies: Copies,
        weights: Mapping[str, float],
    ) -> None:
        self._floor = floor
        self._detector = detector
        self._guidance = guidance
        self._proposals = proposals
        self._copies = copies
        self._weights = weights
        self._kept_free: dict[TaskId, WorkerId] = {}

    def granted(
        self, worker: Worker, event: Acquire, now: Now
    ) -> tuple[tuple[DispatchRecord, ...], Grants]:
        """The records that follow, and the answer: the same as before under the same number."""
        if event.number <= worker.acquire_no:  # its answer was lost
            held = (self._floor.tasks[id_] for id_ in worker.held)
            again = [task for task in held if task.asked_no(event.worker) == event.number]
            copies = (task.token for task in again if task.is_copy_at(event.worker))
            return (), Grants(tuple(task.token for task in again), frozenset(copies))
        if self._detector.suspects(event.worker, now.steady_s):
            return (), Grants(())
        self._guidance.look(now)
        self._proposals.look(now)
        self._kept_free = {
            task: keeper for task, keeper in self._kept_free.items() if self._may_keep(task, keeper)
        }
        if event.worker not in self._kept_free.values():
            copied = self._copies.granted(worker, event.number, now)
            if copied:  # what else it has room for it asks for under its next number
                tokens = tuple(record.token for record in copied)
                return copied, Grants(tokens, frozenset(tokens))
        choice = choose(
            self._floor.queue,
            worker,
            self._fleet(event, now),
            self._kept_free,
            now.wall_s,
            event.ahead,
        )
        if choice.kept_for is not None:
            self._kept_free[choice.kept_for] = event.worker
        granted = tuple(
            Granted(
                Token(chosen.task, self._floor.tasks[chosen.task].grant + 1),
                event.worker,
                event.number,
                chosen.alone,
            )
            for chosen in self._to_grant(choice.chosen, worker.free_slots)
        )
        return granted, Grants(tuple(record.token for record in granted))

    def _may_keep(self, task: TaskId, keeper: WorkerId) -> bool:
        """Can it still get what it is kept free for? If not, another has to be kept free."""
        worker = self._floor.workers.get(keeper)
        if worker is None or worker.draining or not self._floor.queue.has_turn(task):
            return False
        _, shape, _ = self._floor.queue.find(task)
        return suits(worker.offer, shape, careful=self._proposals.careful)

    def _fleet(self, event: Acquire, now: Now) -> Fleet:
        others = self._floor.workers.items() if event.ahead else ()
        idle = [other for id_, other in others if other.free_slots and id_ != event.worker]
        ready = [
            other
            for other in self._proposals.others(self._floor.workers[event.worker])
            if other.offer.worker not in self._kept_free.values()
            if not self._detector.suspects(other.offer.worker, now.steady_s)
        ]
        way = self._guidance.giving_way()
        weights = self._weights
        careful, spare = self._proposals.careful, self._proposals.spare()
        total, held_by = self._floor.total, self._floor.held_by
        return Fleet(total, held_by, weights, idle, way, ready, careful, spare)

    def _to_grant(self, chosen: Sequence[Chosen], free_slots: int) -> Iterator[Chosen]:
        """Of those that would wait in the worker none that is its owner's: to take it back would
        be a loss, and the owner would have to look."""
        yield from chosen[:free_slots]
        for one in chosen[free_slots:]:
            if self._floor.tasks[one.task].submission.rearm is not Rearm.SELF:
                return
            yield one
