"""The messages of one live view, from the offer to the close, and what all messages share."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all bodies share.

    Attributes:
        doorbot_id: The camera's number. A JSON integer, nothing else.
        session_id: Opaque text from `session_created`; `None` before it.
    """

    METHOD: ClassVar[str] = ""

    doorbot_id: int
    session_id: str | None = None


class Streams(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which streams are wanted; `None` leaves one as it is."""

    audio_enabled: bool | None = None
    video_enabled: bool | None = None
    ptz_enabled: bool | None = None


class LiveView(Body, frozen=True, kw_only=True):
    """The offer; the first message of a dialog. As an answer it is known from one old client only."""

    METHOD = "live_view"

    sdp: str
    stream_options: Streams | None = None
    type: str | None = None


class SessionCreated(Body, frozen=True, kw_only=True):
    """The server's first reply. The first one of a dialog counts, later ones change nothing."""

    METHOD = "session_created"

    requested_at: Any = None  # ms; nobody needs it, so it may be anything


class SessionStarted(Body, frozen=True, kw_only=True):
    """Another name for `session_created`, known from one client's types."""

    METHOD = "session_started"


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What newer servers tell beside the answer. `ping_interval` is in seconds."""

    ping_interval: int | float | None = None
    session_id: str | None = None
    # Nobody needs these: should Ring write a number one day where there was text, no view is to fail by it.
    region: Any = None
    ding_id: Any = None
    ding_kind: Any = None
    created_at: Any = None
    ip: Any = None
    cell_id: Any = None
    rms_version: Any = None


class Sdp(Body, frozen=True, kw_only=True):
    """The server's answer, sent before the camera is awake."""

    METHOD = "sdp"

    sdp: str
    type: str | None = None
    session_info: SessionInfo | None = None


class Ice(Body, frozen=True, kw_only=True):
    """One candidate, without `a=`; `mlineindex` counts media sections from 0."""

    METHOD = "ice"

    ice: str
    mlineindex: int
    mid: str | None = None


class ActivateSession(Body, frozen=True, kw_only=True):
    """Sent once after the answer was applied; without it the stream ends after some 70 seconds."""

    METHOD = "activate_session"


class StreamOptions(Body, frozen=True, kw_only=True):
    """Switches streams on and off."""

    METHOD = "stream_options"

    audio_enabled: bool | None = None
    video_enabled: bool | None = None


class MicEnable(Body, frozen=True, kw_only=True):
    """Opens or closes the person's microphone."""

    METHOD = "mic_enable"

    enabled: bool


class CameraOptions(Body, frozen=True, kw_only=True):
    """Opens (`stealth_mode` false) or closes the camera's speaker."""

    METHOD = "camera_options"

    stealth_mode: bool | None = None


class Ping(Body, frozen=True, kw_only=True):
    """Keep-alive of the client."""

    METHOD = "ping"


class Pong(Body, frozen=True, kw_only=True):
    """The server's reply to a ping."""

    METHOD = "pong"


class Notification(Body, frozen=True, kw_only=True):
    """A status. With `is_ok` false, `text` is Ring's own explanation and is always shown."""

    METHOD = "notification"

    is_ok: bool | None = None
    text: str = ""


class CameraStarted(Body, frozen=True, kw_only=True):
    """The camera sends."""

    METHOD = "camera_started"


class StreamInfo(Body, frozen=True, kw_only=True):
    """Whether the server transcodes, and why."""

    METHOD = "stream_info"

    transcoding: bool | None = None
    transcoding_reason: str | None = None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a dialog ends. The codes are in docs/reference/observed-protocol.md#close."""

    code: int
    text: str = ""


class Close(Body, frozen=True, kw_only=True):
    """The end of a dialog, from either side."""

    METHOD = "close"

    reason: Reason


class Rpc(Body, frozen=True, kw_only=True):
    """A command to the camera or its answer, as JSON-RPC 2.0 (pan and tilt)."""

    METHOD = "rpc"

    command: dict[str, Any]


class Playback(Body, frozen=True, kw_only=True):
    """Asks for recorded video; answered with `sdp` and trickled `ice`. Opens a dialog of its own."""

    METHOD = "playback"

    sdp: str
    type: str | None = None
    entry_point: str | None = None


class Unknown(Body, frozen=True, kw_only=True):
    """A method that is not listed here; Ring adds some without notice.

    Attributes:
        fields: The body as it came.
    """

    doorbot_id: int = 0
    fields: Mapping[str, Any] = {}
