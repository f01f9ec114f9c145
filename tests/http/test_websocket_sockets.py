"""Our WebSockets under uvicorn, on real connections: bad input of every kind, slow readers, silence, many at once."""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI, Request, WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from own_certificates import Authority
from ringlight.http import doorstep, serving
from ringlight.http.doorstep import Doorstep
from ringlight.http.serving import listen
from ringlight.http.websocket import frames, protocol
from ringlight.http.websocket.frames import unmask
from ringlight.http.websocket.handshake import Upgrade
from ringlight.http.websocket.protocol import FastSocket

pytestmark = pytest.mark.anyio
MASK = b"\x11\xa2\x03\xf4"
GREETING = (
    b"GET /relay HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both loops: they differ in what a transport is, and in when it writes."""
    return "asyncio", {"use_uvloop": request.param}


class Relay:
    """Passes what each socket says on to all others."""

    def __init__(self) -> None:
        self.most_bytes = 1000
        self.queue_bytes = 100_000
        self.ping_after = 3600.0
        self.is_idle = True
        self.sockets: dict[int, FastSocket] = {}
        self.losses: list[str] = []
        self.said: list[bytes | None] = []
        self.count = 0

    def takes(self, path: str) -> bool:
        return path == "/relay"

    def subprotocol(self, upgrade: Upgrade) -> str | None:
        return next(iter(upgrade.subprotocols), None)

    def opened(self, socket: FastSocket, upgrade: Upgrade) -> int:
        self.count += 1
        self.sockets[self.count] = socket
        return self.count

    def heard(self, number: int, frame: bytes | None) -> None:
        self.said.append(frame)
        for other, sock in self.sockets.items():
            if other != number and frame is not None:
                sock.send(frame)

    def lost(self, number: int, reason: str) -> None:
        if self.sockets.pop(number, None) is not None:
            self.losses.append(reason)

    def too_big(self, socket: FastSocket) -> None:
        socket.send(b"too big")

    def too_silent(self, socket: FastSocket) -> None:
        socket.send(b"too silent")
        socket.close(4408, "silent")

    def too_slow(self, socket: FastSocket) -> None:
        socket.send(b"too slow")
        socket.close(4503, "slow")

    def tick(self) -> None:
        pass


class Server:
    def __init__(self, relay: Relay, port: int) -> None:
        self.relay = relay
        self.port = port
        self.url = f"ws://127.0.0.1:{port}"

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection that has shaken hands, and may now do everything wrong."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(GREETING)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        return reader, writer

    async def until_lost(self, reason: str) -> None:
        async with asyncio.timeout(20):
            while reason not in self.relay.losses:
                await asyncio.sleep(0.01)


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(protocol, "SWEEP", 0.05)
    app, relay = FastAPI(), Relay()

    @app.websocket("/other")
    async def other(web: WebSocket) -> None:
        await web.accept()
        while True:
            await web.send_text((await web.receive_text()).upper())

    @app.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    async with serving.serving(app, listen("127.0.0.1", 0), sockets=relay) as running:
        yield Server(relay, running.port)


def frame(opcode: int, payload: bytes, *, first: int = 0x80, mask: bytes = MASK) -> bytes:
    size = len(payload)
    head = bytes((first | opcode, 0x80 | size)) if size < 126 else struct.pack("!BBH", first | opcode, 0xFE, size)
    return head + mask + unmask(payload, mask)


async def closed_with(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Read to the end; return the code and reason of the close frame, the last thing before it."""
    async with asyncio.timeout(20):
        rest = await reader.read()
    at = rest.rindex(b"\x88")
    return int.from_bytes(rest[at + 2 : at + 4], "big"), rest[at + 4 :].decode()


async def test_what_one_says_the_other_hears_and_the_kernel_may_cut_it_anywhere(server: Server) -> None:
    reader, writer = await server.raw()
    async with connect(f"{server.url}/relay", proxy=None, subprotocols=["rooms"]) as web:  # type: ignore[list-item]
        assert web.subprotocol == "rooms"
        assert "Sec-WebSocket-Extensions" not in web.response.headers  # type: ignore[union-attr]
        sent = frame(1, "größer".encode()) + frame(9, b"?") + frame(1, b"in ", first=0) + frame(0, b"two")
        for at in range(len(sent)):
            writer.write(sent[at : at + 1])
            await asyncio.sleep(0)
        assert [await web.recv(), await web.recv()] == ["größer", "in two"]
        assert await reader.readexactly(3) == frames.pong_frame(b"?")
        await web.send("back")
        assert await reader.readexactly(6) == frames.text_frame(b"back")
    writer.close()
    await server.until_lost("network")


async def test_other_paths_are_left_to_the_application(server: Server) -> None:
    async with connect(f"{server.url}/other", proxy=None) as web:
        for size in (3, 100_000):
            await web.send("a" * size)
            assert await web.recv() == "A" * size
    with pytest.raises(InvalidStatus):
        await connect(f"{server.url}/nowhere", proxy=None)
    assert server.relay.count == 0


BAD = [
    (b"\x81\x05hello", 1002), (b"\xc1\x80" + MASK, 1002), (b"\x83\x80" + MASK, 1002), (frame(0, b"x"), 1002),
    (frame(9, b"x", first=0), 1002), (frame(1, b"\xff\xfe"), 1007), (frame(1, b"\xc3", first=0) + frame(0, b"("), 1007),
    (frame(1, b"x" * 1001), 1009), (b"\x81\xff" + b"\x7f" * 8, 1009), (frame(8, b"\x03"), 1002),
    (frame(9, b"") * 5000, 1008), (frame(1, b"", first=0) + frame(0, b"", first=0) * 5000, 1008),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "code"), BAD)
async def test_bad_frames_end_their_own_connection_with_a_code_and_no_other(
    server: Server, bad: bytes, code: int
) -> None:
    async with connect(f"{server.url}/relay", proxy=None) as one, connect(f"{server.url}/relay", proxy=None) as two:
        reader, writer = await server.raw()
        writer.write(bad)
        await server.until_lost("network")
        assert server.relay.said == []
        found, reason = await closed_with(reader)
        assert found == code
        assert reason
        writer.close()
        await one.send("still here")
        assert await two.recv() == "still here"


async def test_a_binary_message_is_told_apart(server: Server) -> None:
    async with connect(f"{server.url}/relay", proxy=None) as web:
        await web.send(b"\x00")
        await web.send("text")
        await (await web.ping())
    assert server.relay.said == [None, b"text"]


@pytest.mark.parametrize(("wrong", "status"), [
    ((b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8"), b"426"), ((b"GET", b"POST"), b"405"),
    ((b"Sec-WebSocket-Key: dGhl", b"Sec-WebSocket-Key: "), b"400"),
])  # fmt: skip
async def test_a_wrong_handshake_is_answered_in_http(server: Server, wrong: tuple[bytes, bytes], status: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(GREETING.replace(*wrong))
    async with asyncio.timeout(20):
        assert (await reader.read()).startswith(b"HTTP/1.1 " + status)
    writer.close()


async def test_who_does_not_read_is_dropped_and_the_others_do_not_wait(server: Server) -> None:
    """What waits for them stays within bounds, and a code is the last that is sent."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, ("127.0.0.1", server.port))
    await loop.sock_sendall(slow, GREETING)
    async with connect(f"{server.url}/relay", proxy=None) as one, connect(f"{server.url}/relay", proxy=None) as two:
        held = 0
        sock = server.relay.sockets[1]
        async with asyncio.timeout(20):
            while "slow" not in server.relay.losses:
                sock.send(b"x" * 40_000)
                if sock._transport is not None:
                    held = max(held, sock._transport.get_write_buffer_size())
                await asyncio.sleep(0)
        assert 100_000 < held <= 245_000
        await one.send("go on")
        assert await two.recv() == "go on"
    slow.close()


async def test_a_long_burst_is_no_reason_to_drop_anybody(server: Server) -> None:
    """Within one turn of the loop nothing can be sent yet; only what still waits a while later is too slow."""
    async with connect(f"{server.url}/relay", proxy=None) as web:
        (sock,) = server.relay.sockets.values()
        for _ in range(150):
            sock.send(b"y" * 1000)
        for _ in range(150):
            assert len(await web.recv()) == 1000
        await asyncio.sleep(3 * protocol.SWEEP)
        assert server.relay.losses == []


async def test_a_silent_connection_is_pinged_and_one_that_does_not_answer_counts_as_lost(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should it hear again, it is told why; should it not, it is cut off all the same."""
    monkeypatch.setattr(protocol, "CLOSE_WITHIN", 0.2)
    server.relay.ping_after = 0.3
    reader, writer = await server.raw()
    async with connect(f"{server.url}/relay", proxy=None, ping_interval=None) as web:
        await server.until_lost("silent")
        await web.send("those who answer stay")
        await (await web.ping())
    said = await reader.read()  # to the end: it is cut off where nobody closes it
    assert said == frames.ping_frame() + frames.text_frame(b"too silent") + frames.close_frame(4408, "silent")
    writer.close()
    assert server.relay.losses.count("silent") == 1


async def test_a_page_that_ignores_our_close_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "CLOSE_WITHIN", 0.2)
    reader, writer = await server.raw()
    (sock,) = server.relay.sockets.values()
    sock.close(4401, "no")
    sock.send(b"nothing follows a close")
    sock.close(1000, "nor another")
    writer.write(frame(1, b"nobody listens any more"))
    assert await closed_with(reader) == (4401, "no")
    assert server.relay.said == []
    writer.close()


async def test_both_ways_to_close_end_cleanly(server: Server) -> None:
    async with connect(f"{server.url}/relay", proxy=None) as web:
        (sock,) = server.relay.sockets.values()
        sock.close(4410, "ended")
        with pytest.raises(ConnectionClosed):
            await web.recv()
        assert (web.close_code, web.close_reason) == (4410, "ended")
    async with connect(f"{server.url}/relay", proxy=None) as web:
        await web.close(1001, "bye")
        assert web.close_code == 1001
    await server.until_lost("network")


async def test_a_server_that_stops_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(serving.serving(FastAPI(), listen("127.0.0.1", 0), sockets=Relay()))
        web = await connect(f"ws://127.0.0.1:{running.port}/relay", proxy=None)
        await stack.aclose()
        with pytest.raises(ConnectionClosed):
            await web.recv()
        assert (web.close_code, web.close_reason) == (1012, "restart")


async def test_half_open_connections_are_bounded_and_lock_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first; whoever says what they want stays."""
    monkeypatch.setattr(doorstep, "LOOK", 0.05)
    step = Doorstep(most=50, within=1.0)
    monkeypatch.setattr(serving, "Doorstep", lambda: step)
    relay = Relay()
    async with serving.serving(FastAPI(), listen("127.0.0.1", 0), sockets=relay) as running:
        web = await connect(f"ws://127.0.0.1:{running.port}/relay", proxy=None)
        idle = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(300)]
        for _, writer in idle[::2]:
            writer.write(b"GET /relay HT")
        async with connect(f"ws://127.0.0.1:{running.port}/relay", proxy=None) as late:
            await late.send("here I am")
            assert await web.recv() == "here I am"
        assert step.count <= 50
        async with asyncio.timeout(20):
            for reader, writer in idle:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
        assert step.count == 0
        await web.send("and I stay")
        await (await web.ping())
        await web.close()
    assert relay.said[-1] == b"and I stay"


HEAD = b"POST /kept HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (b"GET /", b"a" * 8192),
        (HEAD, b"X-More: %b\r\n" % (b"a" * 8192)),
        (HEAD + b"X-More: ", b"a" * 8192),
        (HEAD + b"\r\n1\r\na\r\n0\r\n", b"X-Trailer: %b\r\n" % (b"a" * 8192)),
    ],
    ids=["address", "fields", "one field", "trailers"],
)
async def test_a_head_without_end_is_refused_and_not_kept(begun: bytes, piece: bytes) -> None:
    async with serving.serving(FastAPI(), listen("127.0.0.1", 0), sockets=Relay()) as running:
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(begun)
        sent = 0
        with contextlib.suppress(ConnectionError):  # it may be cut while we still write
            async with asyncio.timeout(20):
                while sent < 10_000_000:
                    writer.write(piece)
                    await writer.drain()
                    sent += len(piece)
                    await asyncio.sleep(0.001)
        assert sent < 10_000_000, "all of it was taken"
        writer.close()


@pytest.mark.parametrize("fields", [60, 66, 100, 200, 400])
@pytest.mark.parametrize("begun", [b"GET /docs HTTP/1.1\r\nHost: localhost\r\n", GREETING[:-2]], ids=["http", "socket"])
async def test_a_head_is_as_long_as_it_may_be_however_it_comes(server: Server, begun: bytes, fields: int) -> None:
    """Nearly all of it is read at once here."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(begun + b"X-More: %b\r\n" % (b"a" * 988) * fields + b"\r\n")
    async with asyncio.timeout(20):
        status = (await reader.readline()).split()[1]
    assert (status == b"431") == (fields > 64)
    writer.close()


async def test_a_body_may_be_longer_than_a_head(server: Server) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        for _ in range(2):  # over the same connection
            answer = await http.post(f"http://127.0.0.1:{server.port}/length", content=b"a" * 3_000_000)
            assert answer.json() == 3_000_000


@pytest.mark.parametrize("cut", [0, 50], ids=["whole", "in pieces"])
async def test_an_upgrade_may_be_named_in_any_field_connection(server: Server, cut: int) -> None:
    """A field may come again and means the same as one list then (RFC 9110 section 5.3)."""
    greeting = GREETING[:-2] + b"Connection: keep-alive\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(greeting[:cut])
    await asyncio.sleep(0.05)
    writer.write(greeting[cut:])
    async with asyncio.timeout(20):
        assert (await reader.readline()).split()[1] == b"101"
    writer.close()


async def test_a_request_in_pieces_or_at_another_path_comes_in_too(server: Server) -> None:
    """The long way in, by the HTTP parser, leads to the same place as the short one."""
    for first in (1, 20, len(GREETING) - 1):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(GREETING[:first])
        await asyncio.sleep(0.05)
        assert not server.relay.sockets
        writer.write(GREETING[first:])
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in await reader.readuntil(b"\r\n\r\n")
        writer.write(frame(1, b"hi"))
        writer.close()
        await server.until_lost("network")
        server.relay.losses.clear()
    assert server.relay.said == [b"hi"] * 3
    async with connect(f"{server.url}/other", proxy=None) as web:
        await web.send("by ASGI")
        assert await web.recv() == "BY ASGI"


async def test_over_tls_both_ways_in_are_open_too(tmp_path: Path) -> None:
    authority, relay = Authority(tmp_path), Relay()
    authority.put("good")
    trust = ssl.create_default_context(cafile=str(authority.trusted))
    tls = serving.Tls(authority.certificate, authority.key)
    async with (
        serving.serving(FastAPI(), listen("127.0.0.1", 0), tls, sockets=relay) as running,
        connect(f"wss://localhost:{running.port}/relay", proxy=None, ssl=trust) as web,
        httpx2.AsyncClient(verify=trust) as http,
    ):
        reader, writer = await asyncio.open_connection("localhost", running.port, ssl=trust)
        writer.write(GREETING[:20])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(GREETING[20:])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame(1, b"hi"))
        assert await web.recv() == "hi"
        writer.close()
        assert (await http.get(f"https://localhost:{running.port}/nothing")).status_code == 404


async def test_a_wrong_request_gets_an_answer_and_leaves_nothing(server: Server) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for wrong in (GREETING.replace(b"13", b"8"), GREETING.replace(b"Key", b"Lock"), b"hello\r\n\r\n", b"\0" * 100):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(wrong)
        assert (await reader.read()).startswith(b"HTTP/1.1 4")
        writer.close()
    async with asyncio.timeout(20):
        while len(os.listdir("/proc/self/fd")) > before:
            await asyncio.sleep(0.01)
    assert server.relay.count == 0


async def test_a_server_stops_at_once_while_somebody_says_nothing() -> None:
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(serving.serving(FastAPI(), listen("127.0.0.1", 0), sockets=Relay()))
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        await asyncio.sleep(0.05)
        began = asyncio.get_running_loop().time()
        await stack.aclose()
        assert asyncio.get_running_loop().time() - began < serving.GRACE
        assert await reader.read() == b""
        writer.close()


async def test_sockets_leave_no_files_behind(server: Server) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(30):
        reader, writer = await server.raw()
        writer.write(b"\x81\x05hello")
        await closed_with_or_cut(reader)
        writer.close()
    async with asyncio.timeout(20):
        while server.relay.sockets or len(os.listdir("/proc/self/fd")) > before:
            await asyncio.sleep(0.01)


async def closed_with_or_cut(reader: asyncio.StreamReader) -> None:
    assert (await reader.read(2))[0] == 0x88
