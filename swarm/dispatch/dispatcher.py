"""The engine of dispatch: who runs what, under which grant, and what happens when a worker goes.

`decide` answers an event with the records that follow from it and changes nothing that is
replayed; `apply` takes a record in; `due` tells what time alone has brought about. What is not
replayed are signs of life (`beat`), which worker is kept free for which late task (`granting.py`),
what sequencing wants of the queue (`guidance.py`), unless a task ends by it, and what placement
proposes (`proposals.py`).

Rules
1. An accepted task reaches exactly one outcome. A known id with the same body is no second task.
2. The fencing token is `(task, grant)`; a grant is one more than the last. What is said under an
   older grant is stale: it changes nothing, and its sender is told to end it.
3. The end of the newest grant counts even after that grant was lost, until the next is given.
4. A task moves off a silent worker only as its effects allow; off a dead one always.
5. After a restart every worker gets a full term before its silence counts.
6. What may run twice may have a second copy under its grant (`copies.py`): the first end counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from swarm.dispatch.capacity import Capacity
from swarm.dispatch.copies import Copies
from swarm.dispatch.detector import Detector, Patience
from swarm.dispatch.events import (
    Acquire,
    Cancel,
    Drain,
    Event,
    Finish,
    Guide,
    Interruption,
    Nod,
    Now,
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
from swarm.dispatch.granting import Granting
from swarm.dispatch.guidance import Guidance
from swarm.dispatch.losses import interrupt, lose_silent, lose_worker, movable
from swarm.dispatch.proposals import Proposals
from swarm.dispatch.reports import finished, renewed
from swarm.dispatch.requests import requested
from swarm.dispatch.states import Task
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
    Submitted,
    WorkerGone,
    WorkerJoined,
    WorkerKept,
)
from swarm.model.work import LossCause, Offer, Outcome, TaskId, Token, WorkerId


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
        self._granting = Granting(
            self.floor,
            self.detector,
            self._guidance,
            self._proposals,
            self._copies,
            policy.weights,
        )
        self.called: set[WorkerId] = set()  # there are orders for them, which a renewal brings
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
        kept = self._proposals.keeps_from(id_, now)
        return explain(self.floor, id_, self._policy.weights, held, sided, kept=kept)

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
        return Decision(*self._granting.granted(worker, event, now))

    def _renew(self, event: Renew, now: Now) -> Decision:
        worker = self.floor.workers.get(event.worker)
        if worker is None:
            return Decision((), Receipt.UNKNOWN_WORKER)
        self.detector.renewed(event.worker, now.steady_s)
        self.called.discard(event.worker)
        return Decision(*renewed(self.floor, worker, event))

    def _finish(self, event: Finish) -> Decision:
        records, receipt = finished(self.floor, event)
        self.detector.refused += receipt is Receipt.STALE
        return Decision(records, receipt)

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
