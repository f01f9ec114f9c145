"""How much one connection may send."""

__all__ = ["Allowance"]


class Allowance:
    """What one connection may send: two buckets that fill with time, for messages and for their bytes.

    Args:
        messages: How many come in each second, and how many it holds.
        sizes: The same of bytes.
        now: Seconds.
    """

    __slots__ = ("_at", "_burst", "_bytes", "_bytes_burst", "_bytes_rate", "_left", "_rate")

    def __init__(self, messages: tuple[float, float], sizes: tuple[float, float], now: float) -> None:
        self._rate, self._burst = messages
        self._bytes_rate, self._bytes_burst = sizes
        self._left, self._bytes = self._burst, self._bytes_burst
        self._at = now

    def take(self, size: float, now: float) -> float:
        """Take a message of so many bytes; return 0, or the seconds until it may come (nothing was taken then)."""
        passed = now - self._at
        self._at = now
        left = self._left + passed * self._rate
        left = min(left, self._burst)
        room = self._bytes + passed * self._bytes_rate
        room = min(room, self._bytes_burst)
        if left >= 1 and room >= size:
            self._left, self._bytes = left - 1, room - size
            return 0.0
        self._left, self._bytes = left, room
        return max((1 - left) / self._rate, (size - room) / self._bytes_rate)
