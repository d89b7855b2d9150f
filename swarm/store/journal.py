"""The journal: one append-only stream of records for each stateful part of swarm.

Rules
1. A stream has one writer. Opening it takes the next epoch; from then on an append of an older
   epoch raises `Conflict` and writes nothing.
2. An append is one transaction, on the disk when it returns, and leaves no trace when it raises
   (but see 3). `(stream, seq)` is the key; `seq` counts from 1 without gaps.
3. After `Unreachable` the writer cannot know whether the last append was written: it has to open
   the stream again and read what is there.
4. A record stays as it was written. The one exception: before one that stops its stream a person
   may put `Quarantined`, which holds it, in its place.
5. A snapshot is a list of records that rebuilds the state up to its seq. Only what a snapshot
   covers can be trimmed.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from swarm.errors import Conflict, Damaged, StoreError, Trimmed, UnknownKey
from swarm.model.journal import RECORD_VERSION, Entry, Quarantined, Record
from swarm.store import codec
from swarm.store.audit import KEYS, Audit, Written, note, trim
from swarm.store.database import Database
from swarm.store.keys import Keys
from swarm.store.payloads import Payloads
from swarm.store.places import Folder, Place, Server
from swarm.store.results import Results
from swarm.store.tables import records, snapshots, streams
from swarm.store.watch import Watch


class Snapshot(NamedTuple):
    """The state of a stream after `seq`, which was written at `at_s`."""

    seq: int
    at_s: float
    records: list[Record]


_INSERT = records.insert()
_MINE = (streams.c.id == bindparam("own_id")) & (streams.c.epoch == bindparam("own_epoch"))
_ADVANCE = (
    update(streams)
    .where(_MINE)
    .values(last_seq=streams.c.last_seq + bindparam("count"))
    .returning(streams.c.last_seq)
)


class Stream:
    """The writer's end of one stream, from `Journal.open`; one call at a time."""

    def __init__(self, database: Database, name: str, stream_id: int, epoch: int) -> None:
        self.name = name
        self.epoch = epoch
        self._database = database
        self._own = {"own_id": stream_id, "own_epoch": epoch}

    def together(self) -> AbstractContextManager[object]:
        """What this thread writes in the block, appends and payloads and results, is one
        transaction."""
        return self._database.writing()

    def append(self, records: Sequence[Record], at_s: float, cause_id: str | Sequence[str]) -> int:
        """Write all of `records` or none; returns the seq of the last one. `cause_id` is that of
        all of them, or one each.

        Raises `Conflict` when another writer has opened the stream.
        """
        if not records:
            return self.last()
        causes = [cause_id] * len(records) if isinstance(cause_id, str) else cause_id
        encoded = [codec.encode(record) for record in records]
        with self._database.writing() as connection:
            last = self._advance(connection, len(encoded))
            first = last - len(encoded) + 1
            rows = [
                {
                    "stream_id": self._own["own_id"],
                    "seq": seq,
                    "at_s": at_s,
                    "cause_id": cause,
                    "type": name,
                    "version": RECORD_VERSION,
                    "body": text,
                }
                for seq, (cause, (name, text)) in enumerate(
                    zip(causes, encoded, strict=True), first
                )
            ]
            connection.execute(_INSERT, rows)
            numbered = enumerate(zip(causes, encoded, strict=True), first)
            wrote = ((cause, Written(seq, *one)) for seq, (cause, one) in numbered)
            note(connection, self.name, at_s, wrote)
        return last

    def last(self) -> int:
        """The seq of the newest record, 0 when there is none."""
        with self._database.reading() as connection:
            return _state(connection, self.name).last_seq

    def last_at_s(self) -> float | None:
        """When the newest record was written, None when there is none."""
        newest = select(records.c.at_s).where(records.c.stream_id == self._own["own_id"])
        with self._database.reading() as connection:
            return connection.scalar(newest.order_by(records.c.seq.desc()).limit(1))

    def save_snapshot(self, seq: int, state: Iterable[Record]) -> None:
        """Keep `state` as the state after `seq`, in place of an older snapshot."""
        body = codec.pack(state)
        with self._database.writing() as connection:
            last = self._advance(connection, 0)
            if seq > last:
                raise StoreError(f"stream {self.name}: no snapshot at {seq}, it ends at {last}.")
            stream_id = self._own["own_id"]
            at_s = connection.scalar(
                select(records.c.at_s).where(records.c.stream_id == stream_id, records.c.seq == seq)
            )
            if at_s is None:
                return  # an older snapshot than the one that let this record be trimmed
            insert = self._database.insert(snapshots)
            insert = insert.values(stream_id=stream_id, seq=seq, at_s=at_s, body=body)
            new = insert.excluded
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["stream_id"],
                    set_={"seq": new.seq, "at_s": new.at_s, "body": new.body},
                    where=snapshots.c.seq <= new.seq,
                )
            )

    def trim(self, below: int) -> None:
        """Drop the records before seq `below`, but none that the snapshot does not cover."""
        stream_id = self._own["own_id"]
        with self._database.writing() as connection:
            self._advance(connection, 0)
            covered = connection.scalar(
                select(snapshots.c.seq).where(snapshots.c.stream_id == stream_id)
            )
            dropped = min(below - 1, covered or 0)
            connection.execute(
                delete(records).where(records.c.stream_id == stream_id, records.c.seq <= dropped)
            )
            connection.execute(
                update(streams)
                .where(streams.c.id == stream_id, streams.c.trimmed_seq < dropped)
                .values(trimmed_seq=dropped)
            )

    def trim_audit(self, before_s: float, now_s: float) -> None:
        """Drop who changed what before then, as far as the records of it are trimmed, and seal
        that (`store/audit.py`)."""
        with self._database.writing() as connection:
            self._advance(connection, 0)
            trim(connection, self.name, before_s, now_s)

    def _advance(self, connection: Connection, count: int) -> int:
        """Check the epoch and hold it to the end of the transaction."""
        last: int | None = connection.scalar(_ADVANCE, self._own | {"count": count})
        if last is None:
            raise Conflict(f"stream {self.name}: another writer took it after epoch {self.epoch}.")
        return last


class Journal:
    """All streams of one place; safe to share among threads."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._watch = Watch(place.sign)

    def open(self, stream: str) -> Stream:
        """Become the writer of `stream`; whoever was it before can no longer append."""
        database = self._place.database(stream)
        insert = database.insert(streams).values(name=stream, epoch=1, last_seq=0, trimmed_seq=0)
        take = insert.on_conflict_do_update(
            index_elements=["name"], set_={"epoch": streams.c.epoch + 1}
        )
        with database.writing() as connection:
            row = connection.execute(take.returning(streams.c.id, streams.c.epoch)).one()
        return Stream(database, stream, row.id, row.epoch)

    def payloads(self, stream: str, key: bytes) -> Payloads:
        """What the tasks of `stream` run, encrypted with `key`."""
        return Payloads(self._place.database(stream), key)

    def results(self, stream: str, key: bytes) -> Results:
        """What the calls of `stream` returned, encrypted with `key`."""
        return Results(self._place.database(stream), key)

    def keys(self) -> Keys:
        """The API keys; beside the streams, so that a backup has both."""
        return Keys(self._place.database(KEYS))

    def audit(self) -> Audit:
        """Who changed what."""
        return Audit(self._place)

    def streams(self) -> tuple[str, ...]:
        """The names of all streams, sorted."""
        return self._place.streams()

    def read(self, stream: str, after: int, limit: int) -> list[Entry]:
        """At most `limit` entries with a seq over `after`, in order; a stream not there is empty.

        Ends before a record that cannot be read, and raises `Damaged` when that is the first;
        `Trimmed` when some of what follows `after` is gone: take the snapshot.
        """
        if not self._place.holds(stream):
            return []
        database = self._place.database(stream)
        with database.reading() as connection:
            state = _state(connection, stream)
            rows = connection.execute(
                select(records)
                .where(records.c.stream_id == state.id, records.c.seq > after)
                .order_by(records.c.seq)
                .limit(limit)
            ).all()
        if after < state.trimmed_seq or (rows and rows[0].seq != after + 1):
            raise Trimmed(
                f"stream {stream}: records after {after} are trimmed up to "
                f"{state.trimmed_seq}; start from the snapshot."
            )
        return _entries(stream, rows)

    def moved(self, most_s: float) -> bool:
        """Wait, at most so long, until there may be more to read than when this last said so.
        For one reader of each journal."""
        return self._watch.moved(most_s)

    def quarantine(
        self, stream: str, seq: int, by: str, reason: str, at_s: float, cause_id: str = ""
    ) -> None:
        """Put a record aside, durably; one that is aside already stays. Raises `UnknownKey`.

        For a stream that stands still before it: its writer does not hold it in memory."""
        database = self._place.database(stream)
        with database.writing() as connection:
            mine = (records.c.stream_id == _state(connection, stream).id) & (records.c.seq == seq)
            row = connection.execute(select(records).where(mine)).one_or_none()
            if row is None:
                raise UnknownKey(f"stream {stream} has no record {seq}.")
            if row.type == Quarantined.__name__:
                return
            name, body = codec.encode(
                Quarantined(row.type, row.version, row.body, by, reason, at_s)
            )
            values = {"type": name, "version": RECORD_VERSION, "body": body}
            connection.execute(update(records).where(mine).values(values))
            note(connection, stream, at_s, [(cause_id, Written(seq, name, body))])

    def is_quarantined(self, stream: str, seq: int) -> bool:
        """Was the record set aside?"""
        with self._place.database(stream).reading() as connection:
            mine = (records.c.stream_id == _state(connection, stream).id) & (records.c.seq == seq)
            kind = connection.scalar(select(records.c.type).where(mine))
        return kind == Quarantined.__name__

    def trimmed(self, stream: str) -> int:
        """The highest seq that is no longer there, 0 when everything is."""
        if not self._place.holds(stream):
            return 0
        with self._place.database(stream).reading() as connection:
            return _state(connection, stream).trimmed_seq

    def snapshot(self, stream: str) -> Snapshot | None:
        """The newest snapshot of `stream`, for whoever starts from nothing, its writer too."""
        if not self._place.holds(stream):
            return None
        return _snapshot(self._place.database(stream), stream)

    def close(self) -> None:
        self._watch.close()
        self._place.close()


def open_journal(url: str, folder: Path) -> Journal:
    """The journal in the PostgreSQL database at `url`, or in files under `folder` when empty."""
    return Journal(Server(url) if url else Folder(folder / "streams"))


def _entries(stream: str, rows: Iterable[Any]) -> list[Entry]:
    """Those before the first that cannot be read."""
    found: list[Entry] = []
    for row in rows:
        place = f"stream {stream}, seq {row.seq}"
        try:
            record = codec.decode(row.type, row.version, row.body, place)
        except StoreError as error:
            if found:
                break
            damaged = Damaged(str(error))
            damaged.seq = row.seq
            raise damaged from None
        found.append(Entry(stream, row.seq, row.at_s, row.cause_id, record))
    return found


class _State(NamedTuple):
    """What a stream's own row says; all zero while nobody has opened it."""

    id: int
    last_seq: int
    trimmed_seq: int


def _state(connection: Connection, name: str) -> _State:
    found = connection.execute(
        select(streams.c.id, streams.c.last_seq, streams.c.trimmed_seq).where(
            streams.c.name == name
        )
    ).one_or_none()
    return _State(*found) if found else _State(0, 0, 0)


def _snapshot(database: Database, name: str) -> Snapshot | None:
    with database.reading() as connection:
        found = connection.execute(
            select(snapshots.c.seq, snapshots.c.at_s, snapshots.c.body)
            .join(streams, streams.c.id == snapshots.c.stream_id)
            .where(streams.c.name == name)
        ).one_or_none()
    if found is None:
        return None
    place = f"stream {name}, snapshot at {found.seq}"
    return Snapshot(found.seq, found.at_s, list(codec.unpack(found.body, place)))
