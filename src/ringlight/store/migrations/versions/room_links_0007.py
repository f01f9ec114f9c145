"""Who invites, as the page of a one-time link shows it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; nobody said it of the links that there are."""
    op.add_column("room_links", sa.Column("invited_by", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Take it away: the pages of links no longer say it."""
    op.drop_column("room_links", "invited_by")
