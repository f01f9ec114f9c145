"""One renewal of the token at a time, for all tasks of an event loop; and none is lost because a caller was.

As in `keeping`: a renewal is a task of its own, and cancelling whoever waits for it, the first caller too, leaves it
be.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from ringlight.errors import RingError, fault_error
from ringlight.http.keeping import Holding, late
from ringlight.resilience.actions import Bearer
from ringlight.resilience.events import Event
from ringlight.resilience.token_state import LOST, TokenState
from ringlight.secrets import Secret

__all__ = ["AsyncTokenKeeper"]


class AsyncTokenKeeper:
    """Has one account's token, for any number of tasks.

    Args:
        refresh: As for `TokenKeeper`; it runs in a task of its own.
        state: As for `TokenKeeper`.
        tell: As for `TokenKeeper`.
        clock: Monotonic seconds.
        final: As for `TokenKeeper`.
    """

    def __init__(
        self,
        refresh: Callable[[Bearer | None], Awaitable[Bearer]],
        state: TokenState,
        *,
        tell: Callable[[Event], object] = lambda event: None,
        clock: Callable[[], float] = time.monotonic,
        final: frozenset[str] = LOST,
    ) -> None:
        self._refresh = refresh
        self._holding = Holding(state, final)
        self._tell = tell
        self._clock = clock
        self._flight: asyncio.Task[None] | None = None

    async def bearer(self, within: float) -> Bearer | RingError:
        """Return the token, renewed if need be, or why there is none within so many seconds."""
        until = self._clock() + within
        while True:
            given, renew = self._holding.ask(self._clock())
            if renew:
                self._begin()
            flight = self._flight
            if given is not None or flight is None:
                return given or late(within)
            # `wait` leaves the task alone, both when the time is over and when this caller is cancelled.
            done, _ = await asyncio.wait({flight}, timeout=max(until - self._clock(), 0.0))
            if not done:
                return late(within)
            flight.result()

    def rejected(self, number: int) -> None:
        """Take note that the server refused the token with this id."""
        self._holding.rejected(number, self._clock())

    def adopt(self, bearer: Bearer) -> None:
        """Hold a token that is known already: from the store, or of an account that was linked anew."""
        self._holding.adopt(bearer, self._clock())

    def holds(self, token: Secret) -> bool:
        """Whether it is this token that is held."""
        return self._holding.holds(token)

    def renew(self) -> bool:
        """Do as `TokenKeeper.renew` does."""
        begun = self._holding.urge()
        if begun:
            self._begin()
        return begun

    def renew_idle(self) -> None:
        """Do as `TokenKeeper.renew_idle` does."""
        if self._holding.idle(self._clock()):
            self._begin()

    async def aclose(self) -> None:
        """Wait for a renewal that is under way, so that none is cut off."""
        if self._flight is not None:
            await asyncio.wait({self._flight})

    def _begin(self) -> None:
        self._flight = asyncio.create_task(self._renew(), name="token renewal")
        self._flight.add_done_callback(_look_at)

    async def _renew(self) -> None:
        began, refused = self._clock(), self._holding.refused
        came: Bearer | RingError = fault_error("SERVER-ERROR", "the renewal was cut off with its event loop")
        try:
            came = await self._refresh(refused)
        except RingError as error:
            came = error
        finally:
            event = self._holding.ended(came, began, self._clock(), refused)
            self._flight = None
        self._tell(event)


def _look_at(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()  # so that asyncio does not complain where every caller was cancelled
