"""The sockets of the rooms: what happens to them, and what is known of each."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from ringlight.rooms.limits import Allowance
from ringlight.rooms.messages import Heard as Message
from ringlight.rooms.messages import Seed
from ringlight.rooms.people import Dialect

__all__ = ["Connection", "Heard", "Lost", "Opened"]


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


@dataclass(slots=True)
class Connection:
    """What is known of a socket that was opened.

    Attributes:
        opened: How.
        dialect: What it speaks.
        heard_at: When it last sent anything.
        allowance: What it may send.
        parse: Reads its messages.
        room: Where it has entered, or is about to; `None` until it says where.
        strikes: Messages beyond the allowance, or not understood.
        renew_at: When its token is renewed; `None` is never.
        ice_at: The same of its TURN credentials.
    """

    opened: Opened
    dialect: Dialect
    heard_at: float
    allowance: Allowance
    parse: Callable[[bytes], Message | Seed]
    room: str | None = None
    strikes: int = 0
    renew_at: float | None = None
    ice_at: float | None = None
