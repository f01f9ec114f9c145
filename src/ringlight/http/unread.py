"""Ways to send that leave the body of a good answer unread, for whoever takes it piece by piece.

Each belongs to one reader, which closes it. What is no good answer is read here, as rules want to judge it.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING

from ringlight.http.flow import Request, Response, Streamed, StreamedNow
from ringlight.http.sync_driver import SyncDriver
from ringlight.resilience.actions import Failed

if TYPE_CHECKING:
    from ringlight.http.sending import Sending  # it brings an event loop along

__all__ = ["AsyncUnread", "Unread"]

_LONGEST_REFUSAL = 64 * 1024  # bytes; of a longer one the beginning is judged


class Unread:
    """A `Transport` over a driver. Close it with `close`."""

    def __init__(self, driver: SyncDriver) -> None:
        self._driver = driver
        self._held = ExitStack()
        self._pieces: Iterator[bytes] = iter(())

    def attempt(self, request: Request) -> Response | Failed:
        """Close what is open and make one attempt; the answer's body is left to `read` unless it is an error."""
        self.close()
        came = self._held.enter_context(self._driver.begin(request))
        if isinstance(came, Failed):
            return came
        if came.status >= 400:
            return Response(came.status, came.headers, self._refusal(came))
        self._pieces = came.pieces
        return Response(came.status, came.headers)

    def read(self) -> bytes | None:
        """Return the next piece; `None` at the end.

        Raises:
            RingError: As `SyncDriver.begin` does.
        """
        return next(self._pieces, None)

    def close(self) -> None:
        """Let go of the answer."""
        self._pieces = iter(())
        self._held.close()

    @staticmethod
    def _refusal(came: StreamedNow) -> bytes:
        body = bytearray()
        for piece in came.pieces:
            body += piece
            if len(body) >= _LONGEST_REFUSAL:
                break
        return bytes(body)


class AsyncUnread:
    """An `AsyncTransport` over a driver. Close it with `aclose`, in the task that used it."""

    def __init__(self, driver: "Sending") -> None:
        self._driver = driver
        self._held = AsyncExitStack()
        self._pieces: AsyncIterator[bytes] | None = None

    async def attempt(self, request: Request) -> Response | Failed:
        """Do as `Unread.attempt` does."""
        await self.aclose()
        came = await self._held.enter_async_context(self._driver.begin(request))
        if isinstance(came, Failed):
            return came
        if came.status >= 400:
            return Response(came.status, came.headers, await self._refusal(came))
        self._pieces = came.pieces
        return Response(came.status, came.headers)

    async def read(self) -> bytes | None:
        """Do as `Unread.read` does."""
        return None if self._pieces is None else await anext(self._pieces, None)

    async def aclose(self) -> None:
        """Let go of the answer."""
        self._pieces = None
        await self._held.aclose()

    @staticmethod
    async def _refusal(came: Streamed) -> bytes:
        body = bytearray()
        async for piece in came.pieces:
            body += piece
            if len(body) >= _LONGEST_REFUSAL:
                break
        return bytes(body)
