"""Who is here: what a newcomer is told of the room, and the others of who comes and goes. Pure."""

from typing import TYPE_CHECKING

from ringlight.rooms import bell, consent, messages
from ringlight.rooms.events import Enter
from ringlight.rooms.messages import Joined, Left, Roster, UserJoined, UserLeft
from ringlight.rooms.people import SEED
from ringlight.rooms.person import Person

if TYPE_CHECKING:
    from ringlight.rooms.room import Room

__all__ = ["announce", "tell_gone", "tell_roster", "welcome"]


def welcome(room: "Room", person: Person, event: Enter, *, resumed: bool) -> None:
    """Tell a page that it is known, as whom, and what it may send."""
    if person.dialect is SEED:
        return  # the first one in a room hears nothing, and nobody is to hear what the seed never said
    s = room.settings
    room.send(
        person,
        messages.encode(
            messages.Welcome(
                session=person.id, resume=person.secret, resumed=resumed, room=room.id, state=room.state,
                you=messages.You(id=person.id, role=person.role, may=sorted(person.claims.may)),
                rid=person.taken, ping_s=s.ping_every,
                limits=messages.Limits(bytes=s.message_bytes, per_s=s.rate, burst=s.burst),
                ice=list(event.ice), ice_ttl_s=event.ice_ttl, consent=consent.asked_of(room, person),
            )
        ),
    )  # fmt: skip


def tell_roster(room: "Room", person: Person, now: float) -> None:
    """Tell somebody who comes in who is there, and who waits."""
    others = [other.seen_by(person) for other in room.others(person)]
    room.tell(person, Roster(state=room.state, people=[*others, *bell.seen_by(room, person)]))
    if person.may("admit"):
        for waiting in room.waiting():
            room.tell(person, room.knock_of(waiting, now))


def announce(room: "Room", person: Person, *, again: bool) -> None:
    """Tell the others of somebody who comes in; `again` is with a page that knows nothing."""
    seed = messages.encode(UserJoined(person.user_type, room.inside_count))
    for other in room.others(person):
        if other.dialect is SEED:
            room.send(other, seed)
        else:
            room.tell(other, Joined(person=person.seen_by(other), again=again))


def tell_gone(room: "Room", person: Person, reason: str) -> None:
    """Tell the others that somebody is not inside any more."""
    room.tell_others(person, Left(id=person.id, reason=reason))
    seed = messages.encode(UserLeft(person.user_type, room.inside_count))
    for other in room.others(person):
        if other.dialect is SEED:
            room.send(other, seed)
