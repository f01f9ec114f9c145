"""Which driver: over connections of our own, or over a session that the program has already."""

from typing import TYPE_CHECKING, TypeAlias

from ringlight.http.border import USER_AGENT
from ringlight.http.driver import AsyncDriver
from ringlight.http.reach import Patience
from ringlight.http.sending import Sending

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Session", "open_driver"]

Session: TypeAlias = "aiohttp.ClientSession"


def open_driver(
    session: "Session | None",
    *,
    timeout: float,
    base_url: str | None,
    near: str | None = None,
    user_agent: str = USER_AGENT,
    patience: Patience | None = None,
) -> Sending:
    """Return a driver; close it with `async with`.

    Args:
        session: The program's own, which stays its own; `None` opens connections of ours.
        timeout: Seconds for one whole exchange.
        base_url: One address that stands for every host of Ring; `None` asks Ring itself.
        near: As for `AsyncDriver`; the session's own proxies are its own affair.
        user_agent: Who we say we are.
        patience: Limits for the parts of an exchange; `None` has the one for the whole only.

    Raises:
        SetupError: CFG-INVALID.
        UsageError: REQUEST-INVALID, the session is closed.
    """
    if session is None:
        return AsyncDriver(timeout=timeout, base_url=base_url, near=near, user_agent=user_agent, patience=patience)
    from ringlight.http.session_driver import SessionDriver  # noqa: PLC0415 - who has a session has aiohttp

    return SessionDriver(session, timeout=timeout, base_url=base_url, user_agent=user_agent, patience=patience)
