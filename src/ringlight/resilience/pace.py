"""How fast to ask: a little less than the API allows, less still after a 429, and back again. Pure.

The way back is CUBIC's (RFC 9438): fast at first, slow near the rate at which it went wrong, then fast again. So a
limit that dropped is tried gently, and one that is as before is reached again within seconds.
"""

from ringlight.resilience.limits import Limits

__all__ = ["Pace"]

_SHARE = 0.92  # of the limit that the server names; of Ring's 100 it is what `gate_rate` says
_CUT = 0.7  # CUBIC's beta
_GROWTH = 0.4  # CUBIC's C
_CONVERGE = (1 + _CUT) / 2  # RFC 9438 section 4.7: a limit that sinks is approached from below
_SLOWEST = 0.5  # calls per second
_NOTICEABLE = 0.02  # share by which a rate must change to be worth telling the gate
_SHORTEST_PAUSE = 1.0  # seconds; several 429s of one second are one


class Pace:
    """The rate for the gate.

    Args:
        rate: Calls per second that are never exceeded.
    """

    def __init__(self, rate: float) -> None:
        self._most = self._ceiling = self._told = rate
        self._peak: float | None = None  # the rate from which it was cut; `None` if it never was, or has recovered
        self._low = rate
        self._resumes = float("-inf")
        self._held, self._held_until = rate, float("-inf")

    def throttled(self, now: float, pause: float) -> float | None:
        """Take a 429 into account; return the new rate, or `None` where it stays.

        Only the first of a pause counts: the others had left before it was known.

        Args:
            now: Monotonic seconds.
            pause: Seconds for which the gate is closed.
        """
        if now < self._resumes:
            return None
        rate = self.rate(now)
        self._peak = rate if self._peak is None or rate >= self._peak else rate * _CONVERGE
        self._low = max(rate * _CUT, _SLOWEST)
        self._resumes = now + max(pause, _SHORTEST_PAUSE)
        return self._tell(now)

    def answered(self, now: float, limits: Limits | None) -> float | None:
        """Take the fields of any answer into account; return the new rate, or `None` where it stays."""
        if limits is not None:
            self._learn(now, limits)
        elif self._peak is None and self._told == self._ceiling:
            return None
        return self._tell(now)

    def rate(self, now: float) -> float:
        """Return the calls per second that are right at `now`."""
        rate = self._ceiling
        if self._peak is not None:
            # From `_low` at the resumption through the peak after `turn` seconds, and beyond.
            turn = (max(self._peak - self._low, 0.0) / _GROWTH) ** (1 / 3)
            grown = self._peak + _GROWTH * (max(now - self._resumes, 0.0) - turn) ** 3
            if grown >= self._ceiling:
                self._peak = None
            else:
                rate = max(grown, self._low)
        if now < self._held_until:
            rate = min(rate, self._held)
        return max(min(rate, self._ceiling), _SLOWEST)

    def _learn(self, now: float, limits: Limits) -> None:
        named = limits.per_second
        if named is not None:
            self._ceiling = max(min(self._most, _SHARE * named), _SLOWEST)
        if limits.remaining is None:
            return
        left = limits.reset
        if left:  # what remains must last until the window ends
            fair = limits.remaining / left
            if fair < self._ceiling:
                self._held, self._held_until = fair, now + left
        elif limits.remaining == 0:  # somebody else asks with this client id too; Ring's window is a second
            self._held, self._held_until = self._ceiling / 2, now + 1.0

    def _tell(self, now: float) -> float | None:
        rate = self.rate(now)
        if abs(rate - self._told) <= _NOTICEABLE * self._told and rate != self._ceiling:
            return None
        if rate == self._told:
            return None
        self._told = rate
        return rate
