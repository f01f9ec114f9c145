"""One person of a room: what they may do, what they have heard, what they have offered."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from msgspec import Raw
from msgspec.structs import force_setattr

from ringlight.rooms import messages
from ringlight.rooms.messages import Event, Present

__all__ = [
    "NOTHING", "OWN", "ROLES", "SEED", "USER_TYPES", "Claims", "Dialect", "Offered", "Outbox", "Person", "Returning",
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
_AS_USER_TYPE = {role: name for name, role in USER_TYPES.items()}


NOTHING: frozenset[str] = frozenset()


MAIL_KEPT = 256
MOVED_UP = 64  # events that an outbox forgets until its list is shortened


class Dialect(Enum):
    """Which protocol a page speaks."""

    SEED = "seed"
    OWN = "v2"


OWN, SEED = Dialect.OWN, Dialect.SEED  # where each message passes: an enum takes four times as long to be asked


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


class Outbox:
    """The events of one person, numbered, and kept for a connection that broke.

    Args:
        most: Events kept.
        most_bytes: Bytes that they may take.
        seq: The number of the last one so far.
        kept: Those that are kept of them.
    """

    __slots__ = ("_bytes", "_forgotten", "_kept", "most", "most_bytes", "seq")

    def __init__(self, most: int, most_bytes: int, seq: int = 0, kept: Iterable[bytes] = ()) -> None:
        self.seq = seq
        self.most = most
        self.most_bytes = most_bytes
        self._kept = list(kept)  # the last has the number `seq`; a deque would take half a kilobyte while it is empty
        self._bytes = sum(map(len, self._kept))
        self._forgotten = 0  # at the beginning of `_kept`, empty by now: to move the others up each time takes longer

    def add(self, event: Event) -> bytes:
        """Number an event, keep it and return its frame."""
        force_setattr(event, "seq", self.seq + 1)  # told to several, it is numbered for each; nobody else keeps it
        return self.keep(messages.encode(event))

    def keep(self, frame: bytes) -> bytes:
        """Keep the frame of an event that has the number after `seq`, and return it."""
        self.seq += 1
        kept = self._kept
        kept.append(frame)
        self._bytes += len(frame)
        if len(kept) - self._forgotten > self.most or self._bytes > self.most_bytes:
            self._forget()
        return frame

    def _forget(self) -> None:
        kept = self._kept
        while len(kept) - self._forgotten > self.most or self._bytes > self.most_bytes:
            self._bytes -= len(kept[self._forgotten])
            kept[self._forgotten] = b""
            self._forgotten += 1
        if self._forgotten >= MOVED_UP:
            del kept[: self._forgotten]
            self._forgotten = 0

    def forget(self, seq: int) -> None:
        """Forget all events up to a number, as they have arrived; a number that was never sent says nothing."""
        kept = self._kept
        if seq == self.seq:  # as where both talk to each other
            kept.clear()
            self._bytes = self._forgotten = 0
            return
        gone = len(kept) - (self.seq - seq)
        if self._forgotten < gone < len(kept):
            self._bytes -= sum(map(len, kept[:gone]))
            del kept[:gone]
            self._forgotten = 0

    @property
    def kept(self) -> list[bytes]:
        """Those that are kept, oldest first."""
        return self._kept[self._forgotten :]

    def at(self, seq: int) -> bytes | None:
        """Return an event by its number; `None` if it is no longer kept."""
        missed = self.after(seq - 1)
        return missed[0] if missed else None

    def after(self, seq: int) -> list[bytes] | None:
        """Return what came after an event; `None` if some of it is no longer kept, or was never sent."""
        missed = self.seq - seq
        if missed < 0 or missed > len(self._kept) - self._forgotten:
            return None
        return self._kept[len(self._kept) - missed :]


@dataclass(slots=True)
class Person:
    """Somebody in a room or before it.

    Attributes:
        id: Their public name in the room.
        secret: Proves that a new connection is theirs.
        rank: Order of coming; grows.
        socket: Their connection; `None` while it is broken.
        inside: Whether they were let in.
        since: When they came.
        gone_at: When they count as gone, while the connection is broken.
        taken: The last numbered message of theirs that was taken.
        consents: To what they have consented.
        quality: How their call is, in a word, when it was last noted.
        quality_at: When that was.
        mail: Where there are several nodes: the last signals and words for them, by node and number of what brought
            them, its `rid`, and their own `seq`. By that it is known what has reached them if nodes lose each other.
        seats: How many connections they have had.
        home: The node that had the last of them.
        earlier: The secret with which they came back last: the page may never have got the new one.
    """

    id: str
    secret: str
    claims: Claims
    dialect: Dialect
    rank: int
    outbox: Outbox
    since: float
    socket: int | None
    inside: bool = False
    gone_at: float | None = None
    taken: int = 0
    offered: Offered | None = None
    media: dict[str, bool] = field(default_factory=dict)
    consents: frozenset[str] = NOTHING
    quality: str = ""
    quality_at: float = 0.0
    mail: list[tuple[int, int, int, int]] = field(default_factory=list)
    seats: int = 1
    home: int = 0
    earlier: str = ""

    @property
    def role(self) -> str:
        """Their role."""
        return self.claims.role

    @property
    def user_type(self) -> str:
        """Their role as the seed calls it."""
        return _AS_USER_TYPE.get(self.claims.role, self.claims.role)

    def may(self, permission: str) -> bool:
        """Whether they have a permission."""
        return permission in self.claims.may

    def yields_to(self, other: "Person") -> bool:
        """Whether this one is the polite side of the two (webrtc-pc section 10.7): exactly one of them is."""
        ours, theirs = (not self.may("admit"), self.rank), (not other.may("admit"), other.rank)
        return ours > theirs

    def seen_by(self, other: "Person") -> Present:
        """Return how another is told of this one."""
        return Present(
            id=self.id, role=self.role, name=self.claims.name, polite=other.yields_to(self),
            away=self.socket is None, media=self.media, consents=sorted(self.consents),
        )  # fmt: skip
