"""The nodes that placement saw come and go, until they are summed up."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "swarm_rents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("offering", sa.Text, nullable=False),
        sa.Column("boots_s", sa.Float(53)),
        sa.Column("joined_s", sa.Float(53)),
        sa.Column("until_s", sa.Float(53)),
    )
