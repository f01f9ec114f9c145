"""Frames of Ring's signaling socket, read and written."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ringlight.errors import RingError, fault_error
from ringlight.liveview.messages.dialog import (
    ActivateSession,
    Body,
    CameraOptions,
    CameraStarted,
    Close,
    Ice,
    LiveView,
    MicEnable,
    Notification,
    Ping,
    Playback,
    Pong,
    Rpc,
    Sdp,
    SessionCreated,
    SessionStarted,
    StreamInfo,
    StreamOptions,
    Unknown,
)
from ringlight.liveview.messages.push import (
    PushEvent,
    PushHeartbeat,
    PushSubscribe,
    PushSubscriptionAck,
    PushUnsubscribe,
)

MAX_BYTES = 256 * 1024  # an offer of a browser has 6 kB; a longer frame is noise

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
