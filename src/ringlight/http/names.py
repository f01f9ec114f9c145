"""Looking names up within a time, whatever the system's resolver does."""

import socket
from functools import partial
from typing import Any

from ringlight.unwaited import unwaited

__all__ = ["LOOK_UP_WAIT", "Resolving", "look_up"]

LOOK_UP_WAIT = 10.0  # seconds: the second DNS server, if the first one is silent, and less than any request gets
Row = tuple[Any, ...]


async def look_up(
    host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0,  # noqa: A002 - as there
    wait: float = LOOK_UP_WAIT,
) -> list[Row]:  # fmt: skip
    """Look a name up, as every program of this machine does; arguments and result are those of `socket.getaddrinfo`.

    Where no DNS server answers, the system's resolver asks each of them for five seconds, and twice (resolv.conf(5)).
    It cannot be interrupted, so nobody waits for its thread.

    Args:
        wait: Seconds that it may take.

    Raises:
        socket.gaierror: The name is not known; with `EAI_AGAIN`, no DNS server has told within `wait`, or could be
            asked.
        UnicodeError: It is no name.
    """
    try:
        return list(
            await unwaited(partial(socket.getaddrinfo, host, port, family, type, proto, flags), "look up", wait)
        )
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, f"no DNS server has told within {wait:g} s") from None


class Resolving:
    """What a loop has to inherit first from, so that all that is looked up with it ends in time."""

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0  # noqa: A002
    ) -> list[Row]:  # fmt: skip
        """As `look_up`."""
        return await look_up(host, port, family=family, type=type, proto=proto, flags=flags)
