"""Says who somebody is by what they show: the owner's key, or one that was given to others; and slows guessers down."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from ringlight.errors import RingError, UsageError, fault_error
from ringlight.rooms.limits import Tries
from ringlight.secrets import Secret
from ringlight.server.passes import OWNERS, Passes
from ringlight.server.scopes import OWNER, SCOPES, Holder
from ringlight.server.shown import KEY_BEGINS, shown_key
from ringlight.settings import Settings
from ringlight.store.database import Database
from ringlight.store.key_rows import KeptKey, KeyRows, hash_of_key
from ringlight.store.own_key import own_key

__all__ = ["COOKIE", "Entrance", "open_entrance"]

COOKIE = "ringlight_session"
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
        passes: Checks the sessions of browsers.
        clock: Seconds since 1970.
    """

    def __init__(self, key: Secret, keys: KeyRows, passes: Passes, *, clock: Callable[[], float] = time.time) -> None:
        self._passes = passes
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

    async def by_cookie(self, headers: Headers) -> Holder | None:
        """Return whose session a browser shows; `None` is nobody's, or one that has ended.

        A session is as good as its key: it ends with it, and whoever makes the key anew makes it anew.

        Raises:
            StoreError: Whether its key is still there could not be read.
        """
        text = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        if text is None:
            return None
        try:
            said = self._passes.check("session", text, self._clock())
            if said.camera is not None:
                return Holder(f"link:{said.id}", said.scopes, frozenset({said.camera}))
            if said.id == OWNERS:
                return OWNER
            kept = await self._looked_up(said.id, self._keys.by_id)
            return None if kept is None else await self._holder(kept)
        except UsageError:  # then it has none
            return None

    async def _kept(self, given: Secret) -> KeptKey | None:
        return await self._looked_up(hash_of_key(given), self._keys.by_hash)

    async def _looked_up(self, name: str, read: Callable[[str], KeptKey | None]) -> KeptKey | None:
        known, at = self._known.get(name, (None, 0.0))
        if known is not None and 0 <= self._clock() - at < FRESH:
            return known
        self._known.pop(name, None)
        found = await asyncio.to_thread(read, name)
        if found is not None:
            self._known[name] = found, self._clock()
            while len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        return found

    async def _holder(self, kept: KeptKey) -> Holder:
        now = self._clock()
        if kept.expires is not None and kept.expires <= now:
            raise fault_error("KEY-EXPIRED", f"{kept.name!r} ended {(now - kept.expires) / 3600:.1f} h ago")
        if kept.used_at is None or now - kept.used_at >= NOTED_EVERY:
            for name in (kept.hash, kept.id):
                self._known.pop(name, None)
            try:
                await asyncio.to_thread(self._keys.used, kept.id, now)
            except RingError as error:  # a full disk keeps nobody out
                log.warning("the use of a key could not be noted: %s", error.code)
        cameras = None if kept.cameras is None else frozenset(kept.cameras)
        return Holder(f"key:{kept.id}", frozenset(scope for scope in SCOPES if scope in kept.scopes), cameras)


@contextlib.asynccontextmanager
async def open_entrance(key: Secret | None, settings: Settings) -> AsyncIterator[tuple[Entrance | None, Passes]]:
    """Open the entrance, with the keys of the settings' database.

    Args:
        key: The owner's; `None` on a loopback address, where nobody has to show anything and there is no entrance.
        settings: Where the database is, and what signs passes.

    Raises:
        SetupError: CFG-STATE-DIR or STORE-ADDRESS.
    """
    secret = settings.secret_key
    if not secret:
        secret = await asyncio.to_thread(own_key, settings.state_dir)
    passes = Passes(secret)
    if key is None:
        yield None, passes
        return
    database = Database(settings.database.reveal())
    try:
        yield Entrance(key, KeyRows(database), passes), passes
    finally:
        await asyncio.to_thread(database.close)
