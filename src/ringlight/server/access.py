"""Who may use the server: origin and host checks, the key, and the headers that protect the page."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringlight.errors import RingError, UsageError, fault_error
from ringlight.http.address import hostname_of, is_loopback_host, netloc_of
from ringlight.server.entrance import Entrance
from ringlight.server.plain_page import onward_page
from ringlight.server.problems import problem
from ringlight.server.room_guests import RoomGuests
from ringlight.server.scopes import OWNER, Holder, is_open, may

# Whoever cannot get in learns here whether there is a server at all: from a page of any origin, by any name.
_PROBED = frozenset({"/health", "/ready"})
# Ring comes to the name that the developer portal has.
_OF_RING = frozenset({"/ring/webhook", "/ring/token"})
# Pages of ours that others may link to; to those of the app, browsers are led by Ring.
_LINKED = frozenset(
    {
        "/",
        "/login",
        "/login/oidc",
        "/login/oidc/callback",
        "/docs",
        "/ring/link",
        "/ring/home",
        "/ring/callback",
        "/faults",
        "/rooms",
        "/j",
    }
)
_LINKED_BELOW = ("/rooms/", "/j/", "/s/", "/faults/")
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
    "Access-Control-Allow-Headers": "Content-Type, Authorization, If-Match, traceparent",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = "Location, Link, ETag, Accept-Post, Accept-Patch, Allow, Retry-After, Content-Range, X-Still-Source"
_HOLDER, _SESSION = "ringlight.holder", "ringlight.session"
_HOST = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?", re.IGNORECASE)
_DOCS_POLICY = "default-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net https://fastapi.tiangolo.com data:"


@dataclass(slots=True)
class Access:
    """What is allowed.

    Attributes:
        loopback: Whether the server listens on a loopback address only.
        origins: Origins of other web pages that may write.
        any_loopback_origin: Whether pages of any loopback origin may write (the demo).
    """

    loopback: bool
    origins: frozenset[str]
    any_loopback_origin: bool = False

    def judge_origin(self, method: str, path: str, headers: Headers) -> None:
        """Let a request pass where its page may make it, or say why not.

        Raises:
            UsageError: ORIGIN-REFUSED.
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
        followed_link = method in _READING and headers.get("sec-fetch-mode") == "navigate" and linked
        if headers.get("sec-fetch-site") == "cross-site" and not known and not followed_link:
            # A picture of ours inside of a stranger's page would wake a camera.
            raise fault_error("ORIGIN-REFUSED", "the request comes from a page of another site")

    def _knows(self, origin: str, host: str) -> bool:
        if netloc_of(origin) == host or origin in self.origins:
            return True
        return self.any_loopback_origin and is_loopback_host(hostname_of(origin))

    def allows_cross(self, origin: str, host: str) -> bool:
        """Whether a page of another origin may read the answer."""
        return netloc_of(origin) != host and self._knows(origin, host)


def _refusal(error: RingError, scope: Scope, headers: Headers) -> Response:
    """Return what a browser or a program is told: a browser that shows somebody a page is led to where one logs in."""
    if error.fault.http != 401:
        return problem(error)
    if error.code.startswith("KEY-") and _shows_page(scope, headers):
        if headers.get("sec-fetch-site") == "cross-site":  # it kept the cookie to itself
            query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
            return onward_page(quote(scope["path"]) + query)
        return RedirectResponse("/login", 303, {"Cache-Control": "no-store"})
    answer = problem(error)
    # A script of our page gets no scheme that would make its browser ask for a password.
    scheme = "Bearer" if "sec-fetch-site" in headers else "Basic"
    answer.headers["WWW-Authenticate"] = f'{scheme} realm="Ringlight", charset="UTF-8"'
    return answer


def holder_of(request: HTTPConnection) -> Holder:
    """Return who makes a request that was let in; the owner where nobody has to show anything."""
    holder: Holder = request.scope.get(_HOLDER, OWNER)
    return holder


def has_session(request: HTTPConnection) -> bool:
    """Whether whoever makes a request was let in by a log-in of their browser."""
    return request.scope.get(_SESSION) is True


class AccessMiddleware:
    """Lets HTTP requests in, or not, and adds the protective headers to every answer.

    Args:
        app: What is behind.
        access: Which pages may use it.
        guests: Those who come with a room's token; `None` lets nobody in with one.
        entrance: Says who somebody is; `None` takes everybody for the owner, as on a loopback address.
    """

    def __init__(
        self, app: ASGIApp, access: Access, guests: RoomGuests | None = None, entrance: Entrance | None = None
    ) -> None:
        self._app = app
        self._access = access
        self._guests = guests
        self._entrance = entrance

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
            self._access.judge_origin(method, scope["path"], headers)
            if not is_guest and not is_open(method, scope["path"]):
                scope[_HOLDER] = await self._let_in(scope, headers)
        except RingError as error:
            await _refusal(error, scope, headers)(scope, receive, protected)
            return
        await self._app(scope, receive, protected)

    async def _let_in(self, scope: Scope, headers: Headers) -> Holder:
        if self._entrance is None:
            return may(OWNER, scope["method"], scope["path"])
        if "authorization" in headers:
            holder = await self._entrance.holder(headers, (scope.get("client") or ("",))[0])
        else:
            holder = await self._session(self._entrance, scope, headers)
            scope[_SESSION] = holder is not None
            if holder is not None and scope["method"] not in _READING and "origin" not in headers:
                # Browsers send a cookie along whoever asks; with Origin, `judge_origin` has seen who that is.
                raise fault_error("ORIGIN-REFUSED", "a request with a session has to name the page that it is of")
        return may(holder, scope["method"], scope["path"])

    @staticmethod
    async def _session(entrance: Entrance, scope: Scope, headers: Headers) -> Holder | None:
        """Return whose session a browser shows. That its link has ended a script is told here, a person at /login."""
        try:
            return await entrance.session(headers)
        except UsageError as error:
            if error.code.startswith("KEY-LINK-") and not _shows_page(scope, headers):
                raise
            return None


def _shows_page(scope: Scope, headers: Headers) -> bool:
    return scope["method"] == "GET" and "text/html" in headers.get("accept", "")


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
