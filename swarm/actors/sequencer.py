"""The sequencer actor: the shell of the hazards. It follows the stream `graph` and alone writes the
stream `sequencing`."""

import asyncio
import uuid

from swarm.actors.inbox import start
from swarm.actors.journaled import Journaled, opened
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.sequencing.hazards import Hazards
from swarm.store.journal import Journal, open_journal

STREAM = "sequencing"
_FOLLOWED = "graph"
_SNAPSHOT_EVERY = 5_000  # records
_BATCH = 1_000
_IDLE_S = 0.2  # how long a change of the graph may stay unseen here


class SequencerActor:
    """Tells of hazards as the graph and the runs in it move.

    Where it fell so far behind that records it had not read were trimmed, its loop ends and with it
    the process: it is restarted and begins with the graph's snapshot.
    """

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        self._clock = SystemClock()

        def begin() -> tuple[Hazards, Journaled, Journal, int]:
            hazards = Hazards(settings.min_confidence)
            journaled = Journaled(settings, STREAM, hazards, snapshot_every=_SNAPSHOT_EVERY)
            journal = open_journal(settings.store_url, settings.state_dir)
            snapshot = journal.snapshot(_FOLLOWED)
            for record in snapshot.records if snapshot else ():
                hazards.apply(record)  # type: ignore[arg-type]  # the stream holds no others
            return hazards, journaled, journal, snapshot.seq if snapshot else 0

        self._hazards, self._journaled, self._journal, self._seq = await opened(begin)
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
            self._hazards.apply(entry.record)  # type: ignore[arg-type]
        self._seq += len(entries)
        return len(entries) == _BATCH

    async def _tell(self) -> None:
        """Only with nothing left to read: between two batches the graph is half of what it was."""
        now_s = self._clock.now_s()
        changed = await asyncio.to_thread(self._hazards.decide, now_s)
        if changed:
            await self._journaled.append(changed, now_s, uuid.uuid4().hex)
