"""The graph actor: the shell of the ledger. It alone writes the journal stream `graph`."""

import asyncio
from dataclasses import dataclass

from swarm.actors.inbox import Inbox, start
from swarm.actors.journaled import Journaled
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.connectors.contexts import naming_of
from swarm.lineage.ledger import Ledger, VerdictRequest
from swarm.model.journal import Batch

STREAM = "graph"
_SNAPSHOT_EVERY = 20_000  # records; keeps replay after a crash far below two seconds
_QUEUE_MAX = 1_000


@dataclass(frozen=True, slots=True)
class _Letter:
    event: Batch | VerdictRequest
    cause_id: str


class GraphActor:
    """Takes evidence and verdicts, answers when they are in the journal."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        self._clock = SystemClock()
        self._ledger = Ledger(naming_of(settings))
        self._journaled = await asyncio.to_thread(
            Journaled, settings, STREAM, self._ledger, snapshot_every=_SNAPSHOT_EVERY
        )
        self._inbox: Inbox[_Letter] = Inbox(self._handle, size_max=_QUEUE_MAX)
        self._loop = start(self._inbox.run())

    async def offer(self, batch: Batch, cause_id: str) -> int:
        """Merge a batch; the reply means that it is durable. Sending it again changes nothing."""
        return await self._inbox.send(_Letter(batch, cause_id))

    async def judge(self, request: VerdictRequest, cause_id: str) -> int:
        """Record a person's verdict. Raises `UnknownKey` for a dependency nobody has seen."""
        return await self._inbox.send(_Letter(request, cause_id))

    async def _handle(self, letter: _Letter) -> int:
        now_s = self._clock.now_s()
        records = await asyncio.to_thread(self._ledger.decide, letter.event, now_s)
        if not records:
            return self._journaled.last_seq
        return await self._journaled.append(records, now_s, letter.cause_id)
