"""What the endurance benchmark's tasks do: come to their sink under a grant, then commit once.

Calls commit to a database, through `swarm.sink`. Programs commit by a name that can be taken once:
a file called after their task, with the grant in it.
"""

import contextlib
import pathlib
import sqlite3
from dataclasses import dataclass

from swarm import sink
from swarm.agents import Context

_COMMITTED = "committed"
_REFUSED = "refused"
_BUSY_S = 60.0
# For a shell, which starts sooner than Python; with noclobber a file is made or refused at once.
SHELL = (
    f'sleep "$2"; if (set -C; echo "$SWARM_GRANT" > "$1/{_COMMITTED}/$SWARM_TASK") 2>/dev/null; '
    f'then :; else echo "$SWARM_TASK" >> "$1/{_REFUSED}"; fi'
)


def prepare(folder: pathlib.Path) -> None:
    """Make both sinks."""
    (folder / _COMMITTED).mkdir()
    with _database(folder) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE effects (task TEXT, grant_no INTEGER)")
        database.execute("CREATE TABLE refused (task TEXT)")
        sink.prepare(database)


def work(folder: str, context: Context) -> None:
    """As a call, in a slot's resident process."""
    with _database(pathlib.Path(folder)) as database:
        sink.came(database, context.task, context.grant)
        database.execute("BEGIN IMMEDIATE")
        if sink.commits(database, context.task, context.grant):
            database.execute("INSERT INTO effects VALUES (?, ?)", (context.task, context.grant))
        else:
            database.execute("INSERT INTO refused VALUES (?)", (context.task,))
        database.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class Judged:
    """The tasks whose effect is there, those of which it is there more often than once, and how
    many commits were refused."""

    committed: set[str]
    twice: set[str]
    refused: int


def judged(folder: pathlib.Path) -> Judged:
    """What the sinks hold."""
    files = {path.name for path in (folder / _COMMITTED).iterdir() if path.stat().st_size}
    log = folder / _REFUSED
    refused = len(log.read_text().splitlines()) if log.exists() else 0
    with _database(folder) as database:
        counts = dict(database.execute("SELECT task, count(*) FROM effects GROUP BY task"))
        (more,) = database.execute("SELECT count(*) FROM refused").fetchone()
    twice = {task for task, count in counts.items() if count > 1 or task in files}
    return Judged(files | counts.keys(), twice, refused + more)


def _database(folder: pathlib.Path) -> "contextlib.closing[sqlite3.Connection]":
    database = sqlite3.connect(folder / "sink.db", timeout=_BUSY_S, isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")  # processes are killed here, not the machine
    return contextlib.closing(database)
