"""Names that are good for a while: tokens, tickets, addresses. Those that have ended are forgotten. Pure."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

__all__ = ["MOST", "Expiring"]

MOST = 1000  # beyond it the oldest go: nobody holds so many, and a simulator may run for weeks
T = TypeVar("T")


class Expiring(Generic[T]):
    """What each name stands for, until it ends.

    Args:
        now: The clock by which they end.
        most: How many are kept, ended or not.
    """

    def __init__(self, now: Callable[[], float], most: int = MOST) -> None:
        self._now, self._most = now, most
        self._kept: dict[str, tuple[float, T]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[str]:
        """Yield the names that are kept, the oldest first."""
        return iter(self._kept)

    def add(self, name: str, seconds: float, value: T) -> None:
        """Make a name good for so long, from now."""
        now = self._now()
        self._kept.pop(name, None)  # so that it is the newest
        while self._kept:
            oldest = next(iter(self._kept))
            if len(self._kept) < self._most and self._kept[oldest][0] > now:
                break
            del self._kept[oldest]
        self._kept[name] = (now + seconds, value)

    def get(self, name: str) -> T | None:
        """Return what it stands for; `None` where it is not good, or not any more."""
        until, value = self._kept.get(name, (0.0, None))
        return value if until > self._now() else None

    def take(self, name: str) -> T | None:
        """Return the same, and let it be good no more."""
        value = self.get(name)
        self._kept.pop(name, None)
        return value

    def end(self, ends: Callable[[T], bool]) -> None:
        """Let those be good no more of which this holds."""
        self._kept = {name: kept for name, kept in self._kept.items() if not ends(kept[1])}

    def clear(self) -> None:
        """Let none be good any more."""
        self._kept.clear()
