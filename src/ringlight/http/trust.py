"""What TLS says of a certificate that it does not accept, wherever among the causes of an error that is told."""

import ssl
from collections.abc import Iterator

__all__ = ["causes_of", "distrust_in"]

_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError)  # the connection ended during the handshake: not a matter of trust


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all that led to it."""
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


def distrust_in(error: BaseException) -> str | None:
    """Return in OpenSSL's words why TLS refused, as `certificate has expired`; `None` where it did not."""
    tls = [cause for cause in causes_of(error) if isinstance(cause, ssl.SSLError)]
    if not tls or any(isinstance(cause, _CUT) for cause in tls):
        return None
    # Both are set by OpenSSL only; an error that was raised in Python lacks them.
    words = (getattr(cause, name, None) for cause in tls for name in ("verify_message", "reason"))
    return str(next(filter(None, words), "handshake failed")).replace("_", " ").rstrip(".").lower()
