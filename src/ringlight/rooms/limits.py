"""How much one connection may send, and how often one address may try a wrong token."""

__all__ = ["Allowance", "Tries"]


class Allowance:
    """A bucket that fills with time: `rate` a second, `burst` at most.

    Args:
        rate: What comes in each second.
        burst: What it holds.
        now: Seconds.
    """

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, much: float, now: float) -> float:
        """Take from it; return 0, or the seconds until so much will be in it (nothing was taken then)."""
        left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if left >= much:
            self._left = left - much
            return 0.0
        self._left = left
        return (much - left) / self._rate


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
