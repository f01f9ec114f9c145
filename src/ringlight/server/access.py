"""Who may use the server: origin and host checks, the key, and the headers that protect the page."""

import base64
import re
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringlight.errors import RingError, fault_error
from ringlight.http.address import hostname_of, is_loopback_host, netloc_of
from ringlight.secrets import Secret
from ringlight.server.problems import problem
from ringlight.server.room_guests import RoomGuests
from ringlight.server.scopes import OWNER, Holder, may

# Whoever cannot get in learns here whether there is a server at all: from a page of any origin, by any name.
_PROBED = frozenset({"/health", "/ready"})
# Ring comes to the name that the developer portal has.
_OF_RING = frozenset({"/ring/webhook", "/ring/token"})
# Pages of ours that others may link to; to those of the app, browsers are led by Ring.
_LINKED = frozenset({"/", "/docs", "/ring/link", "/ring/home", "/ring/callback", "/faults"})
_LINKED_BELOW = ("/rooms/", "/j/", "/faults/")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_PROTECTION = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'{sockets}; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
# What a page of an allowed origin may send; a preflight itself carries no key.
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, If-Match",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = "Location, Link, ETag, Accept-Post, Accept-Patch, Allow, Retry-After, Content-Range, X-Still-Source"
_HOLDER = "ringlight.holder"
_HOST = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?", re.IGNORECASE)
_DOCS_POLICY = "default-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net https://fastapi.tiangolo.com data:"


@dataclass(frozen=True, slots=True)
class Access:
    """What is allowed.

    Attributes:
        loopback: Whether the server listens on a loopback address only.
        key: The key that every request needs; `None` on loopback.
        origins: Origins of other web pages that may write.
        any_loopback_origin: Whether pages of any loopback origin may write (the demo).
    """

    loopback: bool
    key: Secret | None
    origins: frozenset[str]
    any_loopback_origin: bool = False

    def judge(self, method: str, path: str, headers: Headers, holder: Holder | None, *, is_guest: bool = False) -> None:
        """Let a request pass, or say why not.

        Args:
            method: Of the request, like `path` and `headers`.
            holder: Who asks, by what was shown; `None` has shown nothing that counts.
            is_guest: Whether a room's token has let this request in already.

        Raises:
            UsageError: ORIGIN-REFUSED, KEY-NEEDED, KEY-SCOPE or KEY-CAMERA.
        """
        if (path in _PROBED and method in _READING) or (path in _OF_RING and method == "POST"):
            return
        host = hostname_of(f"//{headers.get('host', '')}")
        if self.loopback and not is_loopback_host(host) and host not in map(hostname_of, self.origins):
            # A name of somebody else that resolves to this machine: a page would read what it may not.
            raise fault_error("ORIGIN-REFUSED", f"the request was made for the host {host!r}")
        origin = headers.get("origin")
        known = origin is not None and self._knows(origin, headers.get("host", ""))
        if origin is not None and method not in _READING and not known:
            raise fault_error("ORIGIN-REFUSED", f"the page is of {origin[:80]}")
        linked = path in _LINKED or path.startswith(_LINKED_BELOW)
        followed_link = headers.get("sec-fetch-mode") == "navigate" and linked
        if headers.get("sec-fetch-site") == "cross-site" and not known and not followed_link:
            # A picture of ours inside of a stranger's page would wake a camera.
            raise fault_error("ORIGIN-REFUSED", "the request comes from a page of another site")
        if not is_guest:
            may(holder, method, path)

    def _knows(self, origin: str, host: str) -> bool:
        if netloc_of(origin) == host or origin in self.origins:
            return True
        return self.any_loopback_origin and is_loopback_host(hostname_of(origin))

    def allows_cross(self, origin: str, host: str) -> bool:
        """Whether a page of another origin may read the answer."""
        return netloc_of(origin) != host and self._knows(origin, host)

    def holder(self, headers: Headers) -> Holder | None:
        """Return who asks, by the key that a request carries."""
        if self.key is None:
            return OWNER
        given = shown_key(headers.get("authorization", ""))
        return OWNER if given is not None and given == self.key else None


def shown_key(header: str) -> Secret | None:
    """Return the key in an Authorization header, as Bearer or as Basic password; `None` where there is none."""
    scheme, _, given = header.partition(" ")
    if scheme.lower() == "basic":  # what video players and scripts send for `user:password@`
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:  # no base64, or no text in it
            return None
    elif scheme.lower() != "bearer":
        return None
    return Secret(given.strip()) if given.strip() else None


def holder_of(request: HTTPConnection) -> Holder:
    """Return who makes a request that was let in; the owner where nobody has to show anything."""
    holder: Holder = request.scope.get(_HOLDER, OWNER)
    return holder


class AccessMiddleware:
    """Applies `Access` to every HTTP request and adds the protective headers to every answer."""

    def __init__(self, app: ASGIApp, access: Access, guests: RoomGuests | None = None) -> None:
        self._app = app
        self._access = access
        self._guests = guests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            # Rooms judge their sockets themselves, in a frame: a page sees nothing of a refused upgrade.
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        method = scope["method"]
        origin, host = headers.get("origin"), headers.get("host", "")
        crossing = origin is not None and self._access.allows_cross(origin, host)

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                _protect(MutableHeaders(scope=message), scope["path"], host, origin if crossing else None)
            await send(message)

        if crossing and method == "OPTIONS" and "access-control-request-method" in headers:
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, protected)
            return
        try:
            is_guest = self._guests is not None and await self._guests.let_in(scope, headers)
            holder = self._access.holder(headers)
            self._access.judge(method, scope["path"], headers, holder, is_guest=is_guest)
            if holder is not None:
                scope[_HOLDER] = holder
        except RingError as error:
            answer = problem(error)
            if error.code == "KEY-NEEDED":
                answer.headers["WWW-Authenticate"] = 'Basic realm="Ringlight", charset="UTF-8"'
            await answer(scope, receive, protected)
            return
        await self._app(scope, receive, protected)


def _protect(headers: MutableHeaders, path: str, host: str, origin: str | None) -> None:
    # Safari before 15.4 does not take sockets to be of 'self'. An IPv6 address cannot be written there at all.
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    for name, value in _PROTECTION.items():
        headers.setdefault(name, value.replace("{sockets}", sockets))
    if path == "/docs":  # FastAPI's page of the API loads its own scripts
        headers["Content-Security-Policy"] = _DOCS_POLICY
    if origin is not None:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = _EXPOSED
        headers["Vary"] = "Origin"
