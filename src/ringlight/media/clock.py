"""A camera's clock beside ours, by the packets that were delayed least on their way. Pure."""

from dataclasses import dataclass

from ringlight.media.rtp import TIMESTAMPS, distance

LEAST_OVER = 10.0  # seconds over which the least delayed packet tells where the clocks stand


@dataclass(slots=True)
class Clock:
    """Where a track's clock stands beside ours.

    A report made from the newest packet alone would carry its delay, and a player would move all that follows by it.
    """

    rate: int
    _stamp: int | None = None
    _ticks: int = 0
    _least: tuple[float, float] | None = None  # of the window before, and of the one that runs
    _since: float = 0.0

    def see(self, timestamp: int, now: float) -> None:
        """Take a packet that came just now."""
        self._ticks += 0 if self._stamp is None else distance(timestamp, self._stamp, TIMESTAMPS)
        self._stamp = timestamp
        delay = now - self._ticks / self.rate
        if self._least is None:
            self._least, self._since = (delay, delay), now
        elif now - self._since > LEAST_OVER:
            self._least, self._since = (self._least[1], delay), now
        else:
            self._least = (self._least[0], min(self._least[1], delay))

    def time(self, now: float) -> int | None:
        """Return the track's time at `now`; `None` before the first packet."""
        if self._stamp is None or self._least is None:
            return None
        return (self._stamp + round((now - min(self._least)) * self.rate) - self._ticks) % TIMESTAMPS
