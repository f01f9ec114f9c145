"""A room whose nodes lose each other, and find each other again. Pure.

While there are several nodes, each has the same room, and what happens is done by all of them in the same order. A node
that is gone leaves connections behind. A node that reaches no others goes on alone with the people it has; when it is
back, it brings them with all that they have heard, and what was said to them elsewhere meanwhile is said again.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from ringlight.errors import fault_error
from ringlight.faults import FAULTS
from ringlight.rooms import leaving, messages
from ringlight.rooms.events import Alone, Away, Gone, Merge, node_of
from ringlight.rooms.messages import Back, Chatted, Joined, MediaState, Notice, Other, Signalled, UserJoined
from ringlight.rooms.people import Dialect
from ringlight.rooms.person import Person

if TYPE_CHECKING:
    from ringlight.rooms.room import Room

MAIL = frozenset({Signalled, Chatted, MediaState, Other})  # what people say; all else is told by how the room is
_read_mail = msgspec.json.Decoder(Signalled | Chatted | MediaState | Other).decode


def leave(room: "Room", event: Away, now: float) -> None:
    """Part all people of a node from their connections; they may come back to any."""
    for socket in list(room.by_socket):
        if (node_of(socket) == event.node) != event.others:
            leaving.part(room, Gone(socket), now)


def tell(room: "Room", event: Alone, _: float) -> None:
    """Tell people that the others are out of reach, or no longer."""
    for person in room.people.values():
        if person.socket is not None and event.socket in (None, person.socket):
            _notice(room, person, on=event.on)


def merge(room: "Room", event: Merge, now: float) -> None:
    """Take the people of a node that was alone, as they are there; all others stay as they are here."""
    other, node = event.other, event.node
    if other is not room:
        theirs = {person.id: person for person in other.people.values() if _is_theirs(room, person, node, now)}
        taken = {person.id: person.taken for person in room.people.values()}
        before = {id: room.people.get(id) for id in theirs}  # noqa: A001 - people's own word
        for person in theirs.values():
            _put(room, person, before[person.id])
        for person in theirs.values():
            room.returning.pop(person.claims.person or "", None)
            _introduce(room, person, before[person.id], theirs, other)
        _tell_knocks(room, theirs, before, other, now)
        for person in theirs.values():
            if (here := before[person.id]) is not None:
                _say_again(room, person, here, other.heard, {one.id: one.taken for one in other.people.values()})
        for there in other.people.values():
            if there.id not in theirs and there.id in room.people:
                _say_again(room, room.people[there.id], there, {**room.heard, node: event.known}, taken)
        if other.kept and not room.kept:  # here it began anew, when nobody knew of it
            room.kept, room.lobby, room.opens, room.closes = True, other.lobby, other.opens, other.closes
            room.capacity, room.consent = other.capacity, other.consent
        room.locked = room.locked or other.locked
        room.started = room.started or other.started
        room.cameras = {**other.cameras, **room.cameras}
        if other.ended_at is not None or room.ended_at is not None:
            leaving.finish(room, now, "elsewhere", noted=True)  # by whoever ended it
    for person in room.people.values():
        if person.socket is not None and node_of(person.socket) == node:
            _notice(room, person, on=False)


def _is_theirs(room: "Room", person: Person, node: int, now: float) -> bool:
    """Whether what that node knows of somebody counts."""
    seated = person.socket is not None and person.home == node
    if (here := room.people.get(person.id)) is not None:
        moved = here.home != node and here.socket is not None  # they sit at another node by now
        at_least = person.seats + (person.socket is not None or not moved)
        return person.home == node and at_least > here.seats
    for same in list(room.people.values()):  # they entered anew at another node while these were apart
        if same.claims.person is not None and same.claims.person == person.claims.person:
            if not seated:
                return False
            leaving.dismiss(room, same, fault_error("ROOM-REPLACED"), now)
    return True


def _put(room: "Room", person: Person, before: Person | None) -> None:
    if before is not None and before.socket is not None:
        room.by_socket.pop(before.socket, None)
    if person.rank in {one.rank for one in room.people.values() if one.id != person.id}:
        person.rank = room.next_rank()
    room.people[person.id] = person
    if person.socket is not None:
        room.by_socket[person.socket] = person


def _introduce(
    room: "Room", person: Person, before: Person | None, theirs: Mapping[str, Person], other: "Room"
) -> None:
    """Tell somebody inside who came back of those who were elsewhere, and those of them."""
    for one in room.others(person) if person.inside else ():
        if one.id in theirs:
            continue
        if one.id not in other.people:
            _tell_joined(room, person, one)
        elif one.socket is not None and other.people[one.id].socket is None:
            room.tell(person, Back(id=one.id))
        if before is None:
            _tell_joined(room, one, person)
        elif before.socket is None and person.socket is not None:
            room.tell(one, Back(id=person.id))


def _tell_knocks(
    room: "Room", theirs: Mapping[str, Person], before: Mapping[str, Person | None], other: "Room", now: float
) -> None:
    """Tell those who may admit of who waits and was elsewhere."""
    for waiting in list(room.waiting()):
        new_here = waiting.id in theirs and before[waiting.id] is None
        for host in room.hosts():
            if waiting.id not in other.people if host.id in theirs else new_here:
                room.tell(host, room.knock_of(waiting, now))
        if new_here:
            room.place_in_line(waiting)


def _tell_joined(room: "Room", person: Person, newcomer: Person) -> None:
    if person.dialect is Dialect.SEED:
        room.send(person, messages.encode(UserJoined(newcomer.user_type, room.inside_count)))
    else:
        room.tell(person, Joined(person=newcomer.seen_by(person), again=True))


def _say_again(room: "Room", person: Person, told: Person, heard: Mapping[int, int], taken: Mapping[str, int]) -> None:
    """Say to somebody what was said to them where they were not; what they have heard already is left out.

    Args:
        room: Their room.
        person: Who hears it.
        told: The same person as they are in the room in which it was said.
        heard: How much of what each node wrote was heard where they were.
        taken: The last message of each person that was taken there.
    """
    for node, number, rid, seq in list(told.mail):
        frame = told.outbox.at(seq)
        if number <= heard.get(node, 0) or frame is None:
            continue
        said = _read_mail(frame)
        speaker = said.id if isinstance(said, MediaState) else said.from_
        if 0 < rid <= taken.get(speaker, 0):
            continue  # its page has said it there as well, after it went from one node to the other
        mark, room.mark = room.mark, (node, number, rid)  # so that it counts once, however often it is said again
        room.tell(person, said)
        room.mark = mark


def _notice(room: "Room", person: Person, *, on: bool) -> None:
    fault = FAULTS["ROOM-ALONE"]
    room.tell(person, Notice(code=fault.code, on=on, message=fault.cause, fix=fault.fix))
