"""Whether the time of day has jumped: it is compared with a clock that nobody sets. Pure."""

__all__ = ["HOLD", "JUMP", "ClockJumps"]

JUMP = 5.0  # seconds from one look to the next; what NTP slews is a thousandth of a look, what it steps is more
HOLD = 3600.0  # seconds for which people are told; by then somebody has looked, or it was meant


class ClockJumps:
    """Remembers by how much the time of day has jumped.

    It is measured from look to look: a clock that is slewed may be a minute off after a week, and is right.

    Args:
        jump: Seconds by which it may move against the steady clock from one look to the next.
        hold: Seconds that it must go on steadily until it is believed again.

    Attributes:
        ahead: Seconds by which it has jumped ahead, below 0 back; 0 where it has not, was put right again, or has gone
            on steadily for `hold` seconds since.
        is_steady: Whether it has gone on for `hold` seconds since it was last set, to put it right or not.
    """

    def __init__(self, jump: float = JUMP, hold: float = HOLD) -> None:
        self.ahead = 0.0
        self.is_steady = True
        self._jump, self._hold = jump, hold
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
        if abs(moved) > self._jump:
            self.doubt(steady)
            self.ahead += moved
            if abs(self.ahead) <= self._jump:
                self.ahead = 0.0
        elif steady >= self._until:
            self.ahead, self.is_steady = 0.0, True

    def doubt(self, steady: float) -> None:
        """Take it for one that was just set, for a reason that a look does not show."""
        self.is_steady, self._until = False, steady + self._hold
