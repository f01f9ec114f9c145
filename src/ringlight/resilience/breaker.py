"""Circuit breakers: a service or device that does not answer is left alone, and tried by one call at a time. Pure."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct

from ringlight.resilience.window import Window

__all__ = ["Breaker", "Breakers", "Change", "Rule", "State", "Ticket"]

K = TypeVar("K", bound=Hashable)

_SPREAD = 0.2  # share by which the open time is lengthened at random, so that clients do not come back together
_GOOD, _BAD = 0, 1


class State(Enum):
    """Where a breaker stands."""

    CLOSED = "closed"  # calls pass
    OPEN = "open"  # none passes
    HALF_OPEN = "half-open"  # one at a time passes, and its outcome decides


class Change(Enum):
    """What an outcome did to a breaker."""

    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Rule:
    """When a breaker opens, and for how long.

    Attributes:
        ratio: Share of failures that opens it.
        window: Seconds over which that is counted.
        volume: Outcomes below which the share says nothing.
        in_a_row: Failures in a row that open it as well.
        first: Seconds for which it opens; doubled after each probe that failed.
        cap: Seconds that this never exceeds, but for the spread.
    """

    ratio: float
    window: float
    volume: int
    in_a_row: int
    first: float
    cap: float


class Ticket(Struct, frozen=True):
    """Admission of one call; `epoch` tells an outcome that belongs to an earlier state of the breaker."""

    epoch: int
    probe: bool


class Breaker:
    """One breaker.

    Args:
        rule: When it opens, and for how long.
        dice: Source of numbers in [0, 1).
    """

    __slots__ = ("_dice", "_epoch", "_lately", "_opened", "_probing", "_row", "_rule", "state", "until")

    def __init__(self, rule: Rule, dice: Callable[[], float]) -> None:
        self._rule = rule
        self._dice = dice
        self._lately = Window(rule.window)
        self._row = 0
        self._opened = 0  # times in a row without a success between
        self._epoch = 0
        self._probing = False
        self.state = State.CLOSED
        self.until = float("-inf")

    def wait(self, now: float) -> float | None:
        """Return `None` if a call would be admitted, otherwise the seconds after which to ask again."""
        if self.state is State.CLOSED:
            return None
        if self.state is State.OPEN:
            return self.until - now if now < self.until else None
        return max(self.until - now, 1.0) if self._probing else None

    def admit(self, now: float) -> Ticket | None:
        """Let a call pass, or not (`None`). Every ticket must come back by `record` or `release`."""
        if self.wait(now) is not None:
            return None
        if self.state is State.OPEN:
            self._enter(State.HALF_OPEN)
        self._probing = self.state is State.HALF_OPEN
        return Ticket(self._epoch, self._probing)

    def record(self, ticket: Ticket, good: bool, now: float) -> Change | None:
        """Take an outcome into account; that of a call which was admitted before the last change says nothing."""
        if ticket.epoch != self._epoch:
            return None
        if ticket.probe:
            if good:
                self._close()
                return Change.CLOSED
            return self._open(now)
        self._lately.add(_GOOD if good else _BAD, now)
        self._row = 0 if good else self._row + 1
        return self._open(now) if not good and self._trips(now) else None

    def release(self, ticket: Ticket) -> None:
        """Give a ticket back without a verdict: the call was cancelled, or its outcome says nothing of the service."""
        if ticket.epoch == self._epoch and ticket.probe:
            self._probing = False

    def wake(self, now: float) -> None:
        """Let the next call try at once, for something else says that it may work again."""
        self.until = min(self.until, now)

    def _trips(self, now: float) -> bool:
        if self._row >= self._rule.in_a_row:
            return True
        good, bad = self._lately.totals(now)
        return good + bad >= self._rule.volume and bad >= self._rule.ratio * (good + bad)

    def _open(self, now: float) -> Change:
        self._enter(State.OPEN)
        length = min(self._rule.first * 2.0 ** min(self._opened, 60), self._rule.cap)
        self.until = now + length * (1.0 + _SPREAD * self._dice())
        self._opened += 1
        return Change.OPENED

    def _close(self) -> None:
        self._enter(State.CLOSED)
        self._lately.clear()
        self._row = self._opened = 0

    def _enter(self, state: State) -> None:
        self.state = state
        self._epoch += 1
        self._probing = False


class Breakers(Generic[K]):
    """Breakers by key. Only what has failed takes memory, and of that no more than `limit`; the oldest goes.

    Args:
        rule: The same for all.
        dice: Source of numbers in [0, 1).
        limit: How many are kept.
    """

    def __init__(self, rule: Rule, dice: Callable[[], float], limit: int) -> None:
        self._rule = rule
        self._dice = dice
        self._limit = limit
        self._kept: OrderedDict[K, Breaker] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._kept))

    def wait(self, key: K, now: float) -> float | None:
        """As `Breaker.wait` does."""
        found = self._kept.get(key)
        return None if found is None else found.wait(now)

    def admit(self, key: K, now: float) -> Ticket | None:
        """As `Breaker.admit` does; a key that never failed is always admitted."""
        found = self._kept.get(key)
        return Ticket(0, False) if found is None else found.admit(now)

    def record(self, key: K, ticket: Ticket, good: bool, now: float) -> Change | None:
        """As `Breaker.record` does."""
        found = self._kept.get(key)
        if found is None:
            if good:
                return None
            found = self._kept[key] = Breaker(self._rule, self._dice)
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found.record(ticket, good, now)

    def release(self, key: K, ticket: Ticket) -> None:
        """As `Breaker.release` does."""
        if (found := self._kept.get(key)) is not None:
            found.release(ticket)

    def wake(self, key: K, now: float) -> None:
        """As `Breaker.wake` does."""
        if (found := self._kept.get(key)) is not None:
            found.wake(now)

    def until(self, key: K) -> float:
        """Return when an open breaker lets the next call try, in monotonic seconds."""
        found = self._kept.get(key)
        return float("-inf") if found is None else found.until
