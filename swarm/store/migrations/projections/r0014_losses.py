"""The newest losses, without reading what happened to all tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    lost = sa.text("type = 'Lost'")
    op.create_index(
        "swarm_task_events_lost",
        "swarm_task_events",
        ["id"],
        sqlite_where=lost,
        postgresql_where=lost,
    )
