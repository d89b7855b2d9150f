"""Pages of the runs of all pipelines, newest first, without reading all of them."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_index("swarm_runs_at", "swarm_runs", ["at_s", "key"])
