"""The facets of jobs, runs and datasets."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "swarm_facets",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("record_version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("subject_key", KEY, nullable=False),
    )
    op.create_index("ix_swarm_facets_subject_key", "swarm_facets", ["subject_key"])
