"""The retry budget: an outage must not be answered with more calls. Pure."""

from ringlight.resilience.window import Window

__all__ = ["Budget"]

_WINDOW = 10.0  # seconds over which the floor is counted
_PER_SECOND = 10  # retries that the floor allows at most
_SHARE = 0.2  # of the calls that went well

_WELL, _REPEATED = 0, 1


class Budget:
    """Tokens from which every retry of every call is paid.

    A call that goes well gives back what its last retry cost, or one token if it needed none. When all are spent, a
    floor remains: one retry for five calls that went well in the last ten seconds, ten a second at most. It lets a
    service that comes back recover within one window, and is nothing in an outage, for then no call goes well.

    Args:
        tokens: How many there are at most, and at first.
    """

    def __init__(self, tokens: int) -> None:
        self._most = tokens
        self.tokens = tokens
        self._lately = Window(_WINDOW)

    def spend(self, cost: int, now: float) -> bool:
        """Pay for a retry; `False` where it must not be made. One that costs nothing is always allowed."""
        if cost == 0:
            return True
        if self.tokens >= cost:
            self.tokens -= cost
        else:
            well, repeated = self._lately.totals(now)
            if repeated >= min(_SHARE * well, _PER_SECOND * _WINDOW):
                return False
        self._lately.add(_REPEATED, now)
        return True

    def succeeded(self, cost: int, now: float) -> None:
        """Take note of a call that went well, and what its last retry had cost (0 if there was none)."""
        self.tokens = min(self.tokens + max(cost, 1), self._most)
        self._lately.add(_WELL, now)
