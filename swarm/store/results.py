"""What calls returned, as JSON text. Kept apart from the journal, encrypted like the payloads, and
written before the end they belong to, so that whoever sees the end can read the result. The newest
`KEPT` stay; older ones are forgotten.
"""

from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, func, select

from swarm.errors import StoreError
from swarm.model.work import Token
from swarm.store.database import Database
from swarm.store.tables import results

KEPT = 20_000


class Results:
    """The results of one stream's tasks, by grant."""

    def __init__(self, database: Database, key: bytes, kept: int = KEPT) -> None:
        self._database = database
        self._fernet = Fernet(key)
        self._kept = kept

    def put(self, found: Mapping[Token, str]) -> None:
        """Durable when it returns; a result that is there stays as it is."""
        rows = [
            {
                "task": token.task,
                "grant_no": token.grant,
                "body": self._fernet.encrypt(text.encode()),
            }
            for token, text in found.items()
        ]
        insert = self._database.insert(results).on_conflict_do_nothing()
        oldest = select(func.max(results.c.id) - self._kept).scalar_subquery()
        with self._database.writing() as connection:
            connection.execute(insert, rows)
            connection.execute(delete(results).where(results.c.id <= oldest))

    def get(self, token: Token) -> str | None:
        """None where the grant returned null, or nothing, or too long ago."""
        mine = (results.c.task == token.task) & (results.c.grant_no == token.grant)
        with self._database.reading() as connection:
            body = connection.scalar(select(results.c.body).where(mine))
        try:
            return None if body is None else self._fernet.decrypt(body).decode()
        except InvalidToken:
            raise StoreError(
                f"the result of task {token.task} does not open with this key; "
                "start with the payload-key file that it was written with"
            ) from None
