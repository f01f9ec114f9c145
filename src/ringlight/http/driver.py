"""The driver that sends requests over connections of its own, with a deadline and a size limit for each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from ringlight.errors import fault_error
from ringlight.http.address import is_loopback
from ringlight.http.discretion import be_discreet, hiding
from ringlight.http.flow import MAX_BODY, Headers, Request, Response, Streamed
from ringlight.http.sending import USER_AGENT, Sending, checked, content_of
from ringlight.http.translate import HTTPX2

__all__ = ["MAX_BODY", "USER_AGENT", "AsyncDriver"]

# A proxy with a bad address or of a kind that needs another package, a certificate file that is not there.
_ENVIRONMENT_ERRORS: tuple[type[Exception], ...] = (*HTTPX2.foreign, ValueError, ImportError)


class AsyncDriver(Sending):
    """Runs flows over one pool of connections. Close it with `async with` or `aclose()`.

    Args:
        timeout: Seconds for one whole exchange: connection, request, and the last byte of the answer;
            a request may name its own.
        base_url: One address that stands for every host of Ring; `None` asks Ring itself.
            On loopback the environment's proxies are left alone, as they cannot reach this machine.
        user_agent: Who we say we are.
        transport: Another way to the network, for tests; `None` is the real one.

    Raises:
        SetupError: CFG-INVALID, `base_url` or a proxy of the environment is no usable address.
    """

    def __init__(
        self,
        *,
        timeout: float = 15.0,
        base_url: str | None = None,
        user_agent: str = USER_AGENT,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(HTTPX2, timeout=timeout, base_url=base_url, user_agent=user_agent)
        be_discreet()
        self._client = _new_client(transport, trust_env=base_url is None or not is_loopback(base_url))

    async def aclose(self) -> None:
        """Close every connection. Requests after this fail."""
        await self._client.aclose()

    @asynccontextmanager
    async def open(self, request: Request, url: str, headers: dict[str, str]) -> AsyncIterator[Streamed]:
        """Send one request by means of httpx2; the body is read by whoever asked."""
        async with self._client.stream(request.method, url, headers=headers, content=content_of(request)) as answer:
            yield Streamed(answer.status_code, Headers(answer.headers), answer.aiter_bytes())

    async def exchange(self, request: Request, url: str, headers: dict[str, str]) -> Response:
        """Send one request by means of httpx2."""
        with hiding(request.hidden):
            return await self._exchange(request, url, headers)

    async def _exchange(self, request: Request, url: str, headers: dict[str, str]) -> Response:
        body = bytearray()
        async with self._client.stream(request.method, url, headers=headers, content=content_of(request)) as answer:
            async for chunk in answer.aiter_bytes():
                body += chunk
                checked(body, request, url)
            cookies = tuple(answer.headers.get_list("set-cookie"))
            return Response(answer.status_code, dict(answer.headers), bytes(body), cookies)


def _new_client(transport: httpx2.AsyncBaseTransport | None, *, trust_env: bool) -> httpx2.AsyncClient:
    nothing = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    try:
        # Its own time limits are off: each counts anew from byte to byte, so none is a deadline.
        return httpx2.AsyncClient(transport=transport, trust_env=trust_env, timeout=None, cookies=nothing)
    except _ENVIRONMENT_ERRORS:
        broken = fault_error("CFG-INVALID", "a proxy or certificate file named in the environment cannot be used")
    raise broken
