"""Passing signals on within a room, between pages of both protocols, and keeping the offer that nobody has answered."""

from typing import TYPE_CHECKING

from msgspec import UNSET, Raw, UnsetType

from ringlight.errors import fault_error
from ringlight.rooms import consent, messages
from ringlight.rooms.messages import Chat, Chatted, Other, Seed, SeedAnswer, SeedCandidate, SeedOffer, Signal
from ringlight.rooms.people import OWN, SEED, Offered
from ringlight.rooms.person import Person

if TYPE_CHECKING:
    from ringlight.rooms.room import Room

Given = Raw | UnsetType
CANDIDATES_KEPT = 64  # of one offer; a machine with four networks and two TURN servers makes some 30


def pass_signal(room: "Room", person: Person, message: Signal, now: float) -> None:
    """Pass a description or a candidate of a `/ws/v2` page on."""
    if not person.inside or "signal" not in person.claims.may:
        room.need(person, "signal")  # says which of both it is
    description, candidate, to = message.description, message.candidate, message.to
    if (description is UNSET) == (candidate is UNSET):
        raise fault_error("ROOM-MESSAGE", "a signal has either a description or a candidate")
    others = room.others(person) if to is None else [room.other(person, to)]
    kind = "candidate"
    if description is not UNSET or person.offered is not None or room.consent:
        kind = kind if description is UNSET else messages.kind_of(description)
        if room.consent:
            others = _consenting(room, person, others, named=to is not None)
        until = now + room.settings.offer_kept
        _remember(person, others, None, kind, description, candidate, kept=to is None, until=until)
    for other in others:
        if other.dialect is OWN:
            room.tell_signal(other, person, description, candidate)
        else:
            _deliver(room, person, other, kind, description, candidate)


def pass_seed(room: "Room", person: Person, message: Seed, frame: bytes, now: float) -> None:
    """Pass a message of the seed's front end on: to its like byte for byte, to others in their words."""
    if not person.inside or "signal" not in person.claims.may:
        room.need(person, "signal")
    candidate = message.candidate
    if message.type == "ice-candidate" and candidate is not UNSET and person.offered is None and not room.consent:
        for other in room.people.values():  # as most are: there is nothing to remember, and nobody to leave out
            if other.inside and other is not person:
                if other.dialect is SEED:
                    room.send(other, frame)
                else:
                    _deliver(room, person, other, "candidate", UNSET, candidate)
        return
    kind, description, candidate = _read(message)
    others = room.others(person)
    if kind != "other":
        if room.consent:
            others = _consenting(room, person, others, named=False)
        until = now + room.settings.offer_kept
        _remember(person, others, frame, kind, description, candidate, kept=True, until=until)
    for other in others:
        if other.dialect is SEED:
            room.send(other, frame)
        elif kind != "other":
            _deliver(room, person, other, kind, description, candidate)
        else:
            room.tell(other, Other(from_=person.id, message=Raw(frame)))


def pass_chat(room: "Room", person: Person, message: Chat, now: float) -> None:
    """Pass words on."""
    room.need(person, "chat")
    others = [room.other(person, message.to)] if message.to is not None else room.others(person)
    if room.consent:
        others = _in_company(room, person, others, named=message.to is not None)
    for other in others:
        if other.dialect is SEED:
            room.send(other, messages.encode(messages.SeedChat(person.user_type, message.text)))
        else:
            room.tell(other, Chatted(from_=person.id, text=message.text, id=message.id))


def replay(room: "Room", person: Person, now: float) -> None:
    """Give a newcomer the offers that nobody has answered, with their candidates.

    The seed's doctor offers once, three seconds after it came; into an empty room that offer would be lost, and both
    would wait for ever.
    """
    if not consent.is_given(room, person):
        return  # it is replayed once it is
    for other in room.others(person):
        offered = other.offered
        if offered is None or offered.until <= now or other.role == person.role:
            continue
        if consent.missing_between(room, person, other) is not None:
            continue
        for frame, kind, raw in (
            (offered.frame, "offer", offered.description),
            *((frame, "candidate", raw) for frame, raw in offered.candidates),
        ):
            if person.dialect is SEED and frame is not None:
                room.send(person, frame)
            elif kind == "offer":
                _deliver(room, other, person, kind, raw, UNSET)
            else:
                _deliver(room, other, person, kind, UNSET, raw)


def _consenting(room: "Room", person: Person, others: list[Person], *, named: bool) -> list[Person]:
    """Return those to whom a signal may go; raise ROOM-CONSENT where it may not come from this one, or not to that."""
    if not consent.is_given(room, person):
        raise fault_error("ROOM-CONSENT", "you have not consented to 'video'")
    if not named:
        others = [other for other in others if consent.is_given(room, other)]
    elif not consent.is_given(room, others[0]):
        raise fault_error("ROOM-CONSENT", "the other person has not consented to 'video'")
    return _in_company(room, person, others, named=named)


def _in_company(room: "Room", person: Person, others: list[Person], *, named: bool) -> list[Person]:
    """Return those of whom neither minds the other's company; raise ROOM-CONSENT where the one who is named does."""
    missing = {other.id: consent.missing_between(room, person, other) for other in others}
    if named and (what := missing[others[0].id]) is not None:
        raise fault_error("ROOM-CONSENT", f"one of the two has not consented to {what!r}")
    return [other for other in others if missing[other.id] is None]


def _read(message: Seed) -> tuple[str, Given, Given]:
    """Return what a message of the seed's front end is, its description and its candidate."""
    kind = message.type
    if kind == "ice-candidate" and message.candidate is not UNSET:
        return "candidate", UNSET, message.candidate
    if kind == "offer" and message.offer is not UNSET:
        return "offer", message.offer, UNSET
    if kind == "answer" and message.answer is not UNSET:
        return "answer", message.answer, UNSET
    return "other", UNSET, UNSET


def _remember(
    person: Person, others: list[Person], frame: bytes | None, kind: str, description: Given, candidate: Given,
    *, kept: bool, until: float,
) -> None:  # fmt: skip
    if kind == "answer":
        for other in others:
            other.offered = None
    elif kind == "offer" and isinstance(description, Raw):
        person.offered = Offered(frame, description, until) if kept else None
    elif kept and person.offered is not None and isinstance(candidate, Raw):
        del person.offered.candidates[CANDIDATES_KEPT - 1 :]
        person.offered.candidates.append((frame, candidate))


def _deliver(room: "Room", person: Person, other: Person, kind: str, description: Given, candidate: Given) -> None:
    if other.dialect is OWN:
        room.tell_signal(other, person, description, candidate)
    elif isinstance(candidate, Raw):
        room.send(other, messages.encode(SeedCandidate(candidate)))
    elif isinstance(description, Raw) and kind in ("offer", "answer"):
        told = SeedOffer(description) if kind == "offer" else SeedAnswer(description)
        room.send(other, messages.encode(told))
