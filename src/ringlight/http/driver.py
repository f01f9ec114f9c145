"""The driver that sends requests over the network, with a deadline and a size limit for each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlencode

import httpx2
import msgspec

from ringlight.errors import fault_error
from ringlight.http.address import base_of, host_of, is_loopback, rebase
from ringlight.http.discretion import be_discreet
from ringlight.http.flow import MAX_BODY, Flow, Headers, Request, Response, Streamed, drive, unreadable
from ringlight.http.translate import FOREIGN, translate
from ringlight.secrets import Secret

__all__ = ["MAX_BODY", "USER_AGENT", "AsyncDriver"]

T = TypeVar("T")

# Since the wave of 406 answers in February 2026 Ring's edge turns away the bare `android:com.ringapp`;
# the app's full name with version and build still passes (observed-protocol.md#edge-406).
USER_AGENT = "android:com.ringapp:3.98.0(70492092)"

# A proxy with a bad address or of a kind that needs another package, a certificate file that is not there.
_ENVIRONMENT_ERRORS: tuple[type[Exception], ...] = (*FOREIGN, ValueError, ImportError)


class AsyncDriver:
    """Runs flows over one pool of connections. Close it with `async with` or `aclose()`.

    It keeps no cookies and follows no redirect: a flow that wants to does so itself, where it can be seen.

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
        if base_url is not None:
            base_of("ring_url", base_url)
        self._timeout = timeout
        self._base_url = base_url
        self._user_agent = user_agent
        be_discreet()
        self._client = _new_client(transport, trust_env=base_url is None or not is_loopback(base_url))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection. Requests after this fail."""
        await self._client.aclose()

    async def run(self, flow: Flow[T]) -> T:
        """Run the flow to its end and return its result.

        Raises:
            RingError: What the flow itself raises, or what `send` does.
        """
        return await drive(flow, self.send)

    async def send(self, request: Request) -> Response:
        """Send one request and read the whole answer, whatever its status.

        Raises:
            NetworkError: NET-DNS, NET-UNREACHABLE, NET-TLS or NET-TIMEOUT.
            RingError: The answer is too long or cannot be decoded; the code follows the step.
        """
        url = rebase(request.url, self._base_url)
        timeout = self._timeout if request.timeout is None else request.timeout
        try:
            async with asyncio.timeout(timeout):
                return await self._exchange(request, url)
        except FOREIGN as error:
            ours = translate(error, url=url, at=request.at, timeout=timeout)
        # Raised out here, so that neither cause nor context keeps the foreign error: it holds the
        # request with its bearer token, and h11's message repeats a header that it dislikes.
        raise ours

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Streamed]:
        """Send one request and read its answer piece by piece; its timeout is that of each piece.

        Raises:
            NetworkError: As `send` does; while the body is read too, where the connection was cut or fell silent.
            RingError: The answer is longer than the request allows.
        """
        url = rebase(request.url, self._base_url)
        timeout = self._timeout if request.timeout is None else request.timeout
        asked = self._client.build_request(
            request.method, url, headers=self._headers(request), content=_content(request)
        )
        ours = None
        try:
            async with asyncio.timeout(timeout):
                answer = await self._client.send(asked, stream=True)
        except FOREIGN as error:
            ours = translate(error, url=url, at=request.at, timeout=timeout)
        if ours is not None:
            raise ours
        try:
            yield Streamed(answer.status_code, Headers(answer.headers), _pieces(answer, request, url, timeout))
        finally:
            await answer.aclose()

    async def _exchange(self, request: Request, url: str) -> Response:
        body = bytearray()
        async with self._client.stream(
            request.method, url, headers=self._headers(request), content=_content(request)
        ) as answer:
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > request.limit:
                    raise unreadable(request.at, f"{host_of(url)}: more than {request.limit} bytes")
            cookies = tuple(answer.headers.get_list("set-cookie"))
            return Response(answer.status_code, dict(answer.headers), bytes(body), cookies)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"User-Agent": self._user_agent, "Accept": "application/json"}
        if request.json is not None or request.method == "PUT":
            headers["Content-Type"] = "application/json"
        elif request.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if request.bearer is not None:
            headers["Authorization"] = f"Bearer {request.bearer.reveal()}"
        return headers | {name: _plain(value) for name, value in request.headers.items()}


async def _pieces(answer: httpx2.Response, request: Request, url: str, patience: float) -> AsyncIterator[bytes]:
    pieces, read = answer.aiter_bytes(), 0
    while True:
        ours = None
        try:
            async with asyncio.timeout(patience):
                piece = await anext(pieces, None)
        except FOREIGN as error:
            ours = translate(error, url=url, at=request.at, timeout=patience)
        if ours is not None:
            raise ours
        if piece is None:
            return
        read += len(piece)
        if read > request.limit:
            raise unreadable(request.at, f"{host_of(url)}: more than {request.limit} bytes")
        yield piece


def _new_client(transport: httpx2.AsyncBaseTransport | None, *, trust_env: bool) -> httpx2.AsyncClient:
    nothing = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    try:
        # Its own time limits are off: each counts anew from byte to byte, so none is a deadline.
        return httpx2.AsyncClient(transport=transport, trust_env=trust_env, timeout=None, cookies=nothing)
    except _ENVIRONMENT_ERRORS:
        broken = fault_error("CFG-INVALID", "a proxy or certificate file named in the environment cannot be used")
    raise broken


def _content(request: Request) -> bytes | None:
    if request.json is None and request.form is not None:
        return urlencode({name: _plain(value) for name, value in request.form.items()}).encode()
    if request.json is None and request.method != "PUT":
        return None
    # Ring answers 422 to a PUT without a JSON body; `null` will do (observed-protocol.md#http-statuses).
    return msgspec.json.encode(request.json, enc_hook=_reveal)


def _plain(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")
