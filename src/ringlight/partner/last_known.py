"""Which answers are kept for a worse day, under which name, and how an old one says that it is old. Pure."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from ringlight.partner.call import Call
from ringlight.partner.documents import Listing
from ringlight.partner.parts import Part
from ringlight.resilience.stale import Key, Kind, Stale

__all__ = ["key_of", "marked"]

_KINDS = {
    "users": Kind.USERS,
    "devices": Kind.DEVICES,
    "locations": Kind.DEVICES,
    "subscriptions": Kind.SUBSCRIPTIONS,
}


def key_of(call: Call[Any], account: str) -> Key | None:
    """Return the name under which an answer is kept; `None` for what is of no use once it is old."""
    name, device = call.operation.name, call.operation.device
    kind = _KINDS.get(name.partition(".")[0])
    if kind is None or call.request.method != "GET":
        return None
    parts = urlsplit(call.request.url)
    if name == "devices.status" or "status" in dict(parse_qsl(parts.query)).get("include", "").split(","):
        kind = Kind.STATUS  # what comes with a status grows old as fast as it does
    return Key(account, kind, f"{parts.path}?{parts.query}", device)


def marked(value: Any, stale: Stale | None) -> Any:
    """Return an answer that says of itself, and of each of its items, that it is old."""
    if stale is None:
        return value
    if isinstance(value, Listing):
        return replace(value, items=tuple(marked(item, stale) for item in value.items), stale=stale)
    return msgspec.structs.replace(value, stale=stale) if isinstance(value, Part) else value
