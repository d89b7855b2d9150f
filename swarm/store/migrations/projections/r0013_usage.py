"""Who held slots of which nodes, by hour, and what is not yet summed up."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "swarm_presences",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("from_s", sa.Float(53), nullable=False),
        sa.Column("until_s", sa.Float(53)),
        sa.Column("record_version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "swarm_uses",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("slots", sa.Float(53), nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("spent", sa.Text, nullable=False),
        sa.Column("from_s", sa.Float(53), nullable=False),
        sa.Column("until_s", sa.Float(53)),
    )
    op.create_table(
        "swarm_fleet_hours",
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("pool", KEY, primary_key=True),
        sa.Column("capacity", KEY, primary_key=True),
        sa.Column("node_s", sa.Float(53), nullable=False),
        sa.Column("nodes", sa.Integer, nullable=False),
        sa.Column("there_s", sa.Float(53), nullable=False),
    )
    op.create_table(
        "swarm_held_hours",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("hour", sa.Integer, nullable=False, index=True),
        sa.Column("pool", sa.Text, nullable=False),
        sa.Column("capacity", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("spent", sa.Text, nullable=False),
        sa.Column("node_s", sa.Float(53), nullable=False),
        sa.Column("slot_s", sa.Float(53), nullable=False),
    )
    op.add_column(
        "swarm_position", sa.Column("metered_hour", sa.Integer, nullable=False, server_default="0")
    )
    op.execute(  # those that are there count from now on
        "INSERT INTO swarm_presences (key, from_s, record_version, body) "
        "SELECT key, (SELECT COALESCE(MAX(at_s), 0) FROM swarm_cursors), record_version, body "
        "FROM swarm_workers"
    )
