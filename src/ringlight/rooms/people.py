"""What is known of the people of a room: who they are, what their roles may do, what they have offered. Pure."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from msgspec import Raw

__all__ = [
    "AS_USER_TYPE", "NOTHING", "OWN", "ROLES", "SEED", "USER_TYPES", "Claims", "Dialect", "Offered", "Returning",
]  # fmt: skip

# What each role may do. `admit` also decides who enters, and so never waits.
ROLES: dict[str, frozenset[str]] = {
    "clinician": frozenset({"admit", "end", "signal", "chat", "screen", "consent", "view", "talk"}),
    "receptionist": frozenset({"admit", "end", "signal", "chat", "screen", "view", "talk"}),
    "admin": frozenset({"admit", "end", "signal", "chat", "screen", "consent", "observe", "view", "talk"}),
    "patient": frozenset({"signal", "chat", "screen"}),
    "interpreter": frozenset({"signal", "chat"}),
    "companion": frozenset({"signal", "chat"}),
    "observer": frozenset({"signal", "observe"}),
    "camera": frozenset({"signal"}),
}
USER_TYPES = {"doctor": "clinician", "patient": "patient"}  # the seed's names
AS_USER_TYPE = {role: name for name, role in USER_TYPES.items()}  # how the seed calls a role, if it knows it
NOTHING: frozenset[str] = frozenset()


class Dialect(Enum):
    """Which protocol a page speaks."""

    SEED = "seed"
    OWN = "v2"


# Where each message passes: an enum takes four times as long to be asked.
OWN: Final = Dialect.OWN
SEED: Final = Dialect.SEED


@dataclass(frozen=True, slots=True)
class Claims:
    """Who somebody is, as a token says, or as they say themselves where no token is needed.

    Attributes:
        room: The room that they may enter.
        person: The same for each token of one person; they take over from themselves. `None`: nobody knows them.
        role: A key of `ROLES`.
        may: Single permissions.
        name: Shown to the others.
        expires: When the token ends, in seconds since 1970; `None` in open mode.
    """

    room: str
    person: str | None
    role: str
    may: frozenset[str]
    name: str = ""
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class Returning:
    """Somebody who was here when the server stopped: whether inside, and to what they had consented."""

    inside: bool
    consents: frozenset[str] = NOTHING


@dataclass(slots=True)
class Offered:
    """An offer that nobody has answered, kept for who comes later."""

    frame: bytes | None  # as a page of the seed's kind sent it
    description: Raw
    until: float
    candidates: list[tuple[bytes | None, Raw]] = field(default_factory=list)
