"""Token pairs of linked accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "token_pairs",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("access", sa.Text, nullable=False),
        sa.Column("refresh", sa.Text, nullable=False),
        sa.Column("obtained_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("offered_at", sa.Double),
    )


def downgrade() -> None:
    """Take it away, with the tokens in it."""
    op.drop_table("token_pairs")
