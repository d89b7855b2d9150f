"""The states of a task and the moves between them.

Rule 1: every legal move is a row of `TRANSITIONS`; nothing else assigns `state`.
Rule 2: an outcome is final. A move that has no row raises and changes nothing.
Rule 3: a task has a worker exactly while it is leased or runs.
Rule 4: a grant has one second copy at most, and only beside its worker. Where that is lost the copy
takes its place; whether it has started is told anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from swarm.errors import InvalidTransition
from swarm.model.dispatch import (
    CancelAsked,
    Copied,
    CopyGone,
    CopyLeads,
    Ended,
    Granted,
    Lost,
    Rearmed,
    Started,
    TaskKept,
)
from swarm.model.work import TIED_TO_TASK, Loss, LossCause, Outcome, Submission, Token, WorkerId

# Losses tied to the task after which it is a suspect and runs alone; one more alone parks it.
SUSPECT_LOSSES = 2


class TaskState(StrEnum):
    """Where a task is."""

    QUEUED = "queued"  # may be granted
    LEASED = "leased"  # granted; whether it started is not known
    RUNNING = "running"  # granted, and its process was seen
    LOST = "lost"  # its grant will not end; waits until it may run again
    ENDED = "ended"


CopyMove = Copied | CopyGone | CopyLeads
Move = Granted | Started | CopyMove | Lost | Rearmed | CancelAsked | Ended

TRANSITIONS: Mapping[tuple[TaskState, type[Move]], TaskState] = {
    (TaskState.QUEUED, Granted): TaskState.LEASED,
    (TaskState.LEASED, Started): TaskState.RUNNING,
    (TaskState.LEASED, Copied): TaskState.LEASED,
    (TaskState.RUNNING, Copied): TaskState.RUNNING,
    (TaskState.LEASED, CopyGone): TaskState.LEASED,
    (TaskState.RUNNING, CopyGone): TaskState.RUNNING,
    (TaskState.LEASED, CopyLeads): TaskState.LEASED,
    (TaskState.RUNNING, CopyLeads): TaskState.LEASED,
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
    copy: WorkerId | None = None
    copy_no: int = 0  # the request that got it, also after it is gone

    @property
    def holders(self) -> tuple[WorkerId, ...]:
        """Who has its grant: its worker first."""
        return tuple(one for one in (self.worker, self.copy) if one is not None)

    def is_copy_at(self, worker: WorkerId) -> bool:
        """Has `worker` the second copy of its grant, also where that holds it alone by now?"""
        led = any(loss.grant == self.grant for loss in self.losses)
        return worker == self.copy or (led and worker == self.worker)

    def asked_no(self, worker: WorkerId) -> int:
        """The request by which `worker`, which has its grant, got it."""
        return self.copy_no if worker == self.copy else self.acquire_no

    @property
    def token(self) -> Token:
        return Token(self.submission.task, self.grant)

    @property
    def suspect(self) -> bool:
        """Did it take so many workers down that it must run where it can harm no other?"""
        tied = [loss for loss in self.losses if loss.started and loss.cause in TIED_TO_TASK]
        return len(tied) >= SUSPECT_LOSSES

    @property
    def harmless(self) -> bool:
        """Did it never take a worker down, as far as is known?"""
        return not any(loss.cause in TIED_TO_TASK for loss in self.losses)

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
                self.copy_no = 0
            case Copied() | CopyGone() | CopyLeads():
                self._move_copy(record)
            case Lost(_, cause):
                if self.copy is not None:
                    raise InvalidTransition(f"{self.token}: its copy goes on, and {record}")
                self._note_loss(cause)
                self.worker = None
            case CancelAsked(_, by):
                self.cancelled_by = by
            case Ended(_, outcome, _):
                self.outcome, self.worker, self.copy = outcome, None, None
            case _:
                pass
        self.state = row

    def _move_copy(self, record: CopyMove) -> None:
        is_copy = isinstance(record, Copied)
        fits = self.copy is None and not self.copy_no if is_copy else self.copy == record.worker
        if not fits or record.token != self.token or record.worker == self.worker:
            raise InvalidTransition(f"{self.token}: {record} does not fit its copy")
        match record:
            case Copied(_, worker, acquire_no):
                self.copy, self.copy_no = worker, acquire_no
            case CopyGone():
                self.copy = None
            case CopyLeads(_, worker, cause):
                self._note_loss(cause)
                self.worker, self.copy, self.acquire_no = worker, None, self.copy_no

    def _note_loss(self, cause: LossCause) -> None:
        assert self.worker is not None
        started = self.state is TaskState.RUNNING
        self.losses.append(Loss(self.grant, self.worker, cause, started))

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
            self.copy,
            self.copy_no,
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
        copy=kept.copy,
        copy_no=kept.copy_no,
    )
