"""Counts over the last seconds, in a fixed number of slices. Pure."""

__all__ = ["SLICES", "Window"]

SLICES = 10


class Window:
    """How often two things happened lately.

    The time is cut into slices of a tenth of the window, and what is older than the last ten of them is forgotten; so
    the memory does not grow with the traffic, and a count reaches back nine to ten tenths of the window.

    Args:
        seconds: Length of the window.
    """

    __slots__ = ("_counts", "_slice", "_width")

    def __init__(self, seconds: float) -> None:
        self._width = seconds / SLICES
        self._slice = 0
        self._counts = [[0, 0] for _ in range(SLICES)]

    def add(self, which: int, now: float) -> None:
        """Count one of the first kind (0) or of the second (1)."""
        self._turn(now)
        self._counts[self._slice % SLICES][which] += 1

    def totals(self, now: float) -> tuple[int, int]:
        """Return both counts."""
        self._turn(now)
        first = second = 0
        for one, other in self._counts:
            first += one
            second += other
        return first, second

    def clear(self) -> None:
        """Forget everything."""
        self._counts = [[0, 0] for _ in range(SLICES)]

    def _turn(self, now: float) -> None:
        current = int(now // self._width)
        for passed in range(max(self._slice, current - SLICES) + 1, current + 1):
            self._counts[passed % SLICES] = [0, 0]
        self._slice = max(self._slice, current)
