"""Rows that were read a moment ago, so that not every request of a page reads its key anew."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["FRESH", "FreshRows"]

FRESH = 2.0  # seconds after which a row is read again: so long one that was taken away may still count
KEPT = 512  # rows that are remembered at once
Row = TypeVar("Row")


class FreshRows(Generic[Row]):
    """Remembers rows for a moment. That there is none is not remembered: a key that was just made works at once.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[Row, float]] = {}

    async def get(self, kind: str, name: str, read: Callable[[str], Row | None]) -> Row | None:
        """Return a row, remembered or read in a thread.

        Args:
            kind: What `name` is: a hash is no id, even if it looks like one.
            name: Of the row.
            read: Reads it; what it raises is raised.
        """
        known = self._known.get((kind, name))
        if known is not None and 0 <= self._clock() - known[1] < FRESH:
            return known[0]
        self._known.pop((kind, name), None)
        found = await asyncio.to_thread(read, name)
        if found is not None:
            self._known[kind, name] = found, self._clock()
            while len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        elif known is not None:
            self.forget(known[0])  # by its other names too
        return found

    def forget(self, row: Row) -> None:
        """Forget a row under all its names."""
        for name in [name for name, (known, _) in self._known.items() if known == row]:
            del self._known[name]
