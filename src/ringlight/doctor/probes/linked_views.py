"""Cameras of linked accounts: whose camera a name is, and a view of one as others open it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from ringlight.cameras import Account
from ringlight.cameras.linked import LinkedCameras
from ringlight.doctor.evidence import Viewed
from ringlight.doctor.probes.calls import has_database
from ringlight.doctor.probes.views import see
from ringlight.errors import RingError, fault_error
from ringlight.settings import Settings
from ringlight.store.database import database_of

__all__ = ["Whose", "watch_linked", "whose"]

FIND_WAIT = 5.0  # seconds for both lists of cameras


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose cameras those are that somebody named.

    Attributes:
        linked: Names of cameras of linked accounts. The others are the person's own, or nobody's.
        known: The names of all cameras of linked accounts, as far as they could be listed.
    """

    linked: frozenset[str] = frozenset()
    known: tuple[str, ...] = ()


async def whose(settings: Settings, account: Account, names: Sequence[str]) -> Whose:
    """Find out whose cameras these are. Of two with the same name the person's own is meant.

    Where nobody is signed in, all are of linked accounts. What fails here is found again, and told, by the checks.
    """
    try:
        async with asyncio.timeout(FIND_WAIT):
            try:
                own = {text for one in await account.cameras() for text in (one.id, one.name.casefold())}
            except RingError as error:
                if error.code == "AUTH-SIGNED-OUT":
                    return Whose(frozenset(names))
                own = set()
            async with _cameras(settings) as cameras:
                listed = await cameras.cameras()
    except (RingError, TimeoutError):
        return Whose()
    theirs = {text for one in listed for text in (one.id, one.name.casefold(), str(one.device.id))}
    linked = {name for name in names if {name, name.casefold()} & theirs and name.casefold() not in own}
    return Whose(frozenset(linked), tuple(one.name for one in listed))


async def watch_linked(settings: Settings, name: str, seconds: float) -> Viewed:
    """Watch a camera until a whole picture has come, and for so many seconds at least.

    Raises:
        RingError: CAM-UNKNOWN, or why no camera could be listed.
    """
    async with _cameras(settings) as cameras:
        camera = await cameras.camera(name)
        if camera.device.refusal is not None:
            return Viewed(fault_error(camera.device.refusal, f"Ring's device list says so of {camera.name}"))
        return await see(camera, seconds)


@asynccontextmanager
async def _cameras(settings: Settings) -> AsyncIterator[LinkedCameras]:
    async with AsyncExitStack() as stack:
        database = None
        if await asyncio.to_thread(has_database, settings):
            database = database_of(settings)
            stack.push_async_callback(asyncio.to_thread, database.close)
        yield await stack.enter_async_context(LinkedCameras(settings, database))
