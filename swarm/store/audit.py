"""Who changed what: a row for each change that somebody asked for, in the change's transaction.

The rows of a stream are a chain: each holds a digest over the row before it, over itself, and over
the records that the change wrote. Who edits, drops or slips in a row, or edits a record that is
still kept, breaks the chain from there on, and `verify` names the first row that does not fit. Rows
that are missing at the end show by records without a row, or by a digest of the end that somebody
wrote down elsewhere. Who can write the database and knows this page can build a whole new chain:
that, only such a written-down digest shows.

Old rows are trimmed from the beginning of a chain on, and a row at its end seals that in the same
transaction: it holds the number and the digest of the last row that went. The rest is checked from
there, and rows that are missing without a seal still show. A row stays while a record of it does.
Clocks err: a row from before an older one goes with it and not sooner, and one of a time that is
still to come, which only a clock that was ahead can have written, keeps no older one back.
"""

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select

from swarm.model.causes import Asked, asked_by
from swarm.model.journal import Quarantined
from swarm.store.database import Database, is_postgres
from swarm.store.places import Place
from swarm.store.tables import audit, records, streams

KEYS = "keys"  # the chain of the API keys, which are no stream
_BEGIN = ""
_SEAL = "AuditTrimmed"  # what such a row says it wrote; `asked` has no method, so nobody asked it
_TRIMMED_MOST = 25_000  # rows in one transaction: more than come between two snapshots of a stream
_BODY_MAX = 2_000  # characters of the first record, for people
_AT_ONCE = 1_000


class Written(NamedTuple):
    """A record as it is in its row."""

    seq: int
    type: str
    body: str


@dataclass(frozen=True, slots=True)
class Row:
    """A change: `asked_by` and `asked` (a method and a path) are percent-encoded; `first_seq` to
    `last_seq` are the records that it wrote, `types` what they are, `body` the first of them."""

    stream: str
    no: int
    at_s: float
    asked_by: str
    asked: str
    cause_id: str
    first_seq: int
    last_seq: int
    types: str
    body: str
    written: str
    digest: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the chain of a stream is: `rows` fit, up to the row with `digest`, the first `trimmed` of
    them by their seal alone; `wrong` says which is the first that does not, and why."""

    stream: str
    rows: int
    digest: str
    wrong: str
    trimmed: int = 0


def note(
    connection: Connection, stream: str, at_s: float, written: Iterable[tuple[str, Written]]
) -> None:
    """Keep a row for each run of records whose cause somebody asked for."""
    asked = [
        (cause_id, [record for _, record in run])
        for cause_id, run in itertools.groupby(written, key=lambda pair: pair[0])
        if asked_by(cause_id) is not None
    ]
    if not asked:
        return
    _alone(connection, stream)
    for cause_id, of_one in asked:
        _note_one(connection, stream, at_s, cause_id, of_one)


def newest_at_s(connection: Connection, stream: str) -> float | None:
    """When the last row of a chain was written, None where it has none."""
    newest = select(audit.c.at_s).where(audit.c.stream == stream).order_by(audit.c.no.desc())
    return connection.scalar(newest.limit(1))


def trim(connection: Connection, stream: str, before_s: float, now_s: float) -> None:
    """Drop the first rows of a chain that are from before then and whose records are trimmed, so
    many at a time, and seal that. The chain of the keys has no records that could be kept."""
    _alone(connection, stream)
    mine = audit.c.stream == stream
    first = connection.scalar(select(func.min(audit.c.no)).where(mine))
    if first is None:
        return
    end = first + _TRIMMED_MOST
    gone = select(streams.c.trimmed_seq).where(streams.c.name == stream).scalar_subquery()
    young = audit.c.at_s.between(before_s, now_s)
    kept = or_(young, audit.c.last_seq > gone, audit.c.no == end)
    stays = select(audit.c.no).where(mine, kept, audit.c.no <= end).order_by(audit.c.no).limit(1)
    until = connection.scalar(stays)
    old = mine & (audit.c.at_s < before_s) & (audit.c.no < (end if until is None else until))
    last = select(audit.c.no, audit.c.digest).where(old).order_by(audit.c.no.desc()).limit(1)
    cut = connection.execute(last).one_or_none()
    if cut is None:
        return
    told = json.dumps({"up_to": cut.no, "digest": cut.digest})
    asked = Asked("swarm", "audit_days")
    _add(connection, stream, now_s, asked, "", [Written(0, _SEAL, told)])
    connection.execute(delete(audit).where(mine, audit.c.no <= cut.no))


class Audit:
    """Reads the rows of all streams of a place."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def rows(self, limit: int, before: tuple[float, str, int] | None = None) -> list[Row]:
        """The newest `limit` rows of all streams, or of those before (time, stream, number)."""
        found: list[Row] = []
        for stream in self._streams():
            wanted = audit.c.stream == stream
            if before is not None:
                wanted &= _before(stream, *before)
            newest = select(audit).where(wanted)
            newest = newest.order_by(audit.c.at_s.desc(), audit.c.no.desc()).limit(limit)
            with self._place.database(stream).reading() as connection:
                found += [_row(row._mapping) for row in connection.execute(newest)]
        found.sort(key=lambda row: (row.at_s, row.stream, row.no), reverse=True)
        return found[:limit]

    def verify(self) -> list[Verdict]:
        """How the chain of each stream is."""
        return [
            _Check(self._place.database(stream), stream).verdict() for stream in self._streams()
        ]

    def _streams(self) -> list[str]:
        known = set(self._place.streams()) | ({KEYS} if self._place.holds(KEYS) else set())
        return sorted(known)


class _Check:
    """One walk along the chain of a stream."""

    def __init__(self, database: Database, stream: str) -> None:
        self._database = database
        self._stream = stream
        self._no, self._digest, self._trimmed, self._sealed = 0, _BEGIN, 0, 0
        self._covered: list[tuple[int, int]] = []

    def verdict(self) -> Verdict:
        # One view of all: what is written meanwhile is not half of it.
        with self._database.reading() as connection:
            trimmed = select(streams.c.trimmed_seq).where(streams.c.name == self._stream)
            self._trimmed = connection.scalar(trimmed) or 0
            wrong = next(self._faults(connection), "")
        return Verdict(self._stream, self._no, self._digest, wrong, self._sealed)

    def _faults(self, connection: Connection) -> Iterator[str]:
        yield from self._behind_seal(connection)
        while rows := self._next(connection):
            for row in rows:
                if row.no != self._no + 1:
                    yield f"row {self._no + 1} is missing: row {row.no} follows"
                if row.digest != _digest(self._digest, row):
                    yield f"row {row.no} is not what was written, or the row before it is not"
                fault = self._records(connection, row)
                if fault:
                    yield fault
                self._no, self._digest = row.no, row.digest
        yield from self._without_row(connection)

    def _behind_seal(self, connection: Connection) -> Iterator[str]:
        """Begin where the newest seal says that the rows before were trimmed."""
        mine = audit.c.stream == self._stream
        seals = select(audit.c.no, audit.c.body).where(mine, audit.c.types == _SEAL)
        seal = connection.execute(seals.order_by(audit.c.no.desc()).limit(1)).one_or_none()
        if seal is None:
            return
        try:
            told = json.loads(seal.body)
            self._no, self._digest = int(told["up_to"]), str(told["digest"])
        except (ValueError, KeyError, TypeError):
            yield f"row {seal.no} is not what was written"
        self._sealed = self._no
        first = connection.scalar(select(func.min(audit.c.no)).where(mine)) or 0
        if first <= self._no:
            yield f"row {first} is there, but row {seal.no} says that it was trimmed"

    def _next(self, connection: Connection) -> list[Row]:
        mine = (audit.c.stream == self._stream) & (audit.c.no > self._no)
        found = connection.execute(select(audit).where(mine).order_by(audit.c.no).limit(_AT_ONCE))
        return [_row(row._mapping) for row in found]

    def _records(self, connection: Connection, row: Row) -> str:
        if row.last_seq > self._trimmed:
            self._covered.append((row.first_seq, row.last_seq))
        if row.first_seq <= self._trimmed:
            return ""  # of no record, or of some that are no longer kept
        whole = select(records.c.seq, records.c.type, records.c.body).where(
            _of_stream(self._stream), records.c.seq.between(row.first_seq, row.last_seq)
        )
        kept = [Written(*one) for one in connection.execute(whole.order_by(records.c.seq))]
        if _written(kept) == row.written:
            return ""
        return f"row {row.no}: records {row.first_seq} to {row.last_seq} are not what was written"

    def _without_row(self, connection: Connection) -> Iterator[str]:
        caused = select(records.c.seq).where(
            _of_stream(self._stream), records.c.cause_id.startswith("by:")
        )
        covered = iter(sorted(self._covered))
        first, last = next(covered, (0, 0))
        for seq in connection.scalars(caused.order_by(records.c.seq)):
            while last < seq:
                first, last = next(covered, (seq + 1, seq + 1))
            if seq < first:
                yield f"record {seq} has no row: rows behind row {self._no} are missing"


def _note_one(
    connection: Connection, stream: str, at_s: float, cause_id: str, written: Sequence[Written]
) -> None:
    asked = asked_by(cause_id)
    assert asked is not None
    _add(connection, stream, at_s, asked, cause_id, written)


def _add(
    connection: Connection,
    stream: str,
    at_s: float,
    asked: Asked,
    cause_id: str,
    written: Sequence[Written],
) -> None:
    last = select(audit.c.no, audit.c.digest).where(audit.c.stream == stream)
    found = connection.execute(last.order_by(audit.c.no.desc()).limit(1)).one_or_none()
    no, before = found if found else (0, _BEGIN)
    types = Counter(record.type for record in written)
    row = Row(
        stream=stream,
        no=no + 1,
        at_s=at_s,
        asked_by=asked.by,
        asked=asked.what,
        cause_id=cause_id,
        first_seq=written[0].seq,
        last_seq=written[-1].seq,
        types=", ".join(f"{name} x{n}" if n > 1 else name for name, n in types.items()),
        body=written[0].body[:_BODY_MAX],
        written=_written(written),
        digest="",
    )
    connection.execute(audit.insert().values(asdict(row) | {"digest": _digest(before, row)}))


def _alone(connection: Connection, stream: str) -> None:
    """Nobody else adds to the chain until this transaction ends: two API replicas change keys, and
    each row needs the one before it. An SQLite file has one writer anyway."""
    if is_postgres(connection):
        key = func.hashtextextended(f"swarm_audit {stream}", 0)
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def _digest(before: str, row: Row) -> str:
    fields = asdict(row) | {"digest": before}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _written(written: Iterable[Written]) -> str:
    """A digest of records. One that a person set aside counts as what it was."""
    whole = hashlib.sha256()
    for _, kind, body in written:
        if kind == Quarantined.__name__:
            held = json.loads(body)
            kind, body = held["type"], held["body"]
        whole.update(f"{len(kind)} {kind} {len(body)} {body}\n".encode())
    return whole.hexdigest()


def _of_stream(stream: str) -> ColumnElement[bool]:
    id_ = select(streams.c.id).where(streams.c.name == stream).scalar_subquery()
    return records.c.stream_id == id_


def _before(stream: str, at_s: float, of: str, no: int) -> ColumnElement[bool]:
    earlier = audit.c.at_s < at_s
    if stream < of:
        return audit.c.at_s <= at_s
    return or_(earlier, and_(audit.c.at_s == at_s, audit.c.no < no)) if stream == of else earlier


def _row(row: Mapping[Any, Any]) -> Row:
    return Row(**row)
