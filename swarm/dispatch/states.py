"""The states of a task and the moves between them.

Rule 1: every legal move is a row of `TRANSITIONS`; nothing else assigns `state`.
Rule 2: an outcome is final. A move that has no row raises and changes nothing.
Rule 3: a task has a worker exactly while it is leased or runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from swarm.errors import InvalidTransition
from swarm.model.dispatch import (
    CancelAsked,
    Ended,
    Granted,
    Lost,
    Rearmed,
    Started,
    TaskKept,
)
from swarm.model.work import TIED_TO_TASK, Loss, Outcome, Submission, Token, WorkerId

# Losses tied to the task after which it is a suspect and runs alone; one more alone parks it.
SUSPECT_LOSSES = 2


class TaskState(StrEnum):
    """Where a task is."""

    QUEUED = "queued"  # may be granted
    LEASED = "leased"  # granted; whether it started is not known
    RUNNING = "running"  # granted, and its process was seen
    LOST = "lost"  # its grant will not end; waits until it may run again
    ENDED = "ended"


Move = Granted | Started | Lost | Rearmed | CancelAsked | Ended

TRANSITIONS: Mapping[tuple[TaskState, type[Move]], TaskState] = {
    (TaskState.QUEUED, Granted): TaskState.LEASED,
    (TaskState.LEASED, Started): TaskState.RUNNING,
    (TaskState.LEASED, Lost): TaskState.LOST,
    (TaskState.RUNNING, Lost): TaskState.LOST,
    (TaskState.LOST, Rearmed): TaskState.QUEUED,
    (TaskState.LEASED, CancelAsked): TaskState.LEASED,
    (TaskState.RUNNING, CancelAsked): TaskState.RUNNING,
    (
        TaskState.QUEUED,
        Ended,
    ): TaskState.ENDED,  # cancelled, left out, or the late report of a lost grant
    (TaskState.LEASED, Ended): TaskState.ENDED,
    (TaskState.RUNNING, Ended): TaskState.ENDED,
    (TaskState.LOST, Ended): TaskState.ENDED,
}

HELD = frozenset({TaskState.LEASED, TaskState.RUNNING})


@dataclass(slots=True)
class Task:
    """One live task. Only `move` changes it."""

    submission: Submission
    state: TaskState = TaskState.QUEUED
    grant: int = 0
    worker: WorkerId | None = None
    acquire_no: int = 0
    alone: bool = False
    cancelled_by: str = ""
    outcome: Outcome | None = None
    losses: list[Loss] = field(default_factory=list)

    @property
    def token(self) -> Token:
        return Token(self.submission.task, self.grant)

    @property
    def suspect(self) -> bool:
        """Did it take so many workers down that it must run where it can harm no other?"""
        tied = [loss for loss in self.losses if loss.started and loss.cause in TIED_TO_TASK]
        return len(tied) >= SUSPECT_LOSSES

    def move(self, record: Move) -> None:
        """Take a record in; raises `InvalidTransition` where no row allows it."""
        row = TRANSITIONS.get((self.state, type(record)))
        if row is None:
            raise InvalidTransition(f"{self.token}: {self.state} has no row for {record}")
        match record:
            case Granted(token, worker, acquire_no, alone):
                if token.grant != self.grant + 1:
                    raise InvalidTransition(f"{self.token}: {record} does not follow it")
                self.grant, self.worker = token.grant, worker
                self.acquire_no, self.alone = acquire_no, alone
            case Lost(_, cause):
                assert self.worker is not None
                started = self.state is TaskState.RUNNING
                self.losses.append(Loss(self.grant, self.worker, cause, started))
                self.worker = None
            case CancelAsked(_, by):
                self.cancelled_by = by
            case Ended(_, outcome, _):
                self.outcome, self.worker = outcome, None
            case _:
                pass
        self.state = row

    def kept(self) -> TaskKept:
        """The task as a snapshot keeps it."""
        return TaskKept(
            self.submission,
            self.state,
            self.grant,
            self.worker,
            self.acquire_no,
            self.alone,
            self.cancelled_by,
            tuple(self.losses),
        )


def restored(kept: TaskKept) -> Task:
    """The inverse of `Task.kept`."""
    return Task(
        kept.submission,
        TaskState(kept.state),
        kept.grant,
        kept.worker,
        kept.acquire_no,
        kept.alone,
        kept.cancelled_by,
        losses=list(kept.losses),
    )
