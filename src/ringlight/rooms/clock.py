"""The clock of rooms: the time of day, without its jumps."""

import time
from collections.abc import Callable

__all__ = ["RoomClock"]

NEAR = 0.5  # seconds by which it may be off without being corrected
FASTER, SLOWER = 1.2, 0.8  # so much faster or slower a wait in a room may be while the clock follows


class RoomClock:
    """Seconds since 1970 that never go back, and never jump while somebody is there.

    Grace, lobby and pings are waits: were the time of day set an hour ahead, everybody who is just away would be gone.
    Tokens and the opening of a room are times of day: a machine that starts with a wrong clock sets it soon after. So
    it follows the time of day a little faster or slower, and where nobody is connected it goes ahead at once.

    Args:
        wall: The time of day in seconds.
        steady: Seconds that go on whatever is done to the time of day.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._time, self._at, self._rate = wall(), steady(), 1.0

    def __call__(self) -> float:
        """Return the time."""
        return self._time + (self._steady() - self._at) * self._rate

    def follow(self, alone: bool) -> None:
        """Compare it with the time of day; to be called every second or so.

        Args:
            alone: Whether nobody is connected.
        """
        steady = self._steady()
        self._time += (steady - self._at) * self._rate
        self._at = steady
        behind = self._wall() - self._time
        if alone and behind > NEAR:
            self._time, behind = self._time + behind, 0.0
        self._rate = FASTER if behind > NEAR else SLOWER if behind < -NEAR else 1.0
