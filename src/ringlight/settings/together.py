"""What is wrong with settings that can each be read: addresses of the wrong kind, and what needs another one. Pure.

The programs judge the same when they open what is named; here it is told without starting them.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from ringlight.secrets import Secret
from ringlight.settings.whole import Settings

__all__ = ["wrong_together"]

_DATABASE = re.compile(r"(sqlite|postgres(ql)?)(\+\w+)?:", re.IGNORECASE)
_REDIS = re.compile(r"(rediss?|unix)://", re.IGNORECASE)
_RELAY = re.compile(r"(stun|turn)s?:[^\s<>\"]+", re.IGNORECASE)


def wrong_together(settings: Settings) -> Iterator[str]:
    """Say of each setting that cannot be used which it is and why; values are left out, as they may be secrets."""
    if settings.ring_url is not None and not _is_web(settings.ring_url):
        yield "ring_url: expected http://host[:port]"
    if _is_other(settings.database_url, _DATABASE):
        yield "database_url: expected sqlite:///path or postgresql://…"
    if _is_other(settings.redis_url, _REDIS):
        yield "redis_url: expected redis://…, rediss://… or unix://…"
    if not all(map(_RELAY.fullmatch, settings.turn_url)):
        yield "turn_url: expected stun:, turn: or turns: addresses, such as turn:host:3478?transport=udp"
    if settings.turn_secret is None and any(url.lower().startswith("turn") for url in settings.turn_url):
        yield "turn_secret: a TURN server needs the secret that it shares with us"
    if not all(map(_is_origin, settings.allowed_origins)):
        yield "allowed_origins: expected https://host[:port] as browsers send it, without a path, separated by commas"
    if settings.secret_key is None and not _is_loopback(settings.server.host):
        yield "secret_key: needed to listen on other than loopback, and server.host is"


def _is_other(address: Secret | None, known: re.Pattern[str]) -> bool:
    return address is not None and known.match(address.reveal()) is None


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_origin(text: str) -> bool:
    return _is_web(text) and not any(mark in text.partition("://")[2] for mark in "/?#@") and text == text.lower()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
