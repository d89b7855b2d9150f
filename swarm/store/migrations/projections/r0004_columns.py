"""Which columns the columns of datasets are made from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "swarm_columns",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("record_version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("dataset_key", KEY, nullable=False),
    )
    op.create_index("ix_swarm_columns_dataset_key", "swarm_columns", ["dataset_key"])
