"""Rooms that were made, their links, who is in them, the audit of what happened, and webhooks that are to be sent."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "rooms",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("lobby", sa.Boolean, nullable=False),
        sa.Column("locked", sa.Boolean, nullable=False),
        sa.Column("opens", sa.Double),
        sa.Column("closes", sa.Double),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("consent", sa.Text, nullable=False),
        sa.Column("cameras", sa.Text, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("started", sa.Boolean, nullable=False),
        sa.Column("ended_at", sa.Double),
    )
    op.create_table(
        "room_links",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("may", sa.Text),
        sa.Column("opens", sa.Double),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("used_at", sa.Double),
    )
    op.create_index("ix_room_links_expires", "room_links", ["expires"])
    op.create_table(
        "room_people",
        sa.Column("room", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("inside", sa.Boolean, nullable=False),
        sa.Column("consents", sa.Text, nullable=False),
    )
    op.create_table(
        "room_audit",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("event", "room", "person", "by", "role", "detail", "previous", "hash")
        ),
    )
    op.create_table(
        "room_audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("seal", sa.Text, nullable=False),
    )
    op.create_table(
        "room_outbox",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("request_id", sa.Text, nullable=False, unique=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("received_at", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("problem", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("room_outbox_state", "room_outbox", ["state", "number"])


def downgrade() -> None:
    """Take them away, with what was not sent yet."""
    for table in ("room_outbox", "room_audit_head", "room_audit", "room_people", "room_links", "rooms"):
        op.drop_table(table)
