"""The two drivers over the network, made the same way for tests that hold for both."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import aiohttp
import httpx2

from ringlight.http.driver import AsyncDriver
from ringlight.http.sending import Sending
from ringlight.http.session_driver import SessionDriver

Make = Callable[..., AbstractAsyncContextManager[Sending]]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def own_connections(**options: Any) -> AsyncIterator[Sending]:
    async with AsyncDriver(**options) as driver:
        yield driver


@asynccontextmanager
async def somebody_elses_session(**options: Any) -> AsyncIterator[Sending]:
    """As in a program that has a session already, which also asks the environment for proxies."""
    async with aiohttp.ClientSession(trust_env=True) as session:
        async with SessionDriver(session, **options) as driver:
            yield driver
        assert not session.closed, "it is not ours to close"


MAKERS: dict[str, Make] = {"httpx2": own_connections, "aiohttp": somebody_elses_session}


class Broken(aiohttp.BaseConnector):
    """A connector whose every connection fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def connect(self, *_: object, **__: object) -> NoReturn:
        raise self._error


@asynccontextmanager
async def failing(library: str, error: Exception) -> AsyncIterator[Sending]:
    """A driver whose library raises this error on each request."""

    def answer(_: httpx2.Request) -> NoReturn:
        raise error

    if library == "httpx2":
        async with AsyncDriver(transport=httpx2.MockTransport(answer)) as driver:
            yield driver
    else:
        async with aiohttp.ClientSession(connector=Broken(error)) as session, SessionDriver(session) as other:
            yield other


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came over the wire; names of header fields in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[str, list[Asked]]]:
    """A server that gives the same answer to every request, and what it was asked."""
    asked: list[Asked] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split(" ")
            pairs = (line.partition(": ") for line in head[1:] if line)
            headers = {name.lower(): value for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            asked.append(Asked(method, target, headers, body))
            writer.write(answer)
            await writer.drain()
        writer.close()

    async with serving(handle) as url:
        yield url, asked


@asynccontextmanager
async def serving(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
