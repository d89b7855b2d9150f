"""Tasks that were handed in, what happened to each, and the workers that live."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "swarm_tasks",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("record_version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    op.create_index("swarm_tasks_newest", "swarm_tasks", ["at_s", "key"])
    op.create_table(
        "swarm_task_events",
        sa.Column("id", COUNTER, primary_key=True),
        sa.Column("task_key", KEY, nullable=False),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("record_version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_swarm_task_events_task_key", "swarm_task_events", ["task_key"])
    op.create_table(
        "swarm_workers",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("record_version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("draining", sa.Boolean, nullable=False),
    )
