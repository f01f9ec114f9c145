"""The border at which every error of an HTTP library, TLS and sockets becomes one of ours."""

import os
import socket
import ssl
from dataclasses import dataclass

import httpx2

from ringlight.errors import RingError, fault_error
from ringlight.http.address import host_of
from ringlight.http.flow import unreadable
from ringlight.http.reach import Way
from ringlight.http.trust import causes_of, distrust_in
from ringlight.resilience.actions import Failed

__all__ = ["HTTPX2", "Dialect", "translate"]

_Kinds = tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one HTTP library names what goes wrong.

    Attributes:
        foreign: Everything that sending may raise by design.
        timeouts: Its own kinds of `TimeoutError`.
        dns: A name is not known.
        invalid: The request cannot be written.
        undecodable: The answer came, and cannot be read.
        proxy: A proxy refused.
        cut: The other side ended in the middle, or spoke no HTTP.
        unsent: Raised only before anything of the request is sent.
        pool: No connection became free.
    """

    foreign: _Kinds
    timeouts: _Kinds
    dns: _Kinds
    invalid: _Kinds
    undecodable: _Kinds
    proxy: _Kinds
    cut: _Kinds
    unsent: _Kinds
    pool: _Kinds = ()


HTTPX2 = Dialect(
    # `HTTPError` holds most of the tree; the others stand beside it.
    # Kinds of OSError: TimeoutError, ssl.SSLError and socket.gaierror. UnicodeError: a header that is not ASCII.
    foreign=(
        httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, httpx2.CookieConflict, OSError, UnicodeError,
    ),
    timeouts=(httpx2.TimeoutException,),
    dns=(),
    invalid=(httpx2.LocalProtocolError, UnicodeError),
    undecodable=(httpx2.DecodingError, httpx2.TooManyRedirects, httpx2.SSEError),
    proxy=(httpx2.ProxyError,),
    cut=(httpx2.RemoteProtocolError,),
    unsent=(
        httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol,
        httpx2.LocalProtocolError, httpx2.InvalidURL, UnicodeError,
    ),
    pool=(httpx2.PoolTimeout,),
)  # fmt: skip


def translate(
    error: Exception, dialect: Dialect, *, url: str, at: str, timeout: float, way: Way, connections: int | None = None
) -> Failed:
    """Return our error for one of the dialect's foreign ones, and how far the request came.

    The error's detail names the host, never query, headers or body.

    Args:
        error: What was raised.
        dialect: The library's.
        url: The address that was really asked.
        at: The step of the dialog.
        timeout: The deadline in seconds, for the message.
        way: What had happened to the request by then.
        connections: How many there may be, for the message.
    """
    host, causes = host_of(url), list(causes_of(error))
    own = isinstance(error, dialect.pool)
    if own:
        ours = fault_error("NET-POOL", f"{host}: all {connections or 'allowed'} connections were in use")
    else:
        ours = _ours(error, causes, dialect, host, at, timeout)
    return Failed(way.fate(unsent=isinstance(error, dialect.unsent)), ours, way.reused, own, way.status)


def _ours(
    error: Exception, causes: list[BaseException], dialect: Dialect, host: str, at: str, timeout: float
) -> RingError:
    if any(isinstance(cause, (socket.gaierror, *dialect.dns)) for cause in causes):
        return fault_error("NET-DNS", host)
    if (distrust := distrust_in(error)) is not None:
        return fault_error("NET-TLS", f"{host}: {distrust}")
    if isinstance(error, (TimeoutError, *dialect.timeouts)):
        return fault_error("NET-TIMEOUT", f"no answer from {host} within {timeout:g} s")
    if isinstance(error, dialect.invalid):
        return fault_error("REQUEST-INVALID", f"the request to {host} has characters that HTTP does not allow")
    if any(isinstance(cause, dialect.undecodable) for cause in causes):
        return unreadable(at, f"{host}: the answer cannot be decoded")
    return fault_error("NET-UNREACHABLE", f"{host}: {_reason(error, dialect, causes)}")


def _reason(error: Exception, dialect: Dialect, causes: list[BaseException]) -> str:
    for cause in causes:
        # An SSLError's number is OpenSSL's, not the system's.
        if isinstance(cause, OSError) and cause.errno is not None and not isinstance(cause, ssl.SSLError):
            return os.strerror(cause.errno).lower()
    if isinstance(error, dialect.proxy):
        return "the proxy refused"
    return "the connection was cut" if isinstance(error, dialect.cut) else "no connection"
