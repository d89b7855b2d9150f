"""The sequencer actor: the shell of hazards and SLAs. It follows the stream `graph` and alone
writes the stream `sequencing`."""

import asyncio
import uuid
from collections.abc import Iterator

from swarm.actors.inbox import start
from swarm.actors.journaled import Journaled, opened
from swarm.clock import SystemClock
from swarm.config import Promise, Settings
from swarm.model.journal import GraphRecord, IntentMade, SequencingRecord, SlaChanged
from swarm.model.keys import PipelineKey
from swarm.model.sla import Sla
from swarm.sequencing.hazards import Hazards
from swarm.sequencing.promises import Promises
from swarm.sequencing.world import World
from swarm.store.journal import Journal, open_journal

STREAM = "sequencing"
_FOLLOWED = "graph"
_SNAPSHOT_EVERY = 5_000  # records
_BATCH = 1_000
_IDLE_S = 0.2  # how long a change of the graph may stay unseen here
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Sequencing:
    """What both streams rebuild: the world, what of it is a hazard, what of it was promised."""

    def __init__(self, settings: Settings) -> None:
        world = World()
        self._hazards = Hazards(world, settings.min_confidence)
        self._promises = Promises(world, map(_sla, settings.slas))

    def apply(self, record: GraphRecord | SequencingRecord) -> None:
        if isinstance(record, IntentMade):
            return  # the next one needs its number alone, and there is none yet
        if not isinstance(record, SlaChanged):
            self._hazards.apply(record)
        self._promises.apply(record)

    def decide(self, now_s: float) -> list[SequencingRecord]:
        return [*self._hazards.decide(now_s), *self._promises.decide(now_s)]

    def records(self) -> Iterator[SequencingRecord]:
        yield from self._hazards.records()
        yield from self._promises.records()


class SequencerActor:
    """Tells of hazards and SLAs as the graph and the runs in it move.

    Where it fell so far behind that records it had not read were trimmed, its loop ends and with it
    the process: it is restarted and begins with the graph's snapshot.
    """

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        self._clock = SystemClock()

        def begin() -> tuple[Sequencing, Journaled, Journal, int]:
            state = Sequencing(settings)
            journaled = Journaled(settings, STREAM, state, snapshot_every=_SNAPSHOT_EVERY)
            journal = open_journal(settings.store_url, settings.state_dir)
            snapshot = journal.snapshot(_FOLLOWED)
            for record in snapshot.records if snapshot else ():
                state.apply(record)  # type: ignore[arg-type]  # the stream holds no others
            return state, journaled, journal, snapshot.seq if snapshot else 0

        self._state, self._journaled, self._journal, self._seq = await opened(begin)
        self._loop = start(self._run())

    async def _run(self) -> None:
        while True:
            if not await asyncio.to_thread(self._follow):
                await self._tell()
                await asyncio.sleep(_IDLE_S)

    def _follow(self) -> bool:
        """Apply what is new; may there be more?"""
        entries = self._journal.read(_FOLLOWED, self._seq, _BATCH)
        for entry in entries:
            self._state.apply(entry.record)  # type: ignore[arg-type]
        self._seq += len(entries)
        return len(entries) == _BATCH

    async def _tell(self) -> None:
        """Only with nothing left to read: between two batches the graph is half of what it was."""
        now_s = self._clock.now_s()
        changed = await asyncio.to_thread(self._state.decide, now_s)
        if changed:
            await self._journaled.append(changed, now_s, uuid.uuid4().hex)


def _sla(promise: Promise) -> Sla:
    hours, minutes = map(int, promise.by.split(":"))
    days = tuple(_DAYS.index(day) for day in promise.days)
    key = PipelineKey(*promise.pipeline.split("/", 1))
    return Sla(key, hours * 3600.0 + minutes * 60.0, promise.timezone, days)
