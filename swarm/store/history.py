"""The past of the dependencies: as of a time or a version, and what changed since."""

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, func, select

from swarm.errors import Trimmed
from swarm.model.graph import DependencyChanged, DependencyGone
from swarm.model.journal import Record
from swarm.model.lineage import Dependency
from swarm.store import codec
from swarm.store.database import Database
from swarm.store.read_tables import dependencies, position

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the graph: when it began, how many dependencies it changed."""

    version: int
    at_s: float
    changes: int


@dataclass(frozen=True, slots=True)
class Change:
    """A dependency became something else, or ended."""

    at_s: float
    record: DependencyChanged | DependencyGone


class History:
    """Reads of past states. `Trimmed` where they are no longer kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        """The newest version of the graph, 0 before the first."""
        with self._database.reading() as connection:
            return connection.scalar(select(position.c.version)) or 0

    def versions(self, limit: int) -> list[Version]:
        """The newest versions, newest first."""
        query = (
            select(
                dependencies.c.version,
                func.min(dependencies.c.at_s).label("at_s"),
                func.count().label("changes"),
            )
            .group_by(dependencies.c.version)
            .order_by(dependencies.c.version.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Version(row.version, row.at_s, row.changes) for row in rows]

    def as_of(self, at_s: float) -> list[Dependency]:
        """The dependencies that were there at `at_s`."""
        begun = (dependencies.c.at_s <= at_s) & (
            dependencies.c.until_s.is_(None) | (dependencies.c.until_s > at_s)
        )
        return self._state(begun, at_s, position.c.history_from_s)

    def as_of_version(self, version: int) -> list[Dependency]:
        """The dependencies of a version of the graph."""
        begun = (dependencies.c.version <= version) & (
            dependencies.c.until_version.is_(None) | (dependencies.c.until_version > version)
        )
        return self._state(begun, version, position.c.history_from_version)

    def changes(self, after_version: int, limit: int) -> list[Change]:
        """At most `limit` changes of the versions over `after_version`, in order."""
        query = (
            select(dependencies)
            .where(dependencies.c.version > after_version)
            .order_by(dependencies.c.version, dependencies.c.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            whole_from = connection.scalar(select(position.c.history_from_version)) or 0
            rows = connection.execute(query).all()
        self._refuse(after_version, whole_from)
        return [Change(row.at_s, _change(row)) for row in rows]

    def _state(
        self, there: ColumnElement[bool], at: float, kept_from: ColumnElement[Any]
    ) -> list[Dependency]:
        query = select(dependencies).where(there, dependencies.c.gone.is_(False))
        with self._database.reading() as connection:
            whole_from = connection.scalar(select(kept_from)) or 0
            rows = connection.execute(query.order_by(dependencies.c.key)).all()
        self._refuse(at, whole_from)
        return [decode_row(row, DependencyChanged).dependency for row in rows]

    def _refuse(self, asked: float, kept_from: float) -> None:
        if asked < kept_from:
            raise Trimmed(
                f"{self._database.place}: the history of dependencies is kept from "
                f"{kept_from:.15g} on, not at {asked:.15g}."
            )


def _change(row: Row[Any]) -> DependencyChanged | DependencyGone:
    if row.gone:
        return decode_row(row, DependencyGone)
    return decode_row(row, DependencyChanged)


def decode_row(row: Row[Any], kind: type[R]) -> R:
    """The record that a row of the projections was made from."""
    record = codec.decode(kind.__name__, row.record_version, row.body, f"projections, {row.key}")
    assert isinstance(record, kind)
    return record


def current_dependencies() -> Select[Any]:
    """Their rows as they are now."""
    return select(dependencies).where(
        dependencies.c.until_s.is_(None), dependencies.c.gone.is_(False)
    )
