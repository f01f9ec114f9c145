"""Webhooks that tell the owner's own program what happens in rooms: their bodies and their signature. Pure.

The form is that of standardwebhooks.com, so that a receiver has a library for it in most languages.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ringlight.errors import fault_error
from ringlight.rooms.events import Note, What
from ringlight.secrets import Secret
from ringlight.store.inbox import Put

__all__ = ["EVENTS", "WebhookKey", "delivery", "delivery_of"]

EVENTS: dict[What, str] = {
    "started": "room.started", "ended": "room.ended",
    "waiting": "participant.waiting", "admitted": "participant.admitted", "denied": "participant.denied",
    "entered": "participant.joined", "left": "participant.left",
    "consent_given": "consent.changed", "consent_withdrawn": "consent.changed", "quality": "quality.poor",
}  # fmt: skip
_PREFIX = "whsec_"


class WebhookKey:
    """Signs deliveries.

    Args:
        secret: `whsec_` and Base64 as the standard has it; any other text is taken as it is.

    Raises:
        SetupError: CFG-INVALID, it is too short to protect anything.
    """

    def __init__(self, secret: Secret) -> None:
        text = secret.reveal()
        key = text.encode()
        if text.startswith(_PREFIX):
            try:
                key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
            except (binascii.Error, ValueError):
                raise fault_error("CFG-INVALID", "rooms.webhook_secret: no Base64 after whsec_") from None
        if len(key) < 16:
            raise fault_error("CFG-INVALID", f"rooms.webhook_secret: {len(key)} bytes, at least 16 are needed")
        self._key = key

    def headers(self, id: str, body: bytes, now: float) -> dict[str, str]:  # noqa: A002 - the field's own word
        """Return the header fields of a delivery; the time is that of this attempt."""
        at = str(int(now))
        digest = hmac.digest(self._key, b".".join((id.encode(), at.encode(), body)), hashlib.sha256)
        return {
            "Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": at,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }  # fmt: skip


def delivery_of(note: Note, now: float, mint: Callable[[], str]) -> Put | None:
    """Return the delivery that tells of a note, or `None` where nobody is told of such."""
    event = EVENTS.get(note.what)
    unknown = note.what == "left" and not note.person  # somebody of before a restart: by which id is not known any more
    if event is None or unknown or (note.what == "quality" and note.detail != "poor"):
        return None
    data: dict[str, Any] = {"room": note.room}
    if note.person:
        data |= {"participant": note.person, "role": note.role}
    if note.what in ("consent_given", "consent_withdrawn"):
        data |= {"what": note.detail, "given": note.what == "consent_given", "consents": sorted(note.consents)}
    elif note.detail and note.what != "entered":
        data["words" if note.what == "quality" else "reason"] = note.detail
    if note.figures:
        data |= {name if name != "seconds" else "waited_s": round(value, 3) for name, value in note.figures.items()}
    return delivery(event, data, now, mint)


def delivery(event: str, data: dict[str, Any], now: float, mint: Callable[[], str]) -> Put:
    """Return a delivery. Those of a room go out one after the other."""
    id = f"msg_{mint()}"  # noqa: A001 - as above
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = msgspec.json.encode({"type": event, "timestamp": at, "data": data})
    return Put(id, "", str(data.get("room", "")), event, body, now)
