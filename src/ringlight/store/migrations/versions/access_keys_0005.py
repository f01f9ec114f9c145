"""Keys that were given to others: their hashes, and what they are for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "access_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("cameras", sa.Text),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("expires", sa.Double),
        sa.Column("used_at", sa.Double),
    )


def downgrade() -> None:
    """Take it away: all these keys end."""
    op.drop_table("access_keys")
