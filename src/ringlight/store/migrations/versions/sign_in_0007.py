"""The sign-in of a person's Ring account, for several servers that share it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sign_in",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hardware_id", sa.Text, nullable=False),
        sa.Column("access", sa.Text),
        sa.Column("refresh", sa.Text),
        sa.Column("expires_at", sa.Double),
        sa.Column("email", sa.Text),
    )


def downgrade() -> None:
    """Take it away: somebody has to sign in again."""
    op.drop_table("sign_in")
