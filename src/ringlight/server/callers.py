"""Puts the caller's own address and scheme in the place of the proxy's, where the settings name the proxy."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ringlight.http.proxies import Proxies

__all__ = ["CallerMiddleware"]


class CallerMiddleware:
    """Corrects `client` and `scheme` of what comes through a proxy that is believed.

    Args:
        app: What is behind.
        proxies: Those that are believed.
    """

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request or socket."""
        if scope["type"] in ("http", "websocket"):
            host, port = scope.get("client") or ("", 0)
            headers = Headers(scope=scope)
            caller = self._proxies.caller(host, lambda name: ",".join(headers.getlist(name)) or None)
            scope["client"] = (caller.address, port if caller.address == host else 0)
            if caller.scheme is not None:
                secure = {"http": {"http": "http", "https": "https"}, "websocket": {"http": "ws", "https": "wss"}}
                scope["scheme"] = secure[scope["type"]][caller.scheme]
        await self._app(scope, receive, send)
