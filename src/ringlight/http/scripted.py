"""A driver that answers from a function: for tests, and for trying flows without a network."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from ringlight.http.flow import Flow, Headers, Request, Response, Streamed, drive

__all__ = ["ScriptedDriver"]

T = TypeVar("T")


class ScriptedDriver:
    """Runs flows against `answer`, which plays Ring.

    Attributes:
        requests: Every request in the order in which it was sent.
    """

    def __init__(self, answer: Callable[[Request], Response | Awaitable[Response]]) -> None:
        self._answer = answer
        self.requests: list[Request] = []

    async def run(self, flow: Flow[T]) -> T:
        """Run the flow to its end and return its result."""
        return await drive(flow, self.send)

    async def send(self, request: Request) -> Response:
        """Note the request and return what `answer` says, awaited if need be."""
        self.requests.append(request)
        answer = self._answer(request)
        return answer if isinstance(answer, Response) else await answer

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Streamed]:
        """Send it as `send` does; the body comes in one piece."""
        answer = await self.send(request)

        async def pieces() -> AsyncIterator[bytes]:
            yield answer.body

        yield Streamed(answer.status, Headers(answer.headers), pieces())
