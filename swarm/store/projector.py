"""The one writer of the projections: entries of all streams in, in one global order.

Rules
1. A batch is one transaction: read models, log, cursors and the global number move together.
2. Delivering an entry again changes nothing; leaving one out raises `StoreError`.
3. Global sequence numbers are given once, count from 1 and have no gaps. Where a reader cannot
   follow the log (after `restore` or `reset`) one number is skipped and the log before it is cut,
   so that every reader meets `Trimmed` and starts again from `Log.snapshot`.
4. Time never runs back: an entry older than the one before it in its stream counts as of the
   same time, so that the states of a dependency never overlap.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from swarm.errors import StoreError
from swarm.model.journal import RECORD_VERSION, Entry
from swarm.store import codec, read_tables
from swarm.store.database import Database, open_file, open_url
from swarm.store.folds import Changes, Rows
from swarm.store.journal import Snapshot
from swarm.store.migrations import upgrade
from swarm.store.read_tables import connectors, cursors, dependencies, log, position
from swarm.store.retention import Retention, trim

_CLOSE = (
    update(dependencies)
    .where(dependencies.c.key == bindparam("of"), dependencies.c.until_s.is_(None))
    .values(until_s=bindparam("ended_s"), until_version=bindparam("ended_version"))
)


@dataclass(slots=True)
class _Cursor:
    """Where the projections stand in a stream, and the highest time up to there."""

    seq: int = 0
    at_s: float = 0.0

    def take(self, entry: Entry) -> bool:
        """Step over `entry`; False when it is behind, `StoreError` when one is missing."""
        if entry.seq <= self.seq:
            return False
        if entry.seq != self.seq + 1:
            raise StoreError(
                f"stream {entry.stream}: entry {entry.seq} cannot follow {self.seq}, "
                "something between is missing."
            )
        self.seq = entry.seq
        self.at_s = max(self.at_s, entry.at_s)
        return True


class Projector:
    """Writes the projections; one call at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def apply(self, entries: Sequence[Entry]) -> int:
        """Bring `entries`, in order within each stream, into the read models and the log.

        Returns the last global sequence number.
        """
        with self._database.writing() as connection:
            last, version = _lock(connection)
            moved = _read_cursors(connection, {entry.stream for entry in entries})
            changes, rows = Changes(version=version, since=_read_since(connection)), []
            for entry in entries:
                cursor = moved[entry.stream]
                if not cursor.take(entry):
                    continue
                last += 1
                name, body = codec.encode(entry.record)
                changes.add(entry.record, body, cursor.at_s, last)
                rows.append(_log_row(last, entry, name, body))
            if rows:
                connection.execute(insert(log), rows)
                self._write(connection, changes, moved)
                connection.execute(update(position).values(last_seq=last, version=changes.version))
        return last

    def restore(self, stream: str, snapshot: Snapshot) -> int:
        """Start an unread `stream` from its snapshot; returns the last global sequence number.

        What was before the snapshot has no history here.
        """
        with self._database.writing() as connection:
            last, version = _lock(connection)
            if _read_cursors(connection, {stream})[stream].seq:
                raise StoreError(f"stream {stream}: is projected already; reset the projections.")
            changes = Changes(version=version, since=_read_since(connection))
            for record in snapshot.records:
                changes.add(record, codec.encode(record)[1], snapshot.at_s, last + 1)
            self._write(connection, changes, {stream: _Cursor(snapshot.seq, snapshot.at_s)})
            values: dict[str, Any] = {"version": changes.version}
            if changes.dependencies:
                values |= {
                    "history_from_s": snapshot.at_s,
                    "history_from_version": changes.version,
                }
            return _cut_log(connection, last + 1, values)

    def reset(self) -> int:
        """Empty all read models but the hours that are summed up; every stream has to be read
        again from the start."""
        with self._database.writing() as connection:
            last, _ = _lock(connection)
            kept = (position, read_tables.fleet_hours, read_tables.held_hours)
            for table in read_tables.projections.sorted_tables:
                if table not in kept:
                    connection.execute(delete(table))
            values = {"version": 0, "history_from_s": 0.0, "history_from_version": 0}
            return _cut_log(connection, last + 1, values)

    def trim(self, retention: Retention) -> None:
        """Drop what is older than `retention` keeps."""
        with self._database.writing() as connection:
            _lock(connection)
            trim(connection, retention)

    def cursors(self) -> Mapping[str, int]:
        """The last seq of each stream that is in the projections."""
        with self._database.reading() as connection:
            rows = connection.execute(select(cursors.c.stream, cursors.c.seq)).all()
        return {row.stream: row.seq for row in rows}

    def close(self) -> None:
        self._database.close()

    def _write(
        self, connection: Connection, changes: Changes, moved: Mapping[str, _Cursor]
    ) -> None:
        self._write_rows(connection, read_tables.pipelines, changes.pipelines)
        self._write_rows(connection, read_tables.unresolved, changes.unresolved)
        self._write_rows(connection, read_tables.facets, changes.facets)
        self._write_rows(connection, read_tables.columns, changes.columns)
        self._write_rows(connection, read_tables.capacity, changes.capacity)
        self._write_rows(connection, read_tables.findings, changes.findings)
        self._write_rows(connection, read_tables.foreign_workers, changes.foreign_workers)
        self._write_rows(connection, read_tables.slas, changes.slas)
        self._write_rows(connection, read_tables.decisions, changes.decisions)
        self._write_rows(connection, read_tables.scaling, changes.scaling)
        self._write_rows(connection, read_tables.runs, changes.runs)
        self._write_rows(connection, read_tables.task_runs, changes.task_runs)
        changes.tasks.write(connection, self._database)
        changes.usage.write(connection, self._database)
        changes.rents.write(connection)
        if changes.dependencies:
            connection.execute(_CLOSE, list(changes.closed.values()))
            connection.execute(insert(dependencies), changes.dependencies)
        # A source that moves its cursor before it told what it is has neither kind nor message.
        self._upsert(connection, connectors, list(changes.cursors.values()), ("kind", "message"))
        self._upsert(connection, connectors, list(changes.connectors.values()))
        at = [{"stream": name, "seq": c.seq, "at_s": c.at_s} for name, c in moved.items()]
        self._upsert(connection, cursors, at)

    def _write_rows(self, connection: Connection, table: Table, rows: Rows) -> None:
        if rows.gone:
            gone = [{"of": key} for key in rows.gone]
            connection.execute(delete(table).where(table.c.key == bindparam("of")), gone)
        kept = ("at_s",) if rows.since_first else ()
        self._upsert(connection, table, list(rows.last.values()), kept)

    def _upsert(
        self,
        connection: Connection,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        kept: Sequence[str] = (),
    ) -> None:
        """Insert `rows`, or overwrite the columns they name except those in `kept`."""
        if not rows:
            return
        statement = self._database.insert(table)
        key = table.primary_key.columns.keys()
        new = {name: statement.excluded[name] for name in rows[0] if name not in (*key, *kept)}
        connection.execute(
            statement.on_conflict_do_update(index_elements=key, set_=new), list(rows)
        )


def open_projector(url: str, folder: Path) -> Projector:
    """The projector of the PostgreSQL database at `url`, or of `folder`'s file when empty."""
    return Projector(open_database(url, folder))


def open_database(url: str, folder: Path) -> Database:
    """The database of the projections, its tables up to date."""
    database = open_url(url) if url else open_file(folder / "projections.db")
    upgrade(database, "projections")
    return database


def _lock(connection: Connection) -> tuple[int, int]:
    """Keep a second projector out; returns the last global number and the graph's version."""
    row = connection.execute(
        select(position.c.last_seq, position.c.version).with_for_update()
    ).one()
    return row.last_seq, row.version


def _read_cursors(connection: Connection, streams: Iterable[str]) -> dict[str, _Cursor]:
    found = {name: _Cursor() for name in streams}
    query = select(cursors).where(cursors.c.stream.in_(list(found)))
    for row in connection.execute(query):
        found[row.stream] = _Cursor(row.seq, row.at_s)
    return found


def _read_since(connection: Connection) -> dict[str, tuple[str | None, float]]:
    rows = connection.execute(select(connectors.c.key, connectors.c.state, connectors.c.since_s))
    return {row.key: (row.state, row.since_s) for row in rows}


def _log_row(number: int, entry: Entry, name: str, body: str) -> dict[str, Any]:
    return {
        "global_seq": number,
        "stream": entry.stream,
        "seq": entry.seq,
        "at_s": entry.at_s,
        "cause_id": entry.cause_id,
        "type": name,
        "record_version": RECORD_VERSION,
        "body": body,
    }


def _cut_log(connection: Connection, last: int, values: Mapping[str, Any]) -> int:
    connection.execute(delete(log))
    connection.execute(update(position).values(last_seq=last, trimmed_seq=last, **values))
    return last
