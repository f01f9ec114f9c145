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
    """A gate that is shared with other processes; `shared_gate.SharedGate` is one."""

    def reserve(self, lane: Lane, within: float, place: int | None = None) -> Place | NoPlace:
        """Take the turn if it has come, or tell when it will, if that is within so many seconds."""

    def release(self, place: int) -> None:
        """Give a place up. It may not wait: it is called where a call is interrupted."""

    def pause(self, seconds: float) -> None:
        """Close for everybody."""

    def set_rate(self, per_second: float) -> None:
        """Change the rate for everybody."""


class AsyncRateGate(Protocol):
    """As `RateGate`, for an event loop; `shared_gate.AsyncSharedGate` is one."""

    async def reserve(self, lane: Lane, within: float, place: int | None = None) -> Place | NoPlace:
        """Take the turn if it has come, or tell when it will, if that is within so many seconds."""

    def release(self, place: int) -> None:
        """Give a place up."""

    async def pause(self, seconds: float) -> None:
        """Close for everybody."""

    async def set_rate(self, per_second: float) -> None:
        """Change the rate for everybody."""
