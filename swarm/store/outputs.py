"""What tasks print, kept where every node can reach it: parts of it by output and offset.

Rules
1. An offset counts the bytes that were printed, whether they are kept or not.
2. A part may come again, also cut otherwise: what is there already is not written twice.
3. Of a long output the beginning and the end are kept. Who reads across the gap is told its size.
4. The outputs that were written to last are kept, as many as `Kept` says.
5. Of a second copy the number of the grant is kept negated: a grant has one copy at most.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    delete,
    func,
    select,
)

from swarm.model.outputs import DEFAULT, Kept, Output, Part, Printed
from swarm.model.work import TaskId, Token
from swarm.store.database import Database, open_file, open_url
from swarm.store.migrations import upgrade

metadata = MetaData()

_outputs = Table(
    "swarm_outputs",
    metadata,
    Column("task", Text, primary_key=True),
    Column("grant_no", BigInteger, primary_key=True, autoincrement=False),
    Column("printed_bytes", BigInteger, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("at_s", Float(53), nullable=False),
)

_parts = Table(
    "swarm_output_parts",
    metadata,
    Column("task", Text, primary_key=True),
    Column("grant_no", BigInteger, primary_key=True, autoincrement=False),
    Column("at_byte", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)


_ROW_BYTES = 500  # what a part takes besides its text
_TRIMS = 32  # in the time in which everything is replaced once
_ROWS_AT_ONCE = 1_000
_TASKS_AT_ONCE = 500


@dataclass(slots=True)
class _Growing:
    """One output while parts come in."""

    printed: int = 0
    complete: bool = False

    def take(self, part: Part) -> bytes:
        """What is new of `part`."""
        fresh = part.text[max(0, self.printed - part.at) :]
        self.printed = max(self.printed, part.at + len(part.text))
        self.complete = self.complete or part.last
        return fresh


class Outputs:
    """All outputs of one place. Many may read, also from other processes; one writes."""

    def __init__(self, database: Database, kept: Kept = DEFAULT) -> None:
        self._database = database
        self._kept = kept
        self._until_trim = 0  # bytes to write till then

    def put(self, parts: Sequence[Part], at_s: float) -> dict[Output, int]:
        """Take parts in, durable when it returns; how many bytes each output has now."""
        with self._database.writing() as connection:
            found = _read(connection, [part.output for part in parts])
            rows = []
            for part in parts:
                growing = found.setdefault(part.output, _Growing())
                if fresh := growing.take(part):
                    at = part.at + len(part.text) - len(fresh)
                    rows.append({**_key(part.output), "at_byte": at, "body": fresh})
            if rows:
                connection.execute(self._database.insert(_parts).on_conflict_do_nothing(), rows)
            self._write(connection, found, at_s)
            for output, growing in found.items():
                self._cut_middle(connection, output, growing.printed)
            self._trim_if_due(connection, sum(len(part.text) + _ROW_BYTES for part in parts))
        return {output: growing.printed for output, growing in found.items()}

    def read(self, output: Output, offset: int, most: int) -> Printed:
        """What follows `offset`: about `most` bytes, nothing where nothing was printed."""
        with self._database.reading() as connection:
            growing = _read(connection, [output]).get(output)
            if growing is None:
                return Printed(b"", offset, complete=False)
            after = _parts.c.at_byte + func.length(_parts.c.body) > offset
            query = select(_parts.c.at_byte, _parts.c.body).where(_of(_parts, output), after)
            rows = connection.execute(query.order_by(_parts.c.at_byte).limit(_ROWS_AT_ONCE))
            text, at = bytearray(), offset
            for row in rows:
                if row.at_byte > at:
                    text += _told(row.at_byte - at)
                    at = row.at_byte
                piece = row.body[at - row.at_byte :][: max(0, most - len(text))]
                text += piece
                at += len(piece)
                if len(text) >= most:
                    break
        return Printed(bytes(text), at, growing.complete and at >= growing.printed)

    def close(self) -> None:
        self._database.close()

    def _write(self, connection: Connection, found: Mapping[Output, _Growing], at_s: float) -> None:
        insert = self._database.insert(_outputs)
        names = ("printed_bytes", "complete", "at_s")
        new = {name: insert.excluded[name] for name in names}
        upsert = insert.on_conflict_do_update(index_elements=["task", "grant_no"], set_=new)
        rows = [
            {
                **_key(output),
                "printed_bytes": growing.printed,
                "complete": growing.complete,
                "at_s": at_s,
            }
            for output, growing in found.items()
        ]
        if rows:
            connection.execute(upsert, rows)

    def _cut_middle(self, connection: Connection, output: Output, printed: int) -> None:
        kept = self._kept
        if printed <= kept.head_bytes + kept.tail_bytes:
            return
        end = _parts.c.at_byte + func.length(_parts.c.body)
        middle = (_parts.c.at_byte >= kept.head_bytes) & (end <= printed - kept.tail_bytes)
        connection.execute(delete(_parts).where(_of(_parts, output), middle))

    def _trim_if_due(self, connection: Connection, written_bytes: int) -> None:
        """Drop the outputs that were written to longest ago and are over what is kept."""
        self._until_trim -= written_bytes
        if self._until_trim > 0:
            return
        self._until_trim = self._kept.all_bytes // _TRIMS
        most_of_one = self._kept.head_bytes + self._kept.tail_bytes
        newest = select(_outputs.c.task, _outputs.c.grant_no, _outputs.c.printed_bytes)
        left = self._kept.all_bytes
        rows = connection.execute(newest.order_by(_outputs.c.at_s.desc())).all()
        for number, row in enumerate(rows):
            left -= min(row.printed_bytes, most_of_one) + _ROW_BYTES
            if left < 0 or number >= self._kept.outputs:
                for table in (_parts, _outputs):
                    connection.execute(delete(table).where(_of(table, _output_of(row))))


def open_outputs(url: str, folder: Path, kept: Kept = DEFAULT) -> Outputs:
    """The outputs in the PostgreSQL database at `url`, or in a file in `folder` when empty."""
    database = open_url(url) if url else open_file(folder / "outputs.db")
    upgrade(database, "outputs")
    return Outputs(database, kept)


def _read(connection: Connection, outputs: Iterable[Output]) -> dict[Output, _Growing]:
    """Those of `outputs` that are there."""
    found = {}
    wanted = set(outputs)
    tasks = sorted({output.token.task for output in wanted})
    for at in range(0, len(tasks), _TASKS_AT_ONCE):
        some = _outputs.c.task.in_(tasks[at : at + _TASKS_AT_ONCE])
        for row in connection.execute(select(_outputs).where(some)):
            output = _output_of(row)
            if output in wanted:
                found[output] = _Growing(row.printed_bytes, row.complete)
    return found


def _key(output: Output) -> dict[str, Any]:
    grant = output.token.grant
    return {"task": output.token.task, "grant_no": -grant if output.copy else grant}


def _output_of(row: Any) -> Output:
    return Output(Token(TaskId(row.task), abs(row.grant_no)), copy=row.grant_no < 0)


def _of(table: Table, output: Output) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in _key(output).items()))


def _told(missing: int) -> bytes:
    return b"\n[swarm: %d bytes are left out here]\n" % missing
