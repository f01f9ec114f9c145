"""The border at which every error of httpx2, TLS and sockets becomes one of ours."""

import os
import socket
import ssl
from collections.abc import Iterator

import httpx2

from ringlight.errors import RingError, fault_error
from ringlight.http.address import host_of
from ringlight.http.flow import unreadable

__all__ = ["FOREIGN", "translate"]

# Everything that sending may raise by design. `HTTPError` holds most of the tree; the others stand beside it.
FOREIGN: tuple[type[Exception], ...] = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    httpx2.CookieConflict,
    OSError,  # TimeoutError, ssl.SSLError and socket.gaierror are kinds of it
    UnicodeError,  # a header that is not ASCII
)

_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError)  # the connection ended during the handshake: not a matter of trust


def translate(error: Exception, *, url: str, at: str, timeout: float) -> RingError:
    """Return our error for one of `FOREIGN`. Its detail names the host, never query, headers or body.

    Args:
        error: What was raised.
        url: The address that was really asked.
        at: The step of the dialog.
        timeout: The deadline in seconds, for the message.
    """
    host = host_of(url)
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return fault_error("NET-DNS", host)
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, _CUT):
            return fault_error("NET-TLS", f"{host}: {_tls_reason(cause)}")
    if isinstance(error, (TimeoutError, httpx2.TimeoutException)):
        return fault_error("NET-TIMEOUT", f"no answer from {host} within {timeout:g} s")
    if isinstance(error, (httpx2.LocalProtocolError, UnicodeError)):
        return fault_error("REQUEST-INVALID", f"the request to {host} has characters that HTTP does not allow")
    if isinstance(error, (httpx2.DecodingError, httpx2.TooManyRedirects, httpx2.SSEError)):
        return unreadable(at, f"{host}: the answer cannot be decoded")
    return fault_error("NET-UNREACHABLE", f"{host}: {_reason(error, causes)}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    pending = [error]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):  # several addresses were tried
            pending += one.exceptions


def _reason(error: Exception, causes: list[BaseException]) -> str:
    for cause in causes:
        # An SSLError's number is OpenSSL's, not the system's.
        if isinstance(cause, OSError) and cause.errno is not None and not isinstance(cause, ssl.SSLError):
            return os.strerror(cause.errno).lower()
    if isinstance(error, httpx2.ProxyError):
        return "the proxy refused"
    return "the connection was cut" if isinstance(error, httpx2.RemoteProtocolError) else "no connection"


def _tls_reason(error: ssl.SSLError) -> str:
    # Both are set by OpenSSL only; an error that was raised in Python lacks them.
    words = getattr(error, "verify_message", None) or getattr(error, "reason", None) or "handshake failed"
    return str(words).replace("_", " ").lower()
