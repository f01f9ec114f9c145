"""What is old enough, or too much, to be kept. Pure: it is told the rows and the time.

Rows are looked at from the oldest on, and what goes is always the beginning: the audit's chain can be cut nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ringlight.resilience.clock_jumps import ClockJumps

__all__ = ["HOLD", "ClockGuard", "Limit", "Row", "expired"]

JUMP = 120.0  # seconds by which the time of day may move against a steady clock; NTP slews by less, and steps by more
AWAY = 86_400.0  # seconds that a server may have been off without anybody's doubting the clock
# Seconds that a clock which has jumped must go on steadily until it is believed: long enough for somebody to put it
# right, and less than a day, so that a server that is started anew each night gets there.
HOLD = 12 * 3600.0


@dataclass(frozen=True, slots=True)
class Row:
    """Something that is kept.

    Attributes:
        id: Its name.
        at: The time of day at which its age begins.
        size: How much of the limit it takes: bytes, or 1 where rows are counted.
        is_busy: Whether it is still being written; then it stays, however old.
    """

    id: str
    at: float
    size: float = 1.0
    is_busy: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """How much is kept.

    Attributes:
        age: Seconds; `None` keeps it for ever.
        total: Of all sizes; `None` sets no limit.
    """

    age: float | None = None
    total: float | None = None

    @property
    def is_any(self) -> bool:
        """Whether anything is ever removed."""
        return self.age is not None or self.total is not None


def expired(rows: Sequence[Row], limit: Limit, *, now: float, kept: float, by_age: bool = True) -> list[Row]:
    """Choose what is to be removed.

    Args:
        rows: The oldest first; they may be the first few of many.
        limit: How much is kept.
        now: The time of day.
        kept: The size of all that are kept, these included.
        by_age: Whether the clock is to be believed; otherwise only what is too much goes.

    Returns:
        Some of the rows, in their order. A row that is newer than the age allows goes only where the total asks for it,
        and then no more than that takes.
    """
    found = []
    for row in rows:
        if row.is_busy:
            continue
        is_old = by_age and limit.age is not None and row.at < now - limit.age
        is_too_much = limit.total is not None and kept > limit.total
        if is_old or is_too_much:
            found.append(row)
            kept -= row.size
    return found


class ClockGuard:
    """Says whether the time of day may decide what is deleted.

    A clock that jumps ahead would make everything old at once. It shows against a steady clock, and after a start
    against when it was last believed. It is believed again once it has gone on steadily for `HOLD` seconds:
    so much time somebody has to put it right.
    """

    def __init__(self) -> None:
        self._jumps = ClockJumps(JUMP, HOLD)
        self._is_new = True

    @property
    def is_held(self) -> bool:
        """Whether the clock has jumped and is not believed yet."""
        return not self._jumps.is_steady

    def see(self, wall: float, steady: float, last: float | None = None) -> bool:
        """Look at the clock; return whether to believe it.

        Args:
            wall: The time of day.
            steady: Seconds on a clock that never jumps.
            last: For the first look, the time of day at which it was last believed; `None` where that is not known.
        """
        self._jumps.see(wall, steady)
        if self._is_new and last is not None and abs(wall - last) > AWAY:
            self._jumps.doubt(steady)
        self._is_new = False
        return self._jumps.is_steady
