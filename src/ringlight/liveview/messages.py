"""The messages of Ring's signaling socket, as types. The only place that knows their shape.

Used by the client, by the simulator from the other side, and by the lint. What the wire brings is
parsed here and trusted afterwards. Shapes: docs/reference/observed-protocol.md#messages.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from ringlight.errors import RingError, fault_error

MAX_BYTES = 256 * 1024  # an offer of a browser has 6 kB; a longer frame is noise

CANDIDATE_FIELDS = ("ice", "mlineindex", "mid")


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


class PushBody(Body, frozen=True, kw_only=True):
    """What the messages about events share: they name no camera in the usual place.

    Attributes:
        doorbot_id: 0 where there is none, as in all of them that were seen.
    """

    doorbot_id: int = 0


class PushFilters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which cameras events are wanted of; empty for all."""

    doorbot_ids: tuple[int, ...] = ()


class PushWish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One kind of event that is wanted. `filter_identifier` is the client's, and comes back with each event."""

    notification_type: str
    notification_scope: str | None = None
    filter_identifier: str | None = None
    filters: PushFilters | None = None


class PushSubscribe(PushBody, frozen=True, kw_only=True):
    """Asks for events over this socket. Opens a dialog of its own."""

    METHOD = "push_subscribe"

    requested_notifications: tuple[PushWish, ...]


class PushSubscriptionAck(PushBody, frozen=True, kw_only=True):
    """The server's reply: `status` is `ok`."""

    METHOD = "push_subscription_ack"

    status: str
    subscription_id: str | None = None


class PushEvent(PushBody, frozen=True, kw_only=True):
    """Something that a camera has seen, as the server tells it. `ingestion_time_ms` is in milliseconds."""

    METHOD = "push_event"

    subscription_id: str
    notification_type: str | None = None
    notification_scope: str | None = None
    payload: dict[str, Any] = {}
    filter_identifiers: tuple[str, ...] = ()
    ingestion_time_ms: int | float | None = None


class PushHeartbeat(PushBody, frozen=True, kw_only=True):
    """Keep-alive of a subscription, some every five seconds; it is not answered."""

    METHOD = "push_heartbeat"

    subscription_id: str | None = None


class PushUnsubscribe(PushBody, frozen=True, kw_only=True):
    """Ends a subscription."""

    METHOD = "push_unsubscribe"

    subscription_id: str | None = None


class Unknown(Body, frozen=True, kw_only=True):
    """A method that is not listed here; Ring adds some without notice.

    Attributes:
        fields: The body as it came.
    """

    doorbot_id: int = 0
    fields: Mapping[str, Any] = {}


BODIES: dict[str, type[Body]] = {
    kind.METHOD: kind
    for kind in (
        LiveView, SessionCreated, SessionStarted, Sdp, Ice, ActivateSession, StreamOptions, MicEnable,
        CameraOptions, Ping, Pong, Notification, CameraStarted, StreamInfo, Rpc, Close, Playback,
        PushSubscribe, PushSubscriptionAck, PushEvent, PushHeartbeat, PushUnsubscribe,
    )
}  # fmt: skip

_FAULT_OF_FIELD = {
    "doorbot_id": "SIG-DOORBOT-ID",
    "session_id": "SIG-SESSION-ID",
    "sdp": "SIG-SDP",
    "ice": "SIG-CANDIDATE",
    "mlineindex": "SIG-CANDIDATE",
}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One frame: envelope and body.

    Attributes:
        method: The wire's name of the message.
        body: Its typed body.
        dialog_id: The client's UUID for one live view; the server echoes it.
        riid: 32 hex digits that the server echoes if it was given one; `None` if absent.
    """

    method: str
    body: Body
    dialog_id: str | None = None
    riid: str | None = None


def encode(message: Message) -> str:
    """Write a message as the text of one frame."""
    envelope: dict[str, Any] = {"method": message.method}
    if message.dialog_id is not None:
        envelope["dialog_id"] = message.dialog_id
    if message.riid is not None:
        envelope["riid"] = message.riid
    body = message.body
    envelope["body"] = dict(body.fields) if isinstance(body, Unknown) else msgspec.to_builtins(body)
    return msgspec.json.encode(envelope).decode()


def load(frame: str | bytes) -> dict[str, Any]:
    """Read a frame as a JSON object.

    Raises:
        SignalingError: SIG-NOISE where it is none, or is longer than `MAX_BYTES`.
    """
    if len(frame) > MAX_BYTES:
        raise fault_error("SIG-NOISE", f"a frame of {len(frame)} bytes; {MAX_BYTES} at most are expected")
    try:
        envelope = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise fault_error("SIG-NOISE", f"not JSON: {str(error)[:80]}") from None
    if not isinstance(envelope, dict):
        raise fault_error("SIG-NOISE", f"a JSON {type(envelope).__name__} where an object is expected")
    return envelope


def parse(frame: str | bytes) -> Message:
    """Read a frame as a message; an unlisted method becomes an `Unknown` body.

    Raises:
        SignalingError: SIG-NOISE, SIG-FORMAT, or the fault of the field that is missing or of the
            wrong type.
    """
    return parse_envelope(load(frame))


def parse_envelope(envelope: Mapping[str, Any]) -> Message:
    """Read a decoded frame as a message. Raises as `parse` does."""
    method = envelope.get("method")
    if not isinstance(method, str):
        raise fault_error("SIG-FORMAT", f"required field method: {_shown(method)} where text is expected")
    dialog_id = _text_or_none(envelope, "dialog_id", "SIG-DIALOG-ID")
    riid = _text_or_none(envelope, "riid", "SIG-FORMAT")
    fields = envelope.get("body")
    if not isinstance(fields, dict):
        seen = f"{_shown(fields)} where an object is expected"
        raise fault_error("SIG-FORMAT", f"{method[:40]}: required field body: {seen}")
    return Message(method=method, dialog_id=dialog_id, riid=riid, body=_parse_body(method, fields))


def _parse_body(method: str, fields: dict[str, Any]) -> Body:
    kind = BODIES.get(method)
    if kind is None:
        number = fields.get("doorbot_id")
        return Unknown(doorbot_id=number if isinstance(number, int) else 0, fields=fields)
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise _field_error(method, str(error)) from None


def _field_error(method: str, complaint: str) -> RingError:
    """Turn msgspec's complaint (it quotes the field's name or path) into the fault of that field.

    The simulator closes with these words as its reason; by them the catalogue finds the same fault again.
    """
    for field, code in _FAULT_OF_FIELD.items():
        if f"`{field}`" in complaint or f"$.{field}" in complaint:
            topic = "candidate" if code == "SIG-CANDIDATE" else field
            seen = complaint.replace("missing required field", "without")
            return fault_error(code, f"{method}: {topic} cannot be used: {seen}")
    return fault_error("SIG-FORMAT", f"{method}: required field: {complaint}")


def _text_or_none(envelope: Mapping[str, Any], field: str, code: str) -> str | None:
    value = envelope.get(field)
    if value is None or isinstance(value, str):
        return value
    raise fault_error(code, f"malformed message: {field} is {_shown(value)} where text is expected")


def _shown(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
