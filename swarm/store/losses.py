"""The tasks that lost a grant, each with its story, as far as it is kept."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Select, select

from swarm.store import codec
from swarm.store.database import Database
from swarm.store.read_tables import LOST, task_events
from swarm.store.stories import Told

_AT_ONCE = 500  # keys in one statement


def lost_keys(limit: int) -> Select[Any]:
    """The keys of the tasks of the newest losses, the newest first."""
    newest = select(task_events.c.task_key).where(LOST).order_by(task_events.c.id.desc())
    return newest.limit(limit)


class Losses:
    """Reads of losses; safe to share among threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, limit: int) -> list[list[Told]]:
        """The stories of the tasks of the newest `limit` losses, in no order."""
        with self._database.reading() as connection:
            keys = sorted(set(connection.scalars(lost_keys(limit))))
        parts = (keys[at : at + _AT_ONCE] for at in range(0, len(keys), _AT_ONCE))
        return [story for part in parts for story in self._of(part)]

    def _of(self, keys: list[str]) -> Iterator[list[Told]]:
        lines = (
            select(task_events)
            .where(task_events.c.task_key.in_(keys))
            .order_by(task_events.c.task_key, task_events.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(lines).all()
        for key, story in groupby(rows, key=lambda row: row.task_key):
            place = f"task {key}"
            yield [
                Told(row.at_s, codec.decode(row.type, row.record_version, row.body, place))
                for row in story
            ]
