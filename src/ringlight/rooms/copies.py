"""What comes from the ledgers of rooms, and how far this node has read in each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ringlight.rooms.events import Event, Make, Unreadable
from ringlight.rooms.ledger import Entry
from ringlight.rooms.room import Room

__all__ = ["Copy", "Cut", "FromElsewhere", "Loaded", "Present", "Read", "Recalled", "Sign"]


@dataclass(frozen=True, slots=True)
class Read:
    """An entry of a room's ledger came."""

    room: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Loaded:
    """A room's ledger was read from where this node stood, or from its last whole room on.

    Attributes:
        room: Whose.
        epoch: Of the ledger; empty where there is none.
        number: The last entry that `whole` contains, or that this node knew.
        whole: From `write_room`; `None` where there is none yet, or the entries go on from what this node knew.
        entries: All after `number`.
    """

    room: str
    epoch: str
    number: int
    whole: bytes | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the database has of a room that no node knew; `None` where it was not made on purpose."""

    room: str
    made: Make | None


@dataclass(frozen=True, slots=True)
class Sign:
    """The last sign of life of a node.

    Attributes:
        stretch: Counts its connections to Redis; the same one as long as that did not break.
        until: When the sign ends; grows with each.
    """

    stretch: int
    until: float


@dataclass(frozen=True, slots=True)
class Present:
    """Redis answers, and these nodes have shown themselves of late."""

    signs: Mapping[int, Sign]


@dataclass(frozen=True, slots=True)
class Cut:
    """Redis does not answer."""


FromElsewhere = Read | Loaded | Unreadable | Recalled | Present | Cut


@dataclass(slots=True)
class Copy:
    """How far this node has read in the ledger of a room."""

    epoch: str = ""
    number: int = 0
    loaded: bool = False
    recalled: bool = False  # whether the database was asked
    early: list[Entry] = field(default_factory=list)  # came while it was being read
    unread: dict[int, Event] = field(default_factory=dict)  # what we wrote, or will, and have not read
    before: Room | None = None  # as it was here while we were alone; its people are not in the ledger yet
    merging: int = 0  # the number of our entry that brings them
    idle_since: float | None = None
