"""Links of Ring accounts, those that have only begun, and the devices that are shared by them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "links",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("identifier", sa.Text),
        sa.Column("nonce", sa.Text),
        sa.Column("spent", sa.Text),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("ix_links_state", "links", ["state"])
    op.create_index("ix_links_person", "links", ["person"])
    op.create_table(
        "link_beginnings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("began_at", sa.Double, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("verifier", sa.Text),
        sa.Column("person", sa.Text),
        sa.Column("identifier", sa.Text),
        sa.Column("access", sa.Text),
        sa.Column("refresh", sa.Text),
        sa.Column("obtained_at", sa.Double),
        sa.Column("expires_at", sa.Double),
        sa.Column("account", sa.Text),
    )
    op.create_table(
        "linked_devices",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("device", sa.Text, primary_key=True),
        sa.Column("since", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("linked_devices", "link_beginnings", "links"):
        op.drop_table(table)
