"""The lobby: those who may admit let people in, send them away or back to wait, and lock the room. Pure."""

from typing import TYPE_CHECKING

from ringlight.errors import fault_error
from ringlight.rooms import entering, leaving, messages, presence
from ringlight.rooms.people import Dialect
from ringlight.rooms.person import Person

if TYPE_CHECKING:
    from ringlight.rooms.room import Room

__all__ = ["admit", "deny", "lock", "put_before_the_door", "send_back"]


def admit(room: "Room", person: Person, message: messages.Admit, now: float) -> None:
    """Let one who waits in, or all."""
    room.need(person, "admit")
    for waiting in [room.who_waits(message.id)] if message.id is not None else list(room.waiting()):
        if room.inside_count >= room.capacity:
            raise fault_error("ROOM-FULL", f"{room.capacity} of {room.capacity} places are taken")
        waiting.inside = True
        waited = {"seconds": now - waiting.since}
        room.note("admitted", waiting, by=person, figures=waited)
        room.tell_knock_gone(waiting)
        entering.come_in(room, waiting, now, "admitted")


def deny(room: "Room", person: Person, message: messages.Deny, now: float) -> None:
    """Send one who waits away."""
    room.need(person, "admit")
    waiting = room.who_waits(message.id)
    room.note("denied", waiting, by=person)
    leaving.dismiss(room, waiting, fault_error("ROOM-DENIED", message.reason or None), now)


def send_back(room: "Room", person: Person, message: messages.SendBack, now: float) -> None:
    """Send one who is inside back to wait."""
    room.need(person, "admit")
    other = room.other(person, message.id)
    if other.may("admit"):
        raise fault_error("ROOM-FORBIDDEN", "who may admit does not wait")
    room.lobby = True
    put_before_the_door(room, other, now, by=person)


def lock(room: "Room", person: Person, message: messages.Lock, now: float) -> None:
    """Let nobody new knock, or let them again."""
    room.need(person, "admit")
    room.locked = message.on
    room.note("locked" if message.on else "unlocked", by=person)
    for other in [person, *room.others(person)]:
        room.tell(other, messages.Locked(on=message.on))


def put_before_the_door(room: "Room", person: Person, now: float, by: Person | None = None) -> None:
    """Have somebody inside wait; `by` is `None` where nobody is left who admits."""
    person.inside, person.offered = False, None
    room.note("sent_back", person, by=by, detail="nobody admits" if by is None else "")
    presence.tell_gone(room, person, "sent_back")
    room.place_in_line(person)
    if person.dialect is Dialect.SEED:
        room.send(person, messages.seed_refusal(fault_error("ROOM-WAITING")))
    for other in room.hosts():
        room.tell(other, room.knock_of(person, now))
