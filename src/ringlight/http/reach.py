"""How far one request came, noted on its way: what a second try may risk depends on it.

An HTTP library's errors tell it only in part. A deadline that runs out says nothing of where it did, and a connection
that ends may have been kept alive from the call before, closed by the other side before anything was sent on it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ringlight.resilience.actions import Fate

__all__ = ["Patience", "Remaining", "Way"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each part of one exchange may take, in seconds, and how many connections there may be.

    Attributes:
        connect: To open a connection, name lookup and TLS included.
        read: From one piece of the answer to the next.
        write: From one piece of the request to the next.
        pool: For a connection to become free.
        connections: The most at a time.
    """

    connect: float = 5.0
    read: float = 15.0
    write: float = 15.0
    pool: float = 5.0
    connections: int = 20


class Way:
    """What has happened to one request so far.

    Attributes:
        fresh: A connection was opened for it; otherwise it went over one that had been used before.
        begun: Its first byte may have been sent.
        status: The answer's, once its header has come.
    """

    __slots__ = ("begun", "fresh", "status")

    def __init__(self) -> None:
        self.fresh = self.begun = False
        self.status: int | None = None

    def note(self, event: str, info: Mapping[str, object]) -> None:
        """Take note of what httpx2's `trace` extension tells."""
        mark = _MARKS.get(event)
        if mark is not None:
            setattr(self, mark, True)

    async def anote(self, event: str, info: Mapping[str, object]) -> None:
        """Do as `note` does, for the asynchronous client."""
        mark = _MARKS.get(event)
        if mark is not None:
            setattr(self, mark, True)

    def fate(self, *, unsent: bool) -> Fate:
        """Say how far it came.

        Args:
            unsent: The library's error itself proves that nothing was sent.
        """
        if self.status is not None:
            return Fate.BROKEN
        return Fate.NEVER_SENT if unsent or not self.begun else Fate.MAYBE_SENT

    @property
    def reused(self) -> bool:
        """Whether it failed on a connection that had been used before, without a word of an answer."""
        return self.begun and not self.fresh and self.status is None


_MARKS = {
    "connection.connect_tcp.started": "fresh",
    "connection.connect_unix_socket.started": "fresh",
    "http11.send_request_headers.started": "begun",
    "http2.send_request_headers.started": "begun",
}


class Remaining(dict[str, float]):
    """Time limits for httpx2 that shrink with what is left of the exchange: it asks anew as each part begins.

    By itself it would grant every part its full time, from the first byte to the last.
    """

    __slots__ = ("_clock", "_patience", "until")

    def __init__(self, patience: Patience, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._patience = patience
        self._clock = clock
        self.until = clock() + timeout

    def get(self, key: str, default: object = None) -> float:
        """Return the limit for `connect`, `read`, `write` or `pool`, in seconds; never zero, which means forever."""
        limit: float = getattr(self._patience, key)
        return max(min(limit, self.until - self._clock()), 0.001)

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self._clock() >= self.until
