"""Rooms without ASGI in between: what `serving(…, sockets=…)` hands the WebSockets of both room protocols to."""

import sys
from urllib.parse import parse_qs

from ringlight import spans
from ringlight.errors import fault_error
from ringlight.http.address import is_loopback_host
from ringlight.http.proxies import Proxies
from ringlight.http.websocket.handshake import Upgrade
from ringlight.http.websocket.protocol import FastSocket
from ringlight.rooms import messages
from ringlight.rooms.address import dialect_of, is_of_rooms
from ringlight.rooms.people import OWN, SEED
from ringlight.rooms.porter import Porter

__all__ = ["FastRooms"]

PING_AFTER = 20.0  # seconds, as the servers that the seed's front end knows do; its pages send no pings of their own
_TOKEN = "token."  # noqa: S105 - how a subprotocol begins that is a token


class FastRooms:
    """The rooms, as uvicorn's sockets see them.

    Args:
        porter: Of the rooms. An ASGI router may serve the same one: paths that are not taken here go there, and
            people of both meet.
        proxies: Those that are believed when they name a caller; `None` is none.
    """

    def __init__(self, porter: Porter, proxies: Proxies | None = None) -> None:
        self._porter = porter
        self._proxies = proxies or Proxies()
        self.most_bytes = porter.house.settings.message_bytes
        self.queue_bytes = porter.house.settings.queue_bytes
        self.ping_after = PING_AFTER
        self.heard = porter.heard
        self.lost = porter.lost
        self.tick = porter.tick

    @property
    def is_idle(self) -> bool:
        """Whether no time has to be told while no socket is open."""
        return self._porter.is_idle

    def takes(self, path: str) -> bool:
        """Take both protocols at the root; a doubled slash is a base URL's that ends in one."""
        return is_of_rooms(path)

    def subprotocol(self, upgrade: Upgrade) -> str | None:
        """Choose one, since a browser gives up unless one of those that it offers comes back."""
        offered = upgrade.subprotocols
        named = next((item for item in offered if not item.startswith(_TOKEN)), None)
        return named or (offered[0] if offered else None)

    def opened(self, socket: FastSocket, upgrade: Upgrade) -> int:
        """Take a new socket; return its number."""
        token = next((item.removeprefix(_TOKEN) for item in upgrade.subprotocols if item.startswith(_TOKEN)), "")
        if not token and dialect_of(upgrade.path) is SEED:
            token = parse_qs(upgrade.query).get("token", [""])[-1]
        headers, peer = upgrade.headers, socket.address("peername")
        through = "x-forwarded-for" in headers or "forwarded" in headers  # a proxy on this machine is not this machine
        peer = self._proxies.caller(peer, headers.get).address
        origin = headers.get("origin")
        # Most sockets say the same here, and all of it is kept as long as they are.
        socket.path = sys.intern(socket.path)
        return self._porter.open(
            socket, socket.path, token=token, origin=sys.intern(origin) if origin is not None else None,
            host=sys.intern(headers.get("host", "")), peer=sys.intern(peer),
            local=not through and is_loopback_host(socket.address("sockname")),
            traceparent=parse_qs(upgrade.query).get("traceparent", [""])[-1] if spans.is_on() else "",
        )  # fmt: skip

    def too_big(self, socket: FastSocket) -> None:
        """Say to a socket that its message was too long, and close it."""
        self._refuse(socket, "ROOM-SIZE", f"{self.most_bytes} bytes are allowed")

    def too_slow(self, socket: FastSocket) -> None:
        """Close a socket that does not take what it is sent."""
        self._refuse(socket, "ROOM-SLOW")

    def too_silent(self, socket: FastSocket) -> None:
        """Close a socket that answers no ping; whoever hears again by then learns why."""
        self._refuse(socket, "ROOM-SILENT")

    @staticmethod
    def _refuse(socket: FastSocket, code: str, detail: str | None = None) -> None:
        own = dialect_of(socket.path) is OWN
        error = fault_error(code, detail)
        socket.send((messages.refusal if own else messages.seed_refusal)(error))
        socket.close(messages.CLOSE_CODES[code], code)
