"""Clips and stills: what is asked for, and what the head of an answer says of them. Pure.

The bytes come by the plan in `download`. The facts are in partner-api.md#media.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from ringlight.errors import fault_error
from ringlight.http.flow import Request, Response
from ringlight.partner.api import Api, Group
from ringlight.partner.call import Call
from ringlight.partner.documents import bad_answer
from ringlight.resilience.operation import Family, Lane, Operation

__all__ = ["Head", "Media", "Span", "Wish", "head_of"]

Moment: TypeAlias = datetime | int

LONGEST_CLIP = 900.0  # seconds
WIDEST, HIGHEST, FASTEST = 1920, 1080, 25
BIGGEST_CLIP = 2 * 1024**3  # bytes; a quarter of an hour at 6 Mbit/s has a third of that
BIGGEST_STILL = 32 * 1024**2

_MP4, _JPEG, _PNG = b"ftyp", b"\xff\xd8\xff", b"\x89PNG"
_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)")
_WHOLE = {"Accept": "*/*", "Accept-Encoding": "identity"}  # a compressed body cannot be resumed by its length


@dataclass(frozen=True, slots=True)
class Wish:
    """Footage that is wanted.

    Attributes:
        call: The first call for it.
        api: Where it is asked for; the token goes nowhere else.
        kind: `clip` or `still`.
        device_id: Whose footage.
        until: The end of the time asked for, in milliseconds since 1970; `None` is the moment of asking.
        limit: The most bytes that are taken.
    """

    call: Call["Head"]
    api: Api
    kind: str
    device_id: str
    until: int | None
    limit: int

    def is_footage(self, begin: bytes) -> bool:
        """Whether bytes begin as such footage does; that of an encrypted device does not."""
        return begin[4:8] == _MP4 if self.kind == "clip" else begin.startswith((_JPEG, _PNG))


@dataclass(frozen=True, slots=True)
class Span:
    """Which bytes of how many an answer has; `total` is `None` where the storage does not know."""

    first: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer says before its body.

    Attributes:
        status: The HTTP status.
        location: Where the footage is instead, with all that allows to fetch it; `None` if it is here.
        media_type: Such as `video/mp4`.
        length: Bytes of the body; `None` if that is not said.
        etag: The strong mark of the file; `None` without one, and for a weak one, which proves nothing.
        span: Which part of the file it is; `None` for the whole.
        timestamp: When the footage really begins, in milliseconds since 1970.
        duration: How many milliseconds it has, where that is not what was asked for.
        origin: `recording` or `snapshot` are known.
        request_id: By which Ring finds the answer in its logs.
    """

    status: int
    location: str | None = field(default=None, repr=False)
    media_type: str = ""
    length: int | None = None
    etag: str | None = None
    span: Span | None = None
    timestamp: int | None = None
    duration: int | None = None
    origin: str | None = None
    request_id: str | None = None


class Media(Group):
    """What can be asked of a device's footage. Asking never makes a camera record."""

    def clip(
        self,
        device_id: str,
        start: Moment,
        seconds: float,
        *,
        codec: str | None = None,
        frame_rate: int | None = None,
        size: tuple[int, int] | None = None,
        sound: bool | None = None,
        component_id: str | None = None,
    ) -> Wish:
        """Wish for a clip, as MP4.

        Args:
            device_id: The camera.
            start: When it begins; a time with its zone, or milliseconds since 1970.
            seconds: How long it is; at most 900.
            codec: `avc` or `hevc`; `None` leaves it to the device.
            frame_rate: At most 25.
            size: Width and height, at most 1920 by 1080.
            sound: Whether it has sound; Ring's default is without.
            component_id: Of several cameras in a device, which.

        Raises:
            UsageError: PARTNER-ARGUMENT.
        """
        begin, length = _milliseconds(start), round(seconds * 1000)
        _check(0 < length <= LONGEST_CLIP * 1000, f"a clip lasts up to {LONGEST_CLIP:g} s")
        _check(frame_rate is None or 0 < frame_rate <= FASTEST, f"a clip has up to {FASTEST} frames a second")
        video = {"codec": codec, "frame_rate": frame_rate, "resolution": _resolution(size)}
        body = {
            "timestamp": begin,
            "duration": length,
            "video_options": _given(video),
            "audio_options": _given({"audio_enabled": sound}),
            "components": _components(component_id),
        }
        return self._wish("clip", "video", device_id, body, begin + length, BIGGEST_CLIP)

    def still(
        self,
        device_id: str,
        at: Moment | None = None,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        format: str | None = None,  # noqa: A002 - the API's own name
        size: tuple[int, int] | None = None,
        component_id: str | None = None,
    ) -> Wish:
        """Wish for a picture: that at a moment, or the latest of some time.

        Args:
            device_id: The camera.
            at: The moment; Ring takes the nearest picture within ten seconds.
            since: In place of `at`: the beginning of the time, of which the latest picture is taken.
            until: The end of that time, at most a day after `since`; `None` is now.
            format: `jpeg` or `png`.
            size: Width and height, at most 1920 by 1080.
            component_id: Of several cameras in a device, which.

        Raises:
            UsageError: PARTNER-ARGUMENT.
        """
        _check((at is None) != (since is None), "give either `at` or `since`")
        end = None if until is None else _milliseconds(until)
        if since is not None:
            begin = _milliseconds(since)
            _check(end is None or 0 < end - begin <= 86_400_000, "the time ends after it begins, within a day")
            when = {"type": "latest_in_range", "start_timestamp": begin, "end_timestamp": end}
        else:
            end = _milliseconds(at if at is not None else 0)
            when = {"type": "at_timestamp", "timestamp": end}
        options = _given({"format": format, "resolution": _resolution(size)})
        body = {**when, "image_options": options, "components": _components(component_id)}
        return self._wish("still", "image", device_id, body, end, BIGGEST_STILL)

    def _wish(
        self, kind: str, path: str, device_id: str, body: dict[str, object], until: int | None, limit: int
    ) -> Wish:
        # A POST that only reads; a still is for somebody who waits, a clip is not.
        lane = Lane.READ if kind == "still" else Lane.BULK
        operation = Operation(f"media.{kind}", lane=lane, device=device_id)
        url = self.api.url("devices", device_id, "media", path, "download")
        call = self.api.call(operation, "POST", url, head_of, json=_given(body), headers=_WHOLE, limit=limit)
        return Wish(call, self.api, kind, device_id, until, limit)


def fetch(wish: Wish, url: str, former: Request, status: int, headers: dict[str, str]) -> Call[Head]:
    """Make the call that follows a redirect, with a token only for the API itself and only where it is asked again.

    Args:
        wish: What is wanted.
        url: Where it leads.
        former: What was redirected. 307 and 308 repeat it; the others fetch (RFC 9110 section 15.4).
        status: How.
        headers: Further header fields.
    """
    repeats = status in {307, 308} and former.method == "POST"
    bearer = repeats and wish.api.is_own(url)
    operation = Operation(f"media.{wish.kind}", lane=wish.call.operation.lane, family=Family.MEDIA)
    request = Request(
        former.method if repeats else "GET",
        url,
        headers=_WHOLE | headers,
        json=former.json if repeats else None,
        at="partner",
        limit=wish.limit,
        foreign=wish.api.is_foreign(url),
    )
    return Call(operation, request, head_of, bearer)


def head_of(response: Response) -> Head:
    """Read the head of an answer; its body is not looked at.

    Raises:
        BadAnswerError: PARTNER-ANSWER, a redirect to nowhere, or something that is no footage by its type.
    """
    fields = response.headers
    if 300 <= response.status < 400:
        location = fields.get("location")
        if not location:
            raise bad_answer(response, "it leads elsewhere and does not say where")
        return Head(response.status, location)
    media_type = fields.get("content-type", "").partition(";")[0].strip().lower()
    if response.status not in {200, 206} or media_type in {"text/html", "application/json", "text/plain"}:
        raise bad_answer(response, "no footage")
    etag = fields.get("etag", "")
    return Head(
        response.status,
        media_type=media_type,
        length=_number(fields.get("content-length")),
        etag=etag if len(etag) > 2 and etag.startswith('"') and etag.endswith('"') else None,
        span=_span(fields.get("content-range")),
        timestamp=_number(fields.get("x-media-timestamp")),
        duration=_number(fields.get("x-media-length") or fields.get("x-media-duration")),
        origin=fields.get("x-media-origin"),
        request_id=fields.get("x-request-id"),
    )


def _span(value: str | None) -> Span | None:
    """Read Content-Range; one that cannot be is that of another file, so that its `first` fits nowhere."""
    if value is None:
        return None
    found = _RANGE.fullmatch(value.strip())
    return Span(int(found[1]), None if found[3] == "*" else int(found[3])) if found else Span(-1, None)


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"[0-9]{1,15}", value) else None


def _milliseconds(moment: Moment) -> int:
    if isinstance(moment, datetime):
        _check(moment.tzinfo is not None, "a time needs its zone")
        moment = round(moment.timestamp() * 1000)
    _check(not isinstance(moment, bool) and moment >= 0, "a time is in milliseconds since 1970")
    return moment


def _resolution(size: tuple[int, int] | None) -> dict[str, int] | None:
    if size is None:
        return None
    _check(0 < size[0] <= WIDEST and 0 < size[1] <= HIGHEST, f"a picture has up to {WIDEST} by {HIGHEST} points")
    return {"width": size[0], "height": size[1]}


def _components(component_id: str | None) -> list[dict[str, str]] | None:
    return None if component_id is None else [{"component_id": component_id}]


def _given(body: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in body.items() if value is not None and value != {}}


def _check(holds: bool, rule: str) -> None:
    if not holds:
        raise fault_error("PARTNER-ARGUMENT", rule)
