"""What follows when a grant is lost: run again, wait for the owner, or stop for good."""

from collections.abc import Iterable, Iterator

from swarm.dispatch.floor import Floor
from swarm.dispatch.states import Task, TaskState
from swarm.model.dispatch import (
    CapacityWanted,
    CopyGone,
    CopyLeads,
    DispatchRecord,
    DrainAsked,
    Ended,
    Lost,
    Rearmed,
    WorkerGone,
)
from swarm.model.work import (
    ADVICE,
    NOTICE,
    TIED_TO_TASK,
    Effects,
    LossCause,
    Outcome,
    Rearm,
    TaskId,
    WorkerId,
)


def lose(task: Task, cause: LossCause) -> Iterator[DispatchRecord]:
    """End the task's grant without an outcome.

    A task that somebody cancelled is cancelled now. A suspect that ran alone and took its worker
    down once more is parked with its story. Any other may run again: at once if swarm decides
    that (`Rearm.SELF`), else when its owner says so.
    """
    yield Lost(task.token, cause)
    if task.cancelled_by:
        yield Ended(task.token, Outcome.CANCELLED, f"cancelled by {task.cancelled_by}")
    elif task.alone and task.state is TaskState.RUNNING and cause in TIED_TO_TASK:
        yield Ended(task.token, Outcome.PARKED, _story(task, cause))
    elif task.submission.rearm is Rearm.SELF:
        yield Rearmed(task.token)


def lose_on(worker: WorkerId, task: Task, cause: LossCause) -> Iterator[DispatchRecord]:
    """The same for one of those who hold it: beside another nothing is lost, and the other holds
    it alone from now on."""
    if task.copy is None:
        yield from lose(task, cause)
    elif worker == task.copy:
        yield CopyGone(task.token, worker, cause)
    else:
        yield CopyLeads(task.token, task.copy, cause)


def lose_worker(floor: Floor, id_: WorkerId, cause: LossCause) -> Iterator[DispatchRecord]:
    """The worker cannot run anything any more: all it holds is lost, and so is what it could do.
    A machine that goes away ends the processes on it, which speaks against no task."""
    worker = floor.workers[id_]
    ended_with_machine = worker.interrupted and cause is LossCause.PROCESS_EXIT
    for task in _tasks(floor, worker.held):
        yield from lose_on(id_, task, LossCause.INTERRUPTED if ended_with_machine else cause)
    yield WorkerGone(id_, cause)
    for capability in worker.offer.capabilities:
        if capability:
            yield CapacityWanted(capability, worker.offer.slots)


def lose_silent(floor: Floor, id_: WorkerId) -> Iterator[DispatchRecord]:
    """The worker may still run its tasks: only those that tolerate two runs move."""
    for task in movable(floor, id_):
        yield from lose_on(id_, task, LossCause.SILENT)


def interrupt(floor: Floor, id_: WorkerId, *, ends: bool) -> Iterator[DispatchRecord]:
    """The machine of the worker goes away, or may go: it gets nothing more. If it goes, what
    tolerates two runs goes elsewhere at once; the rest may still end there in time."""
    worker = floor.workers[id_]
    if ends and not worker.interrupted:
        yield DrainAsked(id_, NOTICE)
    elif not worker.draining:
        yield DrainAsked(id_, ADVICE)
    for task in movable(floor, id_) if ends else ():
        yield from lose_on(id_, task, LossCause.INTERRUPTED)


def movable(floor: Floor, id_: WorkerId) -> list[Task]:
    """What a worker holds that may run twice."""
    held = _tasks(floor, floor.workers[id_].held)
    return [task for task in held if task.submission.effects is not Effects.UNSAFE]


def _tasks(floor: Floor, held: Iterable[TaskId]) -> list[Task]:
    return [floor.tasks[id_] for id_ in held]


def _story(task: Task, last: LossCause) -> str:
    lines = [f"grant {loss.grant} on {loss.worker}: {loss.cause}" for loss in task.losses]
    lines.append(f"grant {task.grant} on {task.worker}, alone: {last}")
    return "; ".join(lines)
