"""Which protocol a message belongs to, and which side says it, by its shape alone."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

from ringlight.liveview.lint import CLIENT_METHODS
from ringlight.liveview.messages import BODIES

__all__ = ["Protocol", "decoded", "is_message", "of_client", "protocol_of", "protocol_of_url"]


class Protocol(Enum):
    """A signaling protocol that can be judged."""

    RING = "Ring's app socket"
    SEED = "a room, at the old address"
    OWN = "a room, /ws/v2"


_OF_RING_ALONE = frozenset(BODIES) - CLIENT_METHODS
_SEED_TYPES = frozenset({"offer", "answer", "ice-candidate", "user-joined", "user-left"})
_OF_PAGE = frozenset({"hello", "admit", "deny", "send_back", "lock", "end", "ping"})
_OF_SERVER = frozenset(
    {"welcome", "roster", "waiting", "knock", "knock_gone", "joined", "left", "back", "other", "locked", "ok", "pong",
     "token", "ice", "error"}
)  # fmt: skip
_BY_BOTH = frozenset({"signal", "chat", "state", "bye"})


def decoded(frame: object) -> Any:
    """Return what a text frame holds; `None` where it is no JSON. What a recording has decoded stays as it is."""
    if not isinstance(frame, str):
        return frame
    try:
        return msgspec.json.decode(frame)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def protocol_of(message: Mapping[str, Any]) -> Protocol | None:
    """Return the protocol that a message is of, or `None`."""
    if isinstance(message.get("method"), str) and (
        message["method"] in BODIES or "dialog_id" in message or isinstance(message.get("body"), Mapping)
    ):
        return Protocol.RING
    if "doorbot_id" in message or (isinstance(message.get("body"), Mapping) and "doorbot_id" in message["body"]):
        return Protocol.RING
    if _word(message, "t") in _OF_PAGE | _OF_SERVER | _BY_BOTH:
        return Protocol.OWN
    if _word(message, "type") in _SEED_TYPES and not {"sdp", "method"} & set(message):
        return Protocol.SEED
    if _word(message, "type") == "error" and str(message.get("code", "")).startswith("ROOM-"):
        return Protocol.SEED
    return None


def _word(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    return value if isinstance(value, str) else ""


def protocol_of_url(url: str) -> Protocol | None:
    """Return the protocol that is spoken at an address, or `None`."""
    path = url.partition("?")[0]
    if "/ws/v2" in path:
        return Protocol.OWN
    if "/ws/signaling" in path or "/ws/signalling" in path:
        return Protocol.SEED
    if "signalling" in path or "auth_type=ring" in url:
        return Protocol.RING
    return None


def is_message(shown: Mapping[str, Any]) -> bool:
    """Whether an object is a message of one of the protocols."""
    return protocol_of(shown) is not None


def of_client(message: Mapping[str, Any]) -> bool | None:
    """Whether the client, or the page, says this; `None` where both sides may."""
    match protocol_of(message):
        case Protocol.RING:
            return _of_ring_client(message)
        case Protocol.OWN:
            return _of_page(message)
        case Protocol.SEED if _word(message, "type") in ("user-joined", "user-left", "error"):
            return False
        case _:
            return None


def _of_ring_client(message: Mapping[str, Any]) -> bool | None:
    method, body = _word(message, "method"), message.get("body")
    fields = body if isinstance(body, Mapping) else {}
    if method in _OF_RING_ALONE or method == "notification":
        return False
    if method == "live_view":
        return fields.get("type") != "answer"
    if method == "close":
        reason = fields.get("reason")
        return not isinstance(reason, Mapping) or reason.get("text") in ("", "client_closed")
    if method in ("ice", "rpc"):
        return None
    return True


def _of_page(message: Mapping[str, Any]) -> bool | None:
    kind = _word(message, "t")
    if kind in _OF_PAGE:
        return True
    if kind in _OF_SERVER:
        return False
    if kind == "bye":
        return "action" not in message
    return "seq" not in message and "from" not in message
