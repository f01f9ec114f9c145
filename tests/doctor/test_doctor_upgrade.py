"""Servers that answer an upgrade in ways of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from ringlight.doctor.checkup import examine
from ringlight.settings import load_settings

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def _answering(answer: Callable[[bytes], bytes | None]) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            said = answer(await reader.readuntil(b"\r\n\r\n"))
            if said is None:
                await reader.read()
            writer.write(said or b"")
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/socket"
    finally:
        server.close()


OLD = b"HTTP/1.0 404 Not Found\r\nServer: Old\r\n\r\n"
NEW = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"


@pytest.mark.parametrize(
    ("to_plain", "to_upgrade", "code"),
    [
        (OLD, OLD, "REACH-OTHER"),
        (NEW, NEW, "REACH-PROXY"),
        (NEW, b"", "REACH-PROXY"),
        (NEW, b"HTTP/1.1 101 Yes\r\n\r\n", "REACH-OTHER"),
        (b"220 mail.example ESMTP\r\n", b"", "REACH-OTHER"),
        (NEW, NEW.replace(b"200 OK", b"401 No"), "KEY-NEEDED"),
    ],
)
async def test_what_is_no_websocket_is_named(to_plain: bytes, to_upgrade: bytes, code: str) -> None:
    def answer(head: bytes) -> bytes | None:
        return to_upgrade if b"upgrade: websocket" in head.lower() else to_plain

    async with _answering(answer) as url:
        report = await examine(load_settings(), (url,), budget=60.0)
    assert report.verdict.first is not None
    assert report.verdict.first.code == code, report.verdict.first
    assert report.verdict.first.seen
