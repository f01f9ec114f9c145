"""One-time links: made, looked at without being used, and exchanged for a token by exactly one of all who try."""

import asyncio
import secrets
from dataclasses import dataclass

from ringlight.errors import fault_error
from ringlight.rooms.events import Note
from ringlight.rooms.links import State, hash_of, opens_at, problem_of, state_of
from ringlight.rooms.messages import IceServer
from ringlight.rooms.people import Claims
from ringlight.rooms.porter import Porter
from ringlight.secrets import Secret
from ringlight.server.room_record import RoomRecord
from ringlight.store.rooms import KeptLink

__all__ = ["Looked", "RoomLinks"]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a link is.

    Attributes:
        state: Whether it can be used.
        link: The link; `None` where it is unknown.
        opens: From when on it can be used, in seconds since 1970; `None` is at once.
        ice: STUN and TURN servers for a check of the line; none unless the link is good.
    """

    state: State
    link: KeptLink | None
    opens: float | None
    ice: tuple[IceServer, ...] = ()


class RoomLinks:
    """The links of a server's rooms.

    Args:
        porter: Of the rooms.
        record: Where links are kept, and their use is written down.
    """

    def __init__(self, porter: Porter, record: RoomRecord) -> None:
        self._porter = porter
        self._house = porter.house
        self._record = record

    @property
    def token_life(self) -> float:
        """Seconds that the token is good for which a link is exchanged for."""
        return self._house.settings.token_life

    async def make(
        self, room_id: str, role: str, *, name: str, may: tuple[str, ...] | None, opens: float | None,
        expires: float | None, invited_by: str = "",
    ) -> tuple[Secret, float]:  # fmt: skip
        """Make a link; return its token, which is kept nowhere, and when it expires.

        Raises:
            UsageError: ROOM-UNKNOWN, ROOM-ROLE, or REQUEST-INVALID.
            StoreError: It could not be kept.
        """
        now, rows = self._porter.now, self._record.rows
        claims = self._house.claims((await self._porter.find(room_id)).id, role)
        ends = expires if expires is not None else (opens or now) + self._house.settings.link_life
        if ends <= max(now, opens or now):
            raise fault_error("REQUEST-INVALID", "expires: it is over before it begins")
        if await asyncio.to_thread(rows.room, room_id) is None:
            raise fault_error("REQUEST-INVALID", "links lead to rooms that were made with POST /api/rooms")
        token = secrets.token_urlsafe(24)
        made = self._record.clerk.changes(Note("link_made", claims.role, room=room_id), now)
        link = KeptLink(hash_of(token), room_id, claims.role, name, may, opens, ends, invited_by=invited_by)
        await asyncio.to_thread(rows.add_link, link, made)
        return Secret(token), ends

    async def look(self, token: str, peer: str) -> Looked:
        """Say what a link is. An address that asks for many that are none is slowed down, as with tokens.

        Raises:
            UsageError: ROOM-RATE.
            StoreError: It could not be read.
        """
        tries = self._house.admission.tries
        wait = tries.wait(peer, self._porter.now)
        if wait > 0:
            raise fault_error("ROOM-RATE", f"too many wrong links; {wait:.0f} s to wait", retry_after=wait)
        rows = self._record.rows
        link = await asyncio.to_thread(rows.link, hash_of(token))
        room = await asyncio.to_thread(rows.room, link.room) if link is not None else None
        now = self._porter.now
        if link is None or room is None:
            tries.failed(peer, now)
            return Looked("unknown", None, None)
        state = state_of(link, room, now)
        ice = self._house.relays(f"l_{link.hash[:16]}", now) if state == "good" else ()
        return Looked(state, link, opens_at(link, room), ice)

    async def use(self, token: str, peer: str) -> tuple[Claims, Secret]:
        """Exchange a link for a room token, which is for a person of its own.

        Raises:
            UsageError: ROOM-LINK-USED, ROOM-LINK-EXPIRED, ROOM-LINK-UNKNOWN, ROOM-EARLY, ROOM-ENDED or ROOM-RATE.
            StoreError: The link was not used.
        """
        looked = await self.look(token, peer)
        link, now = looked.link, self._porter.now
        if link is None or looked.state != "good":
            raise problem_of(looked.state, looked.opens, now)
        may = None if link.may is None else frozenset(link.may)
        claims = self._house.claims(link.room, link.role, name=link.name, may=may)
        note = Note("link_used", claims.role, room=link.room, identity=claims.person)
        used = self._record.clerk.changes(note, now)
        if not await asyncio.to_thread(self._record.rows.use_link, link.hash, used, now=now):
            raise fault_error("ROOM-LINK-USED")
        assert self._house.admission.tokens is not None  # noqa: S101 - `open_rooms` always gives some
        return claims, self._house.admission.tokens.sign(claims, now)
