"""Says who somebody is by what they show: the owner's key, or one that was given to others; and slows guessers down."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable

from starlette.datastructures import Headers

from ringlight.errors import RingError, fault_error
from ringlight.rooms.limits import Tries
from ringlight.secrets import Secret
from ringlight.server.scopes import OWNER, SCOPES, Holder
from ringlight.server.shown import KEY_BEGINS, shown_key
from ringlight.settings import Settings
from ringlight.store.database import Database
from ringlight.store.key_rows import KeptKey, KeyRows, hash_of_key

__all__ = ["Entrance", "open_entrance"]

WRONG_KEYS = (10, 60.0)  # so many from one address, in so many seconds
FRESH = 2.0  # seconds after which a key is looked up again: so long a revoked one may still work
NOTED_EVERY = 60.0  # seconds between two notes that a key was used
KEPT = 512  # keys that are remembered at once
log = logging.getLogger("ringlight.server")


class Entrance:
    """The entrance of a server that others reach.

    Args:
        key: The owner's.
        keys: Those that were given to others.
        clock: Seconds since 1970.
    """

    def __init__(self, key: Secret, keys: KeyRows, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._keys = keys
        self._clock = clock
        self._tries = Tries(*WRONG_KEYS)
        self._known: dict[str, tuple[KeptKey, float]] = {}

    async def holder(self, headers: Headers, peer: str) -> Holder | None:
        """Return who makes a request; `None` who shows nothing, or a wrong key, which counts.

        Args:
            headers: Of the request.
            peer: The address that it comes from.

        Raises:
            UsageError: KEY-TRIES or KEY-EXPIRED.
            StoreError: Whether the key is one could not be read.
        """
        given = shown_key(headers.get("authorization", ""))
        return None if given is None else await self.by_key(given, peer)

    async def by_key(self, given: Secret, peer: str) -> Holder | None:
        """Return whose key this is; `None` is nobody's, which counts.

        Who has tried too many wrong ones waits before the owner's key is compared, as somebody has thought that out.
        A key of ours is chance that nobody guesses: it goes on working for those who share the guesser's address.

        Raises:
            UsageError: KEY-TRIES or KEY-EXPIRED.
            StoreError: Whether the key is one could not be read.
        """
        if given.reveal().startswith(KEY_BEGINS) and (kept := await self._kept(given)) is not None:
            return await self._holder(kept)
        now = self._clock()
        if (wait := self._tries.wait(peer, now)) > 0:
            raise fault_error("KEY-TRIES", f"{wait:.0f} s to wait", retry_after=wait)
        if given == self._key:
            return OWNER
        self._tries.failed(peer, now)
        log.warning("a wrong key came from %s", peer or "an unknown address")
        return None

    async def _kept(self, given: Secret) -> KeptKey | None:
        hashed = hash_of_key(given)
        known, at = self._known.get(hashed, (None, 0.0))
        if known is not None and 0 <= self._clock() - at < FRESH:
            return known
        self._known.pop(hashed, None)
        found = await asyncio.to_thread(self._keys.by_hash, hashed)
        if found is not None:
            self._known[hashed] = found, self._clock()
            while len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        return found

    async def _holder(self, kept: KeptKey) -> Holder:
        now = self._clock()
        if kept.expires is not None and kept.expires <= now:
            raise fault_error("KEY-EXPIRED", f"{kept.name!r} ended {(now - kept.expires) / 3600:.1f} h ago")
        if kept.used_at is None or now - kept.used_at >= NOTED_EVERY:
            self._known.pop(kept.hash, None)
            try:
                await asyncio.to_thread(self._keys.used, kept.id, now)
            except RingError as error:  # a full disk keeps nobody out
                log.warning("the use of a key could not be noted: %s", error.code)
        cameras = None if kept.cameras is None else frozenset(kept.cameras)
        return Holder(f"key:{kept.id}", frozenset(scope for scope in SCOPES if scope in kept.scopes), cameras)


@contextlib.asynccontextmanager
async def open_entrance(key: Secret | None, settings: Settings) -> AsyncIterator[Entrance | None]:
    """Open the entrance, with the keys of the settings' database.

    Args:
        key: The owner's; `None` on a loopback address, where nobody has to show anything and there is no entrance.
        settings: Where the database is.
    """
    if key is None:
        yield None
        return
    database = Database(settings.database.reveal())
    try:
        yield Entrance(key, KeyRows(database))
    finally:
        await asyncio.to_thread(database.close)
