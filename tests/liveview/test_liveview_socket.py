"""Opening the signaling socket: each way in which it fails has a fault of its own, and shows no ticket."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection, serve

from ringlight.errors import RingError
from ringlight.liveview.signaling_socket import open_socket
from ringlight.secrets import Secret

pytestmark = pytest.mark.anyio

CANARY = "canary-4002"


@asynccontextmanager
async def _server(answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve one thing on a free port: read the request, then do as `answer` does."""

    handlers: set[asyncio.Task[None] | None] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for task in handlers:
            if task is not None:
                task.cancel()
                await task


def _says(text: str) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(text.encode())
        await writer.drain()

    return answer


async def _fault(address: str, seconds: float = 5.0, scheme: str = "ws") -> RingError:
    with pytest.raises(RingError) as caught:
        await open_socket(Secret(f"{scheme}://{address}/ws?api_version=4.0&token={CANARY}"), seconds)
    error = caught.value
    assert CANARY not in f"{error} {error!r} {error.__cause__!r}"
    assert error.__cause__ is None
    assert error.__suppress_context__
    return error


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "SIG-TICKET"),
        (400, "SIG-UPGRADE"),
        (401, "SIG-UPGRADE"),
        (403, "SIG-UPGRADE"),
        (406, "AUTH-EDGE-BLOCK"),
        (418, "SIG-UPGRADE"),
        (429, "RING-RATE"),
        (500, "RING-DOWN"),
        (503, "RING-DOWN"),
        (504, "RING-DOWN"),
        (204, "SIG-UPGRADE"),
    ],
)
async def test_the_status_of_a_refused_upgrade_names_the_fault(status: int, code: str) -> None:
    async with _server(_says(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n")) as address:
        error = await _fault(address)
    assert error.code == code
    assert error.detail == f"HTTP {status} at the upgrade"


PAGE = "<html>log in to our hotel</html>"
NO_UPGRADE: dict[str, tuple[str, str]] = {
    "a page of a hotel": (f"HTTP/1.1 200 OK\r\nContent-Length: {len(PAGE)}\r\n\r\n{PAGE}", "SIG-UPGRADE"),
    "a page that never ends": (f"HTTP/1.1 200 OK\r\n\r\n{PAGE * 50_000}", "SIG-BLOCKED"),
    "an upgrade to something else": (
        "HTTP/1.1 101 Switching\r\nUpgrade: tea\r\nConnection: Upgrade\r\n\r\n", "SIG-BLOCKED",
    ),
    "an upgrade without the key": (
        "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "SIG-BLOCKED",
    ),
    "not HTTP": ("220 mail.example ESMTP\r\n", "SIG-BLOCKED"),
    "noise": ("\x00\x01\x02" * 40_000, "SIG-BLOCKED"),
    "nothing, then the end": ("", "SIG-BLOCKED"),
    "half a head": ("HTTP/1.1 101 Switching\r\nUpgrade: web", "SIG-BLOCKED"),
    "a redirect to a page": (
        f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/?token={CANARY}\r\n\r\n", "SIG-BLOCKED",
    ),
    "a redirect to itself": ("HTTP/1.1 302 Found\r\nLocation: /ws\r\nContent-Length: 0\r\n\r\n", "SIG-BLOCKED"),
    "a redirect to nowhere": ("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "SIG-UPGRADE"),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_UPGRADE)
async def test_whatever_stands_in_the_way_is_a_fault(name: str) -> None:
    text, code = NO_UPGRADE[name]
    async with _server(_says(text)) as address:
        error = await _fault(address)
    assert error.code == code, error


async def test_a_server_that_never_answers_counts_as_blocked() -> None:
    async with _server(lambda _: asyncio.sleep(60)) as address:
        error = await _fault(address, seconds=0.05)
    assert error.code == "SIG-BLOCKED"
    assert error.detail == "no upgrade within 0.05 s"


async def test_a_refused_port() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error = await _fault(f"127.0.0.1:{free.getsockname()[1]}")
    assert error.code == "NET-UNREACHABLE"


async def test_a_connection_that_is_reset() -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with _server(reset) as address:
        error = await _fault(address)
    assert error.code in ("SIG-BLOCKED", "NET-UNREACHABLE")


async def test_a_server_without_tls() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        error = await _fault(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", scheme="wss")
    assert error.code == "NET-TLS"


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("api.eu-west-1.prod.signalling.invalid", "SIG-REGION"),
        ("empty..label.invalid", "SIG-REGION"),
        (f"{'long' * 20}.invalid", "SIG-REGION"),
    ],
)
async def test_a_name_that_does_not_exist(host: str, code: str) -> None:
    error = await _fault(host)
    assert error.code == code
    assert host in str(error.detail)


async def test_rings_own_name_that_cannot_be_resolved_is_about_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringlight.liveview.signaling_socket.GLOBAL_HOST", "signalling.invalid")
    assert (await _fault("signalling.invalid", scheme="wss")).code == "NET-DNS"


@pytest.mark.parametrize("proxy", ["socks5h://127.0.0.1:9", "ftp://127.0.0.1:9", "http://127.0.0.1:9"])
async def test_a_proxy_that_cannot_be_used_is_a_fault(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("wss_proxy", "https_proxy", "socks_proxy", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.setenv("wss_proxy", proxy)
    error = await _fault("signalling.invalid", scheme="wss")
    assert error.code in ("SIG-BLOCKED", "NET-UNREACHABLE")


async def test_debug_logs_show_neither_ticket_nor_frames(caplog: pytest.LogCaptureFixture) -> None:
    seen = []

    async def talk(web: ServerConnection) -> None:
        seen.append(web.request.headers["User-Agent"] if web.request else None)
        async for frame in web:
            await web.send(frame)
            await web.send(f"{CANARY}-bytes".encode() * 30)
            await web.send([f"{CANARY}-", "in parts"])

    quiet = logging.getLogger("server side of a test")
    quiet.propagate = False
    with caplog.at_level(logging.DEBUG):
        async with serve(talk, "127.0.0.1", 0, logger=quiet) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            web = await open_socket(Secret(f"ws://127.0.0.1:{port}/ws?a=b&token={CANARY}&client_id=c"), 5.0)
            await web.send(f'{{"session_id": "{CANARY}\\n{CANARY}"}}')
            for _ in range(3):
                assert CANARY in str(await web.recv())
            await web.close()
    assert seen == ["android:com.ringapp"]
    logged = [record.getMessage() for record in caplog.records if record.name == "ringlight.websocket"]
    assert any("GET /ws" in text and "token=(redacted)" in text and "client_id=c" in text for text in logged)
    assert any("TEXT (not shown)" in text for text in logged)
    assert CANARY not in caplog.text
    assert not any(CANARY in f"{record.__dict__}" for record in caplog.records)
