"""Virtual time for real shells without an event loop: threads that take turns.

Nobody sleeps: when everybody waits, time jumps to the first thing that is due.
"""

import heapq
import itertools
import threading
from collections.abc import Callable
from typing import Any


class Waiter:
    """A thread that waits."""

    def __init__(self) -> None:
        self.turn = threading.Event()
        self.woken = False


class Stage:
    """Threads of which one runs at a time, and a clock that jumps when all wait."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._due: list[tuple[float, int, Waiter]] = []
        self._count = itertools.count()
        self._resting = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def time(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.wait(Waiter(), self._now + seconds)

    def wait(self, waiter: Waiter, until: float) -> None:
        """Wait until a time, or until somebody wakes this one."""
        self._push(until, waiter)
        self._resting.release()
        assert waiter.turn.wait(20)

    def wake(self, waiter: Waiter) -> None:
        self._push(self._now, waiter)

    def spawn(self, work: Callable[[], Any], after: float = 0.0) -> None:
        """Let a thread begin; it may be called from a thread of the stage or before `run`."""
        waiter = Waiter()
        self._push(self._now + after, waiter)

        def begin() -> None:
            assert waiter.turn.wait(20)
            try:
                work()
            finally:
                self._resting.release()

        self._threads.append(threading.Thread(target=begin))
        self._threads[-1].start()

    def run(self) -> None:
        while self._due:
            when, _, waiter = heapq.heappop(self._due)
            if not waiter.woken:
                self._now, waiter.woken = max(self._now, when), True
                waiter.turn.set()
                assert self._resting.acquire(timeout=20)
        for thread in self._threads:
            thread.join(20)

    def _push(self, when: float, waiter: Waiter) -> None:
        heapq.heappush(self._due, (when, next(self._count), waiter))
