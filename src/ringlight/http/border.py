"""What every driver does alike: what it sends, and its one border for errors. It needs no event loop."""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from ringlight.errors import RingError
from ringlight.http.address import base_of, host_of, hostname_of
from ringlight.http.flow import Request, unreadable
from ringlight.http.reach import Patience, Way
from ringlight.http.target import Target, host_and_port, is_inside_by_name, is_proxied, pinned
from ringlight.http.translate import Dialect, translate
from ringlight.resilience.actions import Failed
from ringlight.secrets import Secret

__all__ = ["USER_AGENT", "Border", "checked", "content_of", "too_long", "whole"]

T = TypeVar("T")
Found = tuple[Any, Any, Any, Any, Any]  # a row of `getaddrinfo`; the address is the first of the last

# Since the wave of 406 answers in February 2026 Ring's edge turns away the bare `android:com.ringapp`;
# the app's full name with version and build still passes (observed-protocol.md#edge-406).
USER_AGENT = "android:com.ringapp:3.98.0(70492092)"


class Border:
    """Where requests leave and foreign errors become ours; alike for a driver that waits and one that awaits.

    It keeps no cookies and follows no redirect: a flow that wants to does so itself, where it can be seen.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        timeout: float,
        base_url: str | None,
        user_agent: str,
        patience: Patience | None = None,
    ) -> None:
        if base_url is not None:
            base_of("ring_url", base_url)
        self._dialect = dialect
        self._timeout = timeout
        self._base_url = base_url
        # Who stands in for Ring on this machine or in this network names addresses there, and may.
        self._judges_foreign = base_url is None or not is_inside_by_name(hostname_of(base_url))
        self._user_agent = user_agent
        self._patience = patience

    def _time_for(self, request: Request) -> float:
        return self._timeout if request.timeout is None else request.timeout

    def _failed(self, error: Exception, request: Request, url: str, way: Way) -> Failed:
        """Translate. What it returns is raised outside the `except`: no cause or context shall keep the foreign error.

        It holds the request with its bearer token, and h11's message repeats a header that it dislikes.
        """
        connections = self._patience.connections if self._patience is not None else None
        timeout = self._time_for(request)
        return translate(
            error, self._dialect, url=url, at=request.at, timeout=timeout, way=way, connections=connections
        )

    def _judged(self, request: Request, url: str) -> Target | tuple[str, int]:
        """Return where a request goes; host and port where their addresses have to be looked up and judged first.

        Raises:
            BadAnswerError: NET-INSIDE.
        """
        headers = self._headers(request)
        if not (request.foreign and self._judges_foreign):
            return Target(url, url, headers)
        host, port = host_and_port(url)
        return pinned(url, headers, [host]) if is_proxied(url) else (host, port)

    def _pinned(self, request: Request, url: str, found: Sequence[Found]) -> Target:
        """Judge what a name server has found, and lead the request to the first of it."""
        return pinned(url, self._headers(request), [str(row[4][0]) for row in found])

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"User-Agent": self._user_agent, "Accept": "application/json"}
        if request.json is not None or request.method == "PUT":
            headers["Content-Type"] = "application/json"
        elif request.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if request.bearer is not None:
            headers["Authorization"] = f"Bearer {request.bearer.reveal()}"
        return headers | {name: _plain(value) for name, value in request.headers.items()}


def whole(came: T | Failed) -> T:
    """Return what came; raise its error where it did not.

    Raises:
        RingError: Ours, without the foreign one.
    """
    if isinstance(came, Failed):
        raise came.error
    return came


def checked(body: bytearray, request: Request, url: str) -> None:
    """Refuse an answer as soon as it is longer than the request allows.

    Raises:
        RingError: The code follows the step.
    """
    if len(body) > request.limit:
        raise too_long(request, url)


def too_long(request: Request, url: str) -> RingError:
    """Make the error for an answer that is longer than the request allows."""
    return unreadable(request.at, f"{host_of(url)}: more than {request.limit} bytes")


def content_of(request: Request) -> bytes | None:
    """Return the body of a request; `None` for one without."""
    if request.json is None and request.form is not None:
        return urlencode({name: _plain(value) for name, value in request.form.items()}).encode()
    if request.json is None and request.content is not None:
        return request.content
    if request.json is None and request.method != "PUT":
        return None
    # Ring answers 422 to a PUT that is not said to be JSON; `null` will do (observed-protocol.md#http-statuses).
    return msgspec.json.encode(request.json, enc_hook=_reveal)


def _plain(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")
