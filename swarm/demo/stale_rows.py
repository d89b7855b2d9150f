"""Counts in the lab's warehouse how many rows of a table were made of data of before.

Triggers number each filling of a source and keep every row that is written to a target made of it,
with its number and its time: a row is stale if its number is one of before. The number is in a
column that goes on from the one to the other. For a warehouse on SQLite.
"""

import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from swarm.demo.warehouse import FILE, SCHEMAS

_NUMBERED = 1_000  # rows of a filling have ids from its number times this on
_SOURCE = """
CREATE TABLE {schema}.filling (number INTEGER, ready_s REAL);
INSERT INTO {schema}.filling VALUES (0, NULL);
CREATE TRIGGER {schema}.numbered AFTER INSERT ON {table} BEGIN
  UPDATE {table} SET {column} = NEW.{column} % {by} + {by} * (SELECT max(number) FROM filling)
  WHERE rowid = NEW.rowid;
  UPDATE filling SET ready_s = (julianday('now') - 2440587.5) * 86400.0
  WHERE number = (SELECT max(number) FROM filling);
END;
"""
_TARGET = """
CREATE TABLE {schema}.kept (number INTEGER, at_s REAL);
CREATE TRIGGER {schema}.keeps AFTER INSERT ON {table} BEGIN
  INSERT INTO kept VALUES (NEW.{column} / {by}, (julianday('now') - 2440587.5) * 86400.0);
END;
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the lab, and the column of it that goes on into the other one of a pair."""

    schema: str
    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Read:
    """What was written to a target since `since_s`: how many rows, how many of them stale, and how
    long after what it needs was there the first; None where that never was."""

    since_s: float
    rows: int
    stale: int
    after_s: float | None


class StaleRows:
    """Of the warehouse in a lab's folder of one run. To be made once for each pair of a source and
    a target; `fill` numbers what comes into the source from now on."""

    def __init__(self, run_folder: Path, source: Table, target: Table) -> None:
        self._main = run_folder / FILE
        self._source, self._target = source, target
        self._number = 0
        for script, table in ((_SOURCE, source), (_TARGET, target)):
            self._change(script.format(by=_NUMBERED, **asdict(table)))

    def fill(self) -> None:
        """What the source has now is of before."""
        self._number += 1
        self._change(f"INSERT INTO {self._source.schema}.filling VALUES ({self._number}, NULL)")

    def read(self, since_s: float) -> Read:
        """What has come into the target since then, beside the newest filling."""
        wrote = f"SELECT number, at_s FROM {self._target.schema}.kept WHERE at_s >= {since_s}"
        ready = f"SELECT ready_s FROM {self._source.schema}.filling WHERE number = {self._number}"
        with closing(self._open()) as warehouse:
            rows = warehouse.execute(wrote).fetchall()
            ((ready_s,),) = warehouse.execute(ready).fetchall()
        stale = sum(number < self._number for number, _ in rows)
        began_s = min((at_s for _, at_s in rows), default=None)
        after_s = began_s - ready_s if began_s is not None and ready_s is not None else None
        return Read(since_s, len(rows), stale, after_s)

    def _change(self, script: str) -> None:
        with closing(self._open()) as warehouse:
            warehouse.executescript(script)

    def _open(self) -> sqlite3.Connection:
        """The warehouse with all its schemas, as the pipelines see it."""
        warehouse = sqlite3.connect(self._main, timeout=60.0)
        for schema in SCHEMAS:
            warehouse.execute(f"ATTACH ? AS {schema}", (str(self._main.with_name(f"{schema}.db")),))
        return warehouse
