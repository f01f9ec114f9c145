"""What a player's dialog is told, and what it wants done."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringlight.errors import RingError
from ringlight.secrets import Secret
from ringlight.server.rtsp.credentials import Answer
from ringlight.server.rtsp.description import Stream


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes of the player."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """The camera's view is open."""

    stream: Stream


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the player has shown is good for what it asks."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The player may not watch, the camera cannot be watched, or ports cannot be had."""

    error: RingError


@dataclass(frozen=True, slots=True)
class Placed:
    """Ports for a track are bound."""

    ports: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Alive:
    """A report of the player came by UDP."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = Received | Admitted | Opened | Refused | Placed | Alive | Tick


@dataclass(frozen=True, slots=True)
class Send:
    """Send text to the player."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Judge:
    """Judge whether somebody may watch a camera by what they show of a key; `Admitted` or `Refused` answers.

    Attributes:
        camera: Empty where the request names none.
        shown: The key, or an answer that proves one.
    """

    camera: str
    shown: Secret | Answer


@dataclass(frozen=True, slots=True)
class Open:
    """Open a camera's view, leaving the one that was open; `Opened` or `Refused` answers."""

    camera: str


@dataclass(frozen=True, slots=True)
class Place:
    """Bind ports for a track whose player listens at these; `Placed` or `Refused` answers."""

    track: int
    ports: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Play:
    """Begin to send: by track the channels between the text, or `None` where it has ports."""

    channels: Mapping[int, tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class Pause:
    """Send no more for now."""


@dataclass(frozen=True, slots=True)
class Report:
    """Take what the player reports about a track."""

    track: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection, once what was sent is out. `why` is for the log; `None` is a regular end."""

    why: str | None = None


Action = Send | Judge | Open | Place | Play | Pause | Report | Close
