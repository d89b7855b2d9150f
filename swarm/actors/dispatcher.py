"""The dispatcher actor: the shell of the dispatch engine. It alone writes the stream `dispatch`.

Its loop hears all beats, then takes what waits (ends and renewals first, then requests for work,
then new tasks), decides and applies all of it, appends once, and only then answers. If an append
fails, memory is ahead of the journal: the loop ends, the process with it, and the next one replays.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from swarm.actors.beats import Beats
from swarm.actors.inbox import start
from swarm.actors.journaled import Journaled, opened
from swarm.actors.ports import Answer, Watch
from swarm.actors.watches import Watches
from swarm.clock import SystemClock
from swarm.config import Settings
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
from swarm.errors import Overloaded, Rejected
from swarm.model.dispatch import DispatchRecord, Ended
from swarm.model.work import Submission, TaskId, Token, WorkerId

STREAM = "dispatch"
_SNAPSHOT_EVERY = 20_000  # records
_SUBMITS_MAX = 1_000  # letters that wait; only these are ever refused
_BATCH = 256
_TICK_S = 0.05
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
        self._watches = Watches(watch, self.tell)
        self._clock = SystemClock()

        def begin() -> tuple[Dispatcher, Journaled]:
            state = Dispatcher(policy(settings))
            return state, Journaled(settings, STREAM, state, snapshot_every=_SNAPSHOT_EVERY)

        self._dispatcher, self._journaled = await opened(begin)
        self._payloads = self._journaled.payloads(payload_key)
        self._results = self._journaled.results(payload_key)
        await asyncio.to_thread(self._drop_orphans)
        self._waiting: list[_Letter] = []
        self._arrived = asyncio.Event()
        self._parked: dict[WorkerId, _Letter] = {}
        self._dispatcher.begin(self._now())
        self._watches.follow(self._dispatcher.floor.workers)
        self._noticed: dict[WorkerId, asyncio.Future[None]] = {}
        epoch, hear = self._journaled.epoch, self._dispatcher.beat
        self._beats = Beats(own_address(), beat_key, epoch, hear, self._gone)
        self._beats.listen()
        self._loop = start(self._run())

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

    async def tell_all(self, events: Sequence[Event], cause_id: str) -> list[Answer | Rejected]:
        """As `tell`, for each; what is refused is in its place."""

        async def told(event: Event) -> Answer | Rejected:
            try:
                return await self.tell(event, cause_id)
            except Rejected as refusal:
                return refusal

        return list(await asyncio.gather(*(told(event) for event in events)))

    async def detection(self) -> Detection:
        """How good the detection of silent workers is now."""
        return self._dispatcher.detector.detection(self._now().steady_s)

    def _gone(self, worker: WorkerId) -> bool:
        """Take in a notice of death; is it settled?"""
        if worker not in self._dispatcher.floor.workers:
            self._noticed.pop(worker, None)
            return True
        if worker not in self._noticed:
            self._noticed[worker] = asyncio.ensure_future(self._watches.noticed(worker))
        return False

    async def _send(self, event: Event, cause_id: str, bodies: Mapping[TaskId, str]) -> Answer:
        letter = _Letter(event, cause_id, self._clock.monotonic_s(), bodies)
        self._waiting.append(letter)
        self._arrived.set()
        reply = await asyncio.shield(letter.reply)
        granted = [token.task for token in reply.tokens] if isinstance(reply, Grants) else []
        found = await asyncio.to_thread(self._payloads.get, granted) if granted else {}
        return Answer(self._journaled.epoch, reply, found, self._beats.address)

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
        await self._keep_bodies(batch)
        self._beats.drain()
        now = self._now()
        batch += [_Letter(event, "time", now.steady_s) for event in self._dispatcher.due(now)]
        await self._handle(batch, now)

    async def _keep_bodies(self, batch: Sequence[_Letter]) -> None:
        fresh: dict[TaskId, str] = {}
        amended: dict[TaskId, str] = {}
        for letter in batch:
            match letter.event:
                case Submit():
                    fresh |= letter.bodies
                case Rearm(token) if self._dispatcher.floor.is_newest(token):
                    amended |= letter.bodies
        if fresh:
            await asyncio.to_thread(self._payloads.put, fresh)
        if amended:
            await asyncio.to_thread(self._payloads.amend, amended)

    async def _handle(self, batch: list[_Letter], now: Now) -> None:
        records: list[DispatchRecord] = []
        causes: list[str] = []
        answers: list[tuple[_Letter, Reply]] = []

        def take(letter: _Letter) -> None:
            try:
                decision = self._dispatcher.decide(letter.event, now)
            except Rejected as refusal:
                _answer(letter, refusal)
                return
            for record in decision.records:
                self._dispatcher.apply(record)
            records.extend(decision.records)
            causes.extend([letter.cause_id] * len(decision.records))
            if not self._park(letter, decision.reply, now):
                answers.append((letter, decision.reply))

        for letter in batch:
            take(letter)
        parked, self._parked = self._parked, {}
        for letter in parked.values():
            take(letter)
        if records:
            await self._keep_results(batch, records)
            await self._journaled.write(records, now.wall_s, causes)
        for letter, reply in answers:
            _answer(letter, reply)
        self._beats.nudge(self._dispatcher.called)
        self._watches.follow(self._dispatcher.floor.workers)
        if ended := [record.token.task for record in records if isinstance(record, Ended)]:
            await asyncio.to_thread(self._payloads.drop, ended)

    async def _keep_results(self, batch: list[_Letter], records: list[DispatchRecord]) -> None:
        """Before the ends that they belong to: who sees an end can read its result."""
        if results := _results(batch, records):
            await asyncio.to_thread(self._results.put, results)

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

    def _drop_orphans(self) -> None:
        """Payloads of tasks that ended, or were never taken, just before a crash."""
        orphans = self._payloads.tasks() - self._dispatcher.floor.tasks.keys()
        self._payloads.drop(orphans)

    def _now(self) -> Now:
        return Now(self._clock.monotonic_s(), self._clock.now_s())


def policy(settings: Settings) -> Policy:
    """What the settings decide of dispatch."""
    return Policy(
        weights={name: team.weight for name, team in settings.teams.items()},
        quotas={name: team.waiting_max for name, team in settings.teams.items()},
        patience=Patience(self_fence_s=settings.worker.fence_s),
    )


def _results(batch: list[_Letter], records: list[DispatchRecord]) -> dict[Token, str]:
    """What the calls returned that come to their end with these records."""
    ended = {record.token for record in records if isinstance(record, Ended)}
    told = (letter.event for letter in batch if isinstance(letter.event, Finish))
    return {
        event.token: event.result
        for event in told
        if event.result is not None and event.token in ended
    }


def _answer(letter: _Letter, reply: Reply | Rejected) -> None:
    if letter.reply.done():
        return
    if isinstance(reply, Rejected):
        letter.reply.set_exception(reply)
    else:
        letter.reply.set_result(reply)
