"""What people and orchestrators ask of the dispatcher: take tasks, cancel, re-arm, drain."""

from collections import Counter
from collections.abc import Callable, Iterable

from swarm.dispatch.capacity import Capacity
from swarm.dispatch.events import Cancel, Drain, Rearm, Receipt, Submit
from swarm.dispatch.floor import Floor
from swarm.dispatch.states import HELD, TaskState
from swarm.errors import DifferentBody, Overloaded, UnknownKey
from swarm.model.dispatch import (
    CancelAsked,
    DispatchRecord,
    DrainAsked,
    Ended,
    Rearmed,
    Submitted,
)
from swarm.model.work import Outcome, Submission, TaskId

Answer = tuple[tuple[DispatchRecord, ...], Receipt]


def requested(
    floor: Floor,
    capacity: Capacity,
    event: Submit | Rearm | Cancel | Drain,
    quota: Callable[[str], int],
) -> Answer:
    """The records that follow and the receipt; `quota` tells how many tasks of a team may wait.
    Raises `Rejected`; then nothing is changed."""
    match event:
        case Submit(submissions):
            return _submit(floor, capacity, submissions, quota), Receipt.DONE
        case Rearm():
            return _rearm(floor, event)
        case Cancel():
            return _cancel(floor, event)
        case Drain(id_, by):
            worker = floor.workers.get(id_)
            if worker is None:
                raise UnknownKey(f"there is no worker {id_}; `swarm workers` lists them")
            return () if worker.draining else (DrainAsked(id_, by),), Receipt.DONE


def _submit(
    floor: Floor,
    capacity: Capacity,
    submissions: tuple[Submission, ...],
    quota: Callable[[str], int],
) -> tuple[DispatchRecord, ...]:
    fresh: dict[TaskId, Submission] = {}
    for submission in submissions:
        id_ = submission.task
        digest = fresh[id_].digest if id_ in fresh else _digest(floor, id_)
        if digest is None:
            capacity.check(submission)
            fresh[id_] = submission
        elif digest != submission.digest:
            raise DifferentBody(
                f"task {id_} was handed in before with another body; use a new id for new work"
            )
    _make_room(floor, fresh.values(), quota)
    return tuple(Submitted(submission) for submission in fresh.values())


def _digest(floor: Floor, id_: TaskId) -> str | None:
    """The body under which the id is known, if it is."""
    task = floor.tasks.get(id_)
    if task is not None:
        return task.submission.digest
    ended = floor.ended.get(id_)
    return None if ended is None else ended.digest


def _make_room(floor: Floor, fresh: Iterable[Submission], quota: Callable[[str], int]) -> None:
    for team, count in Counter(submission.team for submission in fresh).items():
        waiting, waiting_max = floor.queue.waiting(team), quota(team)
        if waiting + count > waiting_max:
            raise Overloaded(
                f"team {team} has {waiting} tasks waiting and may have {waiting_max}; "
                f"send these {count} when some have started"
            )


def _rearm(floor: Floor, event: Rearm) -> Answer:
    if not floor.is_newest(event.token):
        return (), Receipt.STALE
    match floor.tasks[event.token.task].state, event.outcome:
        case TaskState.LOST, None:
            return (Rearmed(event.token),), Receipt.DONE
        case TaskState.LOST, Outcome() as outcome:
            return (Ended(event.token, outcome, event.detail),), Receipt.DONE
        case TaskState.QUEUED, None:
            return (), Receipt.DONE
        case _:
            return (), Receipt.STALE


def _cancel(floor: Floor, event: Cancel) -> Answer:
    task = floor.tasks.get(event.task)
    if task is None:
        if event.task in floor.ended:
            return (), Receipt.STALE
        raise UnknownKey(f"there is no task {event.task}; `swarm tasks ls` lists them")
    if task.cancelled_by:
        return (), Receipt.DONE
    if task.state in HELD:
        return (CancelAsked(event.task, event.by),), Receipt.DONE
    return (Ended(task.token, Outcome.CANCELLED, f"cancelled by {event.by}"),), Receipt.DONE
