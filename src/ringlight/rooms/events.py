"""What happens to a room, and what a room asks to be done."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from ringlight.rooms.messages import Heard, IceServer, Seed
from ringlight.rooms.people import NOTHING, Claims, Dialect, Returning

if TYPE_CHECKING:
    from ringlight.rooms.room import Room

__all__ = [
    "NODE_SHIFT",
    "Action",
    "AddCamera",
    "Alone",
    "Away",
    "Close",
    "Enter",
    "Event",
    "Finish",
    "Gone",
    "Keep",
    "Late",
    "Leave",
    "Load",
    "Make",
    "Merge",
    "Note",
    "Outside",
    "Pressed",
    "Recall",
    "RemoveCamera",
    "Renew",
    "Resuming",
    "Said",
    "Send",
    "Shared",
    "Tick",
    "What",
    "Write",
    "node_of",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Resuming:
    """How a page proves whose broken connection it goes on with, and what it has heard."""

    session: str
    secret: str
    seq: int


class Enter(Struct, frozen=True, gc=False):  # as `Said`
    """A connection wants in.

    Attributes:
        socket: Its number.
        claims: Who it is; `None` where only `resuming` tells.
        dialect: What it speaks.
        id: A name that nobody has, for a new person.
        secret: Chance, for the next resume.
        resuming: Whose connection it goes on with.
        ice: What `welcome` shall name for ICE.
        ice_ttl: Seconds that these credentials are good for; `None` where there are none.
    """

    socket: int
    claims: Claims | None
    dialect: Dialect
    id: str
    secret: str
    resuming: Resuming | None = None
    ice: tuple[IceServer, ...] = ()
    ice_ttl: float | None = None


class Said(Struct, frozen=True, gc=False):  # made for each message, at a fifth of what a frozen dataclass costs
    """A message of a connection that is in."""

    socket: int
    message: Heard | Seed
    frame: bytes


@dataclass(frozen=True, slots=True)
class Gone:
    """A connection broke; `reason` is `network`, `slow` or `silent`."""

    socket: int
    reason: str = "network"


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Make:
    """The room is made on purpose, or found again as it was. Attributes are those of `Room`.

    `cameras` is what each is called by its id in addresses; `returning` are those who are awaited, by their identity.
    """

    lobby: bool = True
    opens: float | None = None
    closes: float | None = None
    capacity: int | None = None
    consent: frozenset[str] = frozenset()
    cameras: dict[str, str] = field(default_factory=dict)
    locked: bool = False
    started: bool = False
    ended_at: float | None = None
    returning: dict[str, Returning] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Renew:
    """A connection's token was renewed."""

    socket: int
    claims: Claims


@dataclass(frozen=True, slots=True)
class Finish:
    """The visit is ended from outside."""


@dataclass(frozen=True, slots=True)
class AddCamera:
    """A camera comes into the room: its id in addresses, and what its owner calls it."""

    camera: str
    name: str


@dataclass(frozen=True, slots=True)
class RemoveCamera:
    """A camera leaves the room."""

    camera: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """Somebody presses the bell of a camera; `press` is the name of this press, by which it counts once."""

    camera: str
    press: str


@dataclass(frozen=True, slots=True)
class Away:
    """All connections of a node broke; with `others`, those of all nodes but this one."""

    node: int
    others: bool = False


@dataclass(frozen=True, slots=True)
class Alone:
    """This node reaches no others, or does again. With a socket only that one is told."""

    on: bool
    socket: int | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """A node that was alone brings its people back, as they are there.

    Attributes:
        node: The node.
        known: The last of what it wrote that had been read by all when it began to come back.
        other: The room as it was there.
    """

    node: int
    known: int
    other: "Room"


Outside = Finish | AddCamera | RemoveCamera | Pressed  # what none of the sockets brings
Event = Enter | Said | Gone | Tick | Make | Renew | Away | Alone | Merge | Outside

NODE_SHIFT = 32  # a socket's number, shifted right by so many bits, is that of its node


def node_of(socket: int) -> int:
    """Return the node that has a socket; 0 where there is one only."""
    return socket >> NODE_SHIFT


class Send(Struct, frozen=True, gc=False):  # as `Said`
    """Send a text frame."""

    socket: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection; nothing is heard of it any more."""

    socket: int
    code: int
    reason: str = ""


What = Literal[
    "waiting", "entered", "admitted", "denied", "sent_back", "lost", "resumed", "resume_failed", "came_back", "left",
    "consent_given", "consent_withdrawn", "locked", "unlocked", "quality", "connected", "made", "started", "ended",
    "link_made", "link_used", "refused",
]  # fmt: skip


class Note(Struct, frozen=True, gc=False):  # as `Said`
    """For the record: what somebody with this role did or met.

    Attributes:
        what: What happened.
        role: Of whom; empty where it is the room's own.
        detail: A word more: the reason, the fault's code, what was consented to. Never what people wrote.
        room: The room's id.
        person: Whom it happened to, by the id that the room gave.
        identity: The same person as tokens name them; `None` where nobody knows them.
        by: Who did it, as tokens name them, or by the id that the room gave where none does; empty for the person
            itself, or from outside.
        inside: Whether the person is inside by now.
        consents: To what the person has consented by now.
        passing: Whether nothing of the room is remembered (open mode).
        figures: What was measured, by name.
        kept: Whether the room was made on purpose, so that who is in it is kept too.
        home: The node that has, or had last, the person's connection; 0 where there is one only.
        id: Names this note, where several nodes may write it down; empty where only one can.
        at: When it was, in seconds since 1970; `None` is now.
    """

    what: What
    role: str = ""
    detail: str = ""
    room: str = ""
    person: str = ""
    identity: str | None = None
    by: str = ""
    inside: bool = False
    consents: frozenset[str] = NOTHING
    passing: bool = False
    figures: dict[str, float] = {}
    kept: bool = False
    home: int = 0
    id: str = ""
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Late:
    """For the record only: what a node did that is gone, and may not have written down."""

    note: Note


@dataclass(frozen=True, slots=True)
class Recall:
    """Look whether a room was made on purpose, of which no node knows."""

    room: str


@dataclass(frozen=True, slots=True)
class Load:
    """Follow a room's ledger, and read it: from an entry on that is known, or from its last whole room."""

    room: str
    epoch: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Write:
    """Write an entry; `lasts` is how many seconds the ledger stays after it."""

    room: str
    serial: int
    body: bytes
    lasts: float


@dataclass(frozen=True, slots=True)
class Keep:
    """Write a whole room, as it is after an entry; those before the last one that was kept may go."""

    room: str
    epoch: str
    number: int
    whole: bytes
    lasts: float


@dataclass(frozen=True, slots=True)
class Leave:
    """Follow a room no more; if nothing was written after `forget`, nobody needs its ledger."""

    room: str
    epoch: str = ""
    forget: int | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What is shared of a room cannot be read; as an action, for the log. `why` says nothing of what is in it."""

    room: str
    why: str


Shared = Load | Write | Keep | Leave | Recall | Unreadable  # what is asked for where several nodes share the rooms
Action = Send | Close | Note | Late | Shared
