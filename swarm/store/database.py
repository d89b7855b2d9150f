"""One database: its connections, and the one place where its errors become ours.

SQLite: write-ahead log with `synchronous=FULL`, so a commit is on the disk when it returns and
readers never stop the writer. Transactions begin by hand, because the driver's own rules would
leave DDL and reads outside of them: `BEGIN IMMEDIATE` to write, `BEGIN` to read.
"""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    PoolProxiedConnection,
    Row,
    Select,
    Table,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from swarm import secret
from swarm.errors import NoRoom, StoreError, Unreachable

_BUSY_S = 5.0  # how long a lock is waited for: longer than any transaction of ours
_LOOK_AGAIN_S = 0.01
_WAL_KEPT_BYTES = 16 << 20

Insert = sqlite.Insert | postgresql.Insert


class Database:
    """Connections to one SQLite file or one PostgreSQL database; safe to share among threads."""

    def __init__(self, engine: Engine, place: str) -> None:
        self.place = place
        self._engine = engine
        self._glance: PoolProxiedConnection | None = None  # for `sign` alone
        self._begun = threading.local()  # its `connection` is the one this thread writes on now
        if engine.dialect.name == "sqlite":
            self._reader: Engine = engine
            self._writer: Engine = engine.execution_options(begin="BEGIN IMMEDIATE")
        else:
            self._reader = engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._writer = engine

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A short read transaction: one consistent view, never waiting for the writer."""
        with self.translated(), self._reader.begin() as connection:
            yield connection

    def rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """What one query finds, in a read transaction of its own."""
        with self.reading() as connection:
            return connection.execute(query).all()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction: durable when the block ends, without trace when it raises. A block
        inside another of the same thread is part of it."""
        begun: Connection | None = getattr(self._begun, "connection", None)
        if begun is not None:
            yield begun
            return
        with self.translated(), self._writer.begin() as connection:
            self._begun.connection = connection
            try:
                yield connection
            finally:
                self._begun.connection = None

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of SQLAlchemy and its drivers leave this block as `StoreError`."""
        try:
            yield
        except SQLAlchemyError as error:
            raise _meaning(error, self.place) from error

    def sign(self, moved_by_all: Select[*tuple[Any, ...]]) -> object:
        """Differs from the last one when anybody may have committed since. SQLite knows by itself;
        PostgreSQL is asked for the one row that every commit moves. One call at a time."""
        with self.translated():
            if self._engine.dialect.name != "sqlite":
                alone = self._engine.execution_options(isolation_level="AUTOCOMMIT")
                with alone.connect() as connection:
                    return tuple(connection.execute(moved_by_all).one())
            if self._glance is None:
                self._glance = self._engine.raw_connection()
            cursor = self._glance.cursor()
            try:
                return cursor.execute("PRAGMA data_version").fetchone()[0]
            except sqlite3.Error:
                self._glance.invalidate()
                self._glance = None
                return None
            finally:
                cursor.close()

    def insert(self, table: Table) -> Insert:
        """An insert that knows `ON CONFLICT`, which both databases spell alike."""
        if self._engine.dialect.name == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)

    def close(self) -> None:
        if self._glance is not None:
            self._glance.close()
            self._glance = None
        self._engine.dispose()


def open_file(path: Path) -> Database:
    """The SQLite file at `path`, made with its folder when it is not there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent}: cannot be made ({error.strerror}).") from None
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_S}
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine, str(path))


def open_url(url: str) -> Database:
    """The PostgreSQL database at `url`, or at the one that a secret holds; nothing is connected
    yet."""
    if url.startswith(secret.PREFIX):
        url = secret.read(url, "store_url")
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise StoreError(
            "store_url: has to be like postgresql://user:password@host:5432/database, "
            "or empty for SQLite."
        )
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "keepalives_idle": 10, "tcp_user_timeout": 15_000},
    )
    return Database(engine, parsed.render_as_string(hide_password=True))


def is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    _use_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA journal_size_limit={_WAL_KEPT_BYTES}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log. SQLite refuses that at once, without waiting for the
    lock, while another process makes the same file; so the waiting is done here."""
    deadline_s = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & _PRIMARY_CODE in _SQLITE_LOCKED
            if not busy or time.monotonic() > deadline_s:
                raise
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    options: Mapping[str, Any] = connection.get_execution_options()
    connection.exec_driver_sql(options.get("begin", "BEGIN"))


_SQLITE_MEANS = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a copy",
    sqlite3.SQLITE_NOTADB: "the file is damaged or no SQLite database; restore it from a copy",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the owner and mode of file and folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the owner and mode of file and folder",
    sqlite3.SQLITE_PERM: "it cannot be opened; check the owner and mode of file and folder",
    sqlite3.SQLITE_IOERR: "the disk does not read or write; look at the system's log",
}
_SQLITE_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_PRIMARY_CODE = 0xFF  # the higher bits of an SQLite error code only tell the circumstance


def _meaning(error: SQLAlchemyError, place: str) -> StoreError:
    if isinstance(error, PoolTimeout):
        return Unreachable(f"{place}: no connection came free.")
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE
        if code in _SQLITE_LOCKED:
            return Unreachable(f"{place}: locked by another process for over {_BUSY_S:g} s.")
        kind = NoRoom if code == sqlite3.SQLITE_FULL else StoreError
        return kind(f"{place}: {_SQLITE_MEANS.get(code, str(cause))}.")
    if isinstance(cause, psycopg.errors.DiskFull):
        return NoRoom(f"{place}: the server's disk is full; free some space.")
    if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return Unreachable(f"{place}: does not answer ({_one_line(cause)}).")
    return StoreError(f"{place}: {_one_line(cause or error)}.")


def _one_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
