"""Brings a database to the tables this version of swarm needs, in one transaction.

There are three histories of revisions, `journal`, `projections` and `outputs`; a PostgreSQL
database has all, each with a version table of its own. Revisions are numbered, so a database that
is ahead of the code is seen and refused. Alembic is imported only when there is something to do.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, inspect, text

from swarm.errors import StoreError
from swarm.store.database import Database, is_postgres

History = Literal["journal", "projections", "outputs"]

HEADS: dict[History, str] = {"journal": "0005", "projections": "0015", "outputs": "0001"}
_ADVISORY_LOCK = 0x73776172  # any number, the same in every version of swarm
_one_at_a_time = threading.Lock()  # alembic keeps its context in module globals


def version_table(history: History) -> str:
    return f"swarm_{history}_version"


def upgrade(database: Database, history: History) -> None:
    """Apply the missing revisions; `StoreError` when the database is of a newer swarm."""
    with database.reading() as connection:
        if _is_current(connection, history, database.place):
            return
    with _one_at_a_time, database.writing() as connection:
        if is_postgres(connection):
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        if not _is_current(connection, history, database.place):
            _run(connection, history)


def _is_current(connection: Connection, history: History, place: str) -> bool:
    table = version_table(history)
    if not inspect(connection).has_table(table):
        return False
    found = connection.scalar(text(f"SELECT version_num FROM {table}"))
    head = HEADS[history]
    if found is not None and found > head:
        raise StoreError(
            f"{place}: its {history} tables are of version {found}, this swarm knows {head}; "
            "start the newer swarm that wrote it."
        )
    return bool(found == head)


def _run(connection: Connection, history: History) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    folder = Path(__file__).parent
    scripts = ScriptDirectory(str(folder), version_locations=[str(folder / history)])

    def steps(revision: str, _context: object) -> Iterator[object]:
        return scripts._upgrade_revs(HEADS[history], revision)  # type: ignore[return-value]

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(connection=connection, version_table=version_table(history))
        environment.run_migrations()
