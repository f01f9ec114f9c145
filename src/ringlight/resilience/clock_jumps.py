"""Whether the time of day has jumped: it is compared with a clock that nobody sets. Pure."""

__all__ = ["HOLD", "JUMP", "ClockJumps"]

JUMP = 5.0  # seconds from one look to the next; what NTP slews is a thousandth of a look, what it steps is more
HOLD = 3600.0  # seconds for which people are told; by then somebody has looked, or it was meant


class ClockJumps:
    """Remembers by how much the time of day has jumped.

    Attributes:
        ahead: Seconds by which it has jumped ahead, below 0 back; 0 where it has not, was put right again, or has gone
            on steadily for `HOLD` seconds since.
    """

    def __init__(self) -> None:
        self.ahead = 0.0
        self._offset: float | None = None
        self._until = 0.0

    def see(self, wall: float, steady: float) -> None:
        """Look at the clock.

        Args:
            wall: The time of day in seconds.
            steady: Seconds on a clock that never jumps.
        """
        offset = wall - steady
        moved = 0.0 if self._offset is None else offset - self._offset
        self._offset = offset
        if abs(moved) > JUMP:
            self.ahead, self._until = self.ahead + moved, steady + HOLD
            if abs(self.ahead) <= JUMP:
                self.ahead = 0.0
        elif steady >= self._until:
            self.ahead = 0.0
