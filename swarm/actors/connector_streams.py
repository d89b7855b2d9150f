"""What connectors write of themselves, for whoever decides about their orchestrators."""

from collections.abc import Iterable, Iterator

from swarm.errors import Trimmed
from swarm.model.connectors import ConnectorRecord
from swarm.store.journal import Journal

_BATCH = 1_000


class ConnectorStreams:
    """Where each stream was read to."""

    def __init__(self, journal: Journal, sources: Iterable[str]) -> None:
        self._journal = journal
        self._read_to: dict[str, int | None] = {f"connector:{name}": None for name in sources}

    def news(self) -> Iterator[tuple[float, ConnectorRecord]]:
        """What is new in all of them, and when it was written (seconds since the epoch)."""
        for stream in self._read_to:
            yield from self._news(stream)

    def _news(self, stream: str) -> Iterator[tuple[float, ConnectorRecord]]:
        after = self._read_to[stream]
        if after is None:
            snapshot = self._journal.snapshot(stream)
            for record in snapshot.records if snapshot else ():
                yield snapshot.at_s, record  # type: ignore[misc, union-attr]
            after = snapshot.seq if snapshot else 0
        try:
            entries = self._journal.read(stream, after, _BATCH)
        except Trimmed:
            self._read_to[stream] = None  # next time from the snapshot
            return
        for entry in entries:
            yield entry.at_s, entry.record  # type: ignore[misc]  # the stream holds no others
        self._read_to[stream] = after + len(entries)
