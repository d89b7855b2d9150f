"""The read models, the log in one global order, and where the projector stands."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _positions()
    _rows("swarm_pipelines")
    _rows("swarm_unresolved")
    _rows("swarm_capacity", sa.Column("kind", sa.Text, nullable=False))
    _rows("swarm_runs", sa.Column("pipeline_key", KEY, nullable=False))
    _rows(
        "swarm_task_runs",
        sa.Column("run_key", KEY, nullable=False),
        sa.Column("task_key", KEY, nullable=False),
        sa.Column("pipeline_key", KEY, nullable=False),
    )
    op.create_index("swarm_runs_newest", "swarm_runs", ["pipeline_key", "at_s"])
    op.create_index("swarm_task_runs_newest", "swarm_task_runs", ["task_key", "at_s"])
    op.create_index("ix_swarm_task_runs_run_key", "swarm_task_runs", ["run_key"])
    op.create_table(
        "swarm_connectors",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("since_s", sa.Float(53)),
        sa.Column("cursor", sa.Text),
        sa.Column("cursor_moved_at_s", sa.Float(53)),
    )
    _dependencies()


def _positions() -> None:
    position = op.create_table(
        "swarm_position",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("trimmed_seq", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("history_from_s", sa.Float(53), nullable=False),
        sa.Column("history_from_version", sa.BigInteger, nullable=False),
    )
    start = {"id": 1, "last_seq": 0, "trimmed_seq": 0, "version": 0}
    op.bulk_insert(position, [start | {"history_from_s": 0.0, "history_from_version": 0}])
    op.create_table(
        "swarm_cursors",
        sa.Column("stream", KEY, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at_s", sa.Float(53), nullable=False),
    )
    op.create_table(
        "swarm_log",
        sa.Column("global_seq", COUNTER, primary_key=True, autoincrement=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("cause_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("record_version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )


def _rows(name: str, *columns: sa.Column) -> None:  # type: ignore[type-arg]
    op.create_table(
        name,
        sa.Column("key", KEY, primary_key=True),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("record_version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        *columns,
    )


def _dependencies() -> None:
    op.create_table(
        "swarm_dependencies",
        sa.Column("id", COUNTER, primary_key=True),
        sa.Column("key", KEY, nullable=False),
        sa.Column("upstream_key", KEY, nullable=False),
        sa.Column("downstream_key", KEY, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("declared", sa.Boolean, nullable=False),
        sa.Column("confidence", sa.Float(53), nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("until_version", sa.BigInteger),
        sa.Column("until_s", sa.Float(53)),
        sa.Column("record_version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_swarm_dependencies_version", "swarm_dependencies", ["version"])
    now = sa.text("until_s IS NULL")
    op.create_index(
        "swarm_dependencies_now",
        "swarm_dependencies",
        ["key"],
        unique=True,
        sqlite_where=now,
        postgresql_where=now,
    )
