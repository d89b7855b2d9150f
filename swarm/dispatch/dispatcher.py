"""The engine of dispatch: who runs what, under which grant, and what happens when a worker goes.

`decide` answers an event with the records that follow from it and changes nothing that is
replayed; `apply` takes a record in; `due` tells what time alone has brought about. What is not
replayed are signs of life (`beat`), which worker is kept free for which late task, and what
sequencing wants of the queue (`guidance.py`), unless a task ends by it, and what placement proposes
(`proposals.py`).

Rules
1. An accepted task reaches exactly one outcome. A known id with the same body is no second task.
2. The fencing token is `(task, grant)`; a grant is one more than the last. What is said under an
   older grant is stale: it changes nothing, and its sender is told to end it.
3. The end of the newest grant counts even after that grant was lost, until the next is given.
4. A task moves off a silent worker only as its effects allow; off a dead one always.
5. After a restart every worker gets a full term before its silence counts.
6. What may run twice may have a second copy under its grant (`copies.py`): the first end counts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from swarm.dispatch.capacity import Capacity
from swarm.dispatch.choice import Chosen, Fleet, choose
from swarm.dispatch.copies import Copies
from swarm.dispatch.detector import Detector, Patience
from swarm.dispatch.events import (
    Acquire,
    Cancel,
    Drain,
    Event,
    Finish,
    Grants,
    Guide,
    Interruption,
    Nod,
    Now,
    Orders,
    Propose,
    Rearm,
    Receipt,
    Register,
    Renew,
    Reply,
    Silence,
    Submit,
    WantAgents,
    WorkerLost,
)
from swarm.dispatch.explanation import Explanation, explain
from swarm.dispatch.floor import Floor
from swarm.dispatch.guidance import Guidance
from swarm.dispatch.losses import interrupt, lose_on, lose_silent, lose_worker, movable
from swarm.dispatch.proposals import Proposals
from swarm.dispatch.requests import requested
from swarm.dispatch.states import Task, TaskState
from swarm.dispatch.workers import suits
from swarm.errors import Rejected
from swarm.model.dispatch import (
    CancelAsked,
    CopyGone,
    CopyLeads,
    DispatchRecord,
    DrainAsked,
    Ended,
    Granted,
    Lost,
    Rearmed,
    Started,
    Submitted,
    WorkerGone,
    WorkerJoined,
    WorkerKept,
)
from swarm.model.work import LossCause, Offer, Outcome, TaskId, Token, WorkerId
from swarm.model.work import Rearm as RearmBy


@dataclass(frozen=True, slots=True)
class Policy:
    """What people decide: the weight of a team (1 unless named), how many of its tasks may wait
    (`waiting_max` unless named), how long an owner may take to re-arm a lost task, the patience of
    detection, and which kinds of worker may be rented (`worker` and `node` of them say nothing)."""

    weights: Mapping[str, float] = field(default_factory=dict)
    quotas: Mapping[str, int] = field(default_factory=dict)
    waiting_max: int = 100_000
    rearm_max_s: float = 240.0
    patience: Patience = field(default_factory=Patience)
    rentable: tuple[Offer, ...] = ()

    def quota(self, team: str) -> int:
        """How many tasks of `team` may wait."""
        return self.quotas.get(team, self.waiting_max)


@dataclass(frozen=True, slots=True)
class Decision:
    """Records to append and then apply, and the answer to give once they are durable."""

    records: tuple[DispatchRecord, ...]
    reply: Reply


class Dispatcher:
    """The state of dispatch. For one thread."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.floor = Floor()
        self._capacity = Capacity(policy.rentable)
        self.detector = Detector(policy.patience)
        self._guidance = Guidance(self.floor)
        self._proposals = Proposals(self.floor)
        self._copies = Copies(self.floor)
        self.called: set[WorkerId] = set()  # there are orders for them, which a renewal brings
        self._kept_free: dict[TaskId, WorkerId] = {}
        self._lost_since_s: dict[Token, float] = {}

    def begin(self, now: Now) -> None:
        """After replay: from now on silence counts."""
        for worker in self.floor.workers:
            self.detector.grace(worker, now.steady_s)

    def apply(self, record: DispatchRecord) -> None:
        leaves: Task | None = None
        match record:
            case Granted(token) | Ended(token):
                leaves = self.floor.tasks.get(token.task)
                if leaves is not None:  # of two that had it one did not hear of its end
                    self.called.update(leaves.holders if leaves.copy else ())
            case CancelAsked(id_) | Lost(Token(id_)) | CopyGone(Token(id_)) | CopyLeads(Token(id_)):
                self.called.update(self.floor.holders(id_))
            case DrainAsked(worker):
                self.called.add(worker)
            case WorkerGone(worker):
                self.called.discard(worker)
                self.detector.forget(worker)
            case WorkerJoined(offer) | WorkerKept(offer):
                self._capacity.know(offer)
                self.detector.expect(offer)
            case _:
                pass
        self.floor.apply(record)
        if leaves is not None:
            self._guidance.left(leaves)
        elif isinstance(record, Submitted):
            self._came(self.floor.tasks[record.submission.task])
        elif isinstance(record, Rearmed):
            self._came(self.floor.tasks[record.token.task])

    def _came(self, task: Task) -> None:
        self._guidance.came(task)
        self._proposals.came(task)

    def beat(self, worker: WorkerId, at_s: float, unheard_s: float = 0.0) -> Nod:
        """A beat came in at `at_s` on the steady clock; its sender has beaten for `unheard_s`
        without an echo: one that hears nothing cannot be given orders, and its beats are no
        contact."""
        if worker not in self.floor.workers:
            return Nod.UNKNOWN
        if unheard_s > self._policy.patience.deaf_s:
            self.detector.deaf(worker)
            return Nod.DEAF
        self.detector.beat(worker, at_s)
        return Nod.COME if worker in self.called else Nod.NOTED

    def explain(self, id_: TaskId, now: Now) -> Explanation:
        """Why a task does not run yet; raises `UnknownKey` for one that has ended."""
        held = self._guidance.held(id_, now)
        sided = self._proposals.sided(id_)
        return explain(self.floor, id_, self._policy.weights, held, sided)

    def records(self) -> Iterator[DispatchRecord]:
        """A snapshot: applied to a new dispatcher these give this one's state."""
        return self.floor.records()

    def check(self) -> None:
        """Raise AssertionError where the state contradicts itself."""
        self.floor.check()

    def due(self, now: Now) -> list[Event]:
        """What time has brought about. To be asked often, after the inbox is drained."""
        self._guidance.look(now)
        self._proposals.look(now)
        self._proposals.catch_up()
        events: list[Event] = []
        for silence in list(self.detector.verdicts(now.steady_s)):
            if silence.worker not in self.floor.workers:
                self.detector.forget(silence.worker)
            elif silence.fenced or movable(self.floor, silence.worker):
                events.append(silence)
        tokens = (self.floor.tasks[id_].token for id_ in self.floor.lost)
        lost = {token: self._lost_since_s.get(token, now.steady_s) for token in tokens}
        self._lost_since_s = lost
        for token, since_s in lost.items():
            if now.steady_s - since_s > self._policy.rearm_max_s:
                detail = f"not re-armed by its owner within {self._policy.rearm_max_s:.0f} s"
                events.append(Rearm(token, Outcome.FAILED, detail))
        return events

    def decide(self, event: Event, now: Now) -> Decision:
        """What follows from `event`. Raises `Rejected` where it is refused; nothing is changed."""
        match event:
            case Guide() | Propose():
                return self._guided(event, now)
            case Submit() | Rearm() | Cancel() | Drain():
                return self._requested(event, now)
            case Register():
                return self._register(event, now)
            case Acquire():
                return self._acquire(event, now)
            case Renew():
                return self._renew(event, now)
            case Finish():
                return self._finish(event)
            case WantAgents(wanted):
                known = self.floor.agents.get(wanted.path) == wanted
                return Decision(() if known else (wanted,), Receipt.DONE)
            case WorkerLost() | Interruption() | Silence():
                return self._going(event, now)

    def _guided(self, event: Guide | Propose, now: Now) -> Decision:
        if isinstance(event, Propose):
            self._proposals.take(event, now)
            self._copies.take(event, now)
            return Decision((), Receipt.DONE)
        self._guidance.take(event, now)
        return Decision(tuple(self._guidance.left_out(event.left_out)), Receipt.DONE)

    def _requested(self, event: Submit | Rearm | Cancel | Drain, now: Now) -> Decision:
        if isinstance(event, Rearm) and self.floor.is_newest(event.token):
            self._guidance.heard(event.token.task, now)
        return Decision(*requested(self.floor, self._capacity, event, self._policy.quota))

    def _register(self, event: Register, now: Now) -> Decision:
        offer = event.offer
        if offer.worker in self.floor.gone:
            return Decision((), Receipt.UNKNOWN_WORKER)
        known = self.floor.workers.get(offer.worker)
        if known is not None and known.offer != offer:
            raise Rejected(
                f"worker {offer.worker} is registered with another offer; "
                "a worker that changes registers under a new id"
            )
        self.detector.renewed(offer.worker, now.steady_s)
        return Decision(() if known else (WorkerJoined(offer),), Receipt.DONE)

    def _acquire(self, event: Acquire, now: Now) -> Decision:
        worker = self.floor.workers.get(event.worker)
        if worker is None:
            return Decision((), Receipt.UNKNOWN_WORKER)
        if event.number <= worker.acquire_no:  # its answer was lost
            held = (self.floor.tasks[id_] for id_ in worker.held)
            again = tuple(
                task.token for task in held if task.asked_no(event.worker) == event.number
            )
            return Decision((), Grants(again))
        if self.detector.suspects(event.worker, now.steady_s):
            return Decision((), Grants(()))
        self._guidance.look(now)
        self._proposals.look(now)
        self._kept_free = {
            task: keeper for task, keeper in self._kept_free.items() if self._may_keep(task, keeper)
        }
        if event.worker not in self._kept_free.values():
            copied = self._copies.granted(worker, event.number, now)
            if copied:  # what else it has room for it asks for under its next number
                return Decision(copied, Grants(tuple(record.token for record in copied)))
        choice = choose(
            self.floor.queue,
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
                Token(chosen.task, self.floor.tasks[chosen.task].grant + 1),
                event.worker,
                event.number,
                chosen.alone,
            )
            for chosen in self._to_grant(choice.chosen, worker.free_slots)
        )
        return Decision(granted, Grants(tuple(record.token for record in granted)))

    def _may_keep(self, task: TaskId, keeper: WorkerId) -> bool:
        """Can it still get what it is kept free for? If not, another has to be kept free."""
        worker = self.floor.workers.get(keeper)
        if worker is None or worker.draining or not self.floor.queue.has_turn(task):
            return False
        _, shape, _ = self.floor.queue.find(task)
        return suits(worker.offer, shape, careful=self._proposals.careful)

    def _fleet(self, event: Acquire, now: Now) -> Fleet:
        others = self.floor.workers.items() if event.ahead else ()
        idle = [other for id_, other in others if other.free_slots and id_ != event.worker]
        ready = [
            other
            for other in self._proposals.others(self.floor.workers[event.worker])
            if other.offer.worker not in self._kept_free.values()
            if not self.detector.suspects(other.offer.worker, now.steady_s)
        ]
        way = self._guidance.giving_way()
        weights = self._policy.weights
        careful = self._proposals.careful
        return Fleet(self.floor.total, self.floor.held_by, weights, idle, way, ready, careful)

    def _to_grant(self, chosen: Sequence[Chosen], free_slots: int) -> Iterator[Chosen]:
        """Of those that would wait in the worker none that is its owner's: to take it back would
        be a loss, and the owner would have to look."""
        yield from chosen[:free_slots]
        for one in chosen[free_slots:]:
            if self.floor.tasks[one.task].submission.rearm is not RearmBy.SELF:
                return
            yield one

    def _renew(self, event: Renew, now: Now) -> Decision:
        worker = self.floor.workers.get(event.worker)
        if worker is None:
            return Decision((), Receipt.UNKNOWN_WORKER)
        self.detector.renewed(event.worker, now.steady_s)
        self.called.discard(event.worker)
        revoked, cancel = [], []
        for token in event.held:
            task = self.floor.holds(event.worker, token)
            if task is None:
                revoked.append(token)
            elif task.cancelled_by:
                cancel.append(token)
        records: list[DispatchRecord] = []
        started = set(event.started)
        known = set(event.held)
        for id_ in worker.held:
            task = self.floor.tasks[id_]
            leads = task.worker == event.worker
            if leads and task.token in started and task.state is TaskState.LEASED:
                records.append(Started(task.token))
            elif task.token not in known and task.asked_no(event.worker) <= event.acquired:
                gave_up = worker.interrupted
                cause = LossCause.INTERRUPTED if gave_up else LossCause.NOT_HELD
                records += lose_on(event.worker, task, cause)
        orders = Orders(tuple(revoked), tuple(cancel), worker.draining)
        return Decision(tuple(records), orders)

    def _finish(self, event: Finish) -> Decision:
        token, outcome = event.token, event.outcome
        task = self.floor.current(token)
        if task is not None:
            if task.cancelled_by and outcome is not Outcome.SUCCEEDED:
                outcome = Outcome.CANCELLED
            copied = task.copy is not None
            ended = Ended(token, outcome, event.detail, event.silent, copied)
            return Decision((ended,), Receipt.DONE)
        known = self.floor.ended.get(token.task)
        counted = known is not None and known.grant == token.grant
        if counted:
            return Decision((), Receipt.DONE)
        self.detector.refused += 1
        return Decision((), Receipt.STALE)

    def _going(self, event: WorkerLost | Interruption | Silence, now: Now) -> Decision:
        floor, worker = self.floor, event.worker
        if worker not in floor.workers:
            told = isinstance(event, Interruption)
            return Decision((), Receipt.UNKNOWN_WORKER if told else Receipt.STALE)
        match event:
            case Interruption(ends=ends):
                records = interrupt(floor, worker, ends=ends)
            case Silence(fenced=False):
                records = lose_silent(floor, worker)
            case Silence():
                records = lose_worker(floor, worker, LossCause.SELF_FENCED)
            case WorkerLost(cause=cause):
                records = lose_worker(floor, worker, cause)
        return Decision(self._timed(records, worker, now), Receipt.DONE)

    def _timed(
        self, records: Iterable[DispatchRecord], worker: WorkerId, now: Now
    ) -> tuple[DispatchRecord, ...]:
        """With how long nothing had been heard of the worker: it took no longer to see its end."""
        unheard_s = self.detector.unheard_s(worker, now.steady_s)
        return tuple(
            replace(one, unheard_s=unheard_s) if isinstance(one, Lost | CopyLeads) else one
            for one in records
        )
