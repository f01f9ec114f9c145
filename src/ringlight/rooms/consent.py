"""Consent in a room: who must give it, what waits for it, and who is told. Pure.

Where the room asks for it, nothing is negotiated for sound and pictures with somebody who has not consented to
`video`, and between an observer and somebody who has not consented to `observer` nothing passes at all, neither
signals nor words.
`recording` and `captions` are asked for and kept as they were answered: this server does neither, and whoever does it
by other means heeds them.
"""

from typing import TYPE_CHECKING

from ringlight.errors import fault_error
from ringlight.rooms import passing
from ringlight.rooms.messages import Consent, Consented, Consents, Quality
from ringlight.rooms.people import Dialect
from ringlight.rooms.person import Person

if TYPE_CHECKING:
    from ringlight.rooms.room import Room

__all__ = ["asked_of", "judge_dialect", "judge_quality", "missing_between", "take"]

QUALITY_EVERY = 10.0  # seconds between two notes on the quality of one person's call: a word that flickers is no news


def asked_of(room: "Room", person: Person) -> Consents:
    """Return what somebody must consent to, and to what they did. Who admits, and a camera, need not."""
    asked = room.consent - {"observer"} if person.role == "observer" else room.consent
    needed = [] if _is_exempt(person) else sorted(asked)
    return Consents(needed=needed, given=sorted(person.consents))


def judge_dialect(room: "Room", person: Person) -> None:
    """Raise ROOM-CONSENT for a page of the seed's kind that would have to ask for consent: it cannot.

    In open mode, for development, nobody has to be protected.
    """
    if room.consent and person.dialect is Dialect.SEED and person.claims.person is not None and not _is_exempt(person):
        raise fault_error("ROOM-CONSENT", "a page at the old address cannot ask for it")


def is_given(room: "Room", person: Person) -> bool:
    """Whether signals may pass to and from somebody."""
    return (
        "video" in person.consents
        or "video" not in room.consent
        or person.dialect is Dialect.SEED  # judged when it entered
        or _is_exempt(person)
    )


def missing_between(room: "Room", one: Person, other: Person) -> str | None:
    """Return to what one of the two would have to consent before anything passes between them; `None` where nothing.

    `is_given` judges each of them alone; this judges their company.
    """
    if "observer" not in room.consent or (one.role == "observer") == (other.role == "observer"):
        return None
    seen = other if one.role == "observer" else one
    return None if "observer" in seen.consents or seen.dialect is Dialect.SEED or _is_exempt(seen) else "observer"


def take(room: "Room", person: Person, message: Consent, now: float) -> None:
    """Note what somebody consents to, or no longer does, and tell those who see them."""
    what = frozenset(message.what)
    before = person.consents
    person.consents = before | what if message.given else before - what
    changed = sorted(before ^ person.consents)
    if not changed:
        return
    for one in changed:
        room.note("consent_given" if message.given else "consent_withdrawn", person, detail=one)
    told = Consented(id=person.id, what=[one for one in message.what if one in changed], given=message.given)
    for other in room.others(person) if person.inside else room.hosts():
        room.tell(other, told)
    if not message.given:
        if not is_given(room, person):
            person.offered = None
    elif person.inside and not {"video", "observer"}.isdisjoint(changed):
        passing.replay(room, person, now)


def judge_quality(room: "Room", person: Person, message: Quality, now: float) -> None:
    """Note how the call of somebody is, when that has changed."""
    room.need_inside(person)
    if message.connected_ms is not None:
        room.note("connected", person, figures={"seconds": message.connected_ms / 1000})
    if message.words == person.quality or now < person.quality_at + QUALITY_EVERY:
        return
    person.quality, person.quality_at = message.words, now
    figures = {"loss": message.loss, "rtt_ms": message.rtt_ms}
    known = {name: value for name, value in figures.items() if value is not None}
    room.note("quality", person, detail=message.words, figures=known)


def _is_exempt(person: Person) -> bool:
    return person.may("admit") or person.role == "camera"
