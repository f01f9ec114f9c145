"""Says who somebody is by what they show: the owner's key, or one that was given to others; and slows guessers down."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from ringlight.errors import RingError, UsageError, fault_error
from ringlight.resilience.tries import Tries
from ringlight.secrets import Secret
from ringlight.server.fresh_rows import FreshRows
from ringlight.server.passes import OWNERS, Pass, Passes
from ringlight.server.rtsp.credentials import Answer, digest_of
from ringlight.server.scopes import OWNER, SCOPES, Holder
from ringlight.server.shown import KEY_BEGINS, shown_key
from ringlight.settings import Settings
from ringlight.store.camera_link_rows import CameraLinkRows, KeptCameraLink
from ringlight.store.database import Database
from ringlight.store.key_rows import KeptKey, KeyRows, hash_of_key
from ringlight.store.own_key import own_key
from ringlight.store.resealing import check, secret_files
from ringlight.store.sealing import seal_of

__all__ = ["COOKIE", "Doors", "Entrance", "open_doors"]

COOKIE = "ringlight_session"
WRONG_KEYS = (10, 60.0)  # so many from one address, in so many seconds
NOTED_EVERY = 60.0  # seconds between two notes that a key was used
log = logging.getLogger("ringlight.server")


class Entrance:
    """The entrance of a server that others reach.

    Args:
        key: The owner's.
        keys: Those that were given to others.
        links: Those to cameras that were made.
        passes: Checks the sessions of browsers.
        clock: Seconds since 1970: when what was given ends.
        steady: Seconds that go on whatever is done to the time of day: how long a guesser waits.
    """

    def __init__(
        self, key: Secret, keys: KeyRows, passes: Passes, *, links: CameraLinkRows,
        clock: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._passes = passes
        self._key = key
        self._keys = keys
        self._links = links
        self._clock, self._steady = clock, steady
        self._tries = Tries(*WRONG_KEYS)
        self._known = FreshRows[KeptKey](steady)
        self._known_links = FreshRows[KeptCameraLink](steady)

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
        if given.reveal().startswith(KEY_BEGINS):
            kept = await self._known.get("hash", hash_of_key(given), self._keys.by_hash)
            if kept is not None:
                return await self._holder(kept)
        return self._owner(given == self._key, peer)

    async def by_answer(self, answer: Answer, peer: str) -> Holder | None:
        """Return who proves a key in Digest; `None` is nobody, which counts.

        What is kept of a key of ours works with its name as the user's; the owner's key with any.

        Raises:
            UsageError: KEY-TRIES or KEY-EXPIRED.
            StoreError: Whether there is such a key could not be read.
        """
        kept = await self._known.get("name", answer.user, self._keys.by_name)
        if kept is not None and kept.digest is not None and answer.proves(kept.digest):
            return await self._holder(kept)
        return self._owner(answer.proves(digest_of(answer.user, self._key)), peer)

    def _owner(self, is_theirs: bool, peer: str) -> Holder | None:
        now = self._steady()
        if (wait := self._tries.wait(peer, now)) > 0:
            raise fault_error("KEY-TRIES", f"{wait:.0f} s to wait", retry_after=wait)
        if is_theirs:
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
        try:
            return await self.session(headers)
        except UsageError:  # then it has none
            return None

    async def session(self, headers: Headers) -> Holder | None:
        """Return whose session a browser shows; `None` is nobody's.

        Raises:
            UsageError: Why it has ended, as for `still`; KEY-SESSION also where it is none.
            StoreError: Whether its key is still there could not be read.
        """
        text = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        if text is None:
            return None
        try:
            said = self._passes.check("session", text, self._clock())
        except UsageError:  # which speaks of links
            raise fault_error("KEY-SESSION") from None
        return await self.still(_of_session(said))

    async def by_link(self, token: str) -> Pass:
        """Return what a link to a camera says.

        Raises:
            UsageError: KEY-LINK, KEY-LINK-EXPIRED or KEY-LINK-REVOKED.
            StoreError: Whether it was taken back could not be read.
        """
        said = self._passes.check("link", token, self._clock())
        if said.camera is None:
            raise fault_error("KEY-LINK", "it names no camera")
        await self.still(_of_session(said))
        return said

    async def still(self, holder: Holder) -> Holder:
        """Return what somebody who was let in may do by now.

        Raises:
            UsageError: KEY-REVOKED, KEY-EXPIRED, KEY-SESSION, KEY-LINK-EXPIRED or KEY-LINK-REVOKED: nothing any more.
            StoreError: Whether the key is still there could not be read.
        """
        kind, _, id = holder.who.partition(":")  # noqa: A001 - the rows' own word
        is_over = holder.ends is not None and holder.ends <= self._clock()
        if kind == "link":
            if is_over:
                raise fault_error("KEY-LINK-EXPIRED")
            if await self._known_links.get("id", id, self._links.by_id) is None:
                raise fault_error("KEY-LINK-REVOKED")
            return holder
        now = holder
        if kind == "key":
            kept = await self._known.get("id", id, self._keys.by_id)
            if kept is None:
                raise fault_error("KEY-REVOKED")
            now = await self._holder(kept)
        if is_over:
            raise fault_error("KEY-SESSION")
        ends = min((at for at in (now.ends, holder.ends) if at is not None), default=None)
        return replace(now, ends=ends)

    async def _holder(self, kept: KeptKey) -> Holder:
        now = self._clock()
        if kept.expires is not None and kept.expires <= now:
            raise fault_error("KEY-EXPIRED", f"{kept.name!r} ended {(now - kept.expires) / 3600:.1f} h ago")
        if kept.used_at is None or now - kept.used_at >= NOTED_EVERY:
            self._known.forget(kept)
            try:
                await asyncio.to_thread(self._keys.used, kept.id, now)
            except RingError as error:  # a full disk keeps nobody out
                log.warning("the use of a key could not be noted: %s", error.code)
        cameras = None if kept.cameras is None else frozenset(kept.cameras)
        scopes = frozenset(scope for scope in SCOPES if scope in kept.scopes)
        return Holder(f"key:{kept.id}", scopes, cameras, kept.expires)


def _of_session(said: Pass) -> Holder:
    if said.camera is not None:
        return Holder(f"link:{said.id}", said.scopes, frozenset({said.camera}), said.ends)
    if said.granted is not None:
        return Holder(said.id, frozenset(said.granted), None, said.ends)
    if said.id == OWNERS:
        return replace(OWNER, ends=said.ends)
    return Holder(f"key:{said.id}", frozenset(), None, said.ends)


@dataclass(frozen=True, slots=True)
class Doors:
    """The ways into a server.

    Attributes:
        entrance: Says who somebody is; `None` on a loopback address, where nobody has to show anything.
        passes: Signs sessions and links.
        links: Those to cameras that were made.
    """

    entrance: Entrance | None
    passes: Passes
    links: CameraLinkRows


async def open_doors(key: Secret | None, settings: Settings, database: Database) -> Doors:
    """Open the ways in, once it is seen that all secrets that are kept can be read.

    Args:
        key: The owner's; `None` on a loopback address.
        settings: What signs passes.
        database: Where keys and links are; whoever opened it closes it.

    Raises:
        SetupError: CFG-STATE-DIR or CFG-SECRETS-KEY; STORE-SEALED, the key is not that of what is kept.
        StoreError: STORE-UNREACHABLE or STORE-NEWER.
    """
    seal = await asyncio.to_thread(seal_of, settings)
    secret = settings.secret_key
    if not secret:
        secret = await asyncio.to_thread(own_key, settings.state_dir, seal)
    passes, links = Passes(secret), CameraLinkRows(database)
    await asyncio.to_thread(check, database, secret_files(settings), seal)
    entrance = None if key is None else Entrance(key, KeyRows(database), passes, links=links)
    return Doors(entrance, passes, links)
