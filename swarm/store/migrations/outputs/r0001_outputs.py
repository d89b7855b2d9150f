"""What tasks print, in parts, and how much there is of it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "swarm_outputs",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("grant_no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("printed_bytes", sa.BigInteger, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("at_s", sa.Float(53), nullable=False),
    )
    op.create_table(
        "swarm_output_parts",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("grant_no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_byte", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
