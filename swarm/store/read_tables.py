"""The tables of the projections. `body` is always the record that a row was made from.

A `key` column begins with what a person would read and sort by and ends with a digest of all of
it, so a name of any length fits into an index. Runs are kept under the digest alone.
"""

import hashlib
import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

from swarm.model.keys import PipelineKey

projections = MetaData()

KEY = Text().with_variant(Text(collation="C"), "postgresql")  # the same order in both databases
_COUNTER = BigInteger().with_variant(Integer, "sqlite")
_READABLE = 200
_DIGEST_BYTES = 16


def row_key(*parts: str) -> str:
    """The `key` of the row about `parts`."""
    return plain(f"{'/'.join(parts)[:_READABLE]}#{digest(*parts)}")


def pipeline_row_key(key: PipelineKey) -> str:
    """The `key` of a pipeline's row."""
    return row_key(key.orchestrator, key.name)


def digest(*parts: str) -> str:
    """A `key` of what is too many to be kept under readable ones: runs and tries."""
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=_DIGEST_BYTES).hexdigest()


def plain(words: str) -> str:
    """`words` without the one letter that PostgreSQL cannot store."""
    return words.replace("\x00", "\ufffd")


def _table(name: str, *columns: Column[Any]) -> Table:
    """A table of rows made from records: key, when, the record, and what it is searched by."""
    return Table(
        name,
        projections,
        Column("key", KEY, primary_key=True),
        Column("at_s", Float(53), nullable=False),
        Column("record_version", Integer, nullable=False),
        Column("body", Text, nullable=False),
        *columns,
    )


position = Table(
    "swarm_position",
    projections,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("trimmed_seq", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("history_from_s", Float(53), nullable=False),
    Column("history_from_version", BigInteger, nullable=False),
    Column("metered_hour", Integer, nullable=False, server_default="0"),
)
cursors = Table(
    "swarm_cursors",
    projections,
    Column("stream", KEY, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("at_s", Float(53), nullable=False),
)
log = Table(
    "swarm_log",
    projections,
    Column("global_seq", _COUNTER, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_s", Float(53), nullable=False),
    Column("cause_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("record_version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
pipelines = _table("swarm_pipelines")
unresolved = _table("swarm_unresolved")
capacity = _table("swarm_capacity", Column("kind", Text, nullable=False))
foreign_workers = _table("swarm_foreign_workers")
slas = _table("swarm_slas")
# The last one about each pipeline with its end, and the holds and releases that were.
decisions = _table("swarm_decisions", Column("kind", Text, nullable=False))
PAST = "past"
# The newest plan, and the steps by the global number of their record.
scaling = _table("swarm_scaling", Column("kind", Text, nullable=False))
findings = _table("swarm_findings", Column("closed", Boolean, nullable=False))
runs = _table("swarm_runs", Column("pipeline_key", KEY, nullable=False))
task_runs = _table(
    "swarm_task_runs",
    Column("run_key", KEY, nullable=False, index=True),
    Column("task_key", KEY, nullable=False),
    Column("pipeline_key", KEY, nullable=False),
)
Index("swarm_findings_newest", findings.c.at_s, findings.c.key)
Index("swarm_runs_newest", runs.c.pipeline_key, runs.c.at_s)
Index("swarm_runs_at", runs.c.at_s, runs.c.key)
Index("swarm_task_runs_newest", task_runs.c.task_key, task_runs.c.at_s)
Index("swarm_task_runs_at", task_runs.c.at_s)
facets = _table("swarm_facets", Column("subject_key", KEY, nullable=False, index=True))
columns = _table("swarm_columns", Column("dataset_key", KEY, nullable=False, index=True))
# `moved_seq` is the global number of the record that brought `state`.
tasks = _table(
    "swarm_tasks",
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    Column("moved_seq", BigInteger, nullable=False, server_default="0"),
    Column("grant_no", Integer, nullable=False, server_default="0"),
    Column("worker", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
)
Index("swarm_tasks_newest", tasks.c.at_s, tasks.c.key)
Index("swarm_tasks_owned", tasks.c.owner, tasks.c.moved_seq)
task_events = Table(
    "swarm_task_events",
    projections,
    Column("id", _COUNTER, primary_key=True),
    Column("task_key", KEY, nullable=False, index=True),
    Column("at_s", Float(53), nullable=False),
    Column("type", Text, nullable=False),
    Column("record_version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
# Written out: an index for some rows is not taken for a value that comes with the query.
LOST = text("type = 'Lost'")
Index("swarm_task_events_lost", task_events.c.id, sqlite_where=LOST, postgresql_where=LOST)
workers = _table("swarm_workers", Column("draining", Boolean, nullable=False))
# Who was there and who held slots since `position.metered_hour`; what was before is in the hours.
presences = Table(
    "swarm_presences",
    projections,
    Column("key", KEY, primary_key=True),
    Column("from_s", Float(53), nullable=False),
    Column("until_s", Float(53)),
    Column("record_version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
uses = Table(
    "swarm_uses",
    projections,
    Column("key", KEY, primary_key=True),
    Column("node", Text, nullable=False),
    Column("slots", Float(53), nullable=False),
    Column("team", Text, nullable=False),
    Column("pipeline", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("spent", Text, nullable=False),
    Column("from_s", Float(53), nullable=False),
    Column("until_s", Float(53)),
)
# The nodes that placement saw: `boots_s` of one it saw boot, `joined_s` of one that joined.
rents = Table(
    "swarm_rents",
    projections,
    Column("id", _COUNTER, primary_key=True),
    Column("node", Text, nullable=False),
    Column("offering", Text, nullable=False),
    Column("boots_s", Float(53)),
    Column("joined_s", Float(53)),
    Column("until_s", Float(53)),
)
fleet_hours = Table(
    "swarm_fleet_hours",
    projections,
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("pool", KEY, primary_key=True),
    Column("capacity", KEY, primary_key=True),
    Column("node_s", Float(53), nullable=False),
    Column("nodes", Integer, nullable=False),
    Column("there_s", Float(53), nullable=False),
)
held_hours = Table(
    "swarm_held_hours",
    projections,
    Column("id", _COUNTER, primary_key=True),
    Column("hour", Integer, nullable=False, index=True),
    Column("pool", Text, nullable=False),
    Column("capacity", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("pipeline", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("spent", Text, nullable=False),
    Column("node_s", Float(53), nullable=False),
    Column("slot_s", Float(53), nullable=False),
)
connectors = Table(
    "swarm_connectors",
    projections,
    Column("key", KEY, primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text),
    Column("message", Text, nullable=False),
    Column("since_s", Float(53)),
    Column("cursor", Text),
    Column("cursor_moved_at_s", Float(53)),
    Column("unattributed", BigInteger, nullable=False, server_default="0"),
)
# Every state a dependency ever had; the one without `until_s` is what it is now.
dependencies = Table(
    "swarm_dependencies",
    projections,
    Column("id", _COUNTER, primary_key=True),
    Column("key", KEY, nullable=False),
    Column("upstream_key", KEY, nullable=False),
    Column("downstream_key", KEY, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("declared", Boolean, nullable=False),
    Column("confidence", Float(53), nullable=False),
    Column("verdict", Text),
    Column("version", BigInteger, nullable=False, index=True),
    Column("at_s", Float(53), nullable=False),
    Column("until_version", BigInteger),
    Column("until_s", Float(53)),
    Column("record_version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
_NOW = text("until_s IS NULL")
Index(
    "swarm_dependencies_now",
    dependencies.c.key,
    unique=True,
    sqlite_where=_NOW,
    postgresql_where=_NOW,
)
