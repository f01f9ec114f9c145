"""Looking names up within a time, whatever the system's resolver does."""

import asyncio
import contextlib
import socket
import threading
from typing import Any

__all__ = ["LOOK_UP_WAIT", "Resolving", "look_up"]

LOOK_UP_WAIT = 10.0  # seconds: the second DNS server, if the first one is silent, and less than any request gets
Row = tuple[Any, ...]


async def look_up(
    host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0,  # noqa: A002 - as there
    wait: float = LOOK_UP_WAIT,
) -> list[Row]:  # fmt: skip
    """Look a name up, as every program of this machine does; arguments and result are those of `socket.getaddrinfo`.

    Where no DNS server answers, the system's resolver asks each of them for five seconds, and twice (resolv.conf(5)).
    It cannot be interrupted, and a loop waits at its end for the threads that it has lent: so this has one of its own,
    which nobody waits for.

    Args:
        wait: Seconds that it may take.

    Raises:
        socket.gaierror: The name is not known; with `EAI_AGAIN`, no DNS server has told within `wait`, or could be
            asked.
        UnicodeError: It is no name.
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[list[Row]] = loop.create_future()

    def settle(found: list[Row], failed: Exception | None) -> None:
        if answered.done():
            return
        if failed is not None:
            answered.set_exception(failed)
        else:
            answered.set_result(found)

    def ask() -> None:
        found: list[Row] = []
        failed: Exception | None = None
        try:
            found = list(socket.getaddrinfo(host, port, family, type, proto, flags))
        except (OSError, UnicodeError) as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop has ended by now
            loop.call_soon_threadsafe(settle, found, failed)

    threading.Thread(target=ask, name="look up", daemon=True).start()
    try:
        async with asyncio.timeout(wait):
            return await answered
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, f"no DNS server has told within {wait:g} s") from None


class Resolving:
    """What a loop has to inherit first from, so that all that is looked up with it ends in time."""

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0  # noqa: A002
    ) -> list[Row]:  # fmt: skip
        """As `look_up`."""
        return await look_up(host, port, family=family, type=type, proto=proto, flags=flags)
