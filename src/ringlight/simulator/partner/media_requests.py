"""Requests for clips and stills: what they may say, and what is wrong with them. Pure; times are epoch milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringlight.simulator.partner.footage import DAY

__all__ = ["ClipRequest", "Complaint", "StillRequest", "asked_time", "parse_clip", "parse_still"]

LONGEST = 900_000
TYPES = ("at_timestamp", "latest_in_range")


class Complaint(ValueError):  # noqa: N818 - it is what is wrong with a request
    """Something in a request is wrong: the field, and what."""

    def __init__(self, pointer: str, said: str) -> None:
        self.pointer = pointer
        super().__init__(f"{pointer} {said}")


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """A clip that somebody wants: from when, and so much."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class StillRequest:
    """A picture that somebody wants.

    Attributes:
        start: The moment, or the begin of the range.
        end: The end of the range.
        at_moment: Whether it is a moment.
        png: Whether PNG is wanted in place of JPEG.
        width: In pixels; `None` is that of the recording, as is the height.
        height: In pixels.
    """

    start: int
    end: int
    at_moment: bool
    png: bool = False
    width: int | None = None
    height: int | None = None


def asked_time(fields: object) -> int | None:
    """Return the first moment that a body asks for, before anything else in it is judged."""
    if not isinstance(fields, dict):
        return None
    times = (fields.get("timestamp"), fields.get("start_timestamp"))
    return next((time for time in times if _is_whole(time)), None)


def parse_clip(fields: object, now: int) -> ClipRequest:
    """Read the body of a request for a clip.

    Raises:
        Complaint: It breaks a rule.
    """
    body = _object(fields, "body")
    start = _whole(body, "timestamp", 0, now)
    length = _whole(body, "duration", 1, LONGEST)
    if start is None or length is None:
        raise Complaint("timestamp" if start is None else "duration", "is required")
    video = _object(body.get("video_options", {}), "video_options")
    if video.get("codec", "avc") != "avc":
        raise Complaint("codec", "is not supported by the device: avc is")
    _whole(video, "frame_rate", 1, 25)
    _resolution(video)
    audio = _object(body.get("audio_options", {}), "audio_options")
    if not isinstance(audio.get("audio_enabled", False), bool):
        raise Complaint("audio_enabled", "must be a boolean")
    _components(body)
    return ClipRequest(start, length)


def parse_still(fields: object, now: int) -> StillRequest:
    """Read the body of a request for a picture.

    Raises:
        Complaint: It breaks a rule.
    """
    body = _object(fields, "body")
    kind = body.get("type")
    if kind is None:
        raise Complaint("type", "is required")
    if kind not in TYPES:
        raise Complaint("type", f"must be one of {', '.join(TYPES)}")
    at_moment = kind == "at_timestamp"
    name = "timestamp" if at_moment else "start_timestamp"
    start = _whole(body, name, now - 180 * DAY, now)
    if start is None:
        raise Complaint(name, "is required")
    end = start if at_moment else _whole(body, "end_timestamp", start, min(now, start + DAY))
    options = _object(body.get("image_options", {}), "image_options")
    if options.get("format", "jpeg") not in ("jpeg", "png"):
        raise Complaint("format", "must be jpeg or png")
    width, height = _resolution(options)
    _components(body)
    return StillRequest(
        start, min(now, start + DAY) if end is None else end, at_moment, options.get("format") == "png", width, height
    )


def _object(value: object, pointer: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Complaint(pointer, "must be an object")
    return value


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _whole(fields: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = fields.get(name)
    if value is None and name not in fields:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise Complaint(name, "must be an integer")
    if not least <= value <= most:
        raise Complaint(name, "must be positive" if value < 1 else f"must be from {least} to {most}")
    return value


def _resolution(options: Mapping[str, Any]) -> tuple[int | None, int | None]:
    if "resolution" not in options:
        return None, None
    size = _object(options["resolution"], "resolution")
    return _whole(size, "width", 1, 1920), _whole(size, "height", 1, 1080)


def _components(body: Mapping[str, Any]) -> None:
    if "components" not in body:
        return
    named = body["components"]
    if not isinstance(named, list) or len(named) != 1 or not isinstance(named[0], dict):
        raise Complaint("components", "must name exactly one component")
    if not isinstance(named[0].get("component_id"), str):
        raise Complaint("component_id", "must be a string")
