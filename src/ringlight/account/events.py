"""What a camera has seen: its history as Ring sends it, read into types. Pure (observed-protocol.md#hosts)."""

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from ringlight.errors import fault_error
from ringlight.foreign import one_line
from ringlight.http.flow import unreadable

__all__ = ["CameraEvent", "event_named", "parse_events"]

_IDS = ("id", "ding_id_str", "ding_id", "event_id")
_TIMES = ("created_at", "start_time")
_KINDS = ("kind", "event_type")
_SHOWN = 40  # characters of a word of Ring's own


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """One event of a camera.

    Attributes:
        id: Ring's number for it, as text: it is longer than a JavaScript number.
        device_id: The camera, by its driver's name for it.
        kind: `motion`, `ding`, `on_demand` (a live view) or what else Ring calls it.
        at: When, in seconds since the epoch; `None` where Ring does not say.
        answered: Somebody answered the ring.
        has_recording: Ring says that there is a recording; `None` where it does not say.
        person: Ring saw a person in it; `None` where it does not say, as without a subscription.
        ago: Seconds from `at` to Ring's answer, both by Ring's own clock; `None` where the answer tells no time.
        begun: What it is called from its first moment on, where its id changes when it is over; `None` where it stays.
    """

    id: str
    device_id: int | str
    kind: str
    at: float | None
    answered: bool
    has_recording: bool | None
    person: bool | None = None
    ago: float | None = None
    begun: str | None = None

    @property
    def name(self) -> str:
        """What it is called from its first moment to its last."""
        return self.id if self.begun is None else self.begun

    def shown(self) -> dict[str, Any]:
        """Return what others are told of it: all but `begun`, which is of use to us alone."""
        return {name: value for name, value in asdict(self).items() if name != "begun"}


def event_named(text: str, device_id: int) -> CameraEvent:
    """Return an event of which no more than the id is known, as `ringlight history` prints it.

    Raises:
        UsageError: REQUEST-INVALID, no event has such an id.
    """
    number = _id(text)
    if number is None:
        raise fault_error("REQUEST-INVALID", f"{one_line(text, _SHOWN)!r} is no id of an event")
    return CameraEvent(number, device_id, "unknown", None, answered=False, has_recording=None)


def parse_events(json: object, device_id: int, date: float | None = None) -> list[CameraEvent]:
    """Read a history, newest first as it comes; entries without an id are left out.

    Args:
        json: The answer.
        device_id: The camera.
        date: When Ring answered, in seconds since 1970 by its own clock; `None` where it does not say.

    Raises:
        AuthError: ACCOUNT-ANSWER, the answer is neither a list nor an object with one.
    """
    items = json.get("events") if isinstance(json, dict) else json
    if not isinstance(items, list):
        raise unreadable("device", f"expected a list of events, got {type(items).__name__}")
    found = (_event(item, device_id, date) for item in items if isinstance(item, dict))
    return [event for event in found if event is not None]


def _event(item: dict[str, object], device_id: int, date: float | None) -> CameraEvent | None:
    number = next((text for text in (_id(item.get(name)) for name in _IDS) if text), None)
    if number is None:
        return None
    kind = next((value for value in (item.get(name) for name in _KINDS) if isinstance(value, str) and value), "unknown")
    at = next((moment for moment in (_time(item.get(name)) for name in _TIMES) if moment is not None), None)
    answered, recorded, person = item.get("answered") is True, _has_recording(item), _person(item.get("cv_properties"))
    ago = date - at if date is not None and at is not None else None
    return CameraEvent(number, device_id, one_line(kind, _SHOWN), at, answered, recorded, person, ago)


def _has_recording(item: dict[str, object]) -> bool | None:
    recording = item.get("recording")
    status = recording.get("status") if isinstance(recording, dict) else item.get("recording_status")
    return status == "ready" if isinstance(status, str) else None


def _person(seen: object) -> bool | None:
    """Read what Ring's picture analysis says; of several things it has seen, a person counts."""
    if not isinstance(seen, dict):
        return None
    listed = seen.get("detection_types")
    kinds = [one.get("detection_type") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    kinds.append(seen.get("detection_type"))
    if "human" in kinds or seen.get("person_detected") is True:
        return True
    return False if seen.get("person_detected") is False or any(isinstance(kind, str) for kind in kinds) else None


def _id(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 < value < 2**64 else ""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value) else None


def _time(value: object) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
