"""API keys: who they are for, and a digest of each."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "swarm_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("made_at_s", sa.Float(53), nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("expires_at_s", sa.Float(53), nullable=False),
        sa.Column("revoked_at_s", sa.Float(53)),
        sa.Column("last_used_s", sa.Float(53)),
        sa.Column("replaces", sa.Text, nullable=False),
    )
