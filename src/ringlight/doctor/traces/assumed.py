"""Messages of Ring's socket of which a log shows a part only: what it does not show is taken for right."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringlight.liveview import messages
from ringlight.media import negotiate, sdp
from ringlight.media.sdp import Transport

__all__ = ["Known", "completed"]

_DIALOG = "00000000-0000-4000-8000-000000000000"
_OFFER = sdp.write(negotiate.camera_offer(Transport("ufrag", "p" * 22, ":".join(["AB"] * 32), "actpass"), audio=True))
_FIELDS: dict[str, Any] = {
    "sdp": _OFFER, "stream_options": {}, "ice": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "mlineindex": 0,
    "enabled": False, "reason": {"code": 0}, "command": {}, "requested_notifications": [], "status": "ok",
    "subscription_id": "s",
}  # fmt: skip
_SESSION = "session"


@dataclass(slots=True)
class Known:
    """What the messages before have told: of the last view."""

    dialog_id: str = _DIALOG
    doorbot_id: int = 1

    def began(self, dialog_id: str, doorbot_id: int) -> None:
        """Take note of an offer."""
        self.dialog_id, self.doorbot_id = dialog_id, doorbot_id


def completed(envelope: Mapping[str, Any], known: Known, *, out: bool) -> dict[str, Any]:
    """Return a whole message: what is there as it is, the rest as it should be."""
    method, shown = envelope.get("method"), envelope.get("body")
    kind = messages.BODIES.get(method) if isinstance(method, str) else None
    fields = set(kind.__struct_fields__) if kind is not None else set()
    body: dict[str, Any] = {name: value for name, value in _FIELDS.items() if name in fields}
    body["doorbot_id"] = known.doorbot_id
    if method not in ("live_view", "ice", "playback", "push_subscribe"):
        body["session_id"] = _SESSION
    if not out:
        body.pop("stream_options", None)
    whole = {"method": method, "dialog_id": known.dialog_id, **envelope}
    whole["body"] = {**body, **(shown if isinstance(shown, Mapping) else {})}
    return whole
