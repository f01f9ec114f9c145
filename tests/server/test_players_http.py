"""Players over HTTP: ffmpeg reads the endless file and HLS, slow ones are let go, and the view is left behind them."""

import asyncio
import contextlib
import json
import re

import pytest
from players import run, ways_out
from starlette.types import Message

from ringlight.server import film_stream
from ringlight.server.places import Places

pytestmark = pytest.mark.anyio


async def decode(url: str, seconds: int, level: str = "warning") -> tuple[int, int, int, str]:
    """Let ffmpeg decode; return its exit code, how many pictures and sounds, and what it complained about."""
    code, said, complained = await run("ffmpeg", "-v", level, "-t", str(seconds), "-i", url, "-f", "framecrc", "-")
    return code, len(re.findall(r"^0,", said, re.M)), len(re.findall(r"^1,", said, re.M)), complained


async def test_ffmpeg_plays_the_endless_file_and_ffprobe_knows_what_is_in_it() -> None:
    async with ways_out() as house:
        url = f"{house.http.base_url}api/cameras/front-door/live.mp4"
        (code, pictures, sounds, complained), (_, said, _), (_, silent, _) = await asyncio.gather(
            decode(url, 3),
            run(
                "ffprobe",
                "-v",
                "error",
                "-analyzeduration",
                "500000",
                "-show_entries",
                "stream=codec_name,profile",
                "-of",
                "json",
                url,
            ),
            run(
                "ffprobe",
                "-v",
                "error",
                "-analyzeduration",
                "500000",
                "-show_entries",
                "stream=codec_name",
                "-of",
                "csv=p=0",
                url + "?sound=0",
            ),
        )
        assert (code, complained) == (0, "")
        assert pictures >= 40
        assert sounds >= 120
        streams = json.loads(said)["streams"]
        assert [(stream["codec_name"], stream.get("profile")) for stream in streams] == [
            ("h264", "High"),
            ("opus", None),
        ]
        assert silent.split() == ["h264"]
        await house.closed()
        assert house.world.live_views == 1


async def test_ffmpeg_plays_hls_and_who_asks_no_more_leaves_the_view() -> None:
    async with ways_out(idle=5.0, segment=1.0) as house:
        url = f"{house.http.base_url}api/cameras/front-door/hls/index.m3u8"
        code, pictures, sounds, complained = await decode(
            url, 3, "error"
        )  # it warns of each description that it reads anew
        assert (code, complained) == (0, "")
        assert pictures >= 36
        assert sounds >= 100
        answer = await house.http.get("api/cameras/front-door/hls/index.m3u8")
        assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
        described, segment = re.search(r'URI="(\S+)"', answer.text), re.search(r"^\S+\.m4s$", answer.text, re.M)
        assert described
        assert segment
        kinds = [
            (await house.http.get(f"api/cameras/front-door/hls/{name}")).headers["content-type"]
            for name in (described[1], segment[0])
        ]
        assert kinds == ["video/mp4", "video/iso.segment"]
        assert (await house.http.get(f"api/cameras/driveway/hls/{segment[0]}")).json()["code"] == "VIEWER-GONE"
        for name in ("..%2f..%2fx", "0123abcd-1.m4s", "x" * 300):
            assert (await house.http.get(f"api/cameras/front-door/hls/{name}")).status_code == 404
        await house.closed()
        assert house.world.live_views == 1
        assert (await house.http.get(f"api/cameras/front-door/hls/{segment[0]}")).json()["code"] == "VIEWER-GONE"


async def test_who_asks_at_once_shares_one_showing_and_one_without_sound_has_its_own() -> None:
    async with ways_out(segment=0.5) as house:
        address = "api/cameras/front-door/hls/index.m3u8"
        texts = [one.text for one in await asyncio.gather(*(house.http.get(address) for _ in range(4)))]
        assert len({re.search(r'URI="(\w{8})', text)[1] for text in texts}) == 1  # type: ignore[index]
        silent = (await house.http.get(address, params={"sound": "0"})).text
        described = re.search(r'URI="(\S+)"', silent)
        assert described
        assert described[1][:8] not in texts[0]
        assert b"Opus" not in (await house.http.get(f"api/cameras/front-door/hls/{described[1]}")).content


@pytest.mark.parametrize("way", ["live.mp4", "hls/index.m3u8"])
async def test_a_camera_that_cannot_be_watched_is_a_problem_with_its_fault(way: str) -> None:
    async with ways_out(most=1) as house:
        assert (await house.http.get(f"api/cameras/garage/{way}")).json()["code"] == "CAM-UNKNOWN"
        battery = await house.http.get(f"api/cameras/back-yard/{way}")
        assert (battery.status_code, battery.json()["code"]) == (403, "VIEWER-BATTERY")
        assert house.world.live_views == 0
        house.world.switch(["offline"])
        assert (await house.http.get(f"api/cameras/front-door/{way}")).json()["code"] == "CAM-OFFLINE"
        house.world.switch([])
        async with house.http.stream("GET", "api/cameras/front-door/live.mp4") as first:
            assert first.status_code == 200
            assert (await house.http.get(f"api/cameras/front-door/{way}")).json()["code"] == "VIEWER-MANY"


async def test_who_does_not_read_is_let_go_and_its_place_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_stream, "MOST", 64 * 1024)
    async with ways_out() as house:
        places, sent = Places(1), []

        async def stuck(message: Message) -> None:
            """A connection whose other side has stopped to read."""
            sent.append(message)
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

        async def quiet() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        camera = await house.account.camera("front-door")
        answer = await film_stream.film_stream(camera, places, asyncio.Event(), sound=True)
        assert places.taken == 1
        async with asyncio.timeout(20):
            await answer({"type": "http", "asgi": {"spec_version": "2.3"}, "method": "GET"}, quiet, stuck)
        assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
        assert places.taken == 0
        await house.closed()


async def test_the_end_of_the_view_is_the_end_of_the_file() -> None:
    async with ways_out() as house, house.http.stream("GET", "api/cameras/front-door/live.mp4") as answer:
        chunks = answer.aiter_raw()
        assert (await anext(chunks))[4:8] == b"ftyp"
        await (await house.account.camera("front-door")).view.close()
        async with asyncio.timeout(10):
            async for _ in chunks:
                pass


async def test_the_end_of_hls_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ringlight.server")
    async with ways_out(segment=0.5) as house:
        assert (await house.http.get("api/cameras/front-door/hls/index.m3u8")).status_code == 200
        await (await house.account.camera("front-door")).view.close()
        async with asyncio.timeout(5):
            while not any("hls of front-door ended" in said for said in caplog.messages):
                await asyncio.sleep(0.02)
        assert "hls of front-door ended: SIG-CLOSED" in caplog.messages


async def test_the_end_of_the_program_does_not_wait_for_players() -> None:
    async with contextlib.AsyncExitStack() as players:
        async with ways_out(segment=0.5) as house:
            for way in ("front-door/live.mp4", "driveway/hls/index.m3u8"):
                port = house.http.base_url.port
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                players.callback(writer.close)
                writer.write(f"GET /api/cameras/{way} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
                assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 10
