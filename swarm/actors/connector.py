"""The connector actor: follows one orchestrator and hands what it saw to the graph.

A pass is: observe, offer each batch to the graph, and only when the graph has it in its journal
move the own cursor. A crash at any point repeats a batch, which changes nothing, and loses none.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import TypeVar

import structlog

from swarm.actors.entering import entered
from swarm.actors.figures import of_source
from swarm.actors.handing import Handing
from swarm.actors.inbox import start
from swarm.actors.journaled import Journaled, opened
from swarm.actors.measuring import measured
from swarm.actors.ports import Graph, Sequencer
from swarm.actors.recovering import recover
from swarm.clock import SystemClock
from swarm.config import Settings, Source
from swarm.connectors.base import Connector, LearnsRuns, Recovers
from swarm.connectors.registry import connect
from swarm.errors import ConfigError, ConnectorError, MalformedResponse, Unauthorized
from swarm.hands.line import HandLine, line_of
from swarm.model.connectors import (
    ConnectorChanged,
    ConnectorRecord,
    ConnectorState,
    CursorMoved,
    IntentEnded,
    RecoveryEnded,
)
from swarm.outbound import check_reached
from swarm.store.projections import open_projections
from swarm.telemetry import Figure, caused_by

_BACKOFF_MAX_S = 60.0
_CURSOR_EVERY_S = 60.0  # an idle pass also moves the cursor; that need not be durable each time
_SNAPSHOT_EVERY = 1_000
_ENDED_KEPT = 10_000  # of either kind; intents live for minutes
_SETTLE_S = 30.0  # after which every source that answers has told what ran

T = TypeVar("T")

log = structlog.get_logger()


class Position:
    """How far a connector has come, and how its last pass ended."""

    def __init__(self) -> None:
        self.moved: CursorMoved | None = None
        self.changed: ConnectorChanged | None = None
        self.ended: dict[str, RecoveryEnded] = {}
        self.carried: dict[str, IntentEnded] = {}

    def apply(self, record: ConnectorRecord) -> None:
        match record:
            case CursorMoved():
                self.moved = record
            case ConnectorChanged():
                self.changed = record
            case RecoveryEnded(recovery):
                _keep(self.ended, recovery.id, record)
            case IntentEnded(intent):
                _keep(self.carried, intent.id, record)

    def records(self) -> Iterator[ConnectorRecord]:
        yield from (record for record in (self.moved, self.changed) if record is not None)
        yield from self.ended.values()
        yield from self.carried.values()


def _keep(known: dict[str, T], id_: str, record: T) -> None:
    known[id_] = record
    if len(known) > _ENDED_KEPT:
        del known[next(iter(known))]


class ConnectorActor:
    """Reads one source for ever."""

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self, source: Source, settings: Settings, graph: Graph, sequencer: Sequencer
    ) -> None:
        self._source, self._settings, self._graph = source, settings, graph
        self._clock = SystemClock()

        def begin() -> tuple[Position, Journaled]:
            position, stream = Position(), f"connector:{source.instance}"
            return position, Journaled(settings, stream, position, snapshot_every=_SNAPSHOT_EVERY)

        self._position, self._journaled = await opened(begin)
        moved = self._position.moved
        self._cursor = moved.cursor if moved else None
        self._unattributed = moved.unattributed if moved else 0
        self._saved_s = self._clock.monotonic_s()
        self._passes = 0
        self._passed_s = self._clock.monotonic_s()
        self._recovering: asyncio.Future[None] | None = None
        self._handing = start(self._hand_on(sequencer))
        self._loop = start(self._run())
        self._measured = measured(self._figures)

    async def passes(self) -> int:
        """How many passes have ended well since the process began."""
        return self._passes

    async def _figures(self) -> Iterable[Figure]:
        changed = self._position.changed
        age_s = self._clock.monotonic_s() - self._passed_s
        return of_source(self._source.instance, changed.state if changed else None, age_s)

    async def _run(self) -> None:
        connector: Connector | None = None
        failures = 0
        while True:
            try:
                if connector is None:
                    connector = await asyncio.to_thread(connect, self._source, self._settings)
                    await asyncio.to_thread(self._teach, connector)
                    self._recovering = self._recover(connector)
                await self._pass(connector)
            except (ConnectorError, ConfigError) as error:
                failures += 1
                await self._report(_state_of(error), str(error))
                await asyncio.sleep(
                    min(self._source.poll_s * 2 ** min(failures, 10), _BACKOFF_MAX_S)
                )
            else:
                self._passes += 1
                self._passed_s = self._clock.monotonic_s()
                failures = 0
                await self._report(ConnectorState.OK, "")
                await connector.wait(self._source.poll_s)

    def _recover(self, connector: Connector) -> asyncio.Future[None] | None:
        """Carry out recoveries beside the passes, where the settings allow it."""
        if not self._source.recover:
            return None
        if not isinstance(connector, Recovers):
            log.warning("nothing can be recovered in this kind of source", source=connector.name)
            return None

        async def record(ended: RecoveryEnded) -> None:
            await self._append(ended, ended.recovery.cause_id or self._entered())

        known = self._position.ended
        name = self._source.instance
        return start(recover(name, connector, self._graph, self._clock, known, record))

    async def _hand_on(self, sequencer: Sequencer) -> None:
        """Bring what was decided about the source's pipelines to its hand, beside the passes."""
        hand: HandLine | None = None
        try:
            hand = line_of(self._source)
        except ConfigError as error:
            log.error("no hand can be told anything", source=self._source.instance, why=str(error))

        async def record(ended: IntentEnded) -> None:
            await self._append(ended, ended.intent.cause_id or self._entered())

        name, known = self._source.instance, self._position.carried
        await Handing(name, hand, self._clock, known, record).run(sequencer)

    def _teach(self, connector: Connector) -> None:
        """Show what ran, as the journal has it, to a connector that wants to know."""
        if isinstance(connector, LearnsRuns):
            projections = open_projections(self._settings.store_url, self._settings.state_dir)
            connector.learn_runs(projections.runs.tries_between, _SETTLE_S)

    async def _pass(self, connector: Connector) -> None:
        cause_id = self._entered()
        if self._source.url:
            key = f"source `{self._source.instance}`: `url`"
            await asyncio.to_thread(check_reached, self._source.url, key)
        caused_by(cause_id)
        async for batch in connector.observe(self._cursor):
            if batch.items:
                await self._graph.offer(batch, cause_id)
            self._unattributed += batch.unattributed
            self._cursor = batch.cursor
            if batch.items:
                await self._save(cause_id)
        if self._clock.monotonic_s() - self._saved_s >= _CURSOR_EVERY_S:
            await self._save(cause_id)

    async def _save(self, cause_id: str) -> None:
        """Have the cursor durable, where it moved."""
        self._saved_s = self._clock.monotonic_s()
        if self._cursor is not None:
            moved = CursorMoved(self._source.instance, self._cursor, self._unattributed)
            if moved != self._position.moved:
                await self._append(moved, cause_id)

    async def _report(self, state: ConnectorState, message: str) -> None:
        record = ConnectorChanged(self._source.instance, self._source.kind, state, message)
        if record != self._position.changed:
            log.info("connector", source=record.source, state=state, message=message)
            await self._append(record, self._entered())

    def _entered(self) -> str:
        return entered(self._clock.now_s())

    async def _append(self, record: ConnectorRecord, cause_id: str) -> None:
        await self._journaled.append([record], self._clock.now_s(), cause_id)


def _state_of(error: ConnectorError | ConfigError) -> ConnectorState:
    if isinstance(error, Unauthorized | ConfigError):
        return ConnectorState.UNAUTHORIZED
    if isinstance(error, MalformedResponse):
        return ConnectorState.MALFORMED
    return ConnectorState.UNAVAILABLE
