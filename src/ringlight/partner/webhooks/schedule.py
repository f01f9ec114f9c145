"""Which event is handled next: those of a device one after the other, failed ones again later. Pure."""

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from ringlight.resilience.backoff import backoff

__all__ = ["Schedule", "Waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that waits.

    Attributes:
        number: Its place in the order of arrival.
        subject: Whose events wait for each other.
        attempts: How often it was tried.
        due_at: Before which it is not tried.
    """

    number: int
    subject: str
    attempts: int = 0
    due_at: float = 0.0


class Schedule:
    """The order of work. Times are seconds on a clock that is never set.

    Args:
        at_once: How many events are handled at the same time.
        attempts: How often one is tried before it is given up.
        first: Upper end of the first pause, in seconds; each further one is twice as long.
        longest: No pause is longer than this, in seconds.
        rand: Source of numbers in [0, 1).
    """

    def __init__(self, *, at_once: int, attempts: int, first: float, longest: float, rand: Callable[[], float]) -> None:
        self._at_once, self._attempts = at_once, attempts
        self._first, self._longest, self._rand = first, longest, rand
        self._queues: dict[str, deque[Waiting]] = {}
        self._ready: list[tuple[float, int, str]] = []
        self._known: dict[int, str] = {}
        self._running: set[str] = set()

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, number: int) -> bool:
        return number in self._known

    def add(self, events: Iterable[Waiting], now: float) -> None:
        """Take events that wait; those that are here already are left as they are."""
        for event in sorted(events, key=lambda one: one.number):
            if event.number in self._known:
                continue
            # A clock that was wrong when the pause was written must not stop a device for ever.
            due = min(event.due_at, now + self._longest)
            kept = Waiting(event.number, event.subject, event.attempts, due)
            queue = self._queues.setdefault(event.subject, deque())
            self._known[event.number] = event.subject
            queue.append(kept)
            if len(queue) == 1:
                self._offer(kept)

    def start(self, now: float) -> list[Waiting]:
        """Return what is to be handled now; each is to be told of by `ended` or `again`."""
        started = []
        while self._ready and len(self._running) < self._at_once and self._ready[0][0] <= now:
            subject = heapq.heappop(self._ready)[2]
            self._running.add(subject)
            started.append(self._queues[subject][0])
        return started

    @property
    def deadline(self) -> float | None:
        """When `start` may have something more to give; `None` while it depends on what runs."""
        return self._ready[0][0] if self._ready and len(self._running) < self._at_once else None

    def ended(self, number: int) -> None:
        """Forget an event that is handled or given up, and let the next of its subject come."""
        subject = self._known.pop(number)
        self._running.discard(subject)
        queue = self._queues[subject]
        queue.popleft()
        if queue:
            self._offer(queue[0])
        else:
            del self._queues[subject]

    def next_try(self, tried: int, now: float) -> float | None:
        """Return when an event is tried again that has failed so often, or `None`: then it is given up."""
        if tried >= self._attempts:
            return None
        return now + next(islice(backoff(self._first, self._longest, rand=self._rand), tried - 1, None))

    def again(self, number: int, tried: int, due_at: float) -> None:
        """Let an event wait that was started; those of its subject wait behind it."""
        subject = self._known[number]
        self._running.discard(subject)
        self._queues[subject][0] = Waiting(number, subject, tried, due_at)
        self._offer(self._queues[subject][0])

    def _offer(self, event: Waiting) -> None:
        heapq.heappush(self._ready, (event.due_at, event.number, event.subject))
