"""Names of what happened in rooms that several servers may write down, so that one does."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "room_once",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", sa.Double, nullable=False, index=True),
    )


def downgrade() -> None:
    """Take it away: what is written down twice from now on is there twice."""
    op.drop_table("room_once")
