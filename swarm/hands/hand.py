"""The hand: turns the knobs of one orchestrator as it is told, and back when nobody tells it any
more. It needs nobody for that: what it has to know is in its file before it acts."""

import asyncio
import contextlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from swarm.clock import Clock
from swarm.connectors.knobs import Knobs, Look
from swarm.connectors.payloads import STRANGE
from swarm.errors import ConnectorError
from swarm.hands.copies import (
    WAITING,
    Copy,
    Stage,
    outcome_of_release,
    run_out,
    seen,
    take,
    undone,
)
from swarm.hands.file import IntentFile
from swarm.hands.wire import Answer
from swarm.model.intents import Act, Carried, Intent
from swarm.model.keys import PipelineKey

_TTL_MAX_S = 600.0  # whatever is asked for
_SPREAD_S = 5.0  # holds that run out together end so far apart at most
_SPREAD_SHARE = 0.1  # of the time a hold is for
_LOOK_S = 0.2
_BACKOFF_S = 0.5
_BACKOFF_MAX_S = 10.0
_AT_ONCE = 4  # pipelines that the orchestrator is asked about at the same time

log = structlog.get_logger()


@dataclass(slots=True)
class _Tries:
    """Failed tries at one pipeline, and when the next may begin."""

    count: int = 0
    again_s: float = 0.0


class Hand:
    """For one event loop; `run` has to run."""

    def __init__(self, knobs: Knobs, file: IntentFile, clock: Clock) -> None:
        self._knobs, self._file, self._clock = knobs, file, clock
        self._copies: dict[str, Copy] = {}
        self._ends_s: dict[str, float] = {}  # monotonic: the other clock may be set back
        self._tries: dict[PipelineKey, _Tries] = {}
        self._busy: dict[PipelineKey, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._news = asyncio.Event()
        self._moved = asyncio.Condition()
        for copy in file.copies():
            self._remember(copy)

    @property
    def copies(self) -> list[Copy]:
        """All that it remembers."""
        return list(self._copies.values())

    async def take(self, intents: Sequence[Intent], told_s: float, wait_s: float) -> list[Answer]:
        """Have `intents` on disk, then answer how far they come within `wait_s`. `told_s` is the
        time when they were sent, by the clock that their own times are of."""
        now_s = self._clock.now_s()
        for intent in intents:
            self._put(take(self._of(intent.target), _here(intent, told_s, now_s), now_s))
        self._news.set()
        ids = [intent.id for intent in intents]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s), self._moved:
                await self._moved.wait_for(lambda: not any(map(self._is_waiting, ids)))
        copies = [self._copies[id_] for id_ in ids]
        return [Answer(c.intent.id, c.outcome, self._trouble(c) or c.detail) for c in copies]

    async def run(self) -> None:
        """For ever. What ends it, such as an error of its file, has to end the process: the next
        one goes on from the file."""
        while True:
            self._news.clear()
            self._put([over for copy in self._overdue() if (over := run_out(copy))])
            for target, task in list(self._busy.items()):
                if task.done():
                    del self._busy[target]
                    task.result()
            for target in {copy.intent.target for copy in self.copies if copy.stage in WAITING}:
                if target not in self._busy and self._may_try(target):
                    self._busy[target] = asyncio.create_task(self._work(target))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._news.wait()

    # --- one pipeline ----------------------------------------------------------------------------

    async def _work(self, target: PipelineKey) -> None:
        """Bring each copy of a pipeline as far as it comes, the oldest first."""
        async with self._places:
            for copy in sorted(self._of(target), key=lambda copy: copy.intent.number):
                if not self._is_waiting(copy.intent.id):
                    continue
                try:
                    await self._step(copy.intent.id)
                except (ConnectorError, *STRANGE) as error:
                    self._put_off(copy.intent.id, str(error) or repr(error))
                    return
            self._tries.pop(target, None)
        async with self._moved:
            self._moved.notify_all()
        self._news.set()

    async def _step(self, id_: str) -> None:
        copy = self._copies[id_]
        if copy.stage is Stage.ENDING:
            outcome, detail = await self._knobs.undo(copy.intent, copy.mark, copy.turned)
            self._put([undone(self._copies[id_], outcome, detail)])
        elif copy.intent.act is Act.RELEASE:
            self._put([outcome_of_release(self._of(copy.intent.target), copy)])
        elif copy.intent.act not in self._knobs.acts:
            why = f"{copy.intent.target.orchestrator} has no knob for {copy.intent.act}"
            self._put([copy.to(Stage.ENDED, Carried.REFUSED, why)])
        else:
            await self._turn(copy)

    async def _turn(self, copy: Copy) -> None:
        """What comes in meanwhile (a renewal, a release, the end of its time) is in the file and
        goes before what is found here."""
        look = await self._knobs.look(copy.intent, copy.mark, copy.turned)
        if self._copies[copy.intent.id] != copy:
            return
        if look.outcome is None:
            copy = replace(copy, mark=look.mark)
            self._put([copy])
            outcome, detail = await self._knobs.turn(copy.intent, copy.mark)
            if self._copies[copy.intent.id] != copy:
                return
            look = Look(copy.mark, outcome, detail)
        self._put([seen(copy, look)])

    def _put_off(self, id_: str, why: str) -> None:
        copy = self._copies[id_]
        tries = self._tries.setdefault(copy.intent.target, _Tries())
        tries.count += 1
        pause_s = min(_BACKOFF_MAX_S, _BACKOFF_S * 2 ** min(tries.count - 1, 10))
        tries.again_s = self._clock.monotonic_s() + pause_s
        log.warning(
            "a knob does not move", intent=id_, stage=copy.stage, tries=tries.count, why=why
        )
        if copy.stage is not Stage.ENDED:
            self._put([replace(copy, trouble=f"{tries.count} tries failed: {why}")])

    # --- the copies ------------------------------------------------------------------------------

    def _trouble(self, copy: Copy) -> str:
        """Why it is not done: what stands before it has to be turned back first."""
        before = [c for c in self._of(copy.intent.target) if c.intent.number < copy.intent.number]
        waits = [c.trouble for c in before if c.trouble and copy.outcome is None]
        return copy.trouble or "; ".join(waits)

    def _of(self, target: PipelineKey) -> list[Copy]:
        return [copy for copy in self._copies.values() if copy.intent.target == target]

    def _is_waiting(self, id_: str) -> bool:
        return self._copies[id_].stage in WAITING

    def _may_try(self, target: PipelineKey) -> bool:
        tries = self._tries.get(target)
        return tries is None or tries.again_s <= self._clock.monotonic_s()

    def _overdue(self) -> list[Copy]:
        """Those whose time is over, by whichever clock says so first."""
        now_s, mono_s = self._clock.now_s(), self._clock.monotonic_s()
        return [
            copy
            for id_, copy in self._copies.items()
            if copy.intent.valid_until_s <= now_s or self._ends_s[id_] <= mono_s
        ]

    def _put(self, copies: Sequence[Copy]) -> None:
        forgotten = self._file.put(copies, self._clock.now_s()) if copies else []
        for id_ in forgotten:
            del self._copies[id_], self._ends_s[id_]
        for copy in copies:
            self._remember(copy)
            log.info(
                "intent",
                id=copy.intent.id,
                act=copy.intent.act,
                stage=copy.stage,
                outcome=copy.outcome,
                detail=copy.detail,
            )

    def _remember(self, copy: Copy) -> None:
        id_, until_s = copy.intent.id, copy.intent.valid_until_s
        before = self._copies.get(id_)
        if before is None or before.intent.valid_until_s != until_s:
            self._ends_s[id_] = self._clock.monotonic_s() + until_s - self._clock.now_s()
        self._copies[id_] = copy


def _here(intent: Intent, told_s: float, now_s: float) -> Intent:
    """The intent by this machine's clock. What stands until it runs out ends a little sooner, of
    each pipeline otherwise: what runs out together would begin together."""
    left_s = min(intent.valid_until_s - told_s, _TTL_MAX_S)
    if intent.act not in (Act.RELEASE, Act.TRIGGER):
        share = zlib.crc32(str(intent.target).encode()) / 2**32
        left_s -= share * min(_SPREAD_S, _SPREAD_SHARE * left_s)
    skip_at_s = None if intent.skip_at_s is None else intent.skip_at_s - told_s + now_s
    return replace(intent, valid_until_s=now_s + left_s, skip_at_s=skip_at_s)
