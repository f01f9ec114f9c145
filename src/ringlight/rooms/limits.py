"""How much one connection may send, and how often one address may try a wrong token."""

from dataclasses import dataclass

__all__ = ["Allowance", "Rates", "Tries"]

ROUNDING = 1e-3  # seconds; seconds since 1970 are exact to a quarter of a microsecond, and a burst adds many


@dataclass(frozen=True, slots=True)
class Rates:
    """How much each connection may send.

    Attributes:
        message: Seconds that one message costs.
        byte: Seconds that one byte costs.
        messages_ahead: Seconds of messages that may come at once.
        bytes_ahead: The same of bytes.
    """

    message: float
    byte: float
    messages_ahead: float
    bytes_ahead: float

    @classmethod
    def of(cls, messages: tuple[float, float], sizes: tuple[float, float]) -> "Rates":
        """Return the rates for so many messages a second, and so many at once; the same of bytes."""
        (rate, burst), (byte_rate, byte_burst) = messages, sizes
        return cls(1 / rate, 1 / byte_rate, burst / rate + ROUNDING, byte_burst / byte_rate + ROUNDING)


class Allowance:
    """What one connection may send: two buckets that empty with time, for messages and for their bytes.

    Kept as the moments at which they will be empty (the generic cell rate algorithm of ITU-T I.371): a message moves
    both on by what it costs, and may come while neither is further ahead than a burst.

    Args:
        rates: The same for all.
    """

    __slots__ = ("_bytes_until", "_messages_until", "_rates")

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._messages_until = self._bytes_until = 0.0

    def take(self, size: int, now: float) -> float:
        """Take a message of so many bytes; return 0, or the seconds until it may come (nothing was taken then)."""
        rates, until, bytes_until = self._rates, self._messages_until, self._bytes_until
        until = (until if until > now else now) + rates.message
        bytes_until = (bytes_until if bytes_until > now else now) + size * rates.byte
        if until - now <= rates.messages_ahead and bytes_until - now <= rates.bytes_ahead:
            self._messages_until, self._bytes_until = until, bytes_until
            return 0.0
        return max(until - now - rates.messages_ahead, bytes_until - now - rates.bytes_ahead)


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
