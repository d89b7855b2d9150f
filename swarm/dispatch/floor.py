"""What stands: tasks, workers and who holds what. `apply` is the only way it changes.

Ids of tasks that ended stay known for a while, so that handing one in again or reporting its end
again is recognised. Afterwards they live in the projections only.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TypeVar

from swarm.dispatch.queue import Queue
from swarm.dispatch.states import HELD, CopyMove, Task, TaskState, restored
from swarm.dispatch.workers import Worker
from swarm.errors import InvalidTransition
from swarm.model.dispatch import (
    AgentsWanted,
    CancelAsked,
    CapacityWanted,
    Copied,
    CopyGone,
    CopyLeads,
    DispatchRecord,
    DrainAsked,
    Ended,
    EndedKept,
    Granted,
    Lost,
    Rearmed,
    Started,
    Submitted,
    TaskKept,
    WorkerGone,
    WorkerJoined,
    WorkerKept,
)
from swarm.model.keys import PipelineKey
from swarm.model.work import NOTICE, LossCause, Resources, SlaClass, TaskId, Token, WorkerId

ENDED_KEPT = 100_000  # tasks
GONE_KEPT = 10_000  # workers
BEGUN_KEPT = 100_000  # runs

PartOf = tuple[PipelineKey, str]
K = TypeVar("K")
V = TypeVar("V")


class Floor:
    """The replayed state of the dispatcher."""

    def __init__(self) -> None:
        self.tasks: dict[TaskId, Task] = {}
        self.counts = Counter[tuple[TaskState, SlaClass]]()  # of them
        self.ended: dict[TaskId, EndedKept] = {}
        self.workers: dict[WorkerId, Worker] = {}
        self.gone: dict[WorkerId, LossCause] = {}
        self.queue = Queue()
        self.lost: dict[TaskId, None] = {}  # tasks that wait to be re-armed
        self.copied: dict[TaskId, None] = {}  # tasks that run a second time under their grant
        self.agents: dict[str, AgentsWanted] = {}
        self.held_by: dict[str, Resources] = {}
        self.filling: dict[PipelineKey, Resources] = {}  # what backfills of each hold
        self.begun: dict[PartOf, None] = {}  # runs of which a task was granted
        self.total = Resources()

    def is_newest(self, token: Token) -> bool:
        """Does the task live, and is `token` its newest? Grant 0: it has not been granted yet."""
        task = self.tasks.get(token.task)
        return task is not None and task.grant == token.grant

    def current(self, token: Token) -> Task | None:
        """The live task whose newest grant is `token`, whoever holds it now."""
        return self.tasks[token.task] if token.grant and self.is_newest(token) else None

    def holds(self, worker: WorkerId, token: Token) -> Task | None:
        """The task, if `worker` holds it under `token`, alone or beside another."""
        task = self.current(token)
        return task if task is not None and worker in (task.worker, task.copy) else None

    def holders(self, id_: TaskId) -> tuple[WorkerId, ...]:
        """Who has the task's grant now; nobody, where it does not live."""
        task = self.tasks.get(id_)
        return () if task is None else task.holders

    def apply(self, record: DispatchRecord) -> None:
        match record:
            case Submitted(submission):
                task = Task(submission)
                self.tasks[submission.task] = task
                self.counts[_counted_as(task)] += 1
                self.queue.add(task)
            case Granted() | Started() | Lost() | Rearmed() | Ended():
                self._move(self._task(record.token.task), record)
            case Copied() | CopyGone() | CopyLeads():
                self._move_copy(self._task(record.token.task), record)
            case CancelAsked(id_):
                self._task(id_).move(record)
            case TaskKept() | EndedKept():
                self._restore(record)
            case WorkerJoined() | WorkerKept() | WorkerGone() | DrainAsked():
                self._apply_to_worker(record)
            case AgentsWanted(path, count):
                self.agents.pop(path, None)
                if count:
                    self.agents[path] = record
            case CapacityWanted():
                pass  # for those who make workers

    def records(self) -> Iterator[DispatchRecord]:
        """A snapshot: applied to a new floor these give this one."""
        for worker in self.workers.values():
            yield WorkerKept(worker.offer, worker.draining, worker.acquire_no, worker.interrupted)
        for id_, cause in self.gone.items():
            yield WorkerGone(id_, cause)
        yield from self.agents.values()
        yield from self.ended.values()
        for task in self.tasks.values():
            yield task.kept()

    def check(self) -> None:
        """Raise AssertionError where the state contradicts itself."""
        for id_, task in self.tasks.items():
            held = task.state in HELD
            assert held == (task.worker is not None), f"{task.token} is {task.state}"
            assert (id_ in self.queue) == (task.state is TaskState.QUEUED), f"{id_} is misplaced"
            assert (id_ in self.lost) == (task.state is TaskState.LOST), f"{id_} is misplaced"
            assert id_ not in self.ended, f"{id_} lives and has ended"
            assert (id_ in self.copied) == (task.copy is not None), f"{id_} is misplaced"
            assert held or task.copy is None, f"{id_} has a copy of nothing"
            for holder in task.holders:
                assert id_ in self.workers[holder].held, f"{holder} lacks {id_}"
        assert self.counts == Counter(map(_counted_as, self.tasks.values())), "tasks are miscounted"
        for worker in self.workers.values():
            taken = sum(worker.held.values(), Resources())
            if worker.ahead:
                assert len({*worker.held.values()}) == 1, f"{worker.offer.worker} mixes what waits"
                taken = next(iter(worker.held.values())).times(worker.offer.slots)
            assert taken.fits(worker.offer.resources), f"{worker.offer.worker} is overfull"
            assert not worker.alone or len(worker.held) == 1, "a suspect does not run alone"
            for id_ in worker.held:
                holders = self.tasks[id_].holders
                assert holders.count(worker.offer.worker) == 1, f"{id_} is held by others"

    def _move(self, task: Task, record: Granted | Started | Lost | Rearmed | Ended) -> None:
        id_, before, counted_as = task.submission.task, task.worker, _counted_as(task)
        copy = task.copy
        task.move(record)
        if copy is not None and task.state is TaskState.ENDED:
            self._drop(copy, task)
            del self.copied[id_]
        self.counts[counted_as] -= 1
        if task.state is not TaskState.ENDED:
            self.counts[_counted_as(task)] += 1
        if before is not None and task.worker is None:
            self._drop(before, task)
        match record:
            case Granted(_, worker, acquire_no, _):
                self.queue.remove(id_)
                self._hold(worker, task)
                self.workers[worker].acquire_no = acquire_no
                self._note_begun(task.submission.part_of)
            case Lost():
                self.lost[id_] = None
            case Rearmed():
                del self.lost[id_]
                self.queue.add(task)
            case Ended(token, outcome, _):
                self.queue.remove(id_)
                self.lost.pop(id_, None)
                del self.tasks[id_]
                begun = task.submission.part_of if token.grant else None
                digest = task.submission.digest
                self.ended[id_] = EndedKept(id_, digest, token.grant, outcome, begun)
                _bound(self.ended, ENDED_KEPT)
            case Started():
                pass

    def _move_copy(self, task: Task, record: CopyMove) -> None:
        id_, lead, counted_as = task.submission.task, task.worker, _counted_as(task)
        task.move(record)
        self.counts[counted_as] -= 1
        self.counts[_counted_as(task)] += 1
        match record:
            case Copied(_, worker, acquire_no):
                self._hold(worker, task)
                self.workers[worker].acquire_no = acquire_no
                self.copied[id_] = None
            case CopyGone(_, worker):
                self._drop(worker, task)
                del self.copied[id_]
            case CopyLeads():
                assert lead is not None
                self._drop(lead, task)
                del self.copied[id_]

    def _apply_to_worker(self, record: WorkerJoined | WorkerKept | WorkerGone | DrainAsked) -> None:
        match record:
            case WorkerJoined(offer):
                self.workers[offer.worker] = Worker(offer)
            case WorkerKept(offer, draining, acquire_no, interrupted):
                kept = Worker(
                    offer, draining=draining, interrupted=interrupted, acquire_no=acquire_no
                )
                self.workers[offer.worker] = kept
            case WorkerGone(worker, cause):
                self.workers.pop(worker, None)
                self.gone[worker] = cause
                _bound(self.gone, GONE_KEPT)
            case DrainAsked(worker, by):
                self.workers[worker].draining = True
                self.workers[worker].interrupted |= by == NOTICE
        self._count_fleet()

    def _restore(self, kept: TaskKept | EndedKept) -> None:
        if isinstance(kept, EndedKept):
            self.ended[kept.task] = kept
            self._note_begun(kept.part_of)
            return
        task = restored(kept)
        self.counts[_counted_as(task)] += 1
        self.tasks[task.submission.task] = task
        if task.grant:
            self._note_begun(task.submission.part_of)
        if task.state is TaskState.QUEUED:
            self.queue.add(task)
        elif task.worker is not None:
            for holder in task.holders:
                self._hold(holder, task)
            if task.copy is not None:
                self.copied[task.submission.task] = None
        else:
            self.lost[task.submission.task] = None

    def _hold(self, worker: WorkerId, task: Task) -> None:
        takes, team = task.submission.needs.resources, task.submission.team
        self.workers[worker].hold(task.submission.task, takes)
        self.workers[worker].alone = task.alone
        self.held_by[team] = self.held_by.get(team, Resources()) + takes
        if (pipeline := task.submission.fills) is not None:
            self.filling[pipeline] = self.filling.get(pipeline, Resources()) + takes

    def _drop(self, worker: WorkerId, task: Task) -> None:
        takes, team = task.submission.needs.resources, task.submission.team
        self.workers[worker].drop(task.submission.task)
        _take_off(self.held_by, team, takes)
        if (pipeline := task.submission.fills) is not None:
            _take_off(self.filling, pipeline, takes)

    def _note_begun(self, run: PartOf | None) -> None:
        if run is not None:
            self.begun[run] = None
            _bound(self.begun, BEGUN_KEPT)

    def _task(self, id_: TaskId) -> Task:
        task = self.tasks.get(id_)
        if task is None:
            raise InvalidTransition(f"{id_} does not live")
        return task

    def _count_fleet(self) -> None:
        offers = (worker.offer.resources for worker in self.workers.values())
        self.total = sum(offers, Resources())


def _counted_as(task: Task) -> tuple[TaskState, SlaClass]:
    return task.state, task.submission.sla


def _bound(kept: dict[K, V], most: int) -> None:
    """Let the oldest go."""
    while len(kept) > most:
        del kept[next(iter(kept))]


def _take_off(held: dict[K, Resources], of: K, takes: Resources) -> None:
    left = held[of] - takes
    held[of] = left
    if left.cpu < 1e-6 and not left.memory_bytes and left.gpu < 1e-6:
        del held[of]
