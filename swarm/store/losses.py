"""The tasks that lost a grant, each with its story, as far as it is kept.

A story whose last line is its end does not go on: it is read once and remembered as long as its
loss is among the newest. Who looks again reads what is new, and the tasks that have not ended.
"""

import threading
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Select, select

from swarm.model.dispatch import Ended
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
        self._whole: dict[str, list[Told]] = {}  # ended, of the newest losses at the last look
        self._looking = threading.Lock()

    def newest(self, limit: int) -> list[list[Told]]:
        """The stories of the tasks of the newest `limit` losses, in no order; not to be changed."""
        with self._looking:
            with self._database.reading() as connection:
                keys = set(connection.scalars(lost_keys(limit)))
            known = {key: story for key, story in self._whole.items() if key in keys}
            unread = sorted(keys - known.keys())
            parts = (unread[at : at + _AT_ONCE] for at in range(0, len(unread), _AT_ONCE))
            fresh = {key: story for part in parts for key, story in self._of(part)}
            over = {key: one for key, one in fresh.items() if isinstance(one[-1].record, Ended)}
            self._whole = known | over
        return [*known.values(), *fresh.values()]

    def _of(self, keys: list[str]) -> Iterator[tuple[str, list[Told]]]:
        lines = (
            select(task_events)
            .where(task_events.c.task_key.in_(keys))
            .order_by(task_events.c.task_key, task_events.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(lines).all()
        for key, story in groupby(rows, key=lambda row: row.task_key):
            place = f"task {key}"
            yield (
                key,
                [
                    Told(row.at_s, codec.decode(row.type, row.record_version, row.body, place))
                    for row in story
                ],
            )
