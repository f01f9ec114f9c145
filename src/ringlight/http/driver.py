"""The driver that sends requests over connections of its own, with a deadline and a size limit for each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from ringlight.http.border import USER_AGENT, checked
from ringlight.http.connections import asked_by, new_client
from ringlight.http.discretion import hiding
from ringlight.http.flow import MAX_BODY, Headers, Request, Response, Streamed
from ringlight.http.reach import Patience, Remaining, Way
from ringlight.http.sending import Sending
from ringlight.http.target import Target
from ringlight.http.translate import HTTPX2

__all__ = ["MAX_BODY", "USER_AGENT", "AsyncDriver"]


class AsyncDriver(Sending):
    """Runs flows over one pool of connections. Close it with `async with` or `aclose()`.

    Args:
        timeout: Seconds for one whole exchange: connection, request, and the last byte of the answer;
            a request may name its own.
        base_url: One address that stands for every host of Ring; `None` asks Ring itself.
            On loopback the environment's proxies are left alone, as they cannot reach this machine.
        near: An address that decides about proxies as `base_url` does, while every request goes where it says.
        user_agent: Who we say we are.
        transport: Another way to the network, for tests; `None` is the real one.
        patience: Limits for the parts of an exchange; `None` has the one for the whole only.

    Raises:
        SetupError: CFG-INVALID, `base_url` or a proxy of the environment is no usable address.
    """

    def __init__(
        self,
        *,
        timeout: float = 15.0,
        base_url: str | None = None,
        near: str | None = None,
        user_agent: str = USER_AGENT,
        transport: httpx2.AsyncBaseTransport | None = None,
        patience: Patience | None = None,
    ) -> None:
        super().__init__(HTTPX2, timeout=timeout, base_url=base_url, user_agent=user_agent, patience=patience)
        self._client = new_client(httpx2.AsyncClient, transport, base_url or near, patience)

    async def aclose(self) -> None:
        """Close every connection. Requests after this fail."""
        await self._client.aclose()

    @asynccontextmanager
    async def open(self, request: Request, target: Target, way: Way) -> AsyncIterator[Streamed]:
        """Send one request by means of httpx2; the body is read by whoever asked."""
        extensions = {"trace": way.anote}
        async with self._client.stream(**asked_by(request, target, extensions)) as answer:
            way.status = answer.status_code
            yield Streamed(answer.status_code, Headers(answer.headers), answer.aiter_bytes())

    async def exchange(self, request: Request, target: Target, way: Way) -> Response:
        """Send one request by means of httpx2."""
        with hiding(request.hidden):
            return await self._exchange(request, target, way)

    async def _exchange(self, request: Request, target: Target, way: Way) -> Response:
        body = bytearray()
        extensions: dict[str, Any] = {"trace": way.anote}
        if self._patience is not None:
            extensions["timeout"] = Remaining(self._patience, self._time_for(request))
        async with self._client.stream(**asked_by(request, target, extensions)) as answer:
            way.status = answer.status_code
            async for chunk in answer.aiter_bytes():
                body += chunk
                checked(body, request, target.named)
            cookies = tuple(answer.headers.get_list("set-cookie"))
            return Response(answer.status_code, dict(answer.headers), bytes(body), cookies)
