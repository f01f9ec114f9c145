"""The driver over an `aiohttp.ClientSession` that is somebody else's: Home Assistant's, or a program's own.

Only who has aiohttp imports this module.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import SimpleNamespace

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError
from yarl import URL

from ringlight.errors import fault_error
from ringlight.http.address import is_loopback
from ringlight.http.border import USER_AGENT, checked, content_of
from ringlight.http.flow import Headers, Request, Response, Streamed
from ringlight.http.reach import Patience, Way
from ringlight.http.sending import Sending
from ringlight.http.target import Target
from ringlight.http.translate import Dialect

__all__ = ["SessionDriver"]

AIOHTTP = Dialect(
    # ValueError: a header or an address that HTTP does not allow.
    foreign=(aiohttp.ClientError, OSError, ValueError),
    timeouts=(aiohttp.ServerTimeoutError,),
    dns=(aiohttp.ClientConnectorDNSError,),  # with a resolver of its own there is no socket.gaierror behind it
    invalid=(ValueError,),
    undecodable=(ContentEncodingError, aiohttp.ContentTypeError, aiohttp.TooManyRedirects),
    proxy=(aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError),
    cut=(aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientResponseError),
    unsent=(aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, aiohttp.InvalidURL, ValueError),
)
_NO_LIMIT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


class SessionDriver(Sending):
    """Runs flows over the connections of a session that it is given and never closes.

    It takes the session's connector, with its TLS, name resolution and limits, and whether it asks the
    environment for proxies. It does not take its cookie jar, default header fields and middlewares: what belongs
    to other hosts shall not reach Ring, and Ring's cookies and tokens shall not reach whoever else uses the session.

    Args:
        session: The session. It must be open, and belong to the event loop that runs now.
        timeout: As for `AsyncDriver`.
        base_url: As for `AsyncDriver`.
        user_agent: Who we say we are.
        patience: Its limits for connecting and reading are taken; the rest is the session's. aiohttp itself sends a
            GET, PUT or DELETE again whose kept connection was just closed.

    Raises:
        SetupError: CFG-INVALID, `base_url` is no usable address.
        UsageError: REQUEST-INVALID, the session is closed.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        timeout: float = 15.0,
        base_url: str | None = None,
        user_agent: str = USER_AGENT,
        patience: Patience | None = None,
    ) -> None:
        super().__init__(AIOHTTP, timeout=timeout, base_url=base_url, user_agent=user_agent, patience=patience)
        if session.closed:
            raise _closed()
        self._session = session
        # Its own time limits are off, as those of httpx2 are. How many connections there are is the session's affair.
        limits = _NO_LIMIT
        if patience is not None:
            limits = aiohttp.ClientTimeout(
                total=None, connect=None, sock_connect=patience.connect, sock_read=patience.read
            )
        self._client = aiohttp.ClientSession(
            connector=session.connector, connector_owner=False, cookie_jar=aiohttp.DummyCookieJar(), timeout=limits,
            trust_env=session.trust_env and (base_url is None or not is_loopback(base_url)), trace_configs=[_tracing()],
        )  # fmt: skip

    async def aclose(self) -> None:
        """Let go of the session, which stays open."""
        await self._client.close()

    async def exchange(self, request: Request, target: Target, way: Way) -> Response:
        """Send one request by means of aiohttp."""
        body = bytearray()
        async with self._asking(request, target, way) as answer:
            way.status = answer.status
            async for chunk in answer.content.iter_any():
                body += chunk
                checked(body, request, target.named)
            cookies = tuple(answer.headers.getall("Set-Cookie", ()))
            return Response(answer.status, dict(answer.headers), bytes(body), cookies)

    @asynccontextmanager
    async def open(self, request: Request, target: Target, way: Way) -> AsyncIterator[Streamed]:
        """Send one request by means of aiohttp; the body is read by whoever asked."""
        async with self._asking(request, target, way) as answer:
            way.status = answer.status
            yield Streamed(answer.status, Headers(dict(answer.headers)), aiter(answer.content.iter_any()))

    def _asking(
        self, request: Request, target: Target, way: Way
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if self._session.closed:
            raise _closed()
        if not all(value.isascii() and value.isprintable() for value in target.headers.values()):
            raise ValueError("a header that HTTP does not allow")  # aiohttp would send it as UTF-8
        # An address that was signed must arrive as it is, so nothing in it is encoded again.
        return self._client.request(
            request.method, URL(target.url, encoded=True), headers=target.headers, data=content_of(request),
            allow_redirects=False, skip_auto_headers=("Content-Type",), trace_request_ctx=way,
            server_hostname=target.tls_name,
        )  # fmt: skip


def _tracing() -> aiohttp.TraceConfig:
    async def opened(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.fresh = True

    async def begun(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.begun = True

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_create_start.append(opened)
    tracing.on_request_headers_sent.append(begun)  # told just before they are written
    return tracing


def _closed() -> Exception:
    return fault_error("REQUEST-INVALID", "the aiohttp session is closed")
