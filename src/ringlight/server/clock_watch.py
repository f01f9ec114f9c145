"""Looks whether the time of day jumps, so that people hear of it before they wonder what ends too early."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence

from ringlight.beside import beside
from ringlight.errors import RingError, fault_error
from ringlight.resilience.clock_jumps import ClockJumps

__all__ = ["ClockWatch", "steady"]

EVERY = 1.0  # seconds between two looks
log = logging.getLogger("ringlight.server")


def steady() -> float:
    """Return seconds on a clock that nobody sets, and that goes on while the machine sleeps where it can."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ClockWatch:
    """Looks while inside `running`.

    Args:
        wall: The time of day in seconds.
        steady: Seconds that go on whatever is done to the time of day.

    Attributes:
        problem: That it has jumped; `None` where it has not, or is believed again.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady) -> None:
        self.problem: RingError | None = None
        self._wall, self._steady = wall, steady
        self._jumps = ClockJumps()
        self.look()

    @property
    def problems(self) -> Sequence[RingError]:
        """What people should know of it."""
        return () if self.problem is None else (self.problem,)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["ClockWatch"]:
        """Look every second inside of the `async with`."""
        async with beside(self._run(), "clock watch"):
            yield self

    def look(self) -> None:
        """Look once."""
        before = self._jumps.ahead
        self._jumps.see(self._wall(), self._steady())
        ahead = self._jumps.ahead
        if ahead == before:
            return
        self.problem = None
        if ahead:
            self.problem = fault_error("CLOCK-JUMP", f"by {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'back'}")
            log.warning("clock_jumped seconds=%.0f fix=%s", ahead, self.problem.fault.fix)
        else:
            log.info("clock_believed")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self.look()
