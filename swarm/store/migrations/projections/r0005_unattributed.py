"""How many statements of a source are nobody's, and task runs by their time."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    counter = sa.Column("unattributed", sa.BigInteger, nullable=False, server_default="0")
    op.add_column("swarm_connectors", counter)
    op.create_index("swarm_task_runs_at", "swarm_task_runs", ["at_s"])
