"""RTSP with real players: ffmpeg and GStreamer by both ways, keys, cameras that are refused, and who behaves badly."""

import asyncio
import base64
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from players import run, ways_out

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.faults import FAULTS
from ringlight.http.serving import listen
from ringlight.media import rtcp, rtp
from ringlight.secrets import Secret
from ringlight.server.entrance import WRONG_KEYS
from ringlight.server.program import run_server
from ringlight.server.rtsp import connection, listener, player, ways
from ringlight.server.rtsp.credentials import digest_of
from ringlight.server.rtsp.messages import interleaved
from ringlight.settings import RtspSettings, ServerSettings, Settings
from ringlight.store import MemoryTokenStore
from ringlight.store.key_rows import KeptKey, hash_of_key
from ringlight.testing import simulator

pytestmark = pytest.mark.anyio
KEY = "a long random key"
CANCELLED = "Could not send message. (Received end-of-file)"


async def probe(url: str, *options: str) -> tuple[int, list[str], str]:
    """Let ffprobe look; return its exit code, the codecs, and what it complained about."""
    code, said, complained = await run(
        "ffprobe",
        "-v",
        "error",
        "-analyzeduration",
        "500000",
        *options,
        "-show_entries",
        "stream=codec_name",
        "-of",
        "json",
        url,
    )
    return code, [stream["codec_name"] for stream in json.loads(said or "{}").get("streams", [])], complained


async def ffmpeg(url: str, transport: str, seconds: int = 5) -> tuple[int, int, str]:
    """Let ffmpeg decode for some seconds; return its exit code, how many pictures, and what it complained about."""
    code, said, complained = await run(
        "ffmpeg", "-v", "warning", "-rtsp_transport", transport, "-t", str(seconds), "-i", url, "-f", "framecrc", "-"
    )
    return code, len(re.findall(r"^0,", said, re.MULTILINE)), complained


async def gstreamer(url: str, transport: str, pictures: int) -> tuple[bool, str]:
    """Let GStreamer take some pictures; return whether it got them all, and what it complained about.

    When it leaves, it cancels its own PAUSE. Where that was not written yet, it takes the cancelled write for the end
    of the connection (`writev_bytes` in its gstrtspconnection.c), and complains: that is left out here. What a player
    reads that leaves so is in `test_a_player_that_leaves_reads_all_answers_although_it_has_said_more_meanwhile`.
    """
    _, said, complained = await run(
        "gst-launch-1.0", "rtspsrc", f"location={url}", f"protocols={transport}", "latency=200", "!",
        "rtph264depay", "!", "video/x-h264,stream-format=avc,alignment=au", "!", "fakesink", f"num-buffers={pictures}",
    )  # fmt: skip
    got_all = "Got EOS from element" in said
    return got_all, "" if got_all and is_of_its_own_pause(complained) else complained


def is_of_its_own_pause(complained: str) -> bool:
    """Whether all that GStreamer complains about is a PAUSE that it could not write."""
    where = set(re.findall(r"gstrtspsrc\.c\(\d+\): (\w+) \(\)", complained))
    why = set(re.findall(r"^Could not .*$", complained, re.MULTILINE))
    return where == {"gst_rtspsrc_try_send", "gst_rtspsrc_pause"} and why == {CANCELLED}


@dataclass
class Raw:
    """A player written by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, method: str, url: str, *headers: str) -> tuple[int, str]:
        """Send a request; return the answer's status and text."""
        self.writer.write("\r\n".join((f"{method} {url} RTSP/1.0", "CSeq: 1", *headers, "", "")).encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"Content-Length: (\d+)", head)
        body = (await self.reader.readexactly(int(length[1]))).decode() if length else ""
        return int(head.split()[1]), head + body

    async def play(self, url: str) -> None:
        assert (await self.ask("DESCRIBE", url))[0] == 200
        assert (await self.ask("SETUP", f"{url}/trackID=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"))[0] == 200
        assert (await self.ask("PLAY", url))[0] == 200

    async def ended(self) -> bytes:
        """Return all that comes until the other side ends it."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                return await self.reader.read()
        return b""


@contextlib.asynccontextmanager
async def by_hand(port: int, buffer: int | None = None) -> AsyncIterator[Raw]:
    plain = socket.socket()
    if buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=buffer or 2**16)
    try:
        yield Raw(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_ffmpeg_and_gstreamer_play_by_both_ways_at_once_and_share_one_view() -> None:
    async with ways_out() as house:
        url = house.rtsp.url + "front-door"
        async with asyncio.TaskGroup() as group:
            decoding = [group.create_task(ffmpeg(url, way)) for way in ("tcp", "udp")]
            taking = [group.create_task(gstreamer(url, way, 75)) for way in ("tcp", "udp")]
        for task in decoding:
            code, pictures, complained = task.result()
            assert (code, complained) == (0, "")
            assert pictures >= 60  # 15 a second, the group that ran when it came among them
        assert [task.result() for task in taking] == [(True, "")] * 2
        await house.emptied()
        await house.closed()
        assert house.world.live_views == 1


def test_of_gstreamers_complaints_none_but_that_about_its_own_pause_is_left_out() -> None:
    said = "ERROR: from element /x: Could not write to resource.\n../gst/rtsp/gstrtspsrc.c(1): {} (): /x:\n{}\n"
    pause = said.format("gst_rtspsrc_try_send", CANCELLED) + said.format("gst_rtspsrc_pause", CANCELLED)
    assert is_of_its_own_pause(pause)
    assert not is_of_its_own_pause("")
    assert not is_of_its_own_pause(pause + "WARNING: from element /x: Could not decode\nCould not decode stream.\n")
    assert not is_of_its_own_pause(pause.replace("gst_rtspsrc_pause", "gst_rtspsrc_play"))
    assert not is_of_its_own_pause(pause.replace(CANCELLED, "Could not receive message. (Received end-of-file)"))


async def test_sound_comes_with_the_pictures_and_the_description_names_the_parameter_sets() -> None:
    async with ways_out() as house:
        url = house.rtsp.url + "front-door"
        assert (await probe(url, "-rtsp_transport", "tcp"))[:2] == (0, ["h264", "opus"])
        async with by_hand(house.rtsp.port) as raw:
            status, text = await raw.ask("DESCRIBE", url)
            assert status == 200
            assert re.search(
                r"^a=fmtp:96 .*profile-level-id=64[0-9A-F]{4}; sprop-parameter-sets=Z2\S+,aO\S+\r$", text, re.M
            )


async def test_a_report_of_the_clock_comes_before_the_first_packet_and_again_every_two_seconds() -> None:
    """A player that gets it later moves picture against sound in the middle of the film."""
    async with ways_out() as house, by_hand(house.rtsp.port) as raw:
        await raw.play(house.rtsp.url + "front-door")
        reports: list[rtcp.SenderReport] = []
        packets = 0
        async with asyncio.timeout(20):
            while len(reports) < 2:
                _, channel, *length = await raw.reader.readexactly(4)
                data = await raw.reader.readexactly(int.from_bytes(bytes(length), "big"))
                if channel == 1:
                    reports += [one for one in rtcp.parse(data) if isinstance(one, rtcp.SenderReport)]
                else:
                    assert reports, "the report is first"
                    packets += 1
                    assert rtp.parse(data).ssrc == reports[0].ssrc
                    assert rtp.parse(data).payload_type == 96
        assert reports[1].packets == pytest.approx(packets, abs=5)
        wall, ticks = (reports[1].ntp - reports[0].ntp) / 2**32, reports[1].rtp_timestamp - reports[0].rtp_timestamp
        assert ticks % 2**32 / 90_000 == pytest.approx(wall, abs=0.25)


async def test_options_does_not_wake_the_camera_and_describe_does() -> None:
    async with ways_out() as house, by_hand(house.rtsp.port) as raw:
        url = house.rtsp.url + "front-door"
        assert (await raw.ask("OPTIONS", url))[0] == 200
        assert house.world.live_views == 0
        assert (await raw.ask("DESCRIBE", url))[0] == 200
        assert house.world.live_views == 1
        assert (await raw.ask("TEARDOWN", url))[0] == 200
        await house.closed()


async def test_with_a_key_a_player_that_has_it_plays_and_others_do_not() -> None:
    async with ways_out(key=KEY) as house:
        where = f"127.0.0.1:{house.rtsp.port}/front-door"
        right, wrong, none = await asyncio.gather(
            probe(f"rtsp://any:{KEY.replace(' ', '%20')}@{where}"), probe(f"rtsp://any:guess@{where}"),
            probe(f"rtsp://{where}"),
        )  # fmt: skip
        assert right[:2] == (0, ["h264", "opus"])
        assert [one[0] for one in (wrong, none)] == [1, 1]
        assert "401 Unauthorized" in wrong[2]
        assert "401 Unauthorized" in none[2]


async def test_a_key_of_somebody_else_plays_by_digest_and_basic_what_it_is_for_and_no_more() -> None:
    """ffmpeg answers in Digest: the user is the key's name then. In Basic it may be anybody."""
    given = Secret("rlk_" + "g" * 43)
    seeing = KeptKey(
        "g1", "nvr in the hall", hash_of_key(given), ("view",), ("front-door",), 0.0,
        digest=digest_of("nvr in the hall", given),
    )  # fmt: skip
    talking = KeptKey("g2", "intercom", hash_of_key(Secret("rlk_" + "t" * 43)), ("talk",), None, 0.0)
    async with ways_out(key=KEY, keys=(seeing, talking)) as house:
        where = f"127.0.0.1:{house.rtsp.port}/"
        by_name, other_user, other_camera = await asyncio.gather(
            probe(f"rtsp://nvr%20in%20the%20hall:{given.reveal()}@{where}front-door"),
            probe(f"rtsp://somebody:{given.reveal()}@{where}front-door"),
            probe(f"rtsp://nvr%20in%20the%20hall:{given.reveal()}@{where}driveway"),
        )
        assert by_name[:2] == (0, ["h264", "opus"])
        assert (other_user[0], "401 Unauthorized" in other_user[2]) == (1, True)
        assert (other_camera[0], "403 KEY-CAMERA" in other_camera[2]) == (1, True)
        for password, expected in ((given.reveal(), "200 OK"), ("rlk_" + "t" * 43, "403 KEY-SCOPE")):
            shown = base64.b64encode(f"anybody:{password}".encode()).decode()
            async with by_hand(house.rtsp.port) as raw:
                _, text = await raw.ask("DESCRIBE", f"rtsp://{where}front-door", f"Authorization: Basic {shown}")
                assert text.startswith(f"RTSP/1.0 {expected}")


async def test_who_guesses_keys_by_rtsp_waits_on_every_way_in() -> None:
    async with ways_out(key=KEY) as house:
        url = f"rtsp://127.0.0.1:{house.rtsp.port}/front-door"

        def shown(key: str) -> str:
            return "Authorization: Basic " + base64.b64encode(f":{key}".encode()).decode()

        for number in range(WRONG_KEYS[0]):
            async with by_hand(house.rtsp.port) as raw:
                assert (await raw.ask("DESCRIBE", url, shown(f"guess {number}")))[0] == 401
        async with by_hand(house.rtsp.port) as raw:
            status, text = await raw.ask("DESCRIBE", url, shown(KEY))
            assert (status, "KEY-TRIES" in text) == (429, True)
            assert await raw.ended() == b""
        assert house.world.live_views == 0


async def test_a_camera_on_battery_is_joined_and_not_woken_but_by_its_owners_leave() -> None:
    async with ways_out() as house:
        url = house.rtsp.url + "back-yard"
        code, _, complained = await probe(url)
        assert code == 1
        assert "VIEWER-BATTERY" in complained
        assert house.world.live_views == 0
        async with by_hand(house.rtsp.port) as raw:
            async with (await house.account.camera("back-yard")).live_view():
                assert (await raw.ask("DESCRIBE", url))[0] == 200
            await house.emptied()  # the person has left, and the player with them
    async with ways_out(cameras={"renewal_of": {"back-yard": "while-watched"}}) as house:
        assert (await probe(house.rtsp.url + "back-yard"))[1] == ["h264", "opus"]


async def test_of_hevc_every_way_out_says_at_once_that_it_is_not_h264() -> None:
    """They put pictures together, which is done for H.264; to wait for a key frame would tell a wrong cause."""
    async with ways_out(hevc=True) as house, by_hand(house.rtsp.port) as raw:
        house.world.switch(["hevc-only"])
        async with (await house.account.camera("front-door")).live_view(), asyncio.timeout(10):
            status, text = await raw.ask("DESCRIBE", house.rtsp.url + "front-door")
            assert (status, "MEDIA-CODEC" in text) == (FAULTS["MEDIA-CODEC"].http, True)
            for way in ("live.mp4", "hls/index.m3u8"):
                answer = await house.http.get(f"api/cameras/front-door/{way}")
                assert answer.json()["code"] == "MEDIA-CODEC"


async def test_a_camera_that_cannot_be_watched_is_refused_with_its_fault() -> None:
    async with ways_out(most=1) as house, by_hand(house.rtsp.port) as raw:
        status, text = await raw.ask("DESCRIBE", house.rtsp.url + "garage")
        assert status == 404
        assert text.startswith("RTSP/1.0 404 CAM-UNKNOWN ")
        assert '"code":"CAM-UNKNOWN"' in text
        house.world.switch(["offline"])
        assert "CAM-OFFLINE" in (await raw.ask("DESCRIBE", house.rtsp.url + "front-door"))[1]
        house.world.switch([])
        assert (await raw.ask("DESCRIBE", house.rtsp.url + "front-door"))[0] == 200
        async with by_hand(house.rtsp.port) as other:
            assert "VIEWER-MANY" in (await other.ask("DESCRIBE", house.rtsp.url + "front-door"))[1]


async def test_when_the_view_ends_the_player_is_told_and_the_connection_with_it() -> None:
    async with ways_out() as house, by_hand(house.rtsp.port) as raw:
        await raw.play(house.rtsp.url + "front-door")
        await (await house.account.camera("front-door")).view.close()
        last = await raw.ended()
        assert b"\x81\xcb\x00\x01" in last[-200:]  # RTCP: goodbye
        await house.emptied()


async def test_a_player_that_leaves_reads_all_answers_although_it_has_said_more_meanwhile() -> None:
    """GStreamer waits for no answer to its PAUSE, and its reports come after TEARDOWN. A connection that is closed with
    something unread is reset by the kernel, and what waited to be sent is lost with it.
    """
    async with ways_out() as house, by_hand(house.rtsp.port, 4096) as raw:
        url = house.rtsp.url + "front-door"
        await raw.play(url)
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(1.0)  # so that pictures wait on the way
        report = interleaved(1, rtcp.write(rtcp.Bye((7,))))
        for number, method in ((5, "PAUSE"), (6, "TEARDOWN")):
            raw.writer.write(f"{method} {url} RTSP/1.0\r\nCSeq: {number}\r\n\r\n".encode())
        raw.writer.write(report * (500_000 // len(report)))
        await asyncio.sleep(0.2)
        raw.writer.transport.resume_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(10):
            said = await raw.reader.read()
        assert [said.count(b"CSeq: %d\r\n" % number) for number in (5, 6)] == [1, 1]
        await house.emptied()


async def test_by_udp_too_nothing_comes_any_more_once_it_is_over() -> None:
    """The connection may stay for a moment, until the player has ended its side; the pictures may not."""
    with contextlib.ExitStack() as stack:
        theirs = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2)]
        for bound in theirs:
            bound.bind(("127.0.0.1", 0))
            bound.setblocking(False)
        rtp, rtcp_port = (bound.getsockname()[1] for bound in theirs)
        async with ways_out() as house, by_hand(house.rtsp.port) as raw:
            url = house.rtsp.url + "front-door"
            assert (await raw.ask("DESCRIBE", url))[0] == 200
            way = f"Transport: RTP/AVP;unicast;client_port={rtp}-{rtcp_port}"
            assert (await raw.ask("SETUP", f"{url}/trackID=0", way))[0] == 200
            assert (await raw.ask("PLAY", url))[0] == 200
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(10):
                await loop.sock_recv(theirs[0], 2048)
            assert (await raw.ask("TEARDOWN", url))[0] == 200
            with contextlib.suppress(BlockingIOError):
                while True:
                    theirs[0].recv(2048)  # those that were sent before
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.7):
                    await loop.sock_recv(theirs[0], 2048)
            await house.emptied()


async def test_a_player_that_is_killed_leaves_the_view() -> None:
    async with ways_out() as house:
        process = await asyncio.create_subprocess_exec(
            "ffmpeg", "-v", "error", "-rtsp_transport", "udp", "-i", house.rtsp.url + "front-door", "-f", "null", "-",
            stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(20):
            while not any(one.playing for one in house.rtsp.connections):
                await asyncio.sleep(0.05)
        process.kill()
        await process.wait()
        await house.closed()


async def test_who_does_not_read_is_let_go_and_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FULL", 32 * 1024)
    monkeypatch.setattr(connection, "DRAINED", 8 * 1024)
    monkeypatch.setattr(player, "STUCK_AFTER", 0.5)
    async with ways_out() as house, by_hand(house.rtsp.port, 4096) as raw:
        await raw.play(house.rtsp.url + "front-door")
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        code, pictures, complained = await ffmpeg(house.rtsp.url + "front-door", "tcp", 3)
        assert (code, complained) == (0, "")
        assert pictures >= 30
        await house.emptied()


async def test_garbage_floods_and_endless_requests_are_refused_while_others_watch() -> None:
    async with ways_out() as house, by_hand(house.rtsp.port) as watching:
        url = house.rtsp.url + "front-door"
        await watching.play(url)
        for garbage, status in (
            (b"\x16\x03\x01" + bytes(200), b"400"),
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
            (b"DESCRIBE rtsp://h/" + b"x" * 1_000_000, b"413"),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 200, b"429"),
        ):
            async with by_hand(house.rtsp.port) as raw:
                raw.writer.write(garbage)
                answers = await raw.ended()
                assert status in answers
        async with contextlib.AsyncExitStack() as stack:
            crowd = [await stack.enter_async_context(by_hand(house.rtsp.port)) for _ in range(40)]
            async with asyncio.timeout(5):
                while len(house.rtsp.connections) > 1 + listener.STRANGERS_PER_ADDRESS:
                    await asyncio.sleep(0.01)
            assert await crowd[-1].ended() == b""
        assert len(await watching.reader.readexactly(20_000)) == 20_000
        assert house.world.live_views == 1


async def test_a_port_where_nobody_listens_any_more_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "REFUSED", 0.1)
    theirs = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    theirs.bind(("127.0.0.1", 0))
    number = theirs.getsockname()[1]
    ports = ways.Ports("127.0.0.1", "127.0.0.1", (number, number), lambda _: None)
    loop = asyncio.get_running_loop()
    try:
        assert ports.numbers[0] % 2 == 0
        assert ports.numbers[1] == ports.numbers[0] + 1
        ports.send([b"packet"])
        assert theirs.recv(100) == b"packet"
        assert not ports.refuses(loop.time())
        theirs.close()
        async with asyncio.timeout(5):
            while not ports.refuses(loop.time()):
                ports.send([b"packet"])
                await asyncio.sleep(0.01)
    finally:
        theirs.close()
        ports.close()


async def test_the_server_serves_it_where_the_settings_say_so() -> None:
    with contextlib.closing(listen("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options: dict[str, Any] = {"server": ServerSettings(port=0), "rtsp": RtspSettings(port=port, udp=False)}
    async with simulator() as ring:
        settings = Settings(ring_url=ring.url, **options)
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            run_server(settings, account),
            by_hand(port) as raw,
        ):
            url = f"rtsp://127.0.0.1:{port}/driveway"
            assert (await raw.ask("DESCRIBE", url))[0] == 200
            by_udp = "Transport: RTP/AVP;unicast;client_port=5000-5001"
            assert (await raw.ask("SETUP", f"{url}/trackID=0", by_udp))[0] == 461
