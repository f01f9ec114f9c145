"""The keys of rooms in Redis, and how what Redis answers about them is read. Pure."""

import hashlib
import re
from typing import Any

from ringlight.rooms.copies import Loaded, Sign
from ringlight.rooms.events import Unreadable
from ringlight.rooms.ledger import Entry, read_entry

__all__ = ["PREFIX", "PRESENT", "channel_of", "is_spoilt", "keys_of", "name_of", "read_loaded", "read_signs"]

# Another number where rooms or entries are of another shape, so that servers of before and of now leave each other's
# alone; tests/rooms/test_rooms_unreadable.py notices.
PREFIX = "ringlight:rooms:2"
PRESENT = f"{PREFIX}:present"  # which nodes there are; each look takes out those that are gone
# What Redis says of keys that are not those of a ledger, and only of them: another kind, or no numbers in them.
_SPOILT = re.compile(r"WRONGTYPE|attempt to (perform arithmetic|compare)|not an integer|bad argument")
_MEMBER = re.compile(rb"([0-9]{1,10}):([0-9]{1,18})")


def name_of(room: str) -> str:
    """Return how all keys of a room begin."""
    # Hashed, as a room's id may be somebody's; in braces, as a cluster keeps keys together by that.
    return f"{PREFIX}:{{{hashlib.sha256(room.encode(errors='surrogatepass')).hexdigest()[:32]}}}"


def keys_of(room: str) -> list[str]:
    """Return the keys of a room's ledger, in the order that its script wants."""
    name = name_of(room)
    return [f"{name}:head", f"{name}:entries", f"{name}:whole"]


def channel_of(room: str) -> str:
    """Return where the entries of a room are published."""
    return f"{name_of(room)}:said"


def is_spoilt(answer: Exception) -> bool:
    """Whether an answer is about the keys of one room alone; any other is about Redis."""
    return _SPOILT.search(str(answer)) is not None


def read_loaded(room: str, answer: list[Any]) -> Loaded | Unreadable:
    """Read what the ledger's script answers to `load`."""
    epoch, number, whole, entries = answer
    try:
        name, begins = epoch.decode(), int(number)
    except ValueError:
        return Unreadable(room, "its head has no name, or no number")
    # One that cannot be read keeps its place: as with an event of a newer version, nothing comes of it.
    found = (read_entry(line) or Entry(name, begins + at, 0.0, 0, 0, b"") for at, line in enumerate(entries, start=1))
    return Loaded(room, name, begins, whole, tuple(found))


def read_signs(found: list[bytes]) -> dict[int, Sign]:
    """Return who is there, from `node:stretch` and the time of each; what is neither is none of ours."""
    signs: dict[int, Sign] = {}
    for member, until in zip(found[::2], found[1::2], strict=True):
        if (named := _MEMBER.fullmatch(member)) is not None:
            signs[int(named[1])] = Sign(int(named[2]), float(until))
    return signs
