"""What every asynchronous driver does alike, whatever its library: its deadlines, and answers in pieces."""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Self, TypeVar

from ringlight.http.address import rebase
from ringlight.http.border import Border, too_long, whole
from ringlight.http.flow import Flow, Request, Response, Streamed, drive
from ringlight.http.reach import Way
from ringlight.http.target import Target
from ringlight.resilience.actions import Failed

__all__ = ["Sending"]

T = TypeVar("T")


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
    async def exchange(self, request: Request, target: Target, way: Way) -> Response:
        """Send one request by means of the library; its errors are left to `send`."""

    @abstractmethod
    def open(self, request: Request, target: Target, way: Way) -> AbstractAsyncContextManager[Streamed]:
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

        async def sent() -> Response:
            return await self.exchange(request, await self._target(request, url), way)

        return await self._within(sent(), request, url, way)

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
        target = await self._within(self._target(request, url), request, url, way)
        if isinstance(target, Failed):
            yield target
            return
        opened = self.open(request, target, way)
        answer = await self._within(opened.__aenter__(), request, url, way)
        if isinstance(answer, Failed):
            yield answer
            return
        try:
            yield Streamed(answer.status, answer.headers, self._pieces(answer.pieces, request, url, way))
        finally:
            await opened.__aexit__(None, None, None)

    async def _target(self, request: Request, url: str) -> Target:
        """Return where a request goes; where somebody else has named that, it is judged first.

        Raises:
            BadAnswerError: NET-INSIDE.
        """
        target = self._judged(request, url)
        if isinstance(target, Target):
            return target
        found = await asyncio.get_running_loop().getaddrinfo(*target, type=socket.SOCK_STREAM)
        return self._pinned(request, url, found)

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
