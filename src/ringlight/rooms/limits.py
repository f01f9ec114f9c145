"""How much one connection may send, and how often one address may try a wrong token."""

__all__ = ["Allowance", "Tries"]


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


class Tries:
    """Wrong tokens by address. Whoever guesses is slowed down, and takes no memory for long.

    Args:
        most: Wrong tokens that an address may send within the time.
        within: Seconds.
    """

    KEPT = 4096  # addresses

    def __init__(self, most: int, within: float) -> None:
        self._most = most
        self._within = within
        self._wrong: dict[str, list[float]] = {}

    def wait(self, address: str, now: float) -> float:
        """Return the seconds until an address may try again; 0 is at once."""
        times = self._wrong.get(address, [])
        return max(0.0, times[0] + self._within - now) if len(times) >= self._most else 0.0

    def failed(self, address: str, now: float) -> None:
        """Count a wrong token."""
        times = [at for at in self._wrong.pop(address, []) if at > now - self._within]
        self._wrong[address] = [*times, now][-self._most :]
        while len(self._wrong) > self.KEPT:
            del self._wrong[next(iter(self._wrong))]
