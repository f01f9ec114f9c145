"""An answer that is read piece by piece, on a real socket: cut, silent, too long, and without secrets in its errors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ringlight.errors import NetworkError, RingError
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request

pytestmark = pytest.mark.anyio
HEAD = b'HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\nETag: "a"\r\n\r\n'
CANARY = "canary-51c0"
Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _storage(talk: Talk) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await talk(writer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _read(url: str, **options: object) -> tuple[bytes, RingError | None]:
    """Return what came, and the error that ended it."""
    request = Request("GET", f"{url}/film?signature={CANARY}", at="storage", **options)  # type: ignore[arg-type]
    came = b""
    async with AsyncDriver(base_url=url) as driver:
        try:
            async with driver.stream(request) as answer:
                assert (answer.status, answer.headers["ETAG"]) == (206, '"a"')
                async for piece in answer.pieces:
                    came += piece
        except RingError as error:
            return came, error
    return came, None


async def test_pieces_come_as_they_are_sent() -> None:
    going_on = asyncio.Event()

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"first")
        await writer.drain()
        await going_on.wait()
        writer.write(b"other")
        await writer.drain()

    async with (
        _storage(talk) as url,
        AsyncDriver(base_url=url) as driver,
        driver.stream(Request("GET", url, at="storage")) as answer,
    ):
        assert await anext(answer.pieces) == b"first", "before the rest is sent"
        going_on.set()
        assert [piece async for piece in answer.pieces] == [b"other"]


async def test_a_line_that_is_cut_is_a_fault_and_what_came_is_kept() -> None:
    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"half")
        await writer.drain()

    async with _storage(talk) as url:
        came, error = await _read(url)
    assert came == b"half"
    assert isinstance(error, NetworkError)
    assert error.code == "NET-UNREACHABLE"
    assert CANARY not in f"{error!r} {error} {error.__cause__!r} {error.__context__!r}", "the address is a secret"


async def test_silence_in_the_middle_is_a_fault_however_much_came_before() -> None:
    over = asyncio.Event()

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"half")
        await writer.drain()
        await over.wait()

    async with _storage(talk) as url:
        came, error = await _read(url, timeout=0.1)
        over.set()
    assert (came, error.code if error else None) == (b"half", "NET-TIMEOUT")


async def test_more_than_the_request_allows_is_not_read() -> None:
    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"0123456789")
        await writer.drain()

    async with _storage(talk) as url:
        came, error = await _read(url, limit=9)
    assert (came, error.code if error else None) == (b"", "ACCOUNT-ANSWER")


async def test_no_answer_at_all_is_a_fault_before_the_first_piece() -> None:
    async def talk(writer: asyncio.StreamWriter) -> None:
        """Nothing: the connection is closed at once."""

    async with _storage(talk) as url:
        came, error = await _read(url)
    assert (came, error.code if error else None) == (b"", "NET-UNREACHABLE")


async def test_an_error_of_who_reads_stays_his_own() -> None:
    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"0123456789")
        await writer.drain()

    async def save(driver: AsyncDriver, url: str) -> None:
        async with driver.stream(Request("GET", url, at="storage")) as answer:
            async for _ in answer.pieces:
                raise OSError("the disk is full")

    async with _storage(talk) as url, AsyncDriver(base_url=url) as driver:
        with pytest.raises(OSError, match="the disk is full"):
            await save(driver, url)
