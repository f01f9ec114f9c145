"""Who may enter at all: pages of which origins, with which tokens, and who without one. Pure."""

from ringlight.errors import RingError, fault_error
from ringlight.http.address import hostname_of, is_loopback_host, netloc_of
from ringlight.resilience.tries import Tries
from ringlight.rooms.address import judge_room_id
from ringlight.rooms.connections import Opened
from ringlight.rooms.people import ROLES, USER_TYPES, Claims
from ringlight.rooms.tokens import Tokens
from ringlight.settings import RoomSettings

__all__ = ["Admission"]

WRONG_TOKENS = (10, 60.0)  # so many from one address, in so many seconds


class Admission:
    """Judges those who come.

    Args:
        settings: Whether people on this machine need no token (open mode).
        tokens: Signs and checks; `None` knows no tokens, so that only open mode lets anybody in.
        origins: Origins of other web pages that may enter.
        any_loopback_origin: Whether pages of any loopback origin may enter.
    """

    def __init__(
        self,
        settings: RoomSettings,
        tokens: Tokens | None = None,
        origins: frozenset[str] = frozenset(),
        *,
        any_loopback_origin: bool = False,
    ) -> None:
        self.tokens = tokens
        self.origins = origins
        self.tries = Tries(*WRONG_TOKENS)
        self._settings = settings
        self._any_loopback_origin = any_loopback_origin

    def judge_origin(self, opened: Opened) -> None:
        """Raise ROOM-ORIGIN for a page of a site that may not enter; programs name none."""
        origin = opened.origin
        if origin is None or origin in self.origins or netloc_of(origin) == opened.host != "":
            return
        if self._any_loopback_origin and opened.local and is_loopback_host(hostname_of(origin)):
            return
        raise fault_error("ROOM-ORIGIN", f"the page is of {origin[:80]}")

    def is_open(self, opened: Opened) -> bool:
        """Whether somebody needs no token.

        A name of somebody else that leads to this machine is not this machine (DNS rebinding).
        """
        return self._settings.open and opened.local and is_loopback_host(hostname_of(f"//{opened.host}"))

    def claims_of(self, opened: Opened, token: str, room: str, role: str, name: str, now: float) -> Claims:
        """Return who somebody is, by their token; where none is needed, as they say themselves.

        Raises:
            UsageError: ROOM-TOKEN, ROOM-TOKEN-EXPIRED, ROOM-TOKEN-NEEDED, ROOM-RATE, ROOM-ROLE or ROOM-ID.
        """
        if token:
            wait = self.tries.wait(opened.peer, now)
            if wait > 0:
                raise fault_error("ROOM-RATE", f"too many wrong tokens; {wait:.0f} s to wait", retry_after=wait)
            try:
                if self.tokens is None:
                    raise fault_error("ROOM-TOKEN", "this server has no secret key")
                return self.tokens.check(token, now)
            except RingError as error:
                if error.code == "ROOM-TOKEN":
                    self.tries.failed(opened.peer, now)
                raise
        if not self.is_open(opened):
            raise fault_error("ROOM-TOKEN-NEEDED")
        known = USER_TYPES.get(role, role)
        if known not in ROLES:
            raise fault_error("ROOM-ROLE", f"it is {role[:40]!r}")
        return Claims(judge_room_id(room), None, known, ROLES[known], name)
