"""Who changed what: a row for each change that was asked for, chained by digests."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "swarm_audit",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("cause_id", sa.Text, nullable=False),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("types", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("written", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
    )
    op.create_index("swarm_audit_newest", "swarm_audit", ["stream", "at_s"])
