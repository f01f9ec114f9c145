"""What is written down of what happens in rooms: rows of the audit, changes of what is kept, webhooks. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ringlight.rooms.audit import AuditKey
from ringlight.rooms.events import Make, Note, What
from ringlight.rooms.people import Returning
from ringlight.rooms.telling import delivery_of
from ringlight.store.inbox import Put
from ringlight.store.rooms import KeptPerson, KeptRoom, NewAuditRow, Once, PersonIs, RoomIs

__all__ = ["Change", "Clerk", "remade"]

Change = NewAuditRow | RoomIs | PersonIs | Put | Once

EVENTS: dict[What, str] = {
    "made": "room.made", "ended": "room.ended", "locked": "room.locked", "unlocked": "room.unlocked",
    "waiting": "person.waiting", "entered": "person.entered", "came_back": "person.entered",
    "admitted": "person.admitted", "denied": "person.denied", "sent_back": "person.sent_back", "left": "person.left",
    "consent_given": "consent.given", "consent_withdrawn": "consent.withdrawn",
    "link_made": "link.made", "link_used": "link.used", "refused": "token.refused",
}  # fmt: skip
_REFUSED = ("ROOM-TOKEN", "ROOM-TOKEN-EXPIRED", "ROOM-LINK-USED", "ROOM-LINK-EXPIRED", "ROOM-LINK-UNKNOWN")


@dataclass(frozen=True, slots=True)
class Clerk:
    """Says what is to be written down.

    Attributes:
        key: Of the audit.
        mint: Returns fresh chance, for the ids of deliveries.
        webhooks: Whether somebody is told by webhooks.
    """

    key: AuditKey
    mint: Callable[[], str]
    webhooks: bool = False

    def changes(self, note: Note, now: float) -> list[Change]:
        """Return what is to be written for a note; nothing for one that only counts.

        What several servers may write down carries a name, by which it comes once, in the audit and to receivers of
        webhooks.
        """
        at = now if note.at is None else note.at
        if not note.id:
            return [*self._changes(note, at, self.mint)]
        name = self.key.hidden(note.id)
        found = self._changes(note, at, lambda: name[:24])
        return [Once(name, at, tuple(found))] if found else []

    def _changes(self, note: Note, now: float, mint: Callable[[], str]) -> list[NewAuditRow | RoomIs | PersonIs | Put]:
        found: list[NewAuditRow | RoomIs | PersonIs | Put] = []
        if self.webhooks and (put := delivery_of(note, now, mint)) is not None:
            found.append(put)
        if note.passing or (event := EVENTS.get(note.what)) is None:
            if note.what == "started" and note.kept:
                found.append(RoomIs(note.room, started=True))
            return found
        if note.what == "refused" and note.detail not in _REFUSED:
            return found
        hidden = self.key.hidden
        detail = "again" if note.what == "came_back" else note.detail
        found.append(
            NewAuditRow(
                round(now, 3), event, hidden(note.room), hidden(note.identity or note.person), hidden(note.by),
                note.role, detail,
            )
        )  # fmt: skip
        found += self._kept(note, now)
        return found

    def watched(self, camera: str, who: str, way: str, now: float, seconds: float | None = None) -> NewAuditRow:
        """Return what is to be written for somebody who begins to watch a camera, or has left it.

        Args:
            camera: Its id in addresses.
            who: It is written as a keyed hash.
            way: How, in one word.
            now: Seconds since 1970.
            seconds: For how long they have watched; `None` where they begin.
        """
        event = "camera.watched" if seconds is None else "camera.left"
        detail = f"{camera} {way}" if seconds is None else f"{camera} {way} {seconds:.0f} s"
        return NewAuditRow(round(now, 3), event, person=self.key.hidden(who), detail=detail)

    @staticmethod
    def _kept(note: Note, now: float) -> list[RoomIs | PersonIs]:
        if not note.kept:
            return []
        match note.what:
            case "ended":
                return [RoomIs(note.room, ended_at=now)]
            case "locked" | "unlocked":
                return [RoomIs(note.room, locked=note.what == "locked")]
        if note.identity is None or note.what in ("link_made", "link_used", "refused"):
            return []
        gone = note.what in ("left", "denied")
        kept = None if gone else KeptPerson(note.room, note.identity, note.inside, tuple(sorted(note.consents)))
        changes: list[RoomIs | PersonIs] = [PersonIs(note.room, note.identity, kept)]
        if note.what == "sent_back" and note.by:
            changes.append(RoomIs(note.room, lobby=True))
        return changes


def remade(room: KeptRoom, people: Iterable[KeptPerson]) -> Make:
    """Return how a room is made anew that was kept, with those who were in it."""
    return Make(
        room.lobby, room.opens, room.closes, room.capacity, frozenset(room.consent), dict(room.cameras), room.locked,
        room.started, room.ended_at,
        {person.person: Returning(person.inside, frozenset(person.consents)) for person in people},
    )  # fmt: skip
