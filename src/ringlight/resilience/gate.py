"""The rate gate: no more calls in any second than Ring allows, the urgent ones first. Pure.

GCRA (ITU-T I.371): one number, the time at which the next call is due if all come evenly, says everything. Calls that
must wait stand in a line, ordered by lane; each is told when its turn will be, and takes it when it comes back then. So
a turn that is given up, or that a late timer misses, is the next one's, and late timers cannot bunch calls together.
"""

from bisect import bisect_left, insort

from ringlight.resilience.actions import NoPlace, Place
from ringlight.resilience.operation import Lane

__all__ = ["Gate"]

# Seconds after its turn at which one who has not come back no longer holds up the others. Far above what timers are
# late on a busy machine; whoever comes back after that has the old place again.
_GRACE = 1.0
_SOON = 1e-9  # seconds; a clock that was told to wait for a turn may round down


class Gate:
    """Decides when each call may leave. In any second it lets `rate + burst` through at most.

    Args:
        rate: Calls per second.
        burst: Calls that may leave at once after a rest.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._step = 1.0 / rate
        self._burst = self._most_burst = burst
        self._full_rate = rate
        self._due = float("-inf")  # GCRA's theoretical arrival time
        self._line: list[tuple[int, int]] = []  # (lane, number) of those who wait, the next one first
        self._turns: dict[int, tuple[Lane, float]] = {}  # number: its lane, and the turn it was told
        self._numbers = 0
        self.paused_until = float("-inf")

    @property
    def rate(self) -> float:
        """Calls per second."""
        return 1.0 / self._step

    @property
    def waiting(self) -> int:
        """How many stand in the line."""
        return len(self._line)

    def reserve(self, lane: Lane, now: float, within: float, place: int | None = None) -> Place | NoPlace:
        """Take the turn if it has come; otherwise stand in the line, or stay there.

        Args:
            lane: Who goes first.
            now: Monotonic seconds.
            within: Seconds that may be waited; where it takes longer, no place is given and one that was held is lost.
            place: The number that was given before; `None` at first.
        """
        self._forget_the_late(now)
        asked_before = place in self._turns
        if place is None:
            self._numbers += 1
            place = self._numbers
        if not asked_before:
            insort(self._line, (lane, place))
        ahead = bisect_left(self._line, (lane, place))
        turn = self._turn(ahead, now)
        if turn - now > _SOON and asked_before and self._is_free(ahead, now):
            turn = now
        self._turns[place] = lane, turn
        if turn - now > within:
            self.release(place)
            return NoPlace(turn - now)
        if turn - now > _SOON:
            return Place(turn - now, place)
        self.release(place)
        self._due = max(self._due, now) + self._step
        return Place(0.0, place)

    def release(self, place: int) -> None:
        """Give a place up. One that was used or lost before is no mistake."""
        found = self._turns.pop(place, None)
        if found is not None:
            at = bisect_left(self._line, (found[0], place))
            del self._line[at]

    def pause_until(self, until: float) -> None:
        """Let nobody through before `until`; after that calls leave at the rate, and not all at once."""
        if until > self.paused_until:
            self.paused_until = until
            self._due = max(self._due, until + (self._burst - 1) * self._step)

    def spend(self, now: float, *, left: int = 0) -> None:
        """Count the burst as used up but for `left` calls, as nobody knows what went out before `now`."""
        self._due = max(self._due, now + (self._burst - left) * self._step)

    def set_rate(self, rate: float, now: float) -> None:
        """Change the calls per second, and the burst in proportion. What was used up stays used up."""
        begins = max(now, self.paused_until)
        used = max(self._due - begins, 0.0) / self._step
        self._step = 1.0 / rate
        self._burst = max(1, min(int(self._most_burst * rate / self._full_rate), self._most_burst))
        if self.paused_until > now:
            used = min(used, self._burst - 1.0)  # what went out before the pause is long past when it ends
        if used:
            self._due = begins + used * self._step

    def _turn(self, ahead: int, now: float) -> float:
        """Return when a call has its turn that so many go before."""
        due = max(self._due, now) + (ahead + 1 - self._burst) * self._step
        return max(due, self.paused_until + ahead * self._step, now)

    def _is_free(self, ahead: int, now: float) -> bool:
        """Whether a call can leave now although others are before it, for they sleep and will have their turns too.

        So it is where many have given up: those who remain were told turns far away.
        """
        turns = [self._turns[number][1] for _, number in self._line[:ahead]]
        late = sum(turn <= now for turn in turns)
        if self._turn(late, now) - now > _SOON:
            return False
        soonest = min((turn for turn in turns if turn > now), default=float("inf"))
        return self._turn(late + 1, now) <= soonest

    def _forget_the_late(self, now: float) -> None:
        while self._line:
            number = self._line[0][1]
            if now - self._turns[number][1] <= _GRACE:
                return
            self.release(number)
