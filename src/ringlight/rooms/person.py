"""One person of a room: what they may do, what they have heard, what they have offered. Pure."""

from dataclasses import dataclass, field

from ringlight.rooms.messages import Present
from ringlight.rooms.outbox import Outbox
from ringlight.rooms.people import AS_USER_TYPE, NOTHING, Claims, Dialect, Offered

__all__ = ["MAIL_KEPT", "Person"]

MAIL_KEPT = 256  # of `Person.mail`


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
        return AS_USER_TYPE.get(self.claims.role, self.claims.role)

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
