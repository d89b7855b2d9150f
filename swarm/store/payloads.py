"""What tasks run: arguments, environments, secrets. Kept apart from the journal, encrypted, and
deleted when a task has ended, so that no history holds them.

The key is a file beside the settings' other secrets; who has only the database reads nothing.
"""

import json
from collections.abc import Iterable, Mapping

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import bindparam, delete, select, update

from swarm.errors import StoreError
from swarm.model.work import TaskId
from swarm.store.database import Database
from swarm.store.tables import payloads

_AMEND = (
    update(payloads).where(payloads.c.task == bindparam("of")).values(body=bindparam("amended"))
)
_AT_ONCE = 500  # ids in one statement: SQLite takes a limited number of variables


class Payloads:
    """The payloads of one stream's tasks, as text."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._fernet = Fernet(key)

    def put(self, bodies: Mapping[TaskId, str]) -> None:
        """Keep them until `drop`; a payload that is there stays as it is."""
        rows = [
            {"task": task, "body": self._fernet.encrypt(body.encode())}
            for task, body in bodies.items()
        ]
        if rows:
            insert = self._database.insert(payloads).on_conflict_do_nothing()
            with self._database.writing() as connection:
                connection.execute(insert, rows)

    def amend(self, bodies: Mapping[TaskId, str]) -> None:
        """Lay the fields of these JSON objects over those of payloads that are kept."""
        kept = self.get(bodies)
        whole = {task: json.loads(text) | json.loads(bodies[task]) for task, text in kept.items()}
        rows = [
            {"of": task, "amended": self._fernet.encrypt(json.dumps(body).encode())}
            for task, body in whole.items()
        ]
        if rows:
            with self._database.writing() as connection:
                connection.execute(_AMEND, rows)

    def get(self, tasks: Iterable[TaskId]) -> dict[TaskId, str]:
        """The payloads of those of `tasks` that have one."""
        found: dict[TaskId, str] = {}
        with self._database.reading() as connection:
            for some in _parts(tasks):
                rows = connection.execute(select(payloads).where(payloads.c.task.in_(some)))
                found |= {TaskId(row.task): self._open(row.task, row.body) for row in rows}
        return found

    def drop(self, tasks: Iterable[TaskId]) -> None:
        """Forget them."""
        with self._database.writing() as connection:
            for some in _parts(tasks):
                connection.execute(delete(payloads).where(payloads.c.task.in_(some)))

    def _open(self, task: str, body: bytes) -> str:
        try:
            return self._fernet.decrypt(body).decode()
        except InvalidToken:
            raise StoreError(
                f"the payload of task {task} does not open with this key; "
                "start with the payload-key file that it was written with"
            ) from None


def _parts(tasks: Iterable[TaskId]) -> Iterable[list[TaskId]]:
    every = list(tasks)
    return (every[at : at + _AT_ONCE] for at in range(0, len(every), _AT_ONCE))
