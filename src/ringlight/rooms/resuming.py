"""Coming back into a room: a connection that broke goes on, or a new page takes over from an older one. Pure."""

import hmac
from typing import TYPE_CHECKING

from ringlight.errors import fault_error
from ringlight.rooms import messages, passing, presence
from ringlight.rooms.events import Close, Enter, Resuming, Send, node_of
from ringlight.rooms.people import Claims, Dialect
from ringlight.rooms.person import Person

if TYPE_CHECKING:
    from ringlight.rooms.room import Room

__all__ = ["resume", "take_over", "whose"]


def whose(room: "Room", resuming: Resuming, claims: Claims | None, now: float) -> Person | None:
    """Return whose broken connection this is; `None` where the secret is wrong or the token has ended."""
    person = room.people.get(resuming.session)
    if person is None or person.dialect is not Dialect.OWN:
        return None
    given = resuming.secret.encode(errors="replace")
    if not any(known and hmac.compare_digest(known.encode(), given) for known in (person.secret, person.earlier)):
        return None
    if claims is not None and claims.person == person.claims.person and claims.person is not None:
        person.claims = claims
    expires = person.claims.expires
    return None if expires is not None and expires <= now else person


def resume(room: "Room", person: Person, event: Enter, seq: int, now: float) -> None:
    """Go on where a connection broke, with all that its page has missed after event `seq`."""
    missed = person.outbox.after(seq)
    if room.mark is None:
        person.outbox.forget(seq)
    _unseat(room, person)
    person.earlier, person.secret = event.resuming.secret if event.resuming is not None else "", event.secret
    _seat(room, person, event.socket)
    if missed is None:
        room.note("resume_failed", person, detail="not kept")
        _start_again(room, person, event, now)
        return
    presence.welcome(room, person, event, resumed=True)
    room.out += [Send(event.socket, frame) for frame in missed]
    room.note("resumed", person)
    if person.inside:
        room.tell_others(person, messages.Back(id=person.id))


def take_over(room: "Room", person: Person, claims: Claims, event: Enter, now: float) -> None:
    """Give somebody's place to a newer page of theirs."""
    _unseat(room, person)
    person.claims, person.dialect, person.secret, person.earlier = claims, event.dialect, event.secret, ""
    _seat(room, person, event.socket)
    _start_again(room, person, event, now)


def _start_again(room: "Room", person: Person, event: Enter, now: float) -> None:
    """A person whom the others know has a page that knows nothing."""
    person.outbox, person.offered, person.media = room.new_outbox(), None, {}
    person.mail.clear()
    if person.dialect is Dialect.SEED or event.resuming is None:
        person.taken = 0
    presence.welcome(room, person, event, resumed=False)
    room.note("came_back", person)
    if not person.inside and not person.may("admit"):
        room.place_in_line(person)
        return
    if not person.inside:  # with a token that says more than the one before
        person.inside = True
        room.tell_knock_gone(person)
    presence.tell_roster(room, person, now)
    presence.announce(room, person, again=True)
    passing.replay(room, person, now)


def _unseat(room: "Room", person: Person) -> None:
    """Part a person from a connection that still seems open."""
    if person.socket is None:
        return
    if person.dialect is Dialect.OWN:
        room.out.append(Send(person.socket, messages.refusal(fault_error("ROOM-REPLACED"))))
        room.say_bye(person.socket, "replaced", "leave", messages.CLOSE_CODES["ROOM-REPLACED"])
    else:
        room.out.append(Close(person.socket, 1000))  # another code starts the reconnect timer of its client B
    del room.by_socket[person.socket]
    person.socket = None


def _seat(room: "Room", person: Person, socket: int) -> None:
    person.socket, person.gone_at = socket, None
    person.seats, person.home = person.seats + 1, node_of(socket)
    person.mail.clear()
    room.by_socket[socket] = person
    if person.inside and person.may("admit"):
        room.hosts_gone_at = None
