"""Which driver: over connections of our own, or over a session that the program has already."""

from typing import TYPE_CHECKING, TypeAlias

from ringlight.http.driver import AsyncDriver
from ringlight.http.sending import Sending

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Session", "open_driver"]

Session: TypeAlias = "aiohttp.ClientSession"


def open_driver(session: "Session | None", *, timeout: float, base_url: str | None) -> Sending:
    """Return a driver; close it with `async with`.

    Args:
        session: The program's own, which stays its own; `None` opens connections of ours.
        timeout: Seconds for one whole exchange.
        base_url: One address that stands for every host of Ring; `None` asks Ring itself.

    Raises:
        SetupError: CFG-INVALID.
        UsageError: REQUEST-INVALID, the session is closed.
    """
    if session is None:
        return AsyncDriver(timeout=timeout, base_url=base_url)
    from ringlight.http.session_driver import SessionDriver  # noqa: PLC0415 - who has a session has aiohttp

    return SessionDriver(session, timeout=timeout, base_url=base_url)
