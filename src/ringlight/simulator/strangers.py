"""Messages that a client must live through: meant for somebody else, or for nobody that is known."""

import random
import uuid
from typing import Any

from ringlight.liveview.messages import Message

__all__ = ["for_others", "unheard_of", "with_more_fields"]

_WORDS = ("weather_report", "camera_mood", "session_upgraded", "stream_hint")


def for_others(offer: Message, session_id: str, dice: random.Random) -> list[dict[str, Any]]:
    """Return messages for another camera, another dialog and another session, each of which would do harm."""
    body = {"doorbot_id": offer.body.doorbot_id, "session_id": session_id}
    reason = {"code": 6, "text": "Timeout waiting for ping"}
    other_dialog = str(uuid.UUID(int=dice.getrandbits(128), version=4))
    other_camera = {**body, "doorbot_id": offer.body.doorbot_id + 1}
    return [
        _envelope(offer, "close", {**other_camera, "reason": reason}),
        {**_envelope(offer, "close", {**body, "reason": reason}), "dialog_id": other_dialog},
        {**_envelope(offer, "sdp", {**body, "sdp": "none of yours"}), "dialog_id": other_dialog},
        _envelope(offer, "close", {**body, "session_id": f"other-{dice.getrandbits(64):x}", "reason": reason}),
        {"method": "push_event", "dialog_id": other_dialog,
         "body": {"subscription_id": "sub-0", "notification_type": "shoulder_tap", "payload": {"device_id": "1"}}},
    ]  # fmt: skip


def unheard_of(offer: Message, session_id: str, dice: random.Random) -> list[dict[str, Any]]:
    """Return messages with methods that nobody knows."""
    body = {"doorbot_id": offer.body.doorbot_id, "session_id": session_id, "mood": dice.random()}
    return [_envelope(offer, method, body) for method in dice.sample(_WORDS, 2)]


def with_more_fields(envelope: dict[str, Any]) -> dict[str, Any]:
    """Return a message with fields that nobody knows, inside and outside of its body."""
    body = {**envelope["body"], "user_id": 4711, "hints": {"colour": "teal", "list": [1, 2.5, None]}}
    return {"schema": 7, **envelope, "body": body}


def _envelope(offer: Message, method: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"method": method, "dialog_id": offer.dialog_id, "body": body}
