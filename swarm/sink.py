"""A fenced sink: at most one commit of each task, whichever of its grants gets there first.

For tasks whose effect is a transaction of SQLite or PostgreSQL; standard library only. One row for
each task stands beside the effect, so both are there or neither. `task` and `grant` are those of
`swarm.Context`, or of `SWARM_TASK` and `SWARM_GRANT` in a program's environment.

>>> sink.prepare(connection)                       # once
>>> sink.came(connection, task, grant)             # when the task starts; then commit
>>> if sink.commits(connection, task, grant):      # in the transaction of the effect
...     cursor.execute("INSERT INTO totals ...")
>>> connection.commit()

Who is told no ends like one that was told yes: the effect is there already, from a grant whose end
nobody heard, or the newest grant will make it. The grant that committed stays in the row.
"""

import importlib
from typing import Any

TABLE = """CREATE TABLE IF NOT EXISTS swarm_commits (
    task TEXT PRIMARY KEY,
    newest BIGINT NOT NULL,
    committed BIGINT
)"""
_CAME = """INSERT INTO swarm_commits (task, newest) VALUES (?, ?)
ON CONFLICT (task) DO UPDATE SET newest = excluded.newest
WHERE swarm_commits.newest < excluded.newest"""
_COMMITS = """UPDATE swarm_commits SET committed = newest
WHERE task = ? AND newest = ? AND committed IS NULL"""


def prepare(connection: Any) -> None:
    """Make the table where it is not there."""
    _execute(connection, TABLE)


def came(connection: Any, task: str, grant: int) -> None:
    """From when this is committed, what older grants commit is refused."""
    _execute(connection, _CAME, task, grant)


def commits(connection: Any, task: str, grant: int) -> bool:
    """May the effect be made in this transaction? Yes to one grant only, and that only once; the
    row is held until the transaction ends."""
    return _execute(connection, _COMMITS, task, grant) == 1


def _execute(connection: Any, statement: str, *values: object) -> int:
    """Run it on any DB-API 2.0 connection; how many rows it changed."""
    driver = importlib.import_module(type(connection).__module__.partition(".")[0])
    mark = "?" if getattr(driver, "paramstyle", "qmark") == "qmark" else "%s"
    cursor = connection.cursor()
    try:
        cursor.execute(statement.replace("?", mark), values)
        return int(cursor.rowcount)
    finally:
        cursor.close()
