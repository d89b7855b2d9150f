"""A state and the journal stream it lives in: replayed at start, appended before applied."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import stamina

from swarm.config import Settings
from swarm.errors import StoreError
from swarm.model.journal import Record
from swarm.store.journal import open_journal
from swarm.store.payloads import Payloads
from swarm.store.projections import open_projections
from swarm.store.results import Results

_READ_LIMIT = 2_000

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
    """Owns one stream. Constructing it takes the stream over and replays it into `state`."""

    def __init__(
        self, settings: Settings, stream: str, state: State, *, snapshot_every: int
    ) -> None:
        self._journal = open_journal(settings.store_url, settings.state_dir)
        self._projections = open_projections(settings.store_url, settings.state_dir)
        self._stream = self._journal.open(stream)
        self._state = state
        self._snapshot_every = snapshot_every
        self._snapshot_seq = self._replay()

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

    async def append(self, records: Sequence[Record], at_s: float, cause_id: str) -> int:
        """Make `records` durable, then apply them; returns the last sequence number."""
        seq = await asyncio.to_thread(self._stream.append, records, at_s, cause_id)
        for record in records:
            self._state.apply(record)
        await self._snapshot_if_due(seq)
        return seq

    async def write(
        self,
        records: Sequence[Record],
        at_s: float,
        cause_ids: Sequence[str],
        beside: Callable[[], None],
    ) -> None:
        """Make records durable that are applied already, and what `beside` writes with them, in one
        transaction. If it raises, memory is ahead of the journal: the process has to end."""

        def write() -> int:
            with self._stream.together():
                beside()
                return self._stream.append(records, at_s, cause_ids)

        seq = await asyncio.to_thread(write)
        await self._snapshot_if_due(seq)

    async def _snapshot_if_due(self, seq: int) -> None:
        if seq - self._snapshot_seq >= self._snapshot_every:
            await asyncio.to_thread(self._snapshot, seq)

    def _snapshot(self, seq: int) -> None:
        self._stream.save_snapshot(seq, self._state.records())
        self._snapshot_seq = seq
        projected = self._projections.cursors().get(self._stream.name, 0)
        self._stream.trim(min(seq, projected))

    def _replay(self) -> int:
        after = 0
        snapshot = self._journal.snapshot(self._stream.name)
        if snapshot is not None:
            after = snapshot.seq
            for record in snapshot.records:
                self._state.apply(record)
        snapshot_seq = after
        while entries := self._journal.read(self._stream.name, after, _READ_LIMIT):
            for entry in entries:
                self._state.apply(entry.record)
            after = entries[-1].seq
        return snapshot_seq
