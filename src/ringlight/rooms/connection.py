"""What is known of a socket of the rooms. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from ringlight.rooms.connections import Opened
from ringlight.rooms.limits import Allowance
from ringlight.rooms.messages import Heard, Seed
from ringlight.rooms.people import Dialect

__all__ = ["Connection"]


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
    parse: Callable[[bytes], Heard | Seed]
    room: str | None = None
    strikes: int = 0
    renew_at: float | None = None
    ice_at: float | None = None
