"""How often one address may try what could be guessed."""

__all__ = ["Tries"]


class Tries:
    """Wrong keys, tokens or codes by address. Whoever guesses is slowed down, and takes no memory for long.

    Args:
        most: Wrong ones that an address may send within the time.
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
        """Count a wrong one."""
        times = [at for at in self._wrong.pop(address, []) if at > now - self._within]
        self._wrong[address] = [*times, now][-self._most :]
        while len(self._wrong) > self.KEPT:
            del self._wrong[next(iter(self._wrong))]
