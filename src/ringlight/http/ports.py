"""What the shells need from outside: a way to send, a keeper of the token, and perhaps a gate for many processes."""

from typing import Protocol

from ringlight.errors import RingError
from ringlight.http.flow import Request, Response
from ringlight.resilience.actions import Bearer, Failed, NoPlace, Place
from ringlight.resilience.operation import Lane

__all__ = ["AsyncKeeper", "AsyncRateGate", "AsyncTransport", "Keeper", "RateGate", "Transport"]


class Transport(Protocol):
    """Sends one request; `SyncDriver` does."""

    def attempt(self, request: Request) -> Response | Failed:
        """Make one attempt, and say how far it came."""


class AsyncTransport(Protocol):
    """Sends one request; `AsyncDriver` and `SessionDriver` do."""

    async def attempt(self, request: Request) -> Response | Failed:
        """Make one attempt, and say how far it came."""


class Keeper(Protocol):
    """Has the account's token."""

    def bearer(self, within: float) -> Bearer | RingError:
        """Return the token, renewed if need be, or why there is none within so many seconds."""

    def rejected(self, number: int) -> None:
        """Take note that the server refused the token with this id."""


class AsyncKeeper(Protocol):
    """Has the account's token."""

    async def bearer(self, within: float) -> Bearer | RingError:
        """Return the token, renewed if need be, or why there is none within so many seconds."""

    def rejected(self, number: int) -> None:
        """Take note that the server refused the token with this id."""


class RateGate(Protocol):
    """A gate that is shared with other processes. Its turns are certain: they are not asked for again."""

    def reserve(self, lane: Lane, within: float) -> Place | NoPlace:
        """Give a turn that comes within so many seconds."""

    def pause(self, seconds: float) -> None:
        """Close for everybody."""

    def set_rate(self, per_second: float) -> None:
        """Change the rate for everybody."""


class AsyncRateGate(Protocol):
    """As `RateGate`, for an event loop."""

    async def reserve(self, lane: Lane, within: float) -> Place | NoPlace:
        """Give a turn that comes within so many seconds."""

    async def pause(self, seconds: float) -> None:
        """Close for everybody."""

    async def set_rate(self, per_second: float) -> None:
        """Change the rate for everybody."""
