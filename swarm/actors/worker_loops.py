"""A worker: one process on one node that pulls tasks and runs each in a slot of its own.

Rules
1. It asks for work when a slot is free, under a number it repeats until it has the answer.
2. It renews all it holds every `beat_s`. The answer carries the orders: end what is revoked
   without a report, cancel, take nothing new.
3. What ended is on disk until the dispatcher has acknowledged it; the next worker of the node
   reports what this one could not.
4. Out of contact for `fence_s`, it ends everything it runs, and so does each slot by itself.
5. It listens to no dispatcher older than the newest it has heard.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from swarm.actors.leftovers import end_leftovers, marks
from swarm.actors.outbox import Outbox
from swarm.actors.ports import Answer, Dispatch, actor_name
from swarm.actors.programs import Programs
from swarm.actors.slot import End, Slot, SlotDied
from swarm.clock import Clock
from swarm.dispatch.events import Acquire, Event, Finish, Grants, Orders, Receipt, Register, Renew
from swarm.errors import Rejected, Unreachable
from swarm.model.work import Offer, Outcome, TaskId, Token, WorkerId

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Where a worker keeps its files, and its clocks in seconds."""

    folder: Path
    beat_s: float = 0.1
    fence_s: float = 15.0


@dataclass(slots=True)
class _Held:
    """A grant that runs, and the slot it runs in once it has one."""

    slot: Slot | None = None
    started: bool = False
    cancelled: bool = False  # its end is to be reported
    _unwanted: bool = False

    def wanted(self) -> bool:
        return not self._unwanted

    async def end(self) -> None:
        self._unwanted = True
        if self.slot is not None:
            with contextlib.suppress(SlotDied):
                await self.slot.kill()

    async def beat(self) -> None:
        if self.slot is not None:
            with contextlib.suppress(SlotDied):
                await self.slot.beat()


class Worker:
    """Runs what the dispatcher grants. Its loops are for one event loop and have no end."""

    def __init__(
        self, offer: Offer, dispatch: Dispatch, clock: Clock, options: WorkerOptions
    ) -> None:
        self._offer = offer
        self._dispatch = dispatch
        self._clock = clock
        self._options = options
        self._outbox = Outbox(options.folder / "ended")
        self._programs = Programs(options.folder)
        self._epoch = 0
        self._slots: list[Slot] = []
        self._free: asyncio.Queue[Slot] = asyncio.Queue()
        self._room, self._ended = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Future[None]] = set()
        self._forget()

    @property
    def id(self) -> WorkerId:
        return self._offer.worker

    async def run(self) -> None:
        """Register, then work until cancelled."""
        for _ in range(self._offer.slots):
            await self._open_slot()
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._renewing())
            loops.create_task(self._acquiring())
            loops.create_task(self._reporting())

    async def close(self) -> None:
        """End the slots and what runs in them."""
        for running in self._tasks:
            running.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for slot in self._slots:
            await slot.close()

    def _forget(self) -> None:
        """Begin anew, under a new id: what ran before does not count any more."""
        incarnation = uuid.uuid4().hex[:8]
        base = actor_name(self._offer.worker)
        self._offer = replace(self._offer, worker=WorkerId(f"{base}~{incarnation}"))
        self._held: dict[Token, _Held] = {}
        self._room.set()
        self._number, self._known, self._draining = 1, False, False
        self._confirmed_s = self._clock.monotonic_s()

    # --- contact ----------------------------------------------------------------------------------

    async def _renewing(self) -> None:
        while True:
            sent_s = self._clock.monotonic_s()
            answer = await self._ask(self._word(), within_s=self._options.fence_s / 3)
            if answer is None:
                await self._fence_if_due()
            elif answer.reply is Receipt.UNKNOWN_WORKER:
                await self._fence()
            else:
                self._known, self._confirmed_s = True, sent_s
                if isinstance(answer.reply, Orders):
                    await self._obey(answer.reply)
            passed_s = self._clock.monotonic_s() - sent_s
            await asyncio.sleep(max(0.0, self._options.beat_s - passed_s))

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
        for run in list(self._held.values()):
            await run.beat()

    async def _reporting(self) -> None:
        """Tell what ended, until it is acknowledged; whether it counted is not ours to know."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), self._options.fence_s / 3)
            self._ended.clear()
            for token, finish in self._outbox.waiting():
                answer = await self._ask(finish, within_s=self._options.fence_s / 3)
                if answer is not None:
                    self._outbox.drop(token)

    async def _ask(self, event: Event, within_s: float) -> Answer | None:
        """The dispatcher's answer; None when there is none, or it is of one that is superseded."""
        try:
            async with asyncio.timeout(within_s):
                answer = await self._dispatch.tell(event, self.id)
        except (TimeoutError, Unreachable, Rejected) as fault:
            log.warning("no answer", question=type(event).__name__, fault=repr(fault))
            return None
        if answer.epoch < self._epoch:
            return None
        self._epoch = answer.epoch
        return answer

    async def _fence_if_due(self) -> None:
        if self._clock.monotonic_s() - self._confirmed_s > self._options.fence_s:
            await self._fence()

    async def _fence(self) -> None:
        """End everything: the dispatcher must take it for ended."""
        for token in list(self._held):
            await self._let_go(token).end()
        self._forget()

    # --- work -------------------------------------------------------------------------------------

    async def _acquiring(self) -> None:
        while True:
            await self._room.wait()
            if not self._known or self._draining:
                await asyncio.sleep(self._options.beat_s)
                continue
            me, number = self.id, self._number
            answer = await self._ask(Acquire(me, number), within_s=self._options.fence_s)
            if answer is None or self.id != me or not isinstance(answer.reply, Grants):
                await asyncio.sleep(self._options.beat_s)
                continue
            if answer.reply.tokens:  # a request that got nothing is still open
                self._number = number + 1
            for token in answer.reply.tokens:
                self._begin(token, answer.bodies)

    def _begin(self, token: Token, bodies: Mapping[TaskId, str]) -> None:
        self._held[token] = _Held()
        if len(self._held) >= self._offer.slots:
            self._room.clear()
        running = asyncio.ensure_future(self._run(token, bodies.get(token.task, "")))
        self._tasks.add(running)
        running.add_done_callback(self._tasks.discard)

    def _let_go(self, token: Token) -> _Held:
        self._room.set()
        return self._held.pop(token)

    async def _run(self, token: Token, body: str) -> None:
        run, slot = self._held[token], await self._free.get()
        try:
            end = await self._run_in(slot, run, token, body)
        except SlotDied:
            for carried in (marks(token), slot.marks):
                await asyncio.to_thread(end_leftovers, carried)
            self._programs.clear(token)
            if self._held.get(token) is run:
                self._let_go(token)  # not held any more: the dispatcher grants it anew
            await slot.close()
            self._slots.remove(slot)
            await self._open_slot()
            return
        self._free.put_nowait(slot)
        if self._held.get(token) is run:
            self._outbox.put(_finish(token, end, run))
            self._let_go(token)
            self._ended.set()

    async def _run_in(self, slot: Slot, run: _Held, token: Token, body: str) -> End:
        if not run.wanted():
            return End(why="killed")
        try:
            program = self._programs.unpack(token, body)
        except (OSError, ValueError) as fault:  # a full disk, a payload that nobody can read
            return End(error=f"it could not be started: {fault}")
        started = await slot.run(program)
        if isinstance(started, End):
            return started
        run.slot, run.started = slot, True
        if not run.wanted():  # somebody changed their mind meanwhile
            await slot.kill()
        return await slot.end()

    async def _open_slot(self) -> None:
        slot = await Slot.open(self._options.fence_s)
        self._slots.append(slot)
        self._free.put_nowait(slot)


def _finish(token: Token, end: End, run: _Held) -> Finish:
    result = end.result if end.result != "null" else None
    return Finish(token, _outcome(end, run), _told(end), result)


def _outcome(end: End, run: _Held) -> Outcome:
    if end.succeeded:
        return Outcome.SUCCEEDED
    return Outcome.CANCELLED if run.cancelled else Outcome.FAILED


def _told(end: End) -> str:
    """How it ended, in a line for people."""
    if end.error:
        return end.error
    how = f"exit code {end.exit_code}" if end.signal is None else f"signal {end.signal}"
    if end.result is not None:
        how = "returned"
    why = f" ({end.why})" if end.why else ""
    return f"{how}{why}, {end.cpu_s:.2f} s of CPU, {end.peak_memory_bytes / 2**20:.0f} MiB at most"
