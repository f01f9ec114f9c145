"""Addresses: putting one base URL in the place of every host of Ring, and naming hosts in messages."""

import ipaddress
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from ringlight.errors import fault_error

__all__ = [
    "base_of",
    "host_of",
    "hostname_of",
    "is_loopback",
    "is_loopback_host",
    "netloc_of",
    "rebase",
    "seen_from_here",
]


def base_of(name: str, url: str, schemes: tuple[str, ...] = ("http", "https")) -> SplitResult:
    """Judge a URL from the settings and return its parts.

    Args:
        name: The setting, for the message. The value is not repeated there: it may hold a password.
        url: Its value.
        schemes: Those that are accepted.

    Raises:
        SetupError: CFG-INVALID, the value is no address with a host.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in schemes or not parts.hostname:
        raise fault_error("CFG-INVALID", f"{name}: expected {schemes[0]}://host[:port]")
    return parts


def rebase(url: str, base_url: str | None) -> str:
    """Return the URL with scheme and host of `base_url`, keeping path and query; `None` changes nothing."""
    if base_url is None:
        return url
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{base_url.rstrip('/')}{parts.path or '/'}{query}"


def host_of(url: str) -> str:
    """Return `host` or `host:port` for a message: never user, path or query."""
    parts = _split(url)
    return parts.netloc.rpartition("@")[2] if parts and parts.netloc else "an address without a host"


def netloc_of(url: str) -> str:
    """Return the part of a URL that names its server, as an Origin is compared with a Host; "" where there is none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def hostname_of(url: str) -> str:
    """Return the host of a URL, without its port; "" where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(url: str) -> bool:
    """Whether the URL points at this machine itself, judged without asking any name server."""
    parts = _split(url)
    return is_loopback_host((parts.hostname if parts else None) or "")


@lru_cache(maxsize=256)  # asked of our own address for each socket that is opened
def is_loopback_host(host: str) -> bool:
    """Whether a host name or address means this machine itself, judged without asking any name server."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761 section 6.3


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # judged on reading only
    except ValueError:
        return None
    return parts


def seen_from_here(host: str) -> str:
    """Return the host under which this machine reaches what listens on `host`; all addresses are no address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
