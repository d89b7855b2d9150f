"""Where streams are kept: a folder with a file for each, or one PostgreSQL database."""

import re
import threading
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from sqlalchemy import func, select

from swarm.errors import StoreError
from swarm.store.database import Database, open_file, open_url
from swarm.store.migrations import upgrade
from swarm.store.tables import streams

_WRITTEN = select(func.count(), func.sum(streams.c.last_seq))
_MAX_NAME_BYTES = 240  # of the escaped name; file systems end at 255


class Place(Protocol):
    """Finds the database of a stream."""

    def database(self, stream: str) -> Database:
        """The database that holds `stream`, its tables up to date; made when not there."""
        ...

    def holds(self, stream: str) -> bool:
        """Whether there is anything to read, without making it."""
        ...

    def streams(self) -> tuple[str, ...]: ...

    def sign(self) -> object:
        """Differs from the last one when anybody may have written since."""
        ...

    def close(self) -> None: ...


class Folder:
    """Each stream in an SQLite file of its own, so that their writers never wait for another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Database] = {}
        self._lock = threading.Lock()

    def database(self, stream: str) -> Database:
        with self._lock:
            database = self._open.get(stream)
            if database is None:
                database = open_file(self._path(stream))
                upgrade(database, "journal")
                self._open[stream] = database
            return database

    def holds(self, stream: str) -> bool:
        return self._path(stream).exists()

    def streams(self) -> tuple[str, ...]:
        return tuple(sorted(unquote(path.stem) for path in self._folder.glob("*.db")))

    def sign(self) -> object:
        names = self.streams()
        return [(name, self.database(name).sign(_WRITTEN)) for name in names]

    def close(self) -> None:
        with self._lock:
            for database in self._open.values():
                database.close()
            self._open.clear()

    def _path(self, stream: str) -> Path:
        return self._folder / f"{file_stem(stream)}.db"


class Server:
    """All streams in the tables of one PostgreSQL database."""

    def __init__(self, url: str) -> None:
        self._database = open_url(url)
        upgrade(self._database, "journal")

    def database(self, stream: str) -> Database:
        return self._database

    def holds(self, stream: str) -> bool:
        return True

    def streams(self) -> tuple[str, ...]:
        with self._database.reading() as connection:
            return tuple(sorted(connection.scalars(select(streams.c.name))))

    def sign(self) -> object:
        return self._database.sign(_WRITTEN)

    def close(self) -> None:
        self._database.close()


def file_stem(stream: str) -> str:
    """A file name for `stream` that `unquote` turns back.

    Capitals are escaped too: two names must not meet on a file system that ignores case.
    """
    stem = re.sub(
        r"[^a-z0-9_-]", lambda found: "".join(f"%{b:02x}" for b in found[0].encode()), stream
    )
    if not stream or len(stem) > _MAX_NAME_BYTES:
        raise StoreError(f"stream name {stream[:80]!r} is empty or too long for a file name.")
    return stem
