"""The rooms of the server with all that belongs to them: doors, record, webhooks; opened and closed in order."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ringlight.rooms import open_rooms
from ringlight.rooms.audit import AuditKey
from ringlight.rooms.porter import Porter
from ringlight.rooms.record import Clerk
from ringlight.server.room_record import RoomRecord
from ringlight.settings import Settings
from ringlight.store.own_key import own_key

__all__ = ["RoomServer", "room_server"]


@dataclass(frozen=True, slots=True)
class RoomServer:
    """The rooms, opened."""

    porter: Porter
    record: RoomRecord


@contextlib.asynccontextmanager
async def room_server(settings: Settings, *, local: bool, any_loopback_origin: bool) -> AsyncIterator[RoomServer]:
    """Open the rooms, with those of before a restart in them.

    Args:
        settings: Those of rooms, the secret key, the database.
        local: Whether the server listens on a loopback address only.
        any_loopback_origin: Whether pages of any loopback origin may enter.

    Raises:
        SetupError: STORE-ADDRESS, CFG-STATE-DIR or CFG-INVALID.
        StoreError: STORE-UNREACHABLE or STORE-NEWER.
    """
    # Reached from elsewhere, a proxy on this machine would look like this machine: no token, no entrance.
    entrance = settings.rooms.model_copy(update={"open": settings.rooms.open and local})
    key = settings.secret_key
    if not key:
        key = await asyncio.to_thread(own_key, settings.state_dir)
    porter = open_rooms(
        settings.model_copy(update={"rooms": entrance, "secret_key": key}), any_loopback_origin=any_loopback_origin
    )
    # Imported here: SQLAlchemy takes as long as all the rest.
    from ringlight.store.audit_rows import AuditRows  # noqa: PLC0415
    from ringlight.store.database import Database  # noqa: PLC0415
    from ringlight.store.room_rows import RoomRows  # noqa: PLC0415

    audit = AuditKey(key)
    database = Database(settings.database.reveal())
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, database.close)
        rows = RoomRows(database, AuditRows(database, audit.hashed, audit.seal))
        clerk = Clerk(audit, lambda: secrets.token_urlsafe(12))
        record = await stack.enter_async_context(RoomRecord(porter, rows, clerk))
        yield RoomServer(porter, record)
