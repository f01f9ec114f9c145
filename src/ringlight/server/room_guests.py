"""Those who come to a camera of their room with the room's token, and see it for as long as they are inside."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers

from ringlight.errors import RingError, fault_error
from ringlight.rooms import bell
from ringlight.rooms.people import Claims
from ringlight.rooms.porter import Porter
from ringlight.server.playback import Playback, Playbacks
from ringlight.server.scopes import line_of

__all__ = ["RoomGuests"]

log = logging.getLogger("ringlight.server")
LOOK_EVERY = 1.0  # seconds between two looks whether a guest may still watch
_MARK = "ringlight.guest"


@dataclass(frozen=True, slots=True)
class _Guest:
    claims: Claims
    camera: str


class RoomGuests:
    """Lets people of a room come to a camera of it with their token in place of the server's key.

    Args:
        rooms: All rooms.
        playbacks: Ended here when their viewer leaves the room, or the camera does.
    """

    def __init__(self, rooms: Porter, playbacks: Playbacks) -> None:
        self._rooms = rooms
        self._playbacks = playbacks
        self._following: list[tuple[Playback, _Guest]] = []
        self._looking: asyncio.Task[None] | None = None

    async def let_in(self, scope: Any, headers: Headers) -> bool:
        """Whether a request is of such a guest. Only a token that is one is judged; anything else may be a key.

        Raises:
            UsageError: ROOM-TOKEN-EXPIRED, ROOM-PERSON, ROOM-FORBIDDEN or ROOM-CAMERA.
        """
        line, camera = line_of(scope["method"], scope["path"])
        scheme, _, token = headers.get("authorization", "").partition(" ")
        tokens = self._rooms.house.admission.tokens
        if not line.guests or camera is None or scheme.lower() != "bearer" or token.count(".") != 2 or tokens is None:
            return False
        try:
            claims = tokens.check(token.strip(), self._rooms.now)
        except RingError as error:
            if error.code == "ROOM-TOKEN":
                return False
            raise
        # Whoever was let in may always end what was begun.
        if scope["method"] != "DELETE":
            await self._judge(_Guest(claims, camera), line.needs)
        scope[_MARK] = _Guest(claims, camera)
        return True

    def follow(self, scope: Any, playback: Playback) -> None:
        """End a playback that a guest has begun as soon as they may not watch any more."""
        guest = scope.get(_MARK)
        if guest is None:
            return
        self._following.append((playback, guest))
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="guests of rooms")

    @staticmethod
    def person_of(scope: Any) -> str | None:
        """Return which guest makes a request, as the room's token names them; `None` is no guest."""
        guest: _Guest | None = scope.get(_MARK)
        return None if guest is None else guest.claims.person

    async def close(self) -> None:
        """Follow nobody any more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def _judge(self, guest: _Guest, permission: str) -> None:
        try:
            room = await self._rooms.find(guest.claims.room)
        except RingError:
            raise fault_error("ROOM-PERSON", "nobody is in this room") from None
        bell.judge_viewer(room, guest.claims.person, guest.camera, permission)

    async def _look(self) -> None:
        while self._following:
            await asyncio.sleep(LOOK_EVERY)
            self._following = [one for one in self._following if not one[0].viewer.closed]
            for playback, guest in list(self._following):
                try:
                    await self._judge(guest, "view")
                except RingError as error:
                    log.info("a guest of a room may not watch %s any more: %s", guest.camera, error.code)
                    await self._playbacks.stop(playback)
