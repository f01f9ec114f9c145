"""What is asked for footage: in Ring's words, within Ring's limits, and nothing that was not said."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ringlight.errors import RingError, UsageError
from ringlight.http.flow import Response
from ringlight.partner.api import Api
from ringlight.partner.media import Media, head_of
from ringlight.resilience.operation import Lane, Repeat

MEDIA = Media(Api())
BEGIN = 1_790_000_000_000


def test_a_clip_is_asked_for_with_what_was_said_and_no_more() -> None:
    wish = MEDIA.clip("D/1", BEGIN, 20.0)
    assert wish.call.request.url == "https://api.amazonvision.com/v1/devices/D%2F1/media/video/download"
    assert wish.call.request.json == {"timestamp": BEGIN, "duration": 20_000}
    assert (wish.call.operation.repeat, wish.call.operation.lane) == (Repeat.SAFE, Lane.BULK)
    assert wish.until == BEGIN + 20_000
    chosen = MEDIA.clip(
        "D", BEGIN, 0.5, codec="hevc", frame_rate=25, size=(1920, 1080), sound=False, component_id="2"
    )  # fmt: skip
    assert chosen.call.request.json == {
        "timestamp": BEGIN,
        "duration": 500,
        "video_options": {"codec": "hevc", "frame_rate": 25, "resolution": {"width": 1920, "height": 1080}},
        "audio_options": {"audio_enabled": False},
        "components": [{"component_id": "2"}],
    }


def test_a_still_is_that_of_a_moment_or_the_latest_of_some_time() -> None:
    at = MEDIA.still("D", BEGIN, format="png", size=(640, 360))
    assert at.call.request.json == {
        "type": "at_timestamp",
        "timestamp": BEGIN,
        "image_options": {"format": "png", "resolution": {"width": 640, "height": 360}},
    }
    assert (at.until, at.call.operation.lane) == (BEGIN, Lane.READ)
    latest = MEDIA.still("D", since=BEGIN, until=BEGIN + 60_000)
    assert latest.call.request.json == {
        "type": "latest_in_range", "start_timestamp": BEGIN, "end_timestamp": BEGIN + 60_000,
    }  # fmt: skip
    until_now = MEDIA.still("D", since=BEGIN)
    assert until_now.call.request.json == {"type": "latest_in_range", "start_timestamp": BEGIN}
    assert until_now.until is None


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-7))])
def test_times_may_be_dates_with_their_zone(zone: timezone) -> None:
    moment = datetime.fromtimestamp(BEGIN / 1000, zone)
    assert MEDIA.clip("D", moment, 1.0).until == BEGIN + 1000


WRONG: dict[str, Callable[[], Any]] = {
    "no length": lambda: MEDIA.clip("D", BEGIN, 0),
    "too long": lambda: MEDIA.clip("D", BEGIN, 900.1),
    "too fast": lambda: MEDIA.clip("D", BEGIN, 1, frame_rate=26),
    "too wide": lambda: MEDIA.clip("D", BEGIN, 1, size=(1921, 1080)),
    "no height": lambda: MEDIA.still("D", BEGIN, size=(640, 0)),
    "before time": lambda: MEDIA.clip("D", -1, 1),
    "before 1970": lambda: MEDIA.clip("D", datetime(1969, 7, 20, tzinfo=UTC), 1),
    "no zone": lambda: MEDIA.clip("D", datetime(2026, 10, 2), 1),  # noqa: DTZ001 - that is the mistake
    "no time": lambda: MEDIA.still("D"),
    "two times": lambda: MEDIA.still("D", BEGIN, since=BEGIN),
    "backwards": lambda: MEDIA.still("D", since=BEGIN, until=BEGIN - 1),
    "over a day": lambda: MEDIA.still("D", since=BEGIN, until=BEGIN + 86_400_001),
    "no device": lambda: MEDIA.clip("", BEGIN, 1),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_ring_would_refuse_is_refused_before_it_is_sent(wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        WRONG[wrong]()
    assert caught.value.code == "PARTNER-ARGUMENT"


def test_the_head_of_an_answer_tells_what_is_to_come() -> None:
    head = head_of(
        Response(
            200,
            {
                "Content-Type": "image/JPEG; q=1",
                "Content-Length": "106000",
                "ETag": '"e1"',
                "X-Request-ID": "r-4",
                "X-Media-Timestamp": "1790000000123",
                "X-Media-Origin": "snapshot",
            },
        )
    )
    assert (head.media_type, head.length, head.etag, head.request_id) == ("image/jpeg", 106_000, '"e1"', "r-4")
    assert (head.timestamp, head.origin, head.span, head.duration) == (1_790_000_000_123, "snapshot", None, None)


@pytest.mark.parametrize("response", [Response(303), Response(204), Response(200, {"Content-Type": "text/html"})])
def test_an_answer_without_footage_is_an_error(response: Response) -> None:
    with pytest.raises(RingError) as caught:
        head_of(response)
    assert caught.value.code == "PARTNER-ANSWER"


def test_where_the_footage_is_does_not_show() -> None:
    """The address alone allows to fetch it."""
    head = head_of(Response(303, {"Location": "https://media.example/?security_token=canary"}))
    assert head.location
    assert "canary" not in repr(head)
