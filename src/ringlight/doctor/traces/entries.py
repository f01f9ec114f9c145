"""What a reader finds in a recording: sockets that were opened and ended, and what was said on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["MAX_FRAME", "Ended", "Entry", "Opened", "Other", "Place", "Said"]

MAX_FRAME = 1024 * 1024  # characters of a message or a line; a longer one is none


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands.

    Attributes:
        number: Of the line in a text, of the message in other files; from 1.
        at: Seconds since the beginning of the recording; `None` where it does not say.
        connection: Tells sockets apart.
    """

    number: int
    at: float | None = None
    connection: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """A socket was opened, or was not: `status` is the HTTP status, 101 where all is well, `None` where nobody says.

    `error` is what a browser wrote down where no answer came at all.
    """

    place: Place
    url: str
    status: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A message.

    Attributes:
        place: Where it stands.
        out: Whether the one who recorded sent it; `None` where that cannot be told.
        frame: As it was sent, or as far as a log shows it.
        partial: Whether only a part of it is there, so that the rest is taken for right.
    """

    place: Place
    out: bool | None
    frame: str | Mapping[str, Any]
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """A socket ended. `ours`: whether by the one who recorded; `None` where that cannot be told."""

    place: Place
    code: int | None
    reason: str = ""
    ours: bool | None = None


@dataclass(frozen=True, slots=True)
class Other:
    """Something that is no message; also a sign that time has passed."""

    place: Place


Entry = Opened | Said | Ended | Other
