"""What the address of a socket says: which protocol, which room, who. Wrong ones are told apart."""

from dataclasses import dataclass

from ringlight.errors import fault_error
from ringlight.rooms.people import OWN, ROLES, SEED, USER_TYPES, Dialect

__all__ = ["Address", "dialect_of", "is_of_rooms", "judge_room_id", "read_address"]

# What pages write into an address when a variable has no value, or nobody has filled a template in.
_NO_VALUE = {"undefined", "null", "nan", "none", "[object object]", "true", "false"}
_ID_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Address:
    """A socket's address, read. On `/ws/v2` room and role come later, in `hello`."""

    dialect: Dialect
    room: str = ""
    role: str = ""


def read_address(path: str) -> Address:
    """Read the path of a socket; doubled slashes, as a base URL with a slash at its end makes them, change nothing.

    Raises:
        UsageError: ROOM-PATH, ROOM-ID or ROOM-ROLE.
    """
    parts = path.split("/")
    while parts and parts[0] != "ws":  # a router may be mounted under a prefix
        del parts[0]
    named = [part for part in parts if part]
    if named == ["ws", "v2"]:
        return Address(OWN)
    if named[:2] != ["ws", "signaling"] or len(named) > 4:
        raise fault_error("ROOM-PATH", f"this is {_shown(path)}")
    rest = named[2:]
    if not rest or (len(rest) == 1 and (rest[0] in USER_TYPES or rest[0] in ROLES)):
        raise fault_error("ROOM-ID", f"it is empty in {_shown(path)}")
    room = judge_room_id(rest[0])
    given = rest[1] if len(rest) > 1 else ""
    role = USER_TYPES.get(given, given)
    if role not in ROLES:
        raise fault_error("ROOM-ROLE", f"it is {given[:40]!r}" if given else "there is none after the room's id")
    return Address(SEED, room, role)


def is_of_rooms(path: str) -> bool:
    """Whether a path at the root is one of both protocols', right or wrong in what follows; slashes may be doubled."""
    parts = [part for part in path.split("/") if part]
    return parts[:2] == ["ws", "signaling"] or parts == ["ws", "v2"]


def dialect_of(path: str) -> Dialect:
    """Return in which words a socket at this path is told that it is wrong."""
    return OWN if path.rstrip("/").endswith("/v2") else SEED


def judge_room_id(room: str) -> str:
    """Return the id, if it is one.

    Raises:
        UsageError: ROOM-ID, it is empty, too long, or a word that stands for a missing value.
    """
    plain = room.strip()
    if not plain or plain.casefold() in _NO_VALUE or plain[0] in "{:[$<" or not room.isprintable():
        raise fault_error("ROOM-ID", f"it is {room[:40]!r}")
    if len(room) > _ID_LENGTH:
        raise fault_error("ROOM-ID", f"it has {len(room)} letters, more than {_ID_LENGTH}")
    return room


def _shown(path: str) -> str:
    return repr(path if len(path) <= 60 else path[:59] + "…")
