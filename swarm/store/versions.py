"""Of which version the tables of a store are; nothing is made or changed by looking."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, text

from swarm.store.database import Database, open_file, open_url
from swarm.store.migrations import HEADS, History, version_table


@dataclass(frozen=True, slots=True)
class Version:
    """The tables of a history at a place: of which version they are, and which this swarm knows."""

    place: str
    history: History
    found: str
    known: str

    @property
    def is_newer(self) -> bool:
        """Did a newer swarm write it?"""
        return self.found > self.known


def versions(url: str, folder: Path) -> list[Version]:
    """Of all tables that are there. Raises `StoreError` and `ConfigError`."""
    if url:
        return [one for history in HEADS for one in _of(open_url(url), history)]
    files: list[tuple[Path, History]] = [
        (folder / "projections.db", "projections"),
        (folder / "outputs.db", "outputs"),
        *((path, "journal") for path in sorted((folder / "streams").glob("*.db"))),
    ]
    there = [(path, history) for path, history in files if path.exists()]
    return [one for path, history in there for one in _of(open_file(path), history)]


def _of(database: Database, history: History) -> Iterator[Version]:
    table = version_table(history)
    try:
        with database.reading() as connection:
            if not inspect(connection).has_table(table):
                return
            found = connection.scalar(text(f"SELECT version_num FROM {table}"))
        yield Version(database.place, history, str(found or ""), HEADS[history])
    finally:
        database.close()
