"""What is kept of rooms: the rooms that were made, one-time links, who was inside, and rows of the audit."""

from dataclasses import dataclass, field

__all__ = ["AuditRow", "KeptLink", "KeptPerson", "KeptRoom", "NewAuditRow", "PersonIs", "RoomIs"]


@dataclass(frozen=True, slots=True)
class KeptRoom:
    """A room that was made on purpose.

    Attributes:
        id: Its id.
        lobby: Whether people wait until somebody lets them in.
        opens: From when on, in seconds since 1970; `None` is at once.
        closes: When it ends; `None` is never.
        capacity: How many may be inside.
        consent: What those without `admit` must consent to.
        made_at: When it was made.
        locked: Whether nobody new may knock.
        started: Whether anybody was ever inside.
        ended_at: When it ended; `None` while it has not.
        cameras: What each of its cameras is called, by its id in addresses.
    """

    id: str
    lobby: bool
    opens: float | None
    closes: float | None
    capacity: int
    consent: tuple[str, ...]
    made_at: float
    locked: bool = False
    started: bool = False
    ended_at: float | None = None
    cameras: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptLink:
    """A one-time link. The token itself is nowhere.

    Attributes:
        hash: Of the token.
        room: Which room it leads to.
        role: As what.
        name: Who it was made for, shown to the others.
        may: Single permissions; `None` are those of the role.
        opens: Before which it cannot be used; `None` is at once.
        expires: After which it cannot.
        used_at: When it was used; `None` while it was not.
        invited_by: Who invites, told before the link is used; empty where nobody said.
    """

    hash: str
    room: str
    role: str
    name: str = field(repr=False)
    may: tuple[str, ...] | None
    opens: float | None
    expires: float
    used_at: float | None = None
    invited_by: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class KeptPerson:
    """Somebody who was in a room, or before it, when the server stopped."""

    room: str
    person: str
    inside: bool
    consents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoomIs:
    """Something of a kept room has changed; `None` stays as it is. A room that is not kept has nothing to change."""

    room: str
    lobby: bool | None = None
    locked: bool | None = None
    started: bool | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class PersonIs:
    """How somebody is by now; `kept` is `None` for who is gone."""

    room: str
    person: str
    kept: KeptPerson | None


@dataclass(frozen=True, slots=True)
class NewAuditRow:
    """What is to be added to the audit. All ids are keyed hashes by now.

    Attributes:
        at: Seconds since 1970.
        event: What happened, such as `person.admitted`.
        room: Where.
        person: To whom.
        by: Who did it; empty for the person itself, or from outside.
        role: Of the person.
        detail: A word more.
    """

    at: float
    event: str
    room: str = ""
    person: str = ""
    by: str = ""
    role: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AuditRow(NewAuditRow):
    """A row of the audit as it is read: with its number, and its place in the chain."""

    number: int = 0
    previous: str = ""
    hash: str = ""
