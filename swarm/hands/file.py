"""The file that a hand remembers by: its copies, and each thing it did. A call that returned is on
disk, whatever happens to the process or the power."""

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from swarm.errors import StoreError
from swarm.hands.copies import Copy, Stage
from swarm.store.codec import Codec

_COPY = Codec(Copy)
_KEPT_S = 86_400.0  # a copy that has ended: until then the same intent is known again
_ACTS_KEPT = 100_000
_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA busy_timeout = 5000;
CREATE TABLE IF NOT EXISTS copies (id TEXT PRIMARY KEY, ended_s REAL, copy TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS acts (
  number INTEGER PRIMARY KEY, at_s REAL NOT NULL, intent TEXT NOT NULL, stage TEXT NOT NULL,
  outcome TEXT NOT NULL, detail TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Noted:
    """One line of what a hand did: `stage` is what the intent came to at `at_s`."""

    at_s: float
    intent: str
    stage: Stage
    outcome: str
    detail: str


class IntentFile:
    """One SQLite file of one hand. Raises `StoreError` when it cannot be used, also because another
    hand has it."""

    def __init__(self, path: Path) -> None:
        with ExitStack() as opened:
            try:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                lock = opened.enter_context(path.with_suffix(".lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                opened.callback(self._db.close)
                self._db.executescript(_TABLES)
            except BlockingIOError:
                raise StoreError(f"{path}: another hand works with this file.") from None
            except (OSError, sqlite3.Error) as error:
                raise StoreError(f"{path}: the hand's file cannot be used: {error}") from None
            self._opened = opened.pop_all()

    def copies(self) -> list[Copy]:
        """All that are kept, in the order they came."""
        rows = self._db.execute("SELECT copy FROM copies ORDER BY rowid")
        return [_COPY.decode(text) for (text,) in rows]

    def put(self, copies: Iterable[Copy], at_s: float) -> list[str]:
        """Keep these as they are now, all or none, and note it. Returns the ids of those that
        ended so long ago that they are no longer kept."""
        rows = [(copy, copy.intent.id) for copy in copies]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for copy, id_ in rows:
                ended_s = at_s if copy.stage is Stage.ENDED else None
                self._db.execute(
                    "INSERT INTO copies (id, ended_s, copy) VALUES (?, ?, ?) ON CONFLICT (id) "
                    "DO UPDATE SET ended_s = excluded.ended_s, copy = excluded.copy",
                    (id_, ended_s, _COPY.encode(copy)),
                )
                self._db.execute(
                    "INSERT INTO acts (at_s, intent, stage, outcome, detail) VALUES (?,?,?,?,?)",
                    (at_s, id_, copy.stage, copy.outcome or "", copy.detail),
                )
            forget = "DELETE FROM copies WHERE ended_s < ? RETURNING id"
            forgotten = [id_ for (id_,) in self._db.execute(forget, (at_s - _KEPT_S,))]
            self._db.execute(
                "DELETE FROM acts WHERE number <= (SELECT max(number) FROM acts) - ?",
                (_ACTS_KEPT,),
            )
            self._db.execute("COMMIT")
            return forgotten
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise StoreError(f"the hand cannot write its file: {error}") from None

    def close(self) -> None:
        self._opened.close()


def acts_in(path: Path, limit: int) -> Iterator[Noted]:
    """What the hand of a file did last, the newest first; beside the hand that works with it."""
    query = "SELECT at_s, intent, stage, outcome, detail FROM acts ORDER BY number DESC LIMIT ?"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            for at_s, intent, stage, outcome, detail in db.execute(query, (limit,)):
                yield Noted(at_s, intent, Stage(stage), outcome, detail)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: no hand's file: {error}") from None
