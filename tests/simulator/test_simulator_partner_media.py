"""Clips and stills: real files for the times for which there is footage, and a refusal for all others."""

import io
from typing import Any

import av
import httpx2
import pytest
from partner_calls import Partner, code_of, partner

from ringlight.simulator.partner.footage import Recording, find_clip, find_still

pytestmark = pytest.mark.anyio

MINUTE = 60_000


async def ask(app: Partner, what: str, name: str = "Front Door", **body: Any) -> Any:
    path = f"{await app.device(name)}/media/{what}/download"
    return await app.call("POST", path, json=body)


async def clip(app: Partner, **changed: Any) -> Any:
    return await ask(app, "video", **{"timestamp": app.now - 60 * MINUTE, "duration": 15_000, **changed})


async def still(app: Partner, **changed: Any) -> Any:
    return await ask(app, "image", **{"type": "at_timestamp", "timestamp": app.now - 60 * MINUTE, **changed})


async def fetched(app: Partner, answer: Any, **headers: str) -> Any:
    return await app.web.get(answer.headers["Location"], headers=headers)


def length_of(film: bytes) -> float:
    with av.open(io.BytesIO(film), "r") as container:
        (video,) = container.streams.video
        frames = sum(1 for _ in container.decode(video))
        assert (video.codec.name, video.width, video.height) == ("h264", 640, 360)
    return frames / 15


def size_of(picture: bytes) -> tuple[str, int, int]:
    with av.open(io.BytesIO(picture), "r") as container:
        (video,) = container.streams.video
        return video.codec.name, video.width, video.height


# Clips


async def test_a_clip_is_a_film_of_the_time_that_was_asked_for() -> None:
    async with partner() as app:
        answer = await clip(app, duration=4_000)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "video/mp4")
        assert int(answer.headers["X-Media-Timestamp"]) == app.now - 60 * MINUTE
        assert length_of(answer.content) == 4.0
        assert (await clip(app, duration=4_000)).content == answer.content, "the same each time"


async def test_of_a_time_that_was_recorded_in_part_that_part_is_given() -> None:
    for profile, header in (("documented", "X-Media-Length"), ("observed", "X-Media-Length")):
        async with partner(profile) as app:
            answer = await clip(app, timestamp=app.now - 60 * MINUTE - 2000, duration=5000)
            assert (answer.status_code, answer.headers[header]) == (206, "3000")
            assert int(answer.headers["X-Media-Timestamp"]) == app.now - 60 * MINUTE
            assert length_of(answer.content) == 3.0


@pytest.mark.parametrize(("profile", "on", "status"), [
    ("documented", "partner-media-301", 301), ("documented", "partner-media-303", 303), ("hostile", "noise", 303),
])  # fmt: skip
async def test_a_clip_may_be_elsewhere(profile: str, on: str, status: int) -> None:
    """On another origin, which takes no token, knows ranges, and gives a part of the time as 206."""
    async with partner(profile, on) as app:
        answer = await clip(app, timestamp=app.now - 60 * MINUTE - 2000, duration=4000)
        assert answer.status_code == status
        assert answer.headers["Location"].startswith("http://localhost:")
        whole = await fetched(app, answer)
        assert whole.status_code == 206
        assert whole.headers["X-Media-Duration" if profile == "hostile" else "X-Media-Length"] == "2000"
        assert length_of(whole.content) == 2.0
        rest = await fetched(app, answer, **{"Range": "bytes=100-", "If-Range": whole.headers["ETag"]})
        assert (rest.status_code, rest.content) == (206, whole.content[100:])
        assert rest.headers["Content-Range"] == f"bytes 100-{len(whole.content) - 1}/{len(whole.content)}"
        none = await fetched(app, answer, Range=f"bytes={len(whole.content)}-")
        assert none.status_code == 416


async def test_the_storage_takes_no_token_and_its_addresses_end() -> None:
    async with partner("documented", "partner-media-303") as app:
        answer = await clip(app)
        with_token = await fetched(app, answer, Authorization="Bearer sim-token")
        assert (with_token.status_code, len(app.estate.bearers)) == (400, 1)
        assert (await fetched(app, answer)).status_code == 200
        app.seconds += 901
        assert (await fetched(app, answer)).status_code == 403


async def test_under_rings_own_names_the_storage_is_another_host() -> None:
    async with partner("documented", "partner-media-303") as app:
        app.web.base_url = "http://api.amazonvision.com"
        answer = await clip(app)
        place = answer.headers["Location"]
        assert place.startswith("http://download-us-east-1.prod.phoenix.devices.amazon.dev/v1/download?")
        assert (await app.web.get(place)).status_code == 200
        assert (await app.web.get(place.partition(".dev")[2])).status_code == 404, "not at the API's host"


async def test_the_storage_can_fail() -> None:
    async with partner("documented", "partner-media-303", wire=True) as app:
        answer = await clip(app, duration=3000)
        whole = await fetched(app, answer)
        for switch, status in (("partner-media-busy", 503), ("partner-media-expired", 403)):
            app.world.switch([switch])
            assert (await fetched(app, answer)).status_code == status
        app.world.switch(["partner-media-no-range"])
        assert (await fetched(app, answer, Range="bytes=5-")).content == whole.content
        app.world.switch(["partner-media-changed"])
        changed = await fetched(app, answer, **{"Range": "bytes=5-", "If-Range": whole.headers["ETag"]})
        assert (changed.status_code, changed.headers["ETag"] == whole.headers["ETag"]) == (200, False)
        app.world.switch(["partner-media-cut"])
        with pytest.raises(httpx2.RemoteProtocolError, match=f"received 65536 bytes, expected {len(whole.content)}"):
            await fetched(app, answer)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"duration": 0}, "duration"), ({"duration": 900_001}, "duration"), ({"duration": "5"}, "duration"),
        ({"duration": True}, "duration"), ({"timestamp": 9_999_999_999_999}, "timestamp"),
        ({"video_options": {"codec": "hevc"}}, "codec"), ({"video_options": {"frame_rate": 26}}, "frame_rate"),
        ({"video_options": {"resolution": {"width": 1921}}}, "width"), ({"video_options": []}, "video_options"),
        ({"audio_options": {"audio_enabled": "yes"}}, "audio_enabled"), ({"components": []}, "components"),
    ],
)  # fmt: skip
async def test_a_request_that_breaks_a_rule_is_told_which(wrong: dict[str, Any], pointer: str) -> None:
    async with partner() as app:
        answer = await clip(app, **wrong)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"], error["source"]["pointer"]) == (400, "INVALID_PAYLOAD", pointer)
        assert error["id"] == answer.headers["X-Request-ID"]


async def test_times_without_footage_are_refused() -> None:
    async with partner() as app:
        assert code_of(await clip(app, timestamp=app.now - 5 * MINUTE)) == (416, "TIMESTAMP_NOT_FOUND")
        before = await clip(app, timestamp=app.now - 31 * 86_400_000)
        assert code_of(before) == (403, "TIME_RANGE_NOT_AUTHORIZED")
        app.estate.corrupt.update(event.number for event in app.estate.events)
        assert code_of(await clip(app)) == (422, "CORRUPT_RECORDING")
        unknown = await app.call("POST", "/v1/devices/of-nobody/media/video/download", json={})
        assert code_of(unknown) == (404, "DEVICE_NOT_FOUND")


async def test_fresh_footage_is_too_early_at_first() -> None:
    """The same request is good two seconds after the end of the event."""
    async with partner() as app:
        begun = app.now
        await app.web.post("/_sim/cameras/1001/bell")
        for seconds, status in ((1.0, 425), (8.0, 425), (1.5, 200)):
            app.seconds += seconds
            assert (await clip(app, timestamp=begun, duration=1000)).status_code == status
        (newest, *_) = (await app.events()).json()["data"]
        assert newest["attributes"]["is_third_party_reviewed"] is True


@pytest.mark.parametrize(
    ("switch", "told"),
    [
        ("partner-media-missing", (416, "TIMESTAMP_NOT_FOUND")), ("partner-media-early", (425, "RECORDING_NOT_READY")),
        ("partner-media-corrupt", (422, "CORRUPT_RECORDING")),
    ],
)  # fmt: skip
async def test_footage_can_be_made_to_fail(switch: str, told: tuple[int, str]) -> None:
    async with partner("documented", switch) as app:
        assert code_of(await clip(app)) == told


async def test_encrypted_footage_is_nothing_that_can_be_read() -> None:
    async with partner("documented", "partner-media-encrypted") as app:
        for answer in (await clip(app), await fetched(app, await still(app))):
            assert answer.status_code == 200
            assert answer.content[:2] != b"\xff\xd8"
            assert b"ftyp" not in answer.content[:16]


# Stills


@pytest.mark.parametrize(("kind", "size"), [("jpeg", None), ("png", (320, 180))])
async def test_a_still_is_a_picture_in_the_form_that_was_asked_for(kind: str, size: tuple[int, int] | None) -> None:
    async with partner() as app:
        resolution = {"resolution": {"width": size[0], "height": size[1]}} if size else {}
        answer = await still(app, image_options={"format": kind, **resolution})
        assert (answer.status_code, answer.content) == (303, b"")
        picture = await fetched(app, answer)
        assert (picture.status_code, picture.headers["Content-Type"]) == (200, f"image/{kind}")
        assert picture.headers["X-Media-Origin"] == "recording"
        codec = {"jpeg": "mjpeg"}.get(kind, kind)
        assert size_of(picture.content) == (codec, *(size or (640, 360)))


async def test_a_still_without_footage_is_refused_by_the_storage_only() -> None:
    """The nearest one within ten seconds is as good; of a range it is the latest."""
    async with partner() as app:
        for before, status in ((9_000, 200), (11_000, 416)):
            answer = await still(app, timestamp=app.now - 60 * MINUTE - before)
            assert answer.status_code == 303
            assert (await fetched(app, answer)).status_code == status
        wide: dict[str, Any] = {"type": "latest_in_range", "start_timestamp": app.now - 120 * MINUTE}
        latest = await fetched(app, await ask(app, "image", name="Driveway", **wide))
        assert int(latest.headers["X-Media-Timestamp"]) == app.now - 10 * MINUTE + 20_000
        narrow = await ask(app, "image", **wide, end_timestamp=app.now - 119 * MINUTE)
        assert code_of(await fetched(app, narrow)) == (416, "MEDIA_NOT_FOUND")


OBSERVED: list[tuple[bytes, tuple[int, str]]] = [
    (b"", (403, "REQUEST_FORBIDDEN")), (b"{}", (403, "REQUEST_FORBIDDEN")),
    (b'{"start": 5}', (403, "REQUEST_FORBIDDEN")), (b'{"timestamp": 5}', (403, "TIME_RANGE_NOT_AUTHORIZED")),
    (b'{"timestamp": 1794999999000}', (400, "INVALID_PAYLOAD")),
    (b'{"type": "image", "timestamp": 1794999999000}', (400, "INVALID_PAYLOAD")),
]  # fmt: skip


@pytest.mark.parametrize(("body", "told"), OBSERVED)
async def test_as_observed_rights_are_judged_before_the_form_is(body: bytes, told: tuple[int, str]) -> None:
    async with partner("observed") as app:
        path = f"{await app.device()}/media/image/download"
        assert code_of(await app.call("POST", path, content=body)) == told
    async with partner("documented") as app:
        path = f"{await app.device()}/media/image/download"
        assert code_of(await app.call("POST", path, content=body)) == (400, "INVALID_PAYLOAD")


# The rules alone


def test_a_clip_takes_the_recording_with_most_of_it() -> None:
    short, long = Recording(0, 1000, 0), Recording(1500, 9000, 0)
    assert find_clip([short, long], 500, 3000, 10_000).recording == long
    assert find_clip([short, long], 1000, 500, 10_000).status == 416, "the gap between them"


def test_a_still_of_a_moment_is_the_nearest() -> None:
    first, second = Recording(0, 1000, 0), Recording(15_000, 20_000, 0)
    assert find_still([first, second], 9_000, 9_000, 30_000, nearest=True).start == 15_000
    assert find_still([first, second], 7_000, 7_000, 30_000, nearest=True).start == 1000
    assert find_still([first, second], 0, 30_000, 30_000, nearest=False).start == 20_000
