"""A state and the journal stream it lives in: replayed at start, appended before applied.

A record that stops the replay three times (`store/trail.py`) is not tried a fourth: the state is
that before it, and nothing is appended.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import stamina

from swarm.clock import Cautious, Clock, SystemClock
from swarm.config import Settings
from swarm.errors import Damaged, NoRoom, SafeMode, StoreError
from swarm.model.journal import Entry, Quarantined, Record
from swarm.store.journal import open_journal
from swarm.store.payloads import Payloads
from swarm.store.projections import open_projections
from swarm.store.results import Results
from swarm.store.trail import Trail

_LOOK_S = 0.2
# What an engine raises at a record that contradicts its state, and what a bug in it does.
_FAULTS = (AssertionError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
_READ_LIMIT = 2_000
_DAY_S = 86_400.0

T = TypeVar("T")


async def opened(open_: Callable[[], T]) -> T:
    """What `open_` gives, once the store lets it; it has to begin anew each time. An exception out
    of an actor's constructor would be its end for good: Ray restarts what crashed, not what could
    not begin."""
    patient = stamina.retry_context(
        on=StoreError, attempts=None, timeout=None, wait_initial=0.2, wait_max=5.0
    )
    async for attempt in patient:
        with attempt:
            return await asyncio.to_thread(open_)
    raise AssertionError("it is tried for ever")


class State(Protocol):
    """What a stream rebuilds. `records` is the snapshot: applying them gives the state again."""

    def apply(self, record: Any) -> None: ...

    def records(self) -> Iterable[Any]: ...


class Journaled:
    """Owns one stream. Constructing it takes the stream over and replays it into `state`. Before
    a record that stops it again and again, it raises `SafeMode`; with `safe_mode` it keeps that as
    `standstill`, and its owner has to refuse what would be appended."""

    standstill: SafeMode | None = None
    _stands_at = 0

    def __init__(
        self,
        settings: Settings,
        stream: str,
        state: State,
        *,
        snapshot_every: int,
        safe_mode: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._journal = open_journal(settings.store_url, settings.state_dir)
        self._projections = open_projections(settings.store_url, settings.state_dir)
        self._stream = self._journal.open(stream)
        self._state = state
        self._snapshot_every = snapshot_every
        self._audit_kept_s = settings.audit_days * _DAY_S
        self._aging = Cautious(clock or SystemClock(), self._stream.last_at_s())
        with Trail(trails(settings), stream) as trail:
            self._snapshot_seq = self._replay(trail)
        if self.standstill is not None and not safe_mode:
            raise self.standstill

    @property
    def epoch(self) -> int:
        """Rises with each process that takes the stream over."""
        return self._stream.epoch

    def payloads(self, key: bytes) -> Payloads:
        """What the tasks of this stream run."""
        return self._journal.payloads(self._stream.name, key)

    def results(self, key: bytes) -> Results:
        """What the calls of this stream returned."""
        return self._journal.results(self._stream.name, key)

    @property
    def last_seq(self) -> int:
        return self._stream.last()

    async def until_quarantined(self) -> None:
        """Wait until the record before which the stream stands was set aside."""
        name = self._stream.name
        aside = self._journal.is_quarantined  # another process does it, nothing tells
        while not await asyncio.to_thread(aside, name, self._stands_at):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)

    async def append(
        self,
        records: Sequence[Record],
        at_s: float,
        cause_id: str | Sequence[str],
        *,
        snapshot: bool = False,
    ) -> int:
        """Make `records` durable, then apply them; returns the last sequence number. With
        `snapshot` the state is kept behind them, due or not."""
        seq = await asyncio.to_thread(self._stream.append, records, at_s, cause_id)
        for record in records:
            self._state.apply(record)
        await self._snapshot_if_due(seq, at_s, now=snapshot)
        return seq

    async def write(
        self,
        records: Sequence[Record],
        at_s: float,
        cause_ids: Sequence[str],
        beside: Callable[[], None],
    ) -> None:
        """Make records durable that are applied already, and what `beside` writes with them, in one
        transaction. If it raises, memory is ahead of the journal: the process has to end, or, after
        `NoRoom`, to write the same again."""

        def write() -> int:
            with self._stream.together():
                beside()
                return self._stream.append(records, at_s, cause_ids)

        seq = await asyncio.to_thread(write)
        await self._snapshot_if_due(seq, at_s)

    async def _snapshot_if_due(self, seq: int, at_s: float, *, now: bool = False) -> None:
        if now or seq - self._snapshot_seq >= self._snapshot_every:
            # It can wait for the next append; what was appended must not look as if it was not.
            with contextlib.suppress(NoRoom):
                await asyncio.to_thread(self._snapshot, seq, at_s)

    def _snapshot(self, seq: int, now_s: float) -> None:
        self._stream.save_snapshot(seq, self._state.records())
        self._snapshot_seq = seq
        projected = self._projections.log.cursors().get(self._stream.name, 0)
        self._stream.trim(min(seq, projected))
        if self._audit_kept_s:
            now_s = min(now_s, self._aging.now_s())
            self._stream.trim_audit(now_s - self._audit_kept_s, now_s)

    def _replay(self, trail: Trail) -> int:
        after, before = 0, trail.begin()
        name = self._stream.name
        if before and (before > self.last_seq or self._journal.is_quarantined(name, before)):
            before = 0
        snapshot = self._journal.snapshot(name)
        if snapshot is not None:
            after = snapshot.seq
            for record in snapshot.records:
                self._state.apply(record)
        snapshot_seq = after
        while entries := self._read(trail, after, before):
            for entry in entries:
                self._take(trail, entry)
            after = entries[-1].seq
            trail.at(0)
        if before:
            self._stands_at, self.standstill = before, _standstill(name, before)
        else:
            trail.done()
        return snapshot_seq

    def _read(self, trail: Trail, after: int, before: int) -> list[Entry]:
        limit = min(_READ_LIMIT, before - 1 - after) if before else _READ_LIMIT
        try:
            return self._journal.read(self._stream.name, after, limit) if limit > 0 else []
        except Damaged as fault:
            trail.fault(fault.seq, str(fault))
            raise

    def _take(self, trail: Trail, entry: Entry) -> None:
        if isinstance(entry.record, Quarantined):
            return
        trail.at(entry.seq)
        try:
            self._state.apply(entry.record)
        except _FAULTS as fault:
            why = f"{type(entry.record).__name__} cannot be applied: {fault!r}"
            trail.fault(entry.seq, why)
            raise StoreError(f"stream {entry.stream}, seq {entry.seq}: {why}") from fault


def trails(settings: Settings) -> Path:
    """The folder that tells which streams stand still."""
    return settings.state_dir / "replay"


def _standstill(stream: str, seq: int) -> SafeMode:
    return SafeMode(
        f"stream {stream} stands still before record {seq}, which stopped it three times: "
        f"`swarm status` says why, `swarm quarantine {stream} {seq} --by NAME --reason WHY` sets "
        "it aside. Until then swarm answers what it knows, ends nothing that runs, and takes "
        "nothing new."
    )
