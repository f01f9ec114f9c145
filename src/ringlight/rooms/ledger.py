"""What happens in a room, written so that all nodes read the same; and a whole room, for who comes later. Pure.

An entry is a letter and what belongs to it. What a page said stays as it came.
"""

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Any

import msgspec

from ringlight.errors import RingError
from ringlight.rooms import messages
from ringlight.rooms.events import (
    AddCamera,
    Away,
    Enter,
    Event,
    Finish,
    Gone,
    Make,
    Merge,
    Pressed,
    RemoveCamera,
    Renew,
    Said,
    Tick,
)
from ringlight.rooms.outbox import Outbox
from ringlight.rooms.people import Claims, Dialect, Offered, Returning
from ringlight.rooms.person import Person
from ringlight.rooms.room import Room
from ringlight.settings import RoomSettings

__all__ = ["Entry", "read_entry", "read_event", "read_room", "write_event", "write_room"]

_SAID, _SEED, _MERGE = b"s", b"S", b"M"
_NUMBERS = Struct("!QQ")
_KINDS: dict[bytes, type] = {
    b"e": Enter, b"g": Gone, b"t": Tick, b"f": Finish, b"m": Make, b"r": Renew, b"a": Away, b"c": AddCamera,
    b"C": RemoveCamera, b"p": Pressed,
}  # fmt: skip
_LETTERS = {kind: letter for letter, kind in _KINDS.items()}
_UNREADABLE = (UnicodeError, RecursionError)  # what msgspec lets through: text that is no UTF-8, and too many brackets


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a room's ledger.

    Attributes:
        epoch: Names this ledger; another begins where Redis has lost all.
        number: Counts from 1.
        at: When Redis took it, in seconds since 1970; never goes back.
        node: Who wrote it.
        serial: How many this node had written; grows.
        body: From `write_event`.
    """

    epoch: str
    number: int
    at: float
    node: int
    serial: int
    body: bytes


class _Kept(msgspec.Struct):
    """An outbox."""

    most: int
    most_bytes: int
    seq: int
    frames: list[str]


class _Someone(msgspec.Struct):
    """A person, by the names of their attributes: a compiled class does not tell what is in them."""

    id: str
    secret: str
    claims: Claims
    dialect: Dialect
    rank: int
    outbox: _Kept
    since: float
    socket: int | None
    inside: bool
    gone_at: float | None
    taken: int
    offered: Offered | None
    media: dict[str, bool]
    consents: frozenset[str]
    quality: str
    quality_at: float
    mail: list[tuple[int, int, int, int]]
    seats: int
    home: int
    earlier: str


class _Whole(msgspec.Struct):
    """All of a room, by the names of its attributes."""

    id: str
    lobby: bool
    opens: float | None
    closes: float | None
    capacity: int
    kept: bool
    passing: bool
    consent: frozenset[str]
    locked: bool
    cameras: dict[str, str]
    rung: dict[str, tuple[str, float]]
    started: bool
    returning: dict[str, Returning]
    returning_until: float
    ended_at: float | None
    empty_since: float | None
    ranks: int
    hosts_gone_at: float | None
    heard: dict[int, int]
    people: dict[str, _Someone]


def _someone(person: Person) -> _Someone:
    outbox = person.outbox
    kept = _Kept(outbox.most, outbox.most_bytes, outbox.seq, [frame.decode() for frame in outbox.kept])
    plain = {name: getattr(person, name) for name in _Someone.__struct_fields__}
    return _Someone(**{**plain, "outbox": kept})


def _person(someone: _Someone) -> Person:
    kept = someone.outbox
    outbox = Outbox(kept.most, kept.most_bytes, kept.seq, [frame.encode() for frame in kept.frames])
    plain = {name: getattr(someone, name) for name in _Someone.__struct_fields__}
    return Person(**{**plain, "outbox": outbox})


_encode = msgspec.json.Encoder().encode
_decoders: dict[bytes, Callable[[bytes], Any]] = {
    letter: msgspec.json.Decoder(kind).decode for letter, kind in _KINDS.items()
}
_decode_whole = msgspec.json.Decoder(_Whole).decode


def read_entry(line: bytes) -> Entry | None:
    """Read an entry as the ledger's script writes it; `None` for what is none."""
    try:
        epoch, number, ms, node, serial, body = line.split(b" ", 5)
        return Entry(epoch.decode(), int(number), int(ms) / 1000, int(node), int(serial), body)
    except (ValueError, OverflowError):
        return None


def write_event(event: Event) -> bytes:
    """Return what happened as an entry's body."""
    if isinstance(event, Said):
        letter = _SEED if isinstance(event.message, messages.Seed) else _SAID
        return letter + event.socket.to_bytes(8, "big") + event.frame
    if isinstance(event, Merge):
        return _MERGE + _NUMBERS.pack(event.node, event.known) + write_room(event.other)
    return _LETTERS[type(event)] + _encode(event)


def read_event(body: bytes, settings: RoomSettings) -> Event | None:
    """Return what an entry tells; `None` for what this version does not know."""
    letter, rest = body[:1], body[1:]
    try:
        if letter in (_SAID, _SEED):
            frame = rest[8:]
            parsed = messages.parse(frame) if letter == _SAID else messages.parse_seed(frame)
            return Said(int.from_bytes(rest[:8], "big"), parsed, frame)
        if letter == _MERGE and len(rest) > _NUMBERS.size:
            node, known = _NUMBERS.unpack_from(rest)
            return Merge(node, known, read_room(rest[_NUMBERS.size :], settings))
        found: Event | None = _decoders[letter](rest) if letter in _decoders else None
    except (msgspec.MsgspecError, RingError, *_UNREADABLE):
        return None
    return found


def write_room(room: Room) -> bytes:
    """Return all of a room."""
    plain = {name: getattr(room, name) for name in _Whole.__struct_fields__}
    return _encode(_Whole(**{**plain, "people": {key: _someone(person) for key, person in room.people.items()}}))


def read_room(whole: bytes, settings: RoomSettings) -> Room:
    """Return a room from `write_room`.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    try:
        found = _decode_whole(whole)
    except _UNREADABLE as error:
        raise msgspec.DecodeError(type(error).__name__) from None
    room = Room(found.id, settings)
    for name in found.__struct_fields__:
        setattr(room, name, getattr(found, name))
    room.people = {key: _person(someone) for key, someone in found.people.items()}
    room.by_socket = {person.socket: person for person in room.people.values() if person.socket is not None}
    return room
