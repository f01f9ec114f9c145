"""What is wrong with the settings, told without starting anything: each by itself, and what needs another one.

What a program judges when it opens what is named is judged here by the same code.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from ringlight.errors import RingError
from ringlight.http.address import base_of, is_loopback_host
from ringlight.secrets import Secret
from ringlight.server.relay import wrong_relays
from ringlight.settings import Settings
from ringlight.settings.sources import read_settings, unknown_variables

__all__ = ["wrong_settings"]

_DATABASE = re.compile(r"(sqlite|postgres(ql)?)(\+\w+)?:", re.IGNORECASE)
_REDIS = re.compile(r"(rediss?|unix)://", re.IGNORECASE)


def wrong_settings(config: Path | None = None) -> list[str]:
    """Say what is wrong: each value that cannot be used, and each variable or table that sets nothing.

    Secrets are not repeated.

    Raises:
        SetupError: CFG-INVALID, there is no such file, or it is no TOML.
    """
    settings = read_settings(config)
    wrong = settings if isinstance(settings, list) else _wrong_together(settings)
    return [*wrong, *unknown_variables()]


def _wrong_together(settings: Settings) -> Iterator[str]:
    """Say of each setting that cannot be used which it is and why."""
    if (ring_url := settings.ring_url) is not None:
        yield from _refused(lambda: base_of("ring_url", ring_url))
    if _is_other(settings.database_url, _DATABASE):
        yield "database_url: expected sqlite:///path or postgresql://…"
    if _is_other(settings.redis_url, _REDIS):
        yield "redis_url: expected redis://…, rediss://… or unix://…"
    yield from wrong_relays(settings.turn_url, settings.turn_secret)
    if not all(map(_is_origin, settings.allowed_origins)):
        yield "allowed_origins: expected https://host[:port] as browsers send it, without a path, separated by commas"
    if settings.secret_key is None and not is_loopback_host(settings.server.host):
        yield "secret_key: needed to listen on other than loopback, and server.host is"


def _refused(judge: Callable[[], object]) -> list[str]:
    """Return what a program would say at its start, if anything."""
    try:
        judge()
    except RingError as error:
        return [error.detail or error.fault.title]
    return []


def _is_other(address: Secret | None, known: re.Pattern[str]) -> bool:
    return address is not None and known.match(address.reveal()) is None


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return text == f"{parts.scheme}://{parts.netloc}".lower() and not parts.username and bool(
            parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        )  # fmt: skip
    except ValueError:
        return False
