"""What one kind of call may risk: the facts on which every decision about it rests."""

from dataclasses import dataclass
from enum import Enum, IntEnum

__all__ = ["Family", "Lane", "Operation", "Repeat"]


class Repeat(Enum):
    """What a second arrival of the same call does at the other side; never told by the HTTP method alone."""

    SAFE = "safe"  # it only reads; Ring's media POSTs do
    IDEMPOTENT = "idempotent"  # it writes, and twice is like once
    ONCE = "once"  # a second arrival does harm: sent again only where the first certainly did nothing


class Lane(IntEnum):
    """Who goes first at the rate gate; the lower number."""

    LIVE = 0
    CONTROL = 1
    READ = 2
    BULK = 3


class Family(Enum):
    """Which part of Ring answers: each fails, and is judged, for itself."""

    API = "api"
    DEVICE = "device"
    OAUTH = "oauth"
    MEDIA = "media"

    __hash__ = object.__hash__  # a key of every call; Enum's own is a call of Python's


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of call, with its subject.

    Attributes:
        name: The method's name for logs, events and spans, such as `devices.list`; never with an id in it.
        repeat: What a second arrival does.
        lane: Who goes first.
        family: Which part of Ring answers.
        device: The device whose failure it may be; `None` for a call that concerns no single one.
        total: Seconds for the whole call, waits and retries included; `None` is the client's own.
    """

    name: str
    repeat: Repeat = Repeat.SAFE
    lane: Lane = Lane.READ
    family: Family = Family.API
    device: str | None = None
    total: float | None = None
