"""What every driver that reaches the network does alike: what it sends, its deadline, its one border for errors."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlencode

import msgspec

from ringlight.errors import RingError
from ringlight.http.address import base_of, host_of, rebase
from ringlight.http.flow import Flow, Request, Response, Streamed, drive, unreadable
from ringlight.http.reach import Patience, Way
from ringlight.http.translate import Dialect, translate
from ringlight.resilience.actions import Failed
from ringlight.secrets import Secret

__all__ = ["USER_AGENT", "Border", "Sending", "checked", "content_of", "whole"]

T = TypeVar("T")

# Since the wave of 406 answers in February 2026 Ring's edge turns away the bare `android:com.ringapp`;
# the app's full name with version and build still passes (observed-protocol.md#edge-406).
USER_AGENT = "android:com.ringapp:3.98.0(70492092)"


class Border:
    """Where requests leave and foreign errors become ours; alike for a driver that waits and one that awaits.

    It keeps no cookies and follows no redirect: a flow that wants to does so itself, where it can be seen.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        timeout: float,
        base_url: str | None,
        user_agent: str,
        patience: Patience | None = None,
    ) -> None:
        if base_url is not None:
            base_of("ring_url", base_url)
        self._dialect = dialect
        self._timeout = timeout
        self._base_url = base_url
        self._user_agent = user_agent
        self._patience = patience

    def _time_for(self, request: Request) -> float:
        return self._timeout if request.timeout is None else request.timeout

    def _failed(self, error: Exception, request: Request, url: str, way: Way) -> Failed:
        """Translate. What it returns is raised outside the `except`: no cause or context shall keep the foreign error.

        It holds the request with its bearer token, and h11's message repeats a header that it dislikes.
        """
        connections = self._patience.connections if self._patience is not None else None
        timeout = self._time_for(request)
        return translate(
            error, self._dialect, url=url, at=request.at, timeout=timeout, way=way, connections=connections
        )

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"User-Agent": self._user_agent, "Accept": "application/json"}
        if request.json is not None or request.method == "PUT":
            headers["Content-Type"] = "application/json"
        elif request.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if request.bearer is not None:
            headers["Authorization"] = f"Bearer {request.bearer.reveal()}"
        return headers | {name: _plain(value) for name, value in request.headers.items()}


class Sending(Border, ABC):
    """An asynchronous driver without its HTTP library. Close it with `async with` or `aclose()`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @abstractmethod
    async def aclose(self) -> None:
        """Free what the driver opened itself. Requests after this fail."""

    @abstractmethod
    async def exchange(self, request: Request, url: str, headers: dict[str, str], way: Way) -> Response:
        """Send one request by means of the library; its errors are left to `send`."""

    @abstractmethod
    def open(
        self, request: Request, url: str, headers: dict[str, str], way: Way
    ) -> AbstractAsyncContextManager[Streamed]:
        """Send one request and leave the body to be read; the library's errors are left to `stream`."""

    async def run(self, flow: Flow[T]) -> T:
        """Run the flow to its end and return its result.

        Raises:
            RingError: What the flow itself raises, or what `send` does.
        """
        return await drive(flow, self.send)

    async def send(self, request: Request) -> Response:
        """Send one request and read the whole answer, whatever its status.

        Raises:
            NetworkError: NET-DNS, NET-UNREACHABLE, NET-TLS, NET-TIMEOUT or NET-POOL.
            RingError: The answer is too long or cannot be decoded; the code follows the step.
        """
        return whole(await self.attempt(request))

    async def attempt(self, request: Request) -> Response | Failed:
        """Do as `send` does, and return what is raised there for the network's sake, with how far the request came.

        Raises:
            RingError: The answer is too long.
        """
        url, way = rebase(request.url, self._base_url), Way()
        return await self._within(self.exchange(request, url, self._headers(request), way), request, url, way)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Streamed]:
        """Send one request and read its answer piece by piece; its timeout is that of each piece.

        Raises:
            NetworkError: As `send` does; while the body is read too, where the connection was cut or fell silent.
            RingError: The answer is longer than the request allows.
        """
        async with self.begin(request) as came:
            yield whole(came)

    @asynccontextmanager
    async def begin(self, request: Request) -> AsyncIterator[Streamed | Failed]:
        """Do as `stream` does, and give what is raised there before the answer begins; it says how far that came."""
        url, way = rebase(request.url, self._base_url), Way()
        opened = self.open(request, url, self._headers(request), way)
        answer = await self._within(opened.__aenter__(), request, url, way)
        if isinstance(answer, Failed):
            yield answer
            return
        try:
            yield Streamed(answer.status, answer.headers, self._pieces(answer.pieces, request, url, way))
        finally:
            await opened.__aexit__(None, None, None)

    async def _pieces(self, pieces: AsyncIterator[bytes], request: Request, url: str, way: Way) -> AsyncIterator[bytes]:
        read = 0
        while (piece := whole(await self._within(anext(pieces, None), request, url, way))) is not None:
            read += len(piece)
            if read > request.limit:
                raise too_long(request, url)
            yield piece

    async def _within(self, work: Awaitable[T], request: Request, url: str, way: Way) -> T | Failed:
        try:
            async with asyncio.timeout(self._time_for(request)):
                return await work
        except self._dialect.foreign as error:
            return self._failed(error, request, url, way)


def whole(came: T | Failed) -> T:
    """Return what came; raise its error where it did not.

    Raises:
        RingError: Ours, without the foreign one.
    """
    if isinstance(came, Failed):
        raise came.error
    return came


def checked(body: bytearray, request: Request, url: str) -> None:
    """Refuse an answer as soon as it is longer than the request allows.

    Raises:
        RingError: The code follows the step.
    """
    if len(body) > request.limit:
        raise too_long(request, url)


def too_long(request: Request, url: str) -> RingError:
    """Make the error for an answer that is longer than the request allows."""
    return unreadable(request.at, f"{host_of(url)}: more than {request.limit} bytes")


def content_of(request: Request) -> bytes | None:
    """Return the body of a request; `None` for one without."""
    if request.json is None and request.form is not None:
        return urlencode({name: _plain(value) for name, value in request.form.items()}).encode()
    if request.json is None and request.content is not None:
        return request.content
    if request.json is None and request.method != "PUT":
        return None
    # Ring answers 422 to a PUT that is not said to be JSON; `null` will do (observed-protocol.md#http-statuses).
    return msgspec.json.encode(request.json, enc_hook=_reveal)


def _plain(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")
