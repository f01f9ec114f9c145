"""The limit of calls: so many in any second, counted one by one. Pure."""

import math
from collections import deque
from dataclasses import dataclass, field

__all__ = ["Limit", "Verdict"]

PER_SECOND = 100  # calls of one client id, over all addresses


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one call.

    Attributes:
        taken: Whether it is let through; one that is not does not count.
        remaining: How many more may come now.
        retry_after: Whole seconds until the next one is taken; 0 for one that is.
    """

    taken: bool
    remaining: int
    retry_after: int = 0


@dataclass(slots=True)
class Limit:
    """Takes `calls` in any span of `seconds`, however it is laid; exact, so that a client can be measured by it."""

    calls: int = PER_SECOND
    seconds: float = 1.0
    refused: int = 0
    _taken: deque[float] = field(default_factory=deque)

    def take(self, now: float) -> Verdict:
        """Judge a call."""
        while self._taken and self._taken[0] <= now - self.seconds:
            self._taken.popleft()
        if len(self._taken) >= self.calls:
            self.refused += 1
            wait = self._taken[0] + self.seconds - now if self._taken else self.seconds
            return Verdict(False, 0, max(1, math.ceil(wait)))
        self._taken.append(now)
        return Verdict(True, self.calls - len(self._taken))
