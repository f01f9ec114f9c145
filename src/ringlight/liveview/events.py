"""What a live view is told, and what it asks for: the events and actions of the session machine. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringlight.liveview.messages import Message
from ringlight.liveview.ptz import Axis

# ---- events --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """The socket is open and the offer is ready."""

    sdp: str


@dataclass(frozen=True, slots=True)
class Received:
    """A message came."""

    message: Message


@dataclass(frozen=True, slots=True)
class Garbled:
    """A frame came that is no message: the fault's code, what was seen, the method if it had one."""

    code: str
    detail: str
    method: str | None = None


@dataclass(frozen=True, slots=True)
class LocalCandidate:
    """We found another address of ours."""

    line: str
    mlineindex: int
    mid: str | None = None


@dataclass(frozen=True, slots=True)
class PathOpen:
    """ICE and DTLS are done."""


@dataclass(frozen=True, slots=True)
class PathFailed:
    """ICE or DTLS failed."""

    code: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class PathLeft:
    """The other side said goodbye on the media path; why, its socket may tell."""


@dataclass(frozen=True, slots=True)
class MediaSeen:
    """Packets came since the last time this was said."""


@dataclass(frozen=True, slots=True)
class Command:
    """A person wants the camera to do something: a JSON-RPC method with its parameters (pan, tilt)."""

    id: str
    method: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Talk:
    """A person wants to talk to the camera, or has ended."""

    on: bool


@dataclass(frozen=True, slots=True)
class SocketClosed:
    """The socket closed, with its close code (1006 without a close frame) and reason."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A deadline has come."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Our side wants to end."""


Event = (
    Start | Received | Garbled | LocalCandidate | PathOpen | PathFailed | PathLeft | MediaSeen | Command | Talk
    | SocketClosed | Tick | Stop
)  # fmt: skip

# ---- actions -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """Send this message."""

    message: Message


@dataclass(frozen=True, slots=True)
class UseAnswer:
    """Apply the answer to the media peer."""

    sdp: str


@dataclass(frozen=True, slots=True)
class AddCandidate:
    """Give the peer an address of the other side."""

    line: str
    mlineindex: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the dialog is done; one of `session.STEPS`. `at`: seconds since the view began to open."""

    name: str
    at: float = field(default=0.0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth showing that ends nothing. `code` names a fault if it is one. `at` as for `Step`."""

    text: str
    code: str | None = None
    at: float = field(default=0.0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class CommandDone:
    """A command was answered: `refused` says why it was not carried out, `None` that it was.

    `halted` is the camera's reason where it stopped by itself, such as `LIMIT_REACHED`.
    """

    id: str
    refused: str | None = None
    halted: str | None = None


@dataclass(frozen=True, slots=True)
class Halted:
    """A camera that turns has stopped by itself; `LIMIT_REACHED` is the only reason known. `at` as for `Step`."""

    axis: Axis
    reason: str
    at: float = field(default=0.0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Speaker:
    """The camera was told to open its speaker, or to close it; sound of ours is heard while it is open."""

    open: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """The one and last action: the view is over, for this fault."""

    code: str
    detail: str | None = None


Action = Send | UseAnswer | AddCandidate | Step | Note | CommandDone | Halted | Speaker | Closed
