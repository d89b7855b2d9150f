"""The findings that are open, and the newest of those that were closed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "swarm_findings",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("record_version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
    )
    op.create_index("swarm_findings_newest", "swarm_findings", ["at_s", "key"])
