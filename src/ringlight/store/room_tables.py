"""The tables of rooms: those that were made, their links, who is in them, what happened, and what is to be sent."""

import sqlalchemy as sa

from ringlight.store.tables import SCHEMA, queue_table

__all__ = ["AUDIT", "AUDIT_HEAD", "ONCE", "OUTBOX", "PEOPLE", "ROOMS", "ROOM_LINKS"]

ROOMS = sa.Table(
    "rooms",
    SCHEMA,
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
ROOM_LINKS = sa.Table(
    "room_links",
    SCHEMA,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("may", sa.Text),
    sa.Column("opens", sa.Double),
    sa.Column("expires", sa.Double, nullable=False, index=True),
    sa.Column("used_at", sa.Double),
    sa.Column("invited_by", sa.Text, nullable=False, server_default=""),
)
PEOPLE = sa.Table(
    "room_people",
    SCHEMA,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("inside", sa.Boolean, nullable=False),
    sa.Column("consents", sa.Text, nullable=False),
)
AUDIT = sa.Table(
    "room_audit",
    SCHEMA,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
# Events that several servers may write down: for as long as they may, it is known here which are in the audit.
ONCE = sa.Table(
    "room_once",
    SCHEMA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", sa.Double, nullable=False, index=True),
)
# One row: where the chain ends. It is locked by whoever adds to it.
AUDIT_HEAD = sa.Table(
    "room_audit_head",
    SCHEMA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("seal", sa.Text, nullable=False),
)
OUTBOX = queue_table("room_outbox")
