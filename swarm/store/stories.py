"""The tasks that were handed in: where each is, and the story of how it came there; and the
workers that live."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from swarm.dispatch.states import Task, TaskState, restored
from swarm.errors import UnknownKey
from swarm.model import dispatch
from swarm.model.journal import RECORD_VERSION, Record
from swarm.model.work import Submission, TaskId, Token
from swarm.store import codec
from swarm.store.database import Database
from swarm.store.history import decode_row
from swarm.store.read_tables import row_key, task_events, tasks, workers

Row = dict[str, Any]

# The state that a record brings; the words are those of the dispatcher and of outcomes.
_STATE: Mapping[type[dispatch.DispatchRecord], TaskState] = {
    dispatch.Submitted: TaskState.QUEUED,
    dispatch.Granted: TaskState.LEASED,
    dispatch.Started: TaskState.RUNNING,
    dispatch.CopyLeads: TaskState.LEASED,
    dispatch.Lost: TaskState.LOST,
    dispatch.Rearmed: TaskState.QUEUED,
}
LIVE = tuple(state for state in TaskState if state is not TaskState.ENDED)
_DRAIN = update(workers).where(workers.c.key == bindparam("of")).values(draining=True)
_AT_ONCE = 500  # keys in one statement
_MOVE = (
    update(tasks)
    .where(tasks.c.key == bindparam("of"))
    .values(
        state=bindparam("now_in"),
        moved_seq=bindparam("number"),
        grant_no=bindparam("grant"),
        worker=func.coalesce(bindparam("by"), tasks.c.worker),
        detail=bindparam("why"),
    )
)


@dataclass(frozen=True, slots=True)
class Told:
    """A line of a story."""

    at_s: float
    record: Record


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task and its state; `key` is where the next page goes on."""

    key: tuple[float, str]
    submission: Submission
    state: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a task stands since the record with global number `seq`, for who follows it.
    `worker` holds it or held it last under `grant`; `detail` says why it was lost or ended."""

    seq: int
    submission: Submission
    state: str
    grant: int
    worker: str
    detail: str


@dataclass(slots=True)
class TaskChanges:
    """What a batch of entries changes about tasks."""

    fresh: dict[str, Row] = field(default_factory=dict)
    moves: dict[str, Row] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    workers: dict[str, Row | None] = field(default_factory=dict)
    drained: list[str] = field(default_factory=list)

    def add(self, record: dispatch.DispatchRecord, body: str, at_s: float, number: int) -> None:
        match record:
            case dispatch.Submitted(submission):
                self._put(submission, body, at_s)
                self._move(Token(submission.task, 0), number, _STATE[dispatch.Submitted], "")
                self._tell(submission.task, record, body, at_s)
            case dispatch.TaskKept(submission, state, grant, worker):
                whole = codec.encode(dispatch.Submitted(submission))[1]
                self._put(submission, whole, submission.submitted_at_s)
                self._move(Token(submission.task, grant), number, state, worker or "")
                self._tell(submission.task, record, body, at_s)
            case dispatch.Granted(token, worker) | dispatch.CopyLeads(token, worker):
                self._move(token, number, _STATE[type(record)], worker)
                self._tell(token.task, record, body, at_s)
            case dispatch.Started(token) | dispatch.Rearmed(token):
                self._move(token, number, _STATE[type(record)])
                self._tell(token.task, record, body, at_s)
            case dispatch.Lost(token, cause):
                self._move(token, number, _STATE[dispatch.Lost], detail=cause)
                self._tell(token.task, record, body, at_s)
            case dispatch.Ended(token, outcome, detail):
                self._move(token, number, outcome, detail=detail)
                self._tell(token.task, record, body, at_s)
            case dispatch.Copied(token) | dispatch.CopyGone(token):
                self._tell(token.task, record, body, at_s)
            case dispatch.CancelAsked(task):
                self._tell(task, record, body, at_s)
            case _:
                self._add_worker(record, at_s)

    def write(self, connection: Connection, database: Database) -> None:
        """Bring the batch into the tables."""
        if self.fresh:
            connection.execute(
                database.insert(tasks).on_conflict_do_nothing(), list(self.fresh.values())
            )
        if self.moves:
            connection.execute(_MOVE, list(self.moves.values()))
        if self.events:
            connection.execute(insert(task_events), self.events)
        if self.workers:
            gone = [{"of": key} for key in self.workers]
            connection.execute(delete(workers).where(workers.c.key == bindparam("of")), gone)
        if fresh := [row for row in self.workers.values() if row is not None]:
            connection.execute(insert(workers), fresh)
        if self.drained:
            connection.execute(_DRAIN, [{"of": key} for key in self.drained])

    def _add_worker(self, record: dispatch.DispatchRecord, at_s: float) -> None:
        match record:
            case dispatch.WorkerJoined(offer) | dispatch.WorkerKept(offer):
                self.workers[row_key(offer.worker)] = {
                    "key": row_key(offer.worker),
                    "at_s": at_s,
                    "record_version": RECORD_VERSION,
                    "body": codec.encode(dispatch.WorkerJoined(offer))[1],
                    "draining": isinstance(record, dispatch.WorkerKept) and record.draining,
                }
            case dispatch.WorkerGone(worker):
                self.workers[row_key(worker)] = None
            case dispatch.DrainAsked(worker):
                self.drained.append(row_key(worker))
            case _:
                pass

    def _move(
        self, token: Token, number: int, state: str, worker: str | None = None, detail: str = ""
    ) -> None:
        """`worker` None: it stays who it was."""
        key = task_key(token.task)
        if worker is None and key in self.moves:
            worker = self.moves[key]["by"]
        self.moves[key] = {
            "of": key,
            "now_in": state,
            "number": number,
            "grant": token.grant,
            "by": worker,
            "why": detail,
        }

    def _put(self, submission: Submission, body: str, at_s: float) -> None:
        key = task_key(submission.task)
        self.fresh[key] = {
            "key": key,
            "at_s": at_s,
            "record_version": RECORD_VERSION,
            "body": body,
            "state": TaskState.QUEUED,
            "owner": submission.owner,
        }

    def _tell(self, task: TaskId, record: dispatch.DispatchRecord, body: str, at_s: float) -> None:
        self.events.append(
            {
                "task_key": task_key(task),
                "at_s": at_s,
                "type": type(record).__name__,
                "record_version": RECORD_VERSION,
                "body": body,
            }
        )


class Stories:
    """Reads of tasks; safe to share among threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, limit: int, before: tuple[float, str] | None = None, state: str | None = None
    ) -> list[TaskRow]:
        """Tasks, newest first, or only those in `state`."""
        query = select(tasks).order_by(tasks.c.at_s.desc(), tasks.c.key.desc()).limit(limit)
        if before is not None:
            at_s, key = before
            query = query.where(
                (tasks.c.at_s < at_s) | ((tasks.c.at_s == at_s) & (tasks.c.key < key))
            )
        if state is not None:
            query = query.where(tasks.c.state == state)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            TaskRow((row.at_s, row.key), decode_row(row, dispatch.Submitted).submission, row.state)
            for row in rows
        ]

    def moved(self, owner: str, after: int, limit: int) -> list[Moved]:
        """The tasks of `owner` that moved after global number `after`, the latest last."""
        query = (
            select(tasks)
            .where(tasks.c.owner == owner, tasks.c.moved_seq > after)
            .order_by(tasks.c.moved_seq)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            Moved(
                row.moved_seq,
                decode_row(row, dispatch.Submitted).submission,
                row.state,
                row.grant_no,
                row.worker,
                row.detail,
            )
            for row in rows
        ]

    def one(self, task: TaskId) -> tuple[TaskRow, Sequence[Told]]:
        """A task and its story. Raises `UnknownKey`."""
        key = task_key(task)
        with self._database.reading() as connection:
            row = connection.execute(select(tasks).where(tasks.c.key == key)).one_or_none()
            lines = connection.execute(
                select(task_events).where(task_events.c.task_key == key).order_by(task_events.c.id)
            ).all()
        if row is None:
            raise UnknownKey(f"there is no task {task}; `swarm tasks ls` lists them")
        story = [
            Told(line.at_s, codec.decode(line.type, line.record_version, line.body, f"task {task}"))
            for line in lines
        ]
        submission = decode_row(row, dispatch.Submitted).submission
        return TaskRow((row.at_s, row.key), submission, row.state), story


def live_records(connection: Connection) -> Iterator[tuple[float, dispatch.DispatchRecord]]:
    """The live workers and tasks, as (at_s, record) that build them up."""
    for row in connection.execute(select(workers)):
        offer = decode_row(row, dispatch.WorkerJoined).offer
        yield row.at_s, dispatch.WorkerKept(offer, row.draining, acquire_no=0)
    lines = connection.execute(
        select(task_events)
        .where(task_events.c.task_key.in_(select(tasks.c.key).where(tasks.c.state.in_(LIVE))))
        .order_by(task_events.c.task_key, task_events.c.id)
    )
    for key, story in groupby(lines, key=lambda line: line.task_key):
        task: Task | None = None
        at_s = 0.0
        for line in story:
            record = codec.decode(line.type, line.record_version, line.body, f"task {key}")
            at_s = line.at_s
            match record:
                case dispatch.Submitted(submission):
                    task = Task(submission)
                case dispatch.TaskKept():
                    task = restored(record)
                case (
                    dispatch.Granted()
                    | dispatch.Started()
                    | dispatch.Lost()
                    | dispatch.Rearmed()
                    | dispatch.CancelAsked()
                ) if task:
                    task.move(record)
                case dispatch.Copied() | dispatch.CopyGone() | dispatch.CopyLeads() if task:
                    task.move(record)
                case _:
                    pass
        if task is not None:
            yield at_s, task.kept()


def trim_tasks(connection: Connection, kept: int) -> None:
    """Drop the oldest tasks that have ended, and their stories, over `kept`."""
    over = (
        select(tasks.c.key)
        .where(tasks.c.state.not_in(LIVE))
        .order_by(tasks.c.at_s.desc(), tasks.c.key.desc())
        .offset(kept)
    )
    keys = list(connection.scalars(over))
    for at in range(0, len(keys), _AT_ONCE):
        some = keys[at : at + _AT_ONCE]
        connection.execute(delete(task_events).where(task_events.c.task_key.in_(some)))
        connection.execute(delete(tasks).where(tasks.c.key.in_(some)))


def task_key(task: TaskId) -> str:
    return row_key(task)
