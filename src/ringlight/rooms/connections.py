"""What happens to the sockets of the rooms."""

from dataclasses import dataclass

from msgspec import Struct

__all__ = ["Heard", "Lost", "Opened"]


class Opened(Struct, frozen=True, gc=False):  # as `Said`
    """A socket was opened.

    Attributes:
        socket: Its number, never used again.
        path: Of its address, decoded.
        token: From `?token=` or a subprotocol, or empty.
        origin: Of the page, or `None` for a program.
        host: The Host header.
        local: Whether it came in on a loopback address.
        peer: The other side's address.
    """

    socket: int
    path: str
    token: str = ""
    origin: str | None = None
    host: str = ""
    local: bool = False
    peer: str = ""


class Heard(Struct, frozen=True, gc=False):  # as `Said`
    """A socket brought a frame; `None` is one that is no text."""

    socket: int
    frame: bytes | None


@dataclass(frozen=True, slots=True)
class Lost:
    """A socket ended from the other side, or was closed by the adapter because it is `slow`."""

    socket: int
    reason: str = "network"
