"""The tracer actor: tells a collector, as spans, what the journal says. It follows the log of the
projections and writes nothing; nobody calls it, and nobody waits for it.

It begins with what is new. What ran while it was away, or while the collector was for too long, is
in no trace: traces show how things went, the journal what is so.
"""

import asyncio

import structlog

from swarm.actors.inbox import start
from swarm.actors.journaled import opened
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.errors import ConnectorError, StoreError, Trimmed
from swarm.store.projections import open_projections
from swarm.traces.otlp import Collector
from swarm.traces.spans import Span, Spans

_BATCH = 1_000  # entries
_AT_ONCE = 500  # spans in a request
_WAITING_MAX = 20_000  # spans; of more the oldest are dropped
_IDLE_S = 0.5
_RETRY_S = 1.0  # the first time, then twice as long each time
_RETRY_MAX_S = 60.0

log = structlog.get_logger()


class TracerActor:
    """Follows what enters to where it ends."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        self._clock = SystemClock()
        self._collector = Collector(settings.telemetry)
        self._projections = await opened(
            lambda: open_projections(settings.store_url, settings.state_dir)
        )
        self._read_to = await opened(self._projections.log.last)
        self._spans = Spans(self._clock.now_s())
        self._waiting: list[Span] = []
        self._wait_s, self._not_before_s = _RETRY_S, 0.0
        self._loop = start(self._run())

    async def _run(self) -> None:
        while True:
            try:
                more = await asyncio.to_thread(self._read)
            except StoreError as error:  # it is read again
                log.warning("nothing is traced: the journal cannot be read", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            self._waiting += self._spans.due(self._clock.now_s())
            self._forget()
            if self._waiting and self._clock.monotonic_s() >= self._not_before_s:
                await self._tell()
            if not more:
                await asyncio.sleep(_IDLE_S)

    def _read(self) -> bool:
        """Take in what is new; may there be more?"""
        try:
            entries = self._projections.log.read(self._read_to, _BATCH)
        except Trimmed:
            self._read_to = self._projections.log.last()
            log.warning("some of what happened is in no trace: its records are gone")
            return False
        now_s = self._clock.now_s()
        for seq, entry in entries:
            self._spans.take(entry, now_s)
            self._read_to = seq
        return len(entries) == _BATCH

    def _forget(self) -> None:
        over = len(self._waiting) - _WAITING_MAX
        if over > 0:
            del self._waiting[:over]
            log.warning("spans are dropped: the collector does not take them", count=over)

    async def _tell(self) -> None:
        """Send what waits, as far as it is taken."""
        while some := self._waiting[:_AT_ONCE]:
            try:
                refused = await asyncio.to_thread(self._collector.tell, some)
            except ConnectorError as error:
                log.warning("traces wait", error=str(error))
                self._not_before_s = self._clock.monotonic_s() + self._wait_s
                self._wait_s = min(2 * self._wait_s, _RETRY_MAX_S)
                return
            if refused:
                log.warning("spans were refused", count=len(some), why=refused)
            del self._waiting[: len(some)]
            self._wait_s = _RETRY_S
