"""What both of httpx2's clients are told alike: whose proxies and certificates, how many connections, which limits."""

from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx2

from ringlight.errors import fault_error
from ringlight.http.address import is_loopback
from ringlight.http.border import content_of
from ringlight.http.discretion import be_discreet
from ringlight.http.flow import Request
from ringlight.http.reach import Patience
from ringlight.http.target import Target
from ringlight.http.translate import HTTPX2

__all__ = ["asked_by", "new_client"]

C = TypeVar("C", httpx2.Client, httpx2.AsyncClient)

# A proxy with a bad address or of a kind that needs another package, a certificate file that is not there.
_ENVIRONMENT_ERRORS: tuple[type[Exception], ...] = (*HTTPX2.foreign, ValueError, ImportError)


def new_client(kind: Callable[..., C], transport: object, base_url: str | None, patience: Patience | None) -> C:
    """Make a client of httpx2, which is discreet from now on.

    Args:
        kind: `httpx2.Client` or `httpx2.AsyncClient`.
        transport: Another way to the network; `None` is the real one.
        base_url: The stand-in for Ring; on loopback the environment's proxies are left alone, its authorities are not.
        patience: Names the most connections; `None` is httpx2's own limit.

    Raises:
        SetupError: CFG-INVALID, a proxy or certificate file that the environment names cannot be used.
    """
    be_discreet()
    options: dict[str, Any] = {}
    if patience is not None:
        most = patience.connections
        options["limits"] = httpx2.Limits(max_connections=most, max_keepalive_connections=most)
    nothing = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    trust_env = base_url is None or not is_loopback(base_url)
    try:
        if not trust_env and transport is None:  # of the environment it is the proxies alone that are left
            options["verify"] = httpx2.create_ssl_context(trust_env=True)
        # Its own time limits are off: each counts anew from byte to byte, so none is a deadline.
        return kind(transport=transport, trust_env=trust_env, timeout=None, cookies=nothing, **options)
    except _ENVIRONMENT_ERRORS:
        broken = fault_error("CFG-INVALID", "a proxy or certificate file named in the environment cannot be used")
    raise broken


def asked_by(request: Request, target: Target, extensions: dict[str, Any]) -> dict[str, Any]:
    """Return one request in the words of httpx2."""
    if target.tls_name is not None:
        extensions = {**extensions, "sni_hostname": target.tls_name}
    return {
        "method": request.method, "url": target.url, "headers": target.headers, "content": content_of(request),
        "extensions": extensions,
    }  # fmt: skip
