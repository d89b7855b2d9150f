"""Exports of query histories and access logs: which format it is, and the statements in it.

The format is told from the content. A line that cannot be used is reported with file and line
and costs itself alone.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import IO

from swarm.connectors.jsonlines import MAX_LINE_BYTES, Problems, broken
from swarm.lineage.history.evidence import History
from swarm.lineage.history.object_access import from_cloudtrail, from_s3_log
from swarm.lineage.history.postgres_log import PostgresLog
from swarm.lineage.history.redshift_rows import RedshiftQueries
from swarm.lineage.history.statement import MalformedRow
from swarm.lineage.history.warehouse_rows import from_bigquery, from_snowflake

MAX_DOCUMENT_BYTES = 256_000_000

_KNOWN = (
    "PostgreSQL's CSV log, BigQuery JOBS, Snowflake QUERY_HISTORY with ACCESS_HISTORY, Redshift "
    "STL_QUERY with STL_QUERYTEXT, S3 server access logs, CloudTrail"
)
_POSTGRES_LINE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [^,\s]+,")
_S3_LINE = re.compile(rb"[0-9a-f]{64} \S+ \[\d\d/")

csv.field_size_limit(MAX_LINE_BYTES)


class Form(Enum):
    """How an export is cut into rows."""

    POSTGRES = "postgres"
    CSV = "csv"
    JSON_LINES = "json lines"
    DOCUMENT = "document"
    S3_LOG = "s3 log"


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where a file was read: bytes, and lines before that."""

    offset: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class _Raw:
    place: Place  # of its first byte
    line: int
    data: bytes
    end: Place


class Rows:
    """Reads files into a history. `log` lasts longer than one pass: a statement may be open."""

    def __init__(self, history: History, log: PostgresLog, problems: Problems) -> None:
        self._history = history
        self._log = log
        self._problems = problems
        self._redshift = RedshiftQueries()
        self.opened: dict[str, Place] = {}  # where statements stand whose end is further down

    def read(self, name: str, file: IO[bytes], start: Place, finished: bool) -> Place:
        """Read from `start` on; return where to go on. `finished`: nobody writes to it now, so
        its last line is whole."""
        first = file.readline(MAX_LINE_BYTES)
        if not first.endswith(b"\n") and not finished and not _closed(first):
            return start
        form = _form(first)
        if form is None:
            self._broken(f"{name}:1", f"Not an export that is known. Known are: {_KNOWN}.")
            return Place(file.seek(0, io.SEEK_END), start.line)
        if form is Form.DOCUMENT:
            return self._document(name, file, start, finished)
        header = _cells(first) if form is Form.CSV else []
        end = start
        for raw in _records(file, start, finished, form in (Form.POSTGRES, Form.CSV)):
            end = raw.end
            place = f"{name}:{raw.line}"
            if len(raw.data) > MAX_LINE_BYTES:
                self._broken(place, f"The row is over {MAX_LINE_BYTES} bytes, or a quote is open.")
            elif raw.data.strip() and not (header and raw.place.offset == 0):
                self._row(form, header, raw, place)
        return end

    def finish(self, now_s: float) -> None:
        """Hand over what was waiting for further rows."""
        for found, place in self._redshift.finish():
            if isinstance(found, MalformedRow):
                self._broken(place, f"{found}.")
            else:
                self._history.add(found, place)
        for statement, place in self._log.settle(now_s):
            self._history.add(statement, place)

    def _row(self, form: Form, header: list[str], raw: _Raw, place: str) -> None:
        try:
            match form:
                case Form.POSTGRES:
                    self._postgres(raw, place)
                case Form.S3_LOG:
                    statement = from_s3_log(raw.data.decode("utf-8", "replace"))
                    if statement is not None:
                        self._history.add(statement, place)
                case Form.CSV:
                    self._json(_named(header, _cells(raw.data)), place)
                case _:
                    self._json(_tree(raw.data), place)
        except MalformedRow as error:
            self._broken(place, f"{error}. The row is not used.")

    def _postgres(self, raw: _Raw, place: str) -> None:
        row = _cells(raw.data)
        for statement, at in self._log.add(row, place):
            self._history.add(statement, at)
        if self._log.is_open(row, place):
            self.opened[place] = raw.place

    def _json(self, row: object, place: str) -> None:
        if not isinstance(row, dict):
            raise MalformedRow("not a JSON object")
        keys = {str(key).casefold() for key in row}
        if {"eventname", "eventsource"} <= keys:
            statement = from_cloudtrail(row)
        elif _is_redshift(keys):
            self._redshift.add(row, place)
            return
        elif "job_id" in keys and keys & {"job_type", "statement_type", "creation_time"}:
            statement = from_bigquery(row)
        elif "query_text" in keys or "objects_modified" in keys:
            statement = from_snowflake(row)
        else:
            raise MalformedRow(f"not a row of a history that is known ({_KNOWN})")
        if statement is not None:
            self._history.add(statement, place)

    def _document(self, name: str, file: IO[bytes], start: Place, finished: bool) -> Place:
        """One JSON text: a list of rows, or CloudTrail's object with `Records`."""
        file.seek(0)
        data = file.read(MAX_DOCUMENT_BYTES + 1)
        end = Place(file.seek(0, io.SEEK_END), data.count(b"\n"))
        if end == start:
            return start
        try:
            if len(data) > MAX_DOCUMENT_BYTES:
                raise MalformedRow(f"over {MAX_DOCUMENT_BYTES} bytes; export it as JSON Lines")
            tree = _tree(data)
            rows = tree.get("Records") if isinstance(tree, dict) else tree
            if not isinstance(rows, list):
                raise MalformedRow("the JSON text is neither a list nor an object with `Records`")
        except MalformedRow as error:
            if not finished:
                return start
            self._broken(f"{name}:1", f"{error}.")
            return end
        for number, row in enumerate(rows, start=1):
            place = f"{name}:record {number}"
            try:
                self._json(row, place)
            except MalformedRow as error:
                self._broken(place, f"{error}. The record is not used.")
        return end

    def _broken(self, place: str, detail: str) -> None:
        self._problems.add(broken(place, detail))


def _is_redshift(keys: set[str]) -> bool:
    if "querytxt" in keys or {"query", "sequence"} <= keys or {"query_id", "sequence"} <= keys:
        return True
    return {"query_text", "query_id"} <= keys and bool(keys & {"query_label", "user_id"})


def _form(first: bytes) -> Form | None:
    line = first.removeprefix(b"\xef\xbb\xbf").strip()
    if line.startswith(b"[") or (line.startswith(b"{") and line.endswith((b"{", b"[", b","))):
        return Form.DOCUMENT
    if line.startswith(b"{"):
        return Form.DOCUMENT if line.startswith(b'{"Records"') else Form.JSON_LINES
    if _POSTGRES_LINE.match(line):
        return Form.POSTGRES
    if _S3_LINE.match(line):
        return Form.S3_LOG
    header = {name.casefold() for name in line.decode("utf-8", "replace").split(",")}
    known = {name.strip('" ') for name in header}
    return Form.CSV if _is_redshift(known) or {"query_text", "query_id"} <= known else None


def _closed(line: bytes) -> bool:
    return line.rstrip().endswith((b"}", b"]"))


def _records(file: IO[bytes], start: Place, finished: bool, quoted: bool) -> Iterator[_Raw]:
    """Lines; with `quoted`, rows of CSV, which go over lines where a quote is open.

    A row that ends nowhere costs its first line: the next may be whole again.
    """
    at = start
    file.seek(at.offset)
    while data := file.readline(MAX_LINE_BYTES + 1):
        lines, first = 1, len(data)
        is_open = quoted and data.count(b'"') % 2 == 1
        while is_open and len(data) <= MAX_LINE_BYTES and (more := file.readline(MAX_LINE_BYTES)):
            data += more
            lines += 1
            is_open ^= more.count(b'"') % 2 == 1
        if is_open or not data.endswith(b"\n"):
            if not finished and len(data) <= MAX_LINE_BYTES and (quoted or not _closed(data)):
                return
            if is_open and lines > 1:
                file.seek(at.offset + first)
                data, lines = data[:first], 1
        end = Place(at.offset + len(data), at.line + lines)
        yield _Raw(at, at.line + 1, data, end)
        at = end


def _cells(data: bytes) -> list[str]:
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        return next(csv.reader(io.StringIO(text, newline="")), [])
    except csv.Error as error:
        raise MalformedRow(f"not usable CSV: {error}") from None


def _named(header: list[str], cells: list[str]) -> dict[str, str]:
    """A row by its columns. A comma in a text without quotes would cut the text off."""
    if len(cells) != len(header) and any(cells[len(header) :] or [" "]):
        raise MalformedRow(f"{len(cells)} columns, the header has {len(header)}")
    return dict(zip(header, cells, strict=False))


def _tree(data: bytes) -> object:
    try:
        tree: object = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise MalformedRow("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise MalformedRow(f"not valid JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError):
        raise MalformedRow("not usable JSON: a number is too long or it nests too deeply") from None
    return tree
