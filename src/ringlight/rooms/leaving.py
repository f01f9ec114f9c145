"""Leaving a room: connections that break, people who go or are sent away, and the end of the visit. Pure."""

from typing import TYPE_CHECKING

from ringlight.errors import RingError, fault_error
from ringlight.rooms import messages, presence
from ringlight.rooms.events import Action, Close, Finish, Gone, Note, Send
from ringlight.rooms.messages import Left
from ringlight.rooms.people import Dialect
from ringlight.rooms.person import Person

if TYPE_CHECKING:
    from ringlight.rooms.room import Room

__all__ = ["dismiss", "end", "finish", "finished", "leave", "part", "refused", "remove", "turned_away"]

# What ended a connection, where it is a fault; one that just broke may be nobody's.
FAULTS_OF = {"silent": "ROOM-SILENT", "slow": "ROOM-SLOW"}


def part(room: "Room", event: Gone, now: float) -> None:
    """Part somebody from a connection that broke."""
    person = room.by_socket.pop(event.socket, None)
    if person is None:
        return
    person.socket = None
    room.note("lost", person, detail=event.reason)
    if person.dialect is Dialect.SEED:  # it knows no way to come back
        remove(room, person, event.reason, now)
        return
    person.gone_at = now + room.settings.grace
    if person.inside:
        code = FAULTS_OF.get(event.reason, "")
        room.tell_others(person, Left(id=person.id, reason=event.reason, grace_s=room.settings.grace, code=code))


def leave(room: "Room", person: Person, _: messages.Leave, now: float) -> None:
    """Take somebody out who says good-bye."""
    if person.socket is not None:
        room.say_bye(person.socket, "left", "leave", 1000)
    remove(room, person, "left", now)


def remove(room: "Room", person: Person, reason: str, now: float) -> None:
    """Take somebody out, and tell who knew of them."""
    if person.socket is not None:
        room.by_socket.pop(person.socket, None)
        person.socket = None
    del room.people[person.id]
    room.note("left", person, detail=reason)
    if person.inside:
        presence.tell_gone(room, person, reason)
    else:
        room.tell_knock_gone(person)
    if person.inside and person.may("admit") and not any(room.hosts()):
        room.hosts_gone_at = now + room.settings.host_grace


def dismiss(room: "Room", person: Person, error: RingError, now: float) -> None:
    """Take somebody out, and tell them why."""
    socket, dialect = person.socket, person.dialect
    remove(room, person, error.code.removeprefix("ROOM-").lower(), now)
    if socket is not None:
        room.out += refused(socket, dialect, error)


def end(room: "Room", person: Person, _: messages.End, now: float) -> None:
    """End the visit for all, as somebody inside wishes."""
    room.need(person, "end")
    finish(room, now, "by somebody", by=person)


def finished(room: "Room", _: Finish, now: float) -> None:
    """End the visit for all, as is wished from outside."""
    finish(room, now, "from outside")


def finish(room: "Room", now: float, why: str, by: Person | None = None, *, noted: bool = False) -> None:
    """Tell everybody that the visit is over; nobody comes in again. `noted` says that the record has it."""
    room.ended_at = now
    if not noted:
        room.note("ended", by=by, detail=why)
    room.returning.clear()
    for person in list(room.people.values()):
        socket, dialect = person.socket, person.dialect
        if socket is not None and dialect is Dialect.OWN:
            room.out.append(Send(socket, messages.refusal(fault_error("ROOM-ENDED"))))
            room.say_bye(socket, "ended", "leave", messages.CLOSE_CODES["ROOM-ENDED"])
        elif socket is not None:
            room.out += [Send(socket, messages.seed_refusal(fault_error("ROOM-ENDED"))), Close(socket, 1000)]
    room.people.clear()
    room.by_socket.clear()


def refused(socket: int, dialect: Dialect, error: RingError) -> list[Action]:
    """Return how a connection is told why it ends: in a frame, since a page sees no reason of a refused upgrade."""
    tell = messages.refusal if dialect is Dialect.OWN else messages.seed_refusal
    return [Send(socket, tell(error)), Close(socket, messages.CLOSE_CODES[error.code], error.code)]


def turned_away(socket: int, dialect: Dialect, error: RingError) -> list[Action]:
    """Return the same for a connection that never came into a room, with a note of it for the record."""
    return [Note("refused", detail=error.code), *refused(socket, dialect, error)]
