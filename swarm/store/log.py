"""The log of all streams in one global order, and the state that it has led to."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Row, select

from swarm.errors import Trimmed
from swarm.model.connectors import ConnectorChanged, ConnectorState, CursorMoved
from swarm.model.graph import CapacitySeen, DependencyChanged, PipelineSeen, UnresolvedSeen
from swarm.model.journal import Entry, Record
from swarm.store import codec, read_tables
from swarm.store.database import Database
from swarm.store.history import current_dependencies, decode_row
from swarm.store.read_tables import cursors, log, position
from swarm.store.stories import live_records
from swarm.store.watch import Watch

_MOVED = select(position.c.last_seq, position.c.trimmed_seq)


class Log:
    """Reads of the log, and of where it stands."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watch = Watch(lambda: database.sign(_MOVED))

    def read(self, after: int, limit: int) -> list[tuple[int, Entry]]:
        """At most `limit` entries after global number `after`, with their numbers, in order.

        Raises `Trimmed` when entries after `after` are gone, or when the numbering has begun
        anew: the reader takes `snapshot` and goes on from there.
        """
        with self._database.reading() as connection:
            at = connection.execute(select(position.c.last_seq, position.c.trimmed_seq)).one()
            rows = connection.execute(
                select(log).where(log.c.global_seq > after).order_by(log.c.global_seq).limit(limit)
            ).all()
        if not at.trimmed_seq <= after <= at.last_seq:
            raise Trimmed(
                f"{self._database.place}: the log is kept from {at.trimmed_seq + 1} to "
                f"{at.last_seq}, not after {after}; start from the snapshot."
            )
        return [(row.global_seq, _entry(row)) for row in rows]

    def moved(self, most_s: float) -> bool:
        """Wait, at most so long, until there may be more in the log than when this last said so.
        For one follower."""
        return self._watch.moved(most_s)

    def last(self) -> int:
        """The last global sequence number, 0 at the start."""
        with self._database.reading() as connection:
            return connection.scalar(select(position.c.last_seq)) or 0

    def cursors(self) -> Mapping[str, int]:
        """The last seq of each stream that is in the projections."""
        rows = self._database.rows(select(cursors.c.stream, cursors.c.seq))
        return {row.stream: row.seq for row in rows}

    def snapshot(self) -> tuple[int, list[tuple[float, Record]]]:
        """The current state as (at_s, record) that rebuild it, and the global number to follow on
        from. Holds pipelines, dependencies, unresolved, capacity, connectors, live workers and
        live tasks, not runs and findings."""
        now = current_dependencies()
        with self._database.reading() as connection:
            last = connection.scalar(select(position.c.last_seq)) or 0
            state: list[tuple[float, Record]] = [
                (row.at_s, decode_row(row, kind))
                for query, kind in (
                    (select(read_tables.pipelines), PipelineSeen),
                    (now, DependencyChanged),
                    (select(read_tables.unresolved), UnresolvedSeen),
                    (select(read_tables.capacity), CapacitySeen),
                )
                for row in connection.execute(query)
            ]
            sources = connection.execute(select(read_tables.connectors)).all()
            state += live_records(connection)
        for row in sources:
            state += _connector_records(row)
        return last, state

    def close(self) -> None:
        self._watch.close()


def _entry(row: Row[Any]) -> Entry:
    place = f"log, number {row.global_seq}"
    record = codec.decode(row.type, row.record_version, row.body, place)
    return Entry(row.stream, row.seq, row.at_s, row.cause_id, record)


def _connector_records(row: Row[Any]) -> Iterator[tuple[float, Record]]:
    if row.state is not None:
        state = ConnectorState(row.state)
        yield row.since_s, ConnectorChanged(row.source, row.kind, state, row.message)
    if row.cursor is not None:
        yield row.cursor_moved_at_s, CursorMoved(row.source, row.cursor, row.unattributed)
