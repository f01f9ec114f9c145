"""A line in the log, and a span where those are made, for each request: what was asked for, and what came of it."""

import logging
import time
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringlight import spans
from ringlight.logs import set_about
from ringlight.server.scopes import line_of

__all__ = ["RequestLines"]

log = logging.getLogger("ringlight.requests")
# What is asked for all the time by those who look on; a line each would hide what matters.
_ROUTINE = frozenset({"/health", "/ready", "/metrics"})


class RequestLines:
    """Stands before everything else of an application.

    Of an address only its pattern is written down (`/j/{token}`): what stands in a name's place may open a door.

    Args:
        app: What is behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        told = log.isEnabledFor(logging.INFO)
        if scope["type"] != "http" or scope["path"] in _ROUTINE or not (told or spans.is_on()):
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        line, _ = line_of(method, scope["path"])
        pattern = line.path or "(other)"
        found = line.pattern.fullmatch(scope["path"])
        about = {name: value for name, value in (found.groupdict() if found else {}).items() if name in _NAMED}
        parent = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
        span = spans.begin(
            f"{method} {pattern}", traceparent=parent, is_server=True, http__request__method=method,
            http__route=pattern, **{f"ringlight__{name}": value for name, value in about.items()},
        )  # fmt: skip
        set_about(**about)
        span.name_in_log(parent)
        began, status = time.monotonic(), [0]
        try:
            with span.current():
                await self._app(scope, receive, _watched(send, status))
        finally:
            span.put(http__response__status_code=status[0])
            span.end(str(status[0]) if status[0] >= 500 or not status[0] else None)
            if told:
                took = (time.monotonic() - began) * 1000
                log.info("request method=%s route=%s status=%d ms=%.1f", method, pattern, status[0], took)


_NAMED = frozenset({"camera", "room"})


def _watched(send: Send, status: list[int]) -> Callable[[Message], Awaitable[None]]:
    async def watched(message: Message) -> None:
        if message["type"] == "http.response.start":
            status[0] = message["status"]
        await send(message)

    return watched
