"""The rooms of the server with all that belongs to them: doors, record, webhooks; opened and closed in order."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringlight.errors import RingError, fault_error
from ringlight.rooms.audit import AuditKey
from ringlight.rooms.opening import open_shared_rooms
from ringlight.rooms.porter import Porter
from ringlight.rooms.record import Clerk
from ringlight.server.database_watch import DatabaseWatch
from ringlight.server.room_record import RoomRecord
from ringlight.settings import Settings
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.own_key import own_key
from ringlight.store.room_rows import RoomRows
from ringlight.store.sealing import seal_of

if TYPE_CHECKING:
    from ringlight.server.room_webhooks import RoomWebhooks

__all__ = ["RoomServer", "room_server"]


@dataclass(slots=True)
class RoomServer:
    """The rooms, opened.

    Attributes:
        porter: Their doors.
        record: Of what happens in them.
        webhooks: Who tells of it; `None` where nobody is told.
        database: Looks whether the database answers.
        tables: Where all of it is kept.
        audit: Of what happens, in it.
        is_leaving: Whether the server is about to stop, so that nobody new should be sent to it.
    """

    porter: Porter
    record: RoomRecord
    webhooks: "RoomWebhooks | None"
    database: DatabaseWatch
    tables: Database
    audit: AuditRows
    is_leaving: bool = False

    @property
    def problems(self) -> Sequence[RingError]:
        """What people should know of where rooms are kept: the database is away, or the record has to wait."""
        if self.record.is_behind and not self.database.problems:
            return (fault_error(self.record.behind_for, "rooms go on; what happens in them is written down later"),)
        return self.database.problems

    async def leave(self, after: float) -> None:
        """Let nobody new be sent here, and after some seconds send everybody away to come back at different times."""
        self.is_leaving = True
        await asyncio.sleep(after)
        await self.record.settled()  # what was done is answered before the connections end
        self.porter.drain()


@contextlib.asynccontextmanager
async def room_server(
    settings: Settings, database: Database, *, local: bool, any_loopback_origin: bool
) -> AsyncIterator[RoomServer]:
    """Open the rooms, with those of before a restart in them.

    Args:
        settings: Those of rooms, and the secret key.
        database: Where they are kept; whoever opened it closes it.
        local: Whether the server listens on a loopback address only.
        any_loopback_origin: Whether pages of any loopback origin may enter.

    Raises:
        SetupError: CFG-STATE-DIR or CFG-INVALID.
        StoreError: STORE-UNREACHABLE or STORE-NEWER.
    """
    # Reached from elsewhere, a proxy on this machine would look like this machine: no token, no entrance.
    entrance = settings.rooms.model_copy(update={"open": settings.rooms.open and local})
    key = settings.secret_key
    if not key:
        key = await asyncio.to_thread(own_key, settings.state_dir, seal_of(settings))
    porter = open_shared_rooms(
        settings.model_copy(update={"rooms": entrance, "secret_key": key}), any_loopback_origin=any_loopback_origin
    )
    audit = AuditKey(key)
    porter.hidden = audit.hidden
    async with contextlib.AsyncExitStack() as stack:
        audit_rows = AuditRows(database, audit.hashed, audit.seal, audit.cut)
        rows = RoomRows(database, audit_rows)
        webhooks = None
        if settings.rooms.webhook_url is not None:
            from ringlight.server.room_webhooks import RoomWebhooks  # noqa: PLC0415 - not every server pays for it

            webhooks = await stack.enter_async_context(RoomWebhooks.of(settings.rooms, database))
        clerk = Clerk(audit, lambda: secrets.token_urlsafe(12), webhooks is not None)
        delivered = webhooks.wake if webhooks is not None else None
        record = await stack.enter_async_context(RoomRecord(porter, rows, clerk, delivered=delivered))
        await stack.enter_async_context(porter.running())
        watch = DatabaseWatch(database)
        await stack.enter_async_context(watch.running())
        yield RoomServer(porter, record, webhooks, watch, database, audit_rows)
