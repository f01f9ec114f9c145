"""Servers that break every rule: the view always ends with a fault, and the process lives."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from dialing import FRONT_DOOR, Notes, client_at, open_files
from ringlight.errors import RingError
from ringlight.faults import FAULTS
from ringlight.media.peer import Peer

pytestmark = pytest.mark.anyio

DEADLINES = {
    "session_timeout": 5.0,
    "answer_timeout": 5.0,
    "path_timeout": 0.1,
    "camera_timeout": 0.2,
    "media_timeout": 0.1,
    "ready_retries": 0,
    "retries": 0,
    "reopen_retries": 0,
}
Talk = Callable[["Server"], Awaitable[None]]
NOISE = random.Random(4002).randbytes(65536)


class Server:
    """One connection of a server that does as it likes."""

    def __init__(self, web: ServerConnection) -> None:
        self.web = web
        self.offer: dict[str, Any] = {}

    async def listen(self) -> None:
        self.offer = json.loads(await self.web.recv())

    async def say(self, method: object, **body: object) -> None:
        usual = {"doorbot_id": FRONT_DOOR, "session_id": "S", **body}
        await self.web.send(json.dumps({"method": method, "dialog_id": self.offer["dialog_id"], "body": usual}))

    async def begin(self, answer: str | None = None) -> None:
        await self.listen()
        await self.say("session_created")
        await self.say("sdp", sdp=answer or ANSWER, type="answer")


ANSWER = "\r\n".join((
    "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0 1",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=sendrecv", "a=rtcp-mux", "a=setup:active",
    "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
    "a=rtpmap:111 OPUS/48000/2",
    "m=video 9 UDP/TLS/RTP/SAVPF 102", "a=mid:1", "a=sendonly", "a=rtcp-mux", "a=setup:active",
    "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
    "a=rtpmap:102 H264/90000", "a=fmtp:102 profile-level-id=42e034;packetization-mode=1", "",
))  # fmt: skip


@asynccontextmanager
async def _evil(talk: Talk) -> AsyncIterator[str]:
    async def handle(web: ServerConnection) -> None:
        try:
            await talk(Server(web))
            await web.wait_closed()
        except ConnectionClosed:
            pass

    quiet = logging.getLogger("evil server")
    quiet.propagate = False
    async with serve(handle, "127.0.0.1", 0, logger=quiet, close_timeout=0.2) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ws?token=t"


async def _end_of(talk: Talk, notes: Notes | None = None, **deadlines: float) -> RingError:
    """Watch until it ends, and look that nothing is left."""
    async with _evil(talk) as address:
        client = client_at(address, notes or Notes(), **{**DEADLINES, **deadlines})
        async with asyncio.timeout(15):
            try:
                await client.open()
                error = await client.ended()
            except RingError as refused:
                error = refused
        assert [task for task in asyncio.all_tasks() if (task.get_name()).startswith(("live view", "ringlight"))] == []
    assert error.code in FAULTS
    assert len(error.detail or "") < 400
    assert (error.detail or "").isprintable()
    return error


async def _send_noise(server: Server) -> None:
    await server.web.send(NOISE)


async def _noise_as_text(server: Server) -> None:
    await server.listen()
    await server.web.send(NOISE.decode("latin-1"))


async def _endless_noise(server: Server) -> None:
    await server.begin()
    while True:
        await server.web.send(NOISE)


async def _huge(server: Server) -> None:
    await server.listen()
    await server.web.send("x" * 300_000)


async def _monstrous(server: Server) -> None:
    await server.listen()
    await server.web.send("x" * 3_000_000)


async def _nested(server: Server) -> None:
    await server.listen()
    await server.web.send('{"method":' * 20_000)


async def _nested_but_whole(server: Server) -> None:
    await server.listen()
    deep = '{"a":' * 700 + "1" + "}" * 700
    await server.web.send(f'{{"method": "news", "body": {deep}}}')


async def _doubled(server: Server) -> None:
    await server.begin()
    for _ in range(50):
        await server.say("session_created", session_id="T")
        await server.say("sdp", sdp=ANSWER)
        await server.say("camera_started")
        await server.say("pong")
    await server.say("close", reason={"code": 26, "text": "x"})


async def _wrong_types(server: Server) -> None:
    await server.begin()
    for body in ({"doorbot_id": "1001"}, {"doorbot_id": None}, {"session_id": 5}, {"is_ok": "no"}):
        await server.say("notification", **body)
    await server.say("ice", ice={"candidate": 1}, mlineindex="0")
    await server.web.send("[]")
    await server.say(17)
    await server.say("close", reason="because")
    await server.say("close", reason={"code": 6})


async def _wrong_camera(server: Server) -> None:
    await server.listen()
    await server.say("session_created", doorbot_id=10**80)


async def _garbage_answer(server: Server) -> None:
    await server.begin("\x00\xff garbage\r\n\r\n=")


async def _absurd_interval(server: Server) -> None:
    await server.listen()
    await server.say("session_created")
    await server.say("sdp", sdp=ANSWER, session_info={"ping_interval": 10**400})


async def _bad_candidates(server: Server) -> None:
    await server.begin()
    for line in (
        "", "candidate:", "a=candidate:1", "candidate:1 1 udp x 127.0.0.1 9 typ host",
        "candidate:1 1 udp 1 nonsense 9 typ host", "candidate:1 1 udp 1 300.1.1.1 9 typ host", "\x00" * 9,
        "candidate:1 1 udp 1 127.0.0.1 9 typ tea", "candidate:1 1 tcp 1 127.0.0.1 443 typ host tcptype passive",
        "candidate:1 1 udp 2130706431 127.0.0.1 0 typ host",
        "candidate:1 1 udp 1 fe80::1%nowhere 9 typ host", "candidate:1 1 udp " + "9" * 5000 + " 127.0.0.1 9 typ host",
    ):  # fmt: skip
        await server.say("ice", ice=line, mlineindex=0)


async def _cut(server: Server) -> None:
    await server.begin()
    server.web.transport.abort()


async def _goes(server: Server) -> None:
    await server.begin()
    await server.web.close(1001, "restart")


async def _goes_at_once(server: Server) -> None:
    await server.web.close(1000)


async def _rejects(server: Server) -> None:
    await server.listen()
    await server.web.close(4002, "\x1b[31mdoorbot_id\x07")


async def _silent(server: Server) -> None:
    await server.listen()


async def _broken_frame(server: Server) -> None:
    await server.begin()
    server.web.transport.write(b"\xff\xff\xff\xff\xff")


async def _invalid_text(server: Server) -> None:
    await server.begin()
    server.web.transport.write(b"\x81\x02\xff\xfe")


EVIL: dict[str, tuple[Talk, set[str]]] = {
    "64 KiB of noise": (_send_noise, {"SIG-NOISE"}),
    "noise as text": (_noise_as_text, {"SIG-NOISE"}),
    "noise without end": (_endless_noise, {"SIG-NOISE"}),
    "a frame that is too long": (_huge, {"SIG-NOISE"}),
    "a frame that is far too long": (_monstrous, {"SIG-DROPPED", "SIG-NOISE"}),
    "a frame that is too deep": (_nested, {"SIG-NOISE"}),
    "a frame that is deep and whole": (_nested_but_whole, {"SIG-NO-SESSION", "SIG-NOISE"}),
    "all twice": (_doubled, {"SIG-NOT-READY"}),
    "wrong types": (_wrong_types, {"SIG-PING"}),
    "a camera that is not ours": (_wrong_camera, {"SIG-NO-SESSION"}),
    "an answer of garbage": (_garbage_answer, {"SIG-SDP"}),
    "a ping interval of many digits": (_absurd_interval, {"MEDIA-UDP"}),
    "candidates of garbage": (_bad_candidates, {"MEDIA-UDP"}),
    "the line is cut": (_cut, {"SIG-DROPPED"}),
    "the server goes": (_goes, {"SIG-ENDED"}),
    "the server goes at once": (_goes_at_once, {"SIG-USER-AGENT"}),
    "a rejection with escape codes": (_rejects, {"SIG-DOORBOT-ID"}),
    "silence": (_silent, {"SIG-NO-SESSION"}),
    "a frame of no protocol": (_broken_frame, {"SIG-DROPPED"}),
    "a text that is no UTF-8": (_invalid_text, {"SIG-DROPPED"}),
}


@pytest.mark.parametrize("name", EVIL)
async def test_an_evil_server_ends_in_a_fault(name: str, caplog: pytest.LogCaptureFixture) -> None:
    talk, codes = EVIL[name]
    # Short deadlines only where one of them is what ends the view: machines may be slow.
    session, path = 0.2 if "SIG-NO-SESSION" in codes else 5.0, 0.1 if "MEDIA-UDP" in codes else 5.0
    error = await _end_of(talk, session_timeout=session, path_timeout=path, camera_timeout=9.0)
    assert error.code in codes, error
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


ANSWERS: dict[str, tuple[str, str]] = {
    "empty": (" \r\n", "SIG-SDP"),
    "words": ("hello", "SIG-SDP"),
    "no media": (ANSWER[: ANSWER.index("m=")], "SDP-CODEC"),
    "video refused": (ANSWER.replace("m=video 9", "m=video 0"), "SDP-CODEC"),
    "HEVC": (ANSWER.replace("H264/90000", "H265/90000"), "SDP-CODEC"),
    "recvonly": (ANSWER.replace("a=sendonly", "a=recvonly"), "SDP-CODEC"),
    "never offered": (ANSWER.replace("102", "77"), "SDP-PROFILE"),
    "no fingerprint": (ANSWER.replace("a=fingerprint", "a=footprint"), "SIG-SDP"),
    "no ufrag": (ANSWER.replace("a=ice-ufrag", "a=ice-frag"), "SIG-SDP"),
    "actpass": (ANSWER.replace("a=setup:active", "a=setup:actpass"), "SIG-SDP"),
    "payload type of many digits": (ANSWER.replace("SAVPF 102", "SAVPF " + "1" * 5000), "SIG-SDP"),
    "port of many digits": (ANSWER.replace("m=video 9", "m=video " + "9" * 5000), "SIG-SDP"),
    "candidates of garbage": (
        ANSWER + "a=candidate:1 1 udp x y z\r\na=candidate:\r\na=candidate:1 1 UDP 5 nowhere.invalid 9 typ host\r\n",
        "MEDIA-UDP",
    ),
    "an ice-pwd of one letter": (ANSWER.replace("abcdefghijklmnopqrstuvwx", "x"), "MEDIA-UDP"),
    "an ice-ufrag with spaces": (ANSWER.replace("a=ice-ufrag:abcd", "a=ice-ufrag:a b\u2603"), "MEDIA-UDP"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_cannot_be_used_is_a_fault(name: str, caplog: pytest.LogCaptureFixture) -> None:
    text, code = ANSWERS[name]

    async def talk(server: Server) -> None:
        await server.begin(text)

    assert (await _end_of(talk)).code == code
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("port", [-5, 0, 65536, 99999999])
async def test_a_candidate_with_a_port_that_no_socket_has_is_left_out(port: int) -> None:
    """Sending there raises OverflowError in a callback of the event loop, where nobody can catch it."""
    peer = Peer(controlling=True, on_rtp=lambda _: None, on_rtcp=lambda _: None, on_closed=lambda _: None)
    taken = await peer.add_candidate(f"candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host")
    await peer.close()
    assert not taken


async def test_a_recvonly_section_that_is_answered_sendrecv_is_repaired_and_noted() -> None:
    notes = Notes()

    async def talk(server: Server) -> None:
        await server.begin(ANSWER.replace("a=sendonly", "a=sendrecv"))

    assert (await _end_of(talk, notes)).code == "MEDIA-UDP"
    assert "SDP-DIRECTION" in notes.notes


async def test_random_frames_in_random_moments() -> None:
    """Two hundred frames of a hostile mind; the same ones in every run."""
    dice = random.Random(13)
    methods = ["session_created", "sdp", "ice", "pong", "notification", "camera_started", "stream_info", "news", None]
    values: list[Any] = ["S", "", None, 5, -1, 1.5, True, [], {}, ANSWER, FRONT_DOOR, {"code": "x"}, "candidate:1"]

    async def talk(server: Server) -> None:
        await server.listen()
        if dice.random() < 0.5:
            await server.say("session_created")
        for _ in range(10):
            keys = ("doorbot_id", "session_id", "sdp", "ice", "mlineindex", "is_ok", "text", "reason", "session_info")
            await server.say(dice.choice(methods), **{key: dice.choice(values) for key in dice.sample(keys, 3)})
        await server.web.close(1001)

    files = open_files()
    for _ in range(20):
        assert (await _end_of(talk, session_timeout=0.2)).code.startswith(("SIG-", "MEDIA-", "SDP-"))
    assert open_files() <= files
