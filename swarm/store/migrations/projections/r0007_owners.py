"""Who follows a task, and where it stands since which record."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    for column in (
        sa.Column("owner", sa.Text, nullable=False, server_default=""),
        sa.Column("moved_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("grant_no", sa.Integer, nullable=False, server_default="0"),
        sa.Column("worker", sa.Text, nullable=False, server_default=""),
        sa.Column("detail", sa.Text, nullable=False, server_default=""),
    ):
        op.add_column("swarm_tasks", column)
    op.create_index("swarm_tasks_owned", "swarm_tasks", ["owner", "moved_seq"])
