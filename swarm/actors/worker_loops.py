"""A worker: one process on one node that pulls tasks and runs each in a slot of its own.

Rules
1. It asks for work when a slot is free, under a number it repeats until it has the answer, also
   when it drains: what it was granted is nobody else's. While its calls end within a blink it asks
   for a few more (`pace.py`), which wait in it in the order of their grants. One that has waited
   for `_WAIT_MAX_S` it does not hold any more: it goes elsewhere.
2. A process beside it beats for it every `beat_s`. It renews all it holds every `renew_s`, at once
   when it has something to say or an echo of a beat calls for it, and every `beat_s` when echoes
   have just ceased. The answer carries the orders: end what is revoked without a report, cancel,
   take nothing new.
3. What ended is on disk until the dispatcher has acknowledged it; the next worker of the node
   reports what this one could not.
4. Out of contact (no echo, no answer) for `fence_s`, it ends everything it runs, and so does each
   slot by itself. When all has ended, it says so under its old id.
5. It listens to no dispatcher older than the newest it has heard.
6. Told that its machine goes away (`notices.py`) it leaves (`leaving.py`): it takes no more. What
   it ends then it does not report: it is not held any more, and goes elsewhere.
"""

import asyncio
import contextlib
import math
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from swarm.actors.beat_process import DEAF, RENEW, UNKNOWN
from swarm.actors.beat_sender import BeatSender
from swarm.actors.held import Held
from swarm.actors.leaving import Leaving
from swarm.actors.leftovers import end_leftovers, marks
from swarm.actors.line import Line
from swarm.actors.notices import Kind, Notices
from swarm.actors.outbox import Outbox
from swarm.actors.pace import Pace
from swarm.actors.ports import Answer, Hearing, actor_name
from swarm.actors.programs import Programs
from swarm.actors.slot import End, Place, Slot, SlotDied
from swarm.clock import Clock
from swarm.dispatch.events import (
    Acquire,
    Event,
    Finish,
    Grants,
    Orders,
    Receipt,
    Register,
    Renew,
    WorkerLost,
)
from swarm.model.work import CapacityClass, LossCause, Offer, TaskId, Token, WorkerId

_BEATS_MISSED = 3  # without an echo of as many, the worker renews itself what they renewed
_ENDS_AT_ONCE = 100  # that are told without an answer
_TOGETHER_S = 0.01  # ends are told so much later while more waits than runs
_WAIT_MAX_S = 0.25  # for a slot; whatever runs there is not short then
_GIVEN_UP_S = 6.0  # it then does so for as long: the dispatcher knows by then that no beat passes


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Where a worker keeps its files, what signs its beats, its clocks in seconds, which variables
    of its environment are not for programs, and of whom a spot machine hears that it goes away
    (`notices_url`: at another address than all such machines have)."""

    folder: Path
    beat_key: bytes = field(repr=False)
    beat_s: float = 0.1
    renew_s: float = 1.0
    fence_s: float = 15.0
    hidden: frozenset[str] = frozenset()
    notices: Kind = "none"
    notices_url: str = ""


class Worker:
    """Runs what the dispatcher grants. Its loops are for one event loop and have no end."""

    def __init__(
        self, offer: Offer, dispatch: Hearing, clock: Clock, options: WorkerOptions
    ) -> None:
        self._offer = offer
        self._line = Line(dispatch)
        self._clock = clock
        self._options = options
        self._outbox = Outbox(options.folder / "ended")
        self._programs = Programs(options.folder)
        self._pace = Pace()
        self._slots: list[Place] = []
        self._free: asyncio.Queue[Place] = asyncio.Queue()
        self._room, self._ended = asyncio.Event(), asyncio.Event()
        self._sender = BeatSender(options.beat_key, self._echoed)
        self._beats_to, self._echoed_s = "", -math.inf
        self._renew_at_s, self._sooner = math.inf, asyncio.Event()
        self._telling: set[asyncio.Future[None]] = set()
        self._running: set[asyncio.Future[None]] = set()
        kind = options.notices if offer.capacity is CapacityClass.SPOT else "none"
        self._leaving = Leaving(Notices(kind, clock, options.notices_url), self._line, clock)
        self._forget()

    @property
    def id(self) -> WorkerId:
        return self._offer.worker

    async def run(self) -> None:
        """Register, then work until cancelled."""
        for _ in range(self._offer.slots):
            await self._open_slot()
        async with asyncio.TaskGroup() as loops:
            loops.create_task(
                self._leaving.run(
                    lambda: self.id if self._known else None,
                    lambda: self._held.values(),
                    lambda: self._give_back(math.inf),
                )
            )
            loops.create_task(self._beating())
            loops.create_task(self._renewing())
            loops.create_task(self._acquiring())
            loops.create_task(self._reporting())

    async def close(self) -> None:
        """End the slots, what runs in them, and the beats."""
        self._leaving.close()
        await self._sender.close()
        for doing in (doings := [*self._running, *self._telling]):
            doing.cancel()
        await asyncio.gather(*doings, return_exceptions=True)
        for slot in self._slots:
            await slot.close()
        self._outbox.close()

    def _forget(self) -> None:
        """Begin anew, under a new id: what ran before does not count any more."""
        incarnation = uuid.uuid4().hex[:8]
        base = actor_name(self._offer.worker)
        self._offer = replace(self._offer, worker=WorkerId(f"{base}~{incarnation}"))
        self._held: dict[Token, Held] = {}
        self._outbox.disown()
        self._room.set()
        self._number, self._known, self._draining = 1, False, False
        self._asking = False  # a request has no answer yet: it may have got something
        self._confirmed_s = self._clock.monotonic_s()

    # --- contact ----------------------------------------------------------------------------------

    async def _beating(self) -> None:
        """Keep the sender of beats told, and the slots; fence when contact is lost for too long."""
        passed_on_s = self._confirmed_s
        while True:
            await self._sender.tell(
                self.id, self._beats_to if self._known else "", self._line.epoch
            )
            now_s = self._clock.monotonic_s()
            if now_s - self._confirmed_s > self._options.fence_s:
                await self._fence()
            self._give_back(now_s - _WAIT_MAX_S)
            if self._confirmed_s > passed_on_s:
                passed_on_s = self._confirmed_s
                for run in list(self._held.values()):
                    await run.beat()
            if _BEATS_MISSED * self._options.beat_s < now_s - self._echoed_s < _GIVEN_UP_S:
                self._renew_within(0.0)
            await asyncio.sleep(self._options.beat_s)

    def _echoed(self, worker: str, epoch: int, sent_s: float, flags: int) -> None:
        """A beat that left at `sent_s` was heard."""
        if worker != self.id or epoch != self._line.epoch:
            return
        if flags & RENEW:
            self._renew_within(0.0)
        if not flags & UNKNOWN:
            self._echoed_s = self._clock.monotonic_s()
        if not flags & (UNKNOWN | DEAF):
            self._confirmed_s = max(self._confirmed_s, sent_s)

    async def _renewing(self) -> None:
        while True:
            me, sent_s = self.id, self._clock.monotonic_s()
            self._renew_at_s = sent_s + self._options.renew_s
            answer = await self._line.ask(self._word(), me, self._options.fence_s / 3)
            if answer is None:
                self._renew_within(self._options.beat_s)
            elif self.id == me:
                await self._take(answer, sent_s)
            while (left_s := self._renew_at_s - self._clock.monotonic_s()) > 0:
                self._sooner.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._sooner.wait(), left_s)

    def _renew_within(self, seconds: float) -> None:
        self._renew_at_s = min(self._renew_at_s, self._clock.monotonic_s() + seconds)
        self._sooner.set()

    async def _take(self, answer: Answer, sent_s: float) -> None:
        if answer.reply is Receipt.UNKNOWN_WORKER:
            await self._fence()
            return
        self._known, self._confirmed_s = True, max(self._confirmed_s, sent_s)
        self._beats_to = answer.beats_to
        if isinstance(answer.reply, Orders):
            await self._obey(answer.reply)

    def _word(self) -> Event:
        if not self._known:
            return Register(self._offer)
        held = (*self._held, *self._outbox.tokens())
        started = tuple(token for token, run in self._held.items() if run.started)
        return Renew(self.id, self._number - 1, held, started)

    async def _obey(self, orders: Orders) -> None:
        self._draining = orders.drain
        for token in orders.revoked:
            self._outbox.drop(token)
            if token in self._held:
                await self._let_go(token).end()
        for token in orders.cancel:
            run = self._held.get(token)
            if run is not None and not run.cancelled:
                run.cancelled = True
                await run.end()

    async def _reporting(self) -> None:
        """Tell what ended, until it is acknowledged; whether it counted is not ours to know."""
        while True:
            if self._backlog():  # more ends in a moment, and no slot waits for these to be told
                await asyncio.sleep(_TOGETHER_S)
            self._ended.clear()
            # All at once: the dispatcher makes what it hears together durable together.
            ends = self._outbox.waiting()
            for at in range(0, len(ends), _ENDS_AT_ONCE):
                await self._report(ends[at : at + _ENDS_AT_ONCE])
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), self._options.fence_s / 3)

    def _backlog(self) -> bool:
        """Does more wait for a slot than runs?"""
        return len(self._held) > 2 * self._offer.slots

    async def _report(self, ends: Sequence[tuple[Token, Finish]]) -> None:
        finishes = [finish for _, finish in ends]
        answers = await self._line.ask_all(finishes, self.id, self._options.fence_s / 3)
        for (token, _), answer in zip(ends, answers, strict=False):
            if answer is not None:
                self._outbox.drop(token)

    async def _fence(self) -> None:
        """End everything: the dispatcher must take it for ended."""
        gone, held, running = self.id, list(self._held.values()), list(self._running)
        self._forget()
        for run in held:
            await run.end()
        _kept(self._telling, self._tell_fenced(gone, running))

    async def _tell_fenced(self, gone: WorkerId, running: Sequence[asyncio.Future[None]]) -> None:
        """Once nothing of the old incarnation runs any more, its silence need not be waited out."""
        if running:
            await asyncio.wait(running)
        fenced = WorkerLost(gone, LossCause.SELF_FENCED)
        while True:
            if await self._line.ask(fenced, self.id, self._options.fence_s / 3) is not None:
                return
            await asyncio.sleep(self._options.renew_s)

    # --- work -------------------------------------------------------------------------------------

    async def _acquiring(self) -> None:
        while True:
            await self._room.wait()
            takes = self._asking if self._draining else not self._leaving.begun
            if not self._known or not takes:
                await asyncio.sleep(self._options.beat_s)
                continue
            me, number = self.id, self._number
            request = Acquire(me, number, self._pace.ahead(self._offer.slots))
            self._asking = True
            answer = await self._line.ask(request, me, self._options.fence_s)
            if answer is None or self.id != me or not isinstance(answer.reply, Grants):
                await asyncio.sleep(self._options.beat_s)
                continue
            self._asking = False
            if answer.reply.tokens:  # a request that got nothing is still open
                self._number = number + 1
            for token in answer.reply.tokens:
                self._begin(token, answer.bodies, token in answer.reply.copies)

    def _begin(self, token: Token, bodies: Mapping[TaskId, str], copy: bool) -> None:
        waits = len(self._held) >= self._offer.slots
        self._held[token] = Held(self._clock.monotonic_s() if waits else None, copy)
        self._look_for_room()
        _kept(self._running, self._run(token, bodies.get(token.task, "")))

    def _let_go(self, token: Token) -> Held:
        run = self._held.pop(token)
        self._look_for_room()
        return run

    def _look_for_room(self) -> None:
        """Ask for more when a slot is free, or half of what may wait is gone."""
        slots = self._offer.slots
        if len(self._held) < slots + self._pace.ahead(slots) // 2:
            self._room.set()
        else:
            self._room.clear()

    def _give_back(self, before_s: float) -> None:
        """What waits since then is not held any more, and the dispatcher grants it anew."""
        waiting = [
            token
            for token, run in self._held.items()
            if run.waits_since_s is not None and run.waits_since_s < before_s
        ]
        for token in waiting:
            self._pace.note(math.inf)
            self._let_go(token).drop()
        if waiting:
            self._renew_within(0.0)

    async def _run(self, token: Token, body: str) -> None:
        run, slot = self._held[token], await self._free.get()
        run.waits_since_s = None
        began_s = self._clock.monotonic_s()
        try:
            end = await self._run_in(slot, run, token, body)
        except SlotDied:
            await self._slot_died(slot, token, run)
            return
        self._free.put_nowait(slot)
        if self._held.get(token) is run and run.goes_elsewhere(end):
            self._let_go(token)
            self._renew_within(0.0)
        elif self._held.get(token) is run:
            called = end.result is not None
            self._pace.note(self._clock.monotonic_s() - began_s if called else math.inf)
            self._outbox.put(run.finish(token, end))
            self._let_go(token)
            self._ended.set()

    async def _run_in(self, slot: Place, run: Held, token: Token, body: str) -> End:
        if not run.wanted():
            return End(why="killed")
        try:
            program = self._programs.unpack(token, body, run.copy)
        except (OSError, ValueError) as fault:  # a full disk, a payload that nobody can read
            return End(error=f"it could not be started: {fault}")
        started = await slot.run(program)
        if isinstance(started, End):
            return started
        run.slot, run.started = slot, True
        self._renew_within(self._options.beat_s)
        if not run.wanted():  # somebody changed their mind meanwhile
            await slot.kill()
        return await slot.end()

    async def _slot_died(self, slot: Place, token: Token, run: Held) -> None:
        for carried in (marks(token), slot.marks):
            await asyncio.to_thread(end_leftovers, carried)
        self._programs.clear(token)
        if self._held.get(token) is run:
            self._let_go(token)  # not held any more: the dispatcher grants it anew
            self._renew_within(0.0)
        await slot.close()
        self._slots.remove(slot)
        await self._open_slot()

    async def _new_slot(self) -> Place:
        return await Slot.open(self._options.fence_s)

    async def _open_slot(self) -> None:
        slot = await self._new_slot()
        self._slots.append(slot)
        self._free.put_nowait(slot)


def _kept(among: set[asyncio.Future[None]], work: Coroutine[None, None, None]) -> None:
    """Run `work` and keep hold of it until it is done: the event loop itself does not."""
    doing = asyncio.ensure_future(work)
    among.add(doing)
    doing.add_done_callback(among.discard)
