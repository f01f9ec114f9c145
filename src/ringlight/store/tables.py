"""The tables of this version, and what seals the secrets in them. Steps that lead here: `migrations`."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ringlight.store.sealing import Seal, unsealed

__all__ = [
    "ACCESS_KEYS",
    "CAMERA_LINKS",
    "LINKED_DEVICES",
    "LINKS",
    "LINK_BEGINNINGS",
    "SCHEMA",
    "SEAL",
    "SIGN_IN",
    "TOKEN_PAIRS",
    "WEBHOOK_INBOX",
    "SealedText",
    "insert",
    "queue_table",
]

SEAL = "ringlight_seal"  # an attribute of an engine's dialect, as columns are told nothing else of their database


class SealedText(sa.types.TypeDecorator[str]):
    """A text that is a secret: sealed where its database has a key. It cannot be compared in SQL.

    Args:
        place: `table.column`.
    """

    impl = sa.Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Seal."""
        seal: Seal | None = getattr(dialect, SEAL, None)
        return value if value is None or seal is None else seal.close(value, self.place)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Open."""
        seal: Seal | None = getattr(dialect, SEAL, None)
        if value is None:
            return None
        return unsealed(value, self.place) if seal is None else seal.open(value, self.place)


SCHEMA = sa.MetaData()
TOKEN_PAIRS = sa.Table(
    "token_pairs",
    SCHEMA,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("access", SealedText("token_pairs.access"), nullable=False),
    sa.Column("refresh", SealedText("token_pairs.refresh"), nullable=False),
    sa.Column("obtained_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("offered_at", sa.Double),
)


def queue_table(name: str) -> sa.Table:
    """Return a table in which something waits to be handled, in the order of its numbers."""
    return sa.Table(
        name,
        SCHEMA,
        # Numbers are not used again, so that they stay in the order of arrival.
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
        sa.Index(f"{name}_state", "state", "number"),
        sqlite_autoincrement=True,
    )


WEBHOOK_INBOX = queue_table("webhook_inbox")
LINKS = sa.Table(
    "links",
    SCHEMA,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("person", sa.Text, index=True),
    sa.Column("identifier", sa.Text),
    sa.Column("nonce", SealedText("links.nonce")),
    sa.Column("spent", SealedText("links.spent")),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
LINK_BEGINNINGS = sa.Table(
    "link_beginnings",
    SCHEMA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("began_at", sa.Double, nullable=False),
    sa.Column("code", SealedText("link_beginnings.code")),
    sa.Column("verifier", SealedText("link_beginnings.verifier")),
    sa.Column("person", sa.Text),
    sa.Column("identifier", sa.Text),
    sa.Column("access", SealedText("link_beginnings.access")),
    sa.Column("refresh", SealedText("link_beginnings.refresh")),
    sa.Column("obtained_at", sa.Double),
    sa.Column("expires_at", sa.Double),
    sa.Column("account", sa.Text),
)
LINKED_DEVICES = sa.Table(
    "linked_devices",
    SCHEMA,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("since", sa.Double, nullable=False),
)
ACCESS_KEYS = sa.Table(
    "access_keys",
    SCHEMA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("cameras", sa.Text),
    sa.Column("made_at", sa.Double, nullable=False),
    sa.Column("expires", sa.Double),
    sa.Column("used_at", sa.Double),
    sa.Column("digest", SealedText("access_keys.digest")),
)
CAMERA_LINKS = sa.Table(
    "camera_links",
    SCHEMA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("camera", sa.Text, nullable=False),
    sa.Column("talk", sa.Boolean, nullable=False),
    sa.Column("made_at", sa.Double, nullable=False),
    sa.Column("expires", sa.Double, nullable=False, index=True),
)
SIGN_IN = sa.Table(
    "sign_in",
    SCHEMA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hardware_id", sa.Text, nullable=False),
    sa.Column("access", SealedText("sign_in.access")),
    sa.Column("refresh", SealedText("sign_in.refresh")),
    sa.Column("expires_at", sa.Double),
    sa.Column("email", sa.Text),
)


def insert(connection: Connection, table: sa.Table) -> Any:
    """Return an insert of the connection's dialect: only these know what to do where a row is there already."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - its types alone take as long as all of SQLite's

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    return sqlite.insert(table)
