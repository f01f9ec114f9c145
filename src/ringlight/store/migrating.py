"""Brings a database's tables from any older version to this one's, or back."""

import threading
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ringlight.errors import fault_error

__all__ = ["NEWEST", "migrate"]

NEWEST = "0009"  # the last step in migrations/versions
_ALEMBIC = threading.Lock()  # it keeps its context in globals, and a program may open two databases at once
_STEPS = Path(__file__).with_name("migrations")


def migrate(connection: Connection, *, to: str) -> None:
    """Make all steps between what the database has and `to`, in the transaction that is open: all or none.

    Args:
        connection: Where.
        to: The name of a step; `base` takes all tables away.

    Raises:
        StoreError: STORE-NEWER.
    """
    found = version_of(connection)
    if found == to:  # so that Alembic is not even imported
        return
    if found is not None and found > NEWEST:
        raise fault_error(
            "STORE-NEWER", f"it is at step {found[:12]}; Ringlight {version('ringlight')} knows up to {NEWEST}"
        )
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    # Steps are named by numbers of four digits, so their names are in their order.
    down = to == "base" or (found is not None and found > to)
    with _ALEMBIC:
        (command.downgrade if down else command.upgrade)(config, to)


def version_of(connection: Connection) -> str | None:
    """Return the last step that the database has seen, `None` for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found
