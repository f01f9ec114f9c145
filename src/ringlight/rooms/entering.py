"""Coming into a room: who may, who waits before it, and whose place a newcomer takes. Pure."""

from typing import TYPE_CHECKING

from ringlight.errors import RingError, fault_error
from ringlight.rooms import consent, passing, presence, resuming
from ringlight.rooms.events import Enter, Note, node_of
from ringlight.rooms.leaving import refused
from ringlight.rooms.people import SEED, Claims, Dialect
from ringlight.rooms.person import Person

if TYPE_CHECKING:
    from ringlight.rooms.room import Room

__all__ = ["come_in", "knock"]


def knock(room: "Room", event: Enter, now: float) -> None:
    """Let somebody in or before the door, or tell them why not."""
    try:
        _enter(room, event, now)
    except RingError as error:
        role = event.claims.role if event.claims is not None else ""
        room.out.append(Note("refused", role, error.code, room.id, passing=room.passing))
        room.out += refused(event.socket, event.dialect, error)


def _enter(room: "Room", event: Enter, now: float) -> None:
    if event.resuming is not None and (person := resuming.whose(room, event.resuming, event.claims, now)) is not None:
        resuming.resume(room, person, event, event.resuming.seq, now)
        return
    if event.resuming is not None:
        room.note("resume_failed", detail="unknown")
    claims = event.claims
    if claims is None:
        raise fault_error("ROOM-TOKEN-NEEDED", "the session is not known any more")
    _judge_time(room, now)
    before = _same(room, claims, event.dialect)
    if before is not None:
        resuming.take_over(room, before, claims, event, now)
        return
    host = "admit" in claims.may
    returns = room.returning.get(claims.person or "")
    if room.locked and not host and returns is None:
        raise fault_error("ROOM-LOCKED")
    inside = host or not room.lobby or (returns is not None and returns.inside)
    count, most = room.inside_count, room.capacity
    if not inside:
        count, most = len(room.people) - count, room.settings.waiting
    if count >= most:
        raise fault_error("ROOM-FULL", f"{count} of {most} places are taken")
    person = Person(event.id, event.secret, claims, event.dialect, room.ranks + 1, room.new_outbox(), now, event.socket)
    person.home = node_of(event.socket)
    consent.judge_dialect(room, person)
    room.next_rank()
    if returns is not None:
        person.consents = returns.consents
        del room.returning[claims.person or ""]
    room.people[person.id] = room.by_socket[event.socket] = person
    presence.welcome(room, person, event, resumed=False)
    if inside:
        come_in(room, person, now)
    else:
        room.note("waiting", person)
        room.place_in_line(person)
        for other in room.hosts():
            room.tell(other, room.knock_of(person, now))


def _judge_time(room: "Room", now: float) -> None:
    if room.ended_at is not None or (room.closes is not None and now >= room.closes):
        raise fault_error("ROOM-ENDED")
    if room.opens is not None and now < room.opens:
        wait = room.opens - now
        raise fault_error("ROOM-EARLY", f"it opens in {wait:.0f} s", retry_after=wait)


def _same(room: "Room", claims: Claims, dialect: Dialect) -> Person | None:
    """Return whose place this newcomer takes: the same token holder's; in open mode the seed's namesake's.

    Where there is a lobby nobody takes the place of another by a name that anybody may say.
    """
    for person in room.people.values():
        if claims.person is not None:
            if person.claims.person == claims.person:
                return person
        elif (
            person.claims.person is None
            and dialect is person.dialect is SEED
            and person.role == claims.role
            and (not room.lobby or "admit" in claims.may)
        ):
            return person
    return None


def come_in(room: "Room", person: Person, now: float, how: str = "") -> None:
    """Let somebody inside; `how` is for the record."""
    person.inside = True
    if person.may("admit"):
        room.hosts_gone_at = None
    room.note("entered", person, detail=how)
    if not room.started:
        room.started = True
        room.note("started")
    presence.tell_roster(room, person, now)
    presence.announce(room, person, again=False)
    passing.replay(room, person, now)
