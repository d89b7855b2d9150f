"""What tasks run: encrypted, and gone when the task has ended."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "swarm_payloads",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
