"""Very many tasks through the real dispatch engine in virtual time, under overlapping faults.

Workers die by proof and by silence, come back, and report twice and late; the dispatcher dies and
is made again from its snapshot and the records after it. Only what happened is kept: counts, not
records, so that a million tasks fit in memory.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from swarm.dispatch.dispatcher import Dispatcher, Policy
from swarm.dispatch.events import Acquire, Event, Finish, Grants, Now, Register, Submit, WorkerLost
from swarm.model.dispatch import DispatchRecord, Ended, Granted
from swarm.model.work import (
    LossCause,
    Offer,
    Outcome,
    Resources,
    Submission,
    TaskId,
    Token,
    WorkerId,
)

_WORKERS = 20
_SLOTS = 50
_STEP_S = 0.01
_BATCH = 500
_SNAPSHOT_EVERY = 20_000
_KILL_SHARE = 0.02  # of a worker's turns
_CRASH_SHARE = 0.005  # of all turns
_ZOMBIE_SHARE = 0.02  # of turns, in which one that died long ago speaks again
_REPEAT_SHARE = 0.01  # of ends, which are told again


@dataclass(slots=True)
class Tally:
    """What came of it. The sink takes one commit of a task, under the newest grant it has heard of:
    here each grant that was given. `uncommitted`: ended without any."""

    acknowledged: int = 0
    ended: int = 0
    ended_twice: int = 0
    uncommitted: int = 0
    commits_refused: int = 0
    grants_reused: int = 0
    workers_killed: int = 0
    dispatchers_killed: int = 0
    open: dict[TaskId, int] = field(default_factory=dict)  # newest grant
    committed: set[TaskId] = field(default_factory=set)  # of the open ones

    def take(self, record: DispatchRecord) -> None:
        match record:
            case Granted(token):
                if token.grant <= self.open[token.task]:
                    self.grants_reused += 1
                self.open[token.task] = token.grant
            case Ended(token):
                self.ended += 1
                self.ended_twice += self.open.pop(token.task, None) is None
                self.uncommitted += token.task not in self.committed
                self.committed.discard(token.task)
            case _:
                pass

    def commit(self, token: Token) -> None:
        if self.open.get(token.task) != token.grant or token.task in self.committed:
            self.commits_refused += 1
        else:
            self.committed.add(token.task)


class Bulk:
    """One dispatcher, made again whenever it dies, and the workers it serves."""

    def __init__(self, seed: int) -> None:
        self.tally = Tally()
        self._random = random.Random(seed)
        self._now_s = 0.0
        self._engine = Dispatcher(Policy())
        self._snapshot: list[DispatchRecord] = []
        self._since: list[DispatchRecord] = []
        self._workers: list[_Worker] = []
        self._zombies: list[_Worker] = []
        self._names = iter(range(10**9))

    def run(self, tasks: int) -> Tally:
        """Hand in so many and let all of them end."""
        self._workers = [self._worker() for _ in range(_WORKERS)]
        while self.tally.acknowledged < tasks or self.tally.open:
            self._now_s += _STEP_S
            if len(self.tally.open) < 4 * _WORKERS * _SLOTS:
                self._submit(min(_BATCH, tasks - self.tally.acknowledged))
            for event in self._engine.due(self._now()):
                self._tell(event)
            self._turn(self._random.randrange(_WORKERS))
        return self.tally

    def _submit(self, count: int) -> None:
        begin = self.tally.acknowledged
        fresh = tuple(
            Submission(TaskId(f"t{number}"), f"team{number % 7}", "", self._now_s)
            for number in range(begin, begin + count)
        )
        self._tell(Submit(fresh))
        self.tally.open |= {one.task: 0 for one in fresh}
        self.tally.acknowledged += count

    def _turn(self, at: int) -> None:
        """One worker ends what it has and takes more; or it dies, or the dispatcher does."""
        worker = self._workers[at]
        if self._random.random() < _CRASH_SHARE:
            self._crash()
        if self._random.random() < _KILL_SHARE:
            self.tally.workers_killed += 1
            cause = self._random.choice((LossCause.PROCESS_EXIT, LossCause.NODE_GONE))
            self._tell(WorkerLost(worker.id, cause))
            self._workers[at] = self._worker()
            self._zombies.append(worker)  # it does not know that it is dead
            return
        self._come_to_ends(worker)
        if self._zombies and self._random.random() < _ZOMBIE_SHARE:
            self._come_to_ends(self._zombies.pop(0))
        reply = self._tell(Acquire(worker.id, worker.number))
        if isinstance(reply, Grants) and reply.tokens:
            worker.number += 1
            worker.held = list(reply.tokens)

    def _come_to_ends(self, worker: "_Worker") -> None:
        for token in worker.held:
            self.tally.commit(token)
            end = Finish(token, Outcome.SUCCEEDED)
            self._tell(end)
            if self._random.random() < _REPEAT_SHARE:  # its answer was lost
                self._tell(end)
        worker.held = []

    def _worker(self) -> "_Worker":
        worker = _Worker(WorkerId(f"w{next(self._names)}"))
        self._tell(Register(Offer(worker.id, "node", _SLOTS, Resources(cpu=float(_SLOTS)))))
        return worker

    def _tell(self, event: Event) -> object:
        decision = self._engine.decide(event, self._now())
        for record in decision.records:
            self._engine.apply(record)
        self._since += decision.records
        for record in decision.records:
            self.tally.take(record)
        if len(self._since) >= _SNAPSHOT_EVERY:
            self._snapshot, self._since = list(self._engine.records()), []
        return decision.reply

    def _crash(self) -> None:
        self.tally.dispatchers_killed += 1
        self._engine = Dispatcher(Policy())
        for record in self._replayed():
            self._engine.apply(record)
        self._engine.begin(self._now())

    def _replayed(self) -> Iterator[DispatchRecord]:
        yield from self._snapshot
        yield from self._since

    def _now(self) -> Now:
        return Now(self._now_s, 1_000_000.0 + self._now_s)


@dataclass(slots=True)
class _Worker:
    id: WorkerId
    number: int = 1
    held: list[Token] = field(default_factory=list)
