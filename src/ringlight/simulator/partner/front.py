"""What happens to calls of the Partner API on the wire: cut, slow, broken, never answered; and their common fields."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from ringlight.simulator.partner.estate import Estate
from ringlight.simulator.partner.limit import Verdict

__all__ = ["API_HOST", "DOWNLOAD", "STORAGE_HOST", "Call", "Front", "call_of"]

DOWNLOAD = "/v1/download"
TOKEN = "/oauth/token"  # noqa: S105 - an address
SLOW_PARTS, SLOW_STEP = 8, 0.5  # seconds
HUGE = 10_000_000  # bytes
PAGE = b"<html><head><title>Welcome to the hotel network</title></head><body><h1>Please sign in</h1></body></html>"
API_HOST = "api.amazonvision.com"
STORAGE_HOST = "download-us-east-1.prod.phoenix.devices.amazon.dev"  # as it was seen; the documentation names others

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(slots=True)
class Call:
    """One call on its way.

    Attributes:
        on: The switches that are on for it.
        name: Its request id.
        limit: What the limit said; `None` where it was not asked.
        lost: Whether the connection is to be cut in place of the answer.
        cut_after: Bytes of the body after which it is to be cut; `None` for all of it.
    """

    on: set[str]
    name: str
    limit: Verdict | None = None
    lost: bool = False
    cut_after: int | None = None


@dataclass(slots=True)
class _Answer:
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def of_type(self, media_type: bytes) -> None:
        self.headers = [(name, value) for name, value in self.headers if name.lower() != b"content-type"]
        self.headers.append((b"content-type", media_type))


def call_of(scope: Any) -> Call:
    """Return the call that a request is."""
    call = scope["ringlight.call"]
    assert isinstance(call, Call)  # noqa: S101 - tells the type checker what `Front` has put there
    return call


class Front:
    """ASGI middleware. It leaves alone what is not for the Partner API, its tokens or its storage."""

    def __init__(self, app: App, estate: Estate, name: Callable[[], str]) -> None:
        self._app = app
        self._estate = estate
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the connection suffer."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path == TOKEN or path.startswith("/v1/")):
            await self._app(scope, receive, send)
            return
        is_api = path not in (TOKEN, DOWNLOAD)
        call = Call(self._estate.switches_of_a_call() if is_api else self._estate.switches(), self._name())
        scope["ringlight.call"] = call
        if is_api and "partner-silent" in call.on:
            await _gone(receive)
            return
        if is_api and "partner-cut" in call.on:
            await _cut(receive)
            return
        answer = _Answer()
        await self._app(scope, receive, _collector(answer))
        if call.lost:
            await _cut(receive)
            return
        if path != TOKEN:
            self._dress(call, answer)
        if is_api:
            self._estate.calls.append((scope["method"], path, answer.status))
            await _suffer(call, answer)
        await _deliver(call, answer, receive, send, slow=is_api and "partner-slow" in call.on)

    def _dress(self, call: Call, answer: _Answer) -> None:
        answer.headers += [(b"server", b"envoy"), (b"x-request-id", call.name.encode())]
        told = self._estate.how.limit_headers
        if call.limit is not None and (told == "all" or (told == "refused" and not call.limit.taken)):
            answer.headers += [
                (b"x-ratelimit-limit", str(self._estate.limit.calls).encode()),
                (b"x-ratelimit-remaining", str(call.limit.remaining).encode()),
            ]


async def _suffer(call: Call, answer: _Answer) -> None:
    """Change a whole answer as the switches say."""
    if "partner-html" in call.on:
        answer.status, answer.body = 200, PAGE
        answer.of_type(b"text/html")
    if "partner-truncated" in call.on:
        answer.body = answer.body[: len(answer.body) // 2]
    if "partner-huge" in call.on:
        answer.body += b" " * HUGE
    if "partner-bad-gzip" in call.on:
        packed = await asyncio.to_thread(gzip.compress, answer.body, mtime=0)
        answer.body = packed[: len(packed) // 2]
        answer.headers.append((b"content-encoding", b"gzip"))
    if "partner-cut-body" in call.on:
        call.cut_after = len(answer.body) // 2


async def _deliver(call: Call, answer: _Answer, receive: Receive, send: Send, *, slow: bool) -> None:
    headers = [(name, value) for name, value in answer.headers if name.lower() != b"content-length"]
    if answer.status >= 200 and answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if call.cut_after is not None and call.cut_after < len(answer.body):
        await send({"type": "http.response.body", "body": answer.body[: call.cut_after], "more_body": True})
        await _cut(receive, after_all=True)
        return
    size = max(1, -(-len(answer.body) // SLOW_PARTS)) if slow else max(1, len(answer.body))
    for begin in range(0, len(answer.body), size):
        if slow and await _gone_within(SLOW_STEP, receive):
            return
        await send({"type": "http.response.body", "body": answer.body[begin : begin + size], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _collector(answer: _Answer) -> Send:
    async def collect(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            answer.body += message.get("body", b"")

    return collect


async def _gone(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _gone_within(seconds: float, receive: Receive) -> bool:
    """Wait so long, or until the client has gone; whether it has."""
    try:
        async with asyncio.timeout(seconds):
            await _gone(receive)
    except TimeoutError:
        return False
    return True


async def _cut(receive: Receive, *, after_all: bool = False) -> None:
    """Cut the connection; ASGI has no word for it, so uvicorn's own is taken where it is uvicorn that runs us."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is not None:
        transport.close() if after_all else transport.abort()
        await _gone(receive)
