"""The dispatcher actor: the shell of the dispatch engine. It alone writes the stream `dispatch`.

Its loop hears all beats, then takes what waits (ends and renewals first, then requests for work,
then new tasks), decides and applies all of it, appends once, and only then answers. If an append
fails, memory is ahead of the journal: the loop ends, the process with it, and the next one replays.

Where a record stops that replay (`journaled.py`), it stands still until a person sets the record
aside: it answers what keeps workers and their tasks alive (`standstill.py`), and refuses the rest.
So it does while the disk is full, and writes the same again until there is room.
"""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from swarm.actors.beats import Beats
from swarm.actors.entering import entered
from swarm.actors.figures import Dispatched, of_tasks, of_workers
from swarm.actors.inbox import start
from swarm.actors.journaled import Journaled, opened
from swarm.actors.measuring import measured
from swarm.actors.ports import Answer, Watch
from swarm.actors.standstill import answered, noted, unsettled
from swarm.actors.terms import rentable
from swarm.actors.watches import Watches
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.dispatch.causes import cause_of
from swarm.dispatch.detector import Detection, Patience
from swarm.dispatch.dispatcher import Dispatcher, Policy
from swarm.dispatch.events import (
    Acquire,
    Event,
    Finish,
    Grants,
    Now,
    Rearm,
    Renew,
    Reply,
    Submit,
)
from swarm.dispatch.explanation import Explanation
from swarm.errors import NoRoom, Overloaded, Rejected, StoreError, SwarmError
from swarm.model.dispatch import DispatchRecord, Ended, Submitted
from swarm.model.work import Submission, TaskId, Token, WorkerId
from swarm.telemetry import Figure

STREAM = "dispatch"
_SNAPSHOT_EVERY = 20_000  # records
_SUBMITS_MAX = 1_000  # letters that wait; only these are ever refused
_BATCH = 256
_BODY_MAX = 4_096  # characters of a payload that is also kept in memory
_BODIES_MAX = 10_000
_TICK_S = 0.05
_NO_ROOM_S = 0.5
_PARKED_S = 5.0  # how long a request for work waits for some

_LANES: Mapping[type[Event], int] = {Finish: 0, Renew: 0, Acquire: 1, Submit: 2}


@dataclass(slots=True)
class _Letter:
    event: Event
    cause_id: str
    arrived_s: float
    bodies: Mapping[TaskId, str] = field(default_factory=dict)
    reply: "asyncio.Future[Reply]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


@dataclass(slots=True)
class _Turn:
    """What one turn of the loop has decided, to be written in one transaction and then told."""

    records: list[DispatchRecord] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)  # one for each record
    bodies: dict[TaskId, str] = field(default_factory=dict)
    results: dict[Token, str] = field(default_factory=dict)
    ended: list[TaskId] = field(default_factory=list)
    answers: list[tuple[_Letter, Reply]] = field(default_factory=list)

    def note(
        self, letter: _Letter, records: Sequence[DispatchRecord], causes: Iterable[str]
    ) -> None:
        """Take in what follows from a letter; one cause for each record."""
        self.records.extend(records)
        self.causes.extend(causes)
        for record in records:
            if isinstance(record, Submitted):
                task = record.submission.task
                if (body := letter.bodies.get(task)) is not None:
                    self.bodies[task] = body
            elif isinstance(record, Ended):
                self.ended.append(record.token.task)
                if isinstance(letter.event, Finish) and letter.event.result is not None:
                    self.results[record.token] = letter.event.result


class DispatcherActor:
    """Takes tasks, grants them to workers, and moves them off workers that die."""

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self,
        settings: Settings,
        payload_key: bytes,
        watch: Watch,
        beat_key: bytes,
        own_address: Callable[[], str],
    ) -> None:
        self._watches = Watches(watch, self._tell_of_death)
        self._clock = SystemClock()

        def begin() -> tuple[Dispatcher, Journaled]:
            state = Dispatcher(policy(settings))
            every = _SNAPSHOT_EVERY
            return state, Journaled(settings, STREAM, state, snapshot_every=every, safe_mode=True)

        self._dispatcher, self._journaled = await opened(begin)
        self._payloads = self._journaled.payloads(payload_key)
        self._results = self._journaled.results(payload_key)
        self._bodies: dict[TaskId, str] = {}  # payloads, as they are in the store
        self._dispatched = Dispatched()
        self._waiting: list[_Letter] = []
        self._arrived = asyncio.Event()
        self._parked: dict[WorkerId, _Letter] = {}
        self._noticed: dict[WorkerId, asyncio.Future[None]] = {}
        self._stands: StoreError | None = self._journaled.standstill
        hear, gone = (noted, unsettled) if self._stands else (self._dispatcher.beat, self._gone)
        self._beats = Beats(own_address(), beat_key, self._journaled.epoch, hear, gone)
        self._beats.listen()
        if self._stands:
            self._loop = start(self._journaled.until_quarantined())
            return
        self._dispatcher.begin(self._now())
        self._watches.follow(self._dispatcher.floor.workers)
        self._loop = start(self._run())
        self._measured = measured(self._figures)

    async def submit(
        self, submissions: Sequence[Submission], bodies: Mapping[TaskId, str], cause_id: str
    ) -> Answer:
        """Take tasks and what they run; the answer means that both are durable."""
        if sum(isinstance(letter.event, Submit) for letter in self._waiting) >= _SUBMITS_MAX:
            raise Overloaded("too many submissions wait already; send it again in a second")
        return await self._send(Submit(tuple(submissions)), cause_id, bodies)

    async def rearm(self, event: Rearm, fields: str, cause_id: str) -> Answer:
        """Handle the word of a task's owner; `fields` replace those of its payload."""
        return await self._send(event, cause_id, {event.token.task: fields})

    async def tell(self, event: Event, cause_id: str) -> Answer:
        """Handle any other event. Raises what is `Rejected`."""
        return await self._send(event, cause_id, {})

    async def _tell_of_death(self, event: Event, seen_by: str) -> Answer:
        return await self.tell(event, f"{seen_by}:{entered(self._clock.now_s())}")

    async def tell_all(self, events: Sequence[Event], cause_id: str) -> list[Answer | Rejected]:
        """As `tell`, for each; what is refused is in its place."""
        if self._stands is not None:
            return [await self._standing(event) for event in events]
        letters = [self._post(event, cause_id, {}) for event in events]
        answers: list[Answer | Rejected] = []
        for letter in letters:
            try:
                answers.append(await self._answer(letter))
            except Rejected as refusal:
                answers.append(refusal)
        return answers

    async def detection(self) -> Detection:
        """How good the detection of silent workers is now."""
        return self._dispatcher.detector.detection(self._now().steady_s)

    async def explain(self, task: TaskId) -> Explanation:
        """Why a task does not run yet, holds included, which are in no journal."""
        if self._stands is not None:
            raise self._stands
        return self._dispatcher.explain(task, self._now())

    async def _figures(self) -> Iterable[Figure]:
        floor = self._dispatcher.floor
        workers = of_workers(floor, await self.detection())
        return [*of_tasks(floor), *workers, *self._dispatched.figures()]

    def _gone(self, worker: WorkerId) -> bool:
        """Take in a notice of death; is it settled?"""
        if worker not in self._dispatcher.floor.workers:
            self._noticed.pop(worker, None)
            return True
        if worker not in self._noticed:
            self._noticed[worker] = asyncio.ensure_future(self._watches.noticed(worker))
        return False

    async def _send(self, event: Event, cause_id: str, bodies: Mapping[TaskId, str]) -> Answer:
        if (stands := self._stands) is not None:
            answer = await self._standing(event)
            if isinstance(answer, Rejected):
                raise stands
            return answer
        return await self._answer(self._post(event, cause_id, bodies))

    async def _standing(self, event: Event) -> Answer | Rejected:
        """While nothing can be written."""
        stands = self._stands
        reply = await answered(event)
        if reply is None:
            return Rejected(str(stands))
        return Answer(self._journaled.epoch, reply, {}, self._beats.address)

    def _post(self, event: Event, cause_id: str, bodies: Mapping[TaskId, str]) -> _Letter:
        letter = _Letter(event, cause_id, self._clock.monotonic_s(), bodies)
        self._waiting.append(letter)
        self._arrived.set()
        return letter

    async def _answer(self, letter: _Letter) -> Answer:
        reply = await asyncio.shield(letter.reply)
        granted = [token.task for token in reply.tokens] if isinstance(reply, Grants) else []
        bodies = {task: self._bodies[task] for task in granted if task in self._bodies}
        if missing := [task for task in granted if task not in bodies]:
            bodies |= await asyncio.to_thread(self._payloads.get, missing)
        return Answer(self._journaled.epoch, reply, bodies, self._beats.address)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), _TICK_S)
            await self._step()

    async def _step(self) -> None:
        self._arrived.clear()
        batch = sorted(self._waiting, key=lambda letter: _LANES.get(type(letter.event), 0))[:_BATCH]
        taken = {id(letter) for letter in batch}
        self._waiting = [letter for letter in self._waiting if id(letter) not in taken]
        if self._waiting:
            self._arrived.set()
        try:
            await self._amend_bodies(batch)
        except NoRoom as fault:  # nothing of it is decided yet
            for letter in batch:
                _answer(letter, fault)
            return
        self._beats.drain()
        await self._handle(batch, self._now())

    async def _amend_bodies(self, batch: Sequence[_Letter]) -> None:
        amended: dict[TaskId, str] = {}
        for letter in batch:
            match letter.event:
                case Rearm(token) if self._dispatcher.floor.is_newest(token):
                    amended |= letter.bodies
                case _:
                    pass
        if amended:
            for task in amended:
                self._bodies.pop(task, None)
            await asyncio.to_thread(self._payloads.amend, amended)

    async def _handle(self, batch: Sequence[_Letter], now: Now) -> None:
        turn = _Turn()
        for letter in batch:
            self._take(letter, turn, now)
        for event in self._dispatcher.due(now):  # nobody is silent whose word has just come
            self._take(_Letter(event, entered(now.wall_s), now.steady_s), turn, now)
        parked, self._parked = self._parked, {}
        for letter in parked.values():
            self._take(letter, turn, now)
        if turn.records:
            await self._write(turn, now)
            self._remember(turn)
        for letter, reply in turn.answers:
            _answer(letter, reply)
        self._beats.nudge(self._dispatcher.called)
        self._watches.follow(self._dispatcher.floor.workers)

    def _take(self, letter: _Letter, turn: _Turn, now: Now) -> None:
        try:
            decision = self._dispatcher.decide(letter.event, now)
        except Rejected as refusal:
            _answer(letter, refusal)
            return
        floor, event = self._dispatcher.floor, letter.event
        causes = [cause_of(record, event, floor) or letter.cause_id for record in decision.records]
        for record in decision.records:
            self._dispatcher.apply(record)
        turn.note(letter, decision.records, causes)
        if not self._park(letter, decision.reply, now):
            turn.answers.append((letter, decision.reply))

    async def _write(self, turn: _Turn, now: Now) -> None:
        """Until the disk has room for it: it is applied, and nobody may hear of it before."""
        beside = functools.partial(self._write_beside, turn)
        while True:
            try:
                await self._journaled.write(turn.records, now.wall_s, turn.causes, beside)
            except NoRoom as fault:
                self._stands = fault
                waiting, self._waiting = self._waiting, []
                for letter in (*waiting, *(letter for letter, _ in turn.answers)):
                    _answer(letter, fault)
                await asyncio.sleep(_NO_ROOM_S)
            else:
                self._stands = None
                return

    def _write_beside(self, turn: _Turn) -> None:
        """What is taken has its payload; what has ended has its result and no payload."""
        self._payloads.put(turn.bodies)
        if turn.results:
            self._results.put(turn.results)
        if turn.ended:
            self._payloads.drop(turn.ended)

    def _remember(self, turn: _Turn) -> None:
        """Payloads that were written just now are soon asked for."""
        self._dispatched.note(turn.records)
        for task, body in turn.bodies.items():
            if len(body) <= _BODY_MAX and len(self._bodies) < _BODIES_MAX:
                self._bodies[task] = body
        for task in turn.ended:
            self._bodies.pop(task, None)

    def _park(self, letter: _Letter, reply: Reply, now: Now) -> bool:
        """A request that gets nothing waits until there is something, for a while."""
        event = letter.event
        if not isinstance(event, Acquire) or reply != Grants(()):
            return False
        if now.steady_s - letter.arrived_s > _PARKED_S:
            return False
        before = self._parked.get(event.worker)
        if before is not None and before is not letter:
            _answer(before, Grants(()))  # it asks again: nobody waits for the old answer
        self._parked[event.worker] = letter
        return True

    def _now(self) -> Now:
        return Now(self._clock.monotonic_s(), self._clock.now_s())


def policy(settings: Settings) -> Policy:
    """What the settings decide of dispatch."""
    return Policy(
        weights={name: team.weight for name, team in settings.teams.items()},
        quotas={name: team.waiting_max for name, team in settings.teams.items()},
        patience=Patience(self_fence_s=settings.worker.fence_s),
        rentable=rentable(settings),
    )


def _answer(letter: _Letter, reply: Reply | SwarmError) -> None:
    if letter.reply.done():
        return
    if isinstance(reply, SwarmError):
        letter.reply.set_exception(reply)
    else:
        letter.reply.set_result(reply)
