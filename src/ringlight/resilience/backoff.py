"""How long to wait before each retry. Whether to retry at all is said by the fault."""

from collections.abc import Callable, Iterator

__all__ = ["backoff", "pause"]


def backoff(first: float = 0.5, cap: float = 30.0, *, rand: Callable[[], float]) -> Iterator[float]:
    """Yield the seconds to wait before each retry: exponential, full jitter.

    Drawn uniformly from zero to the step, so that a thousand clients which lost
    the same server do not come back together. It never ends; the caller counts.

    Args:
        first: Upper end of the first wait, in seconds.
        cap: No wait is longer than this, in seconds; finite.
        rand: Source of numbers in [0, 1); tests pass their own.
    """
    step = min(first, cap)
    while True:
        yield step * rand()
        step = min(step * 2, cap)  # held at the cap, so it cannot overflow


def pause(first: float, n: int, cap: float, dice: Callable[[], float]) -> float:
    """Return the seconds before retry `n`, counted from 0: what `backoff` yields there, for those who count.

    Args:
        first: Upper end of the first wait, in seconds.
        n: How many retries there were; any number.
        cap: No wait is longer than this, in seconds; finite.
        dice: Source of numbers in [0, 1).
    """
    # 2.0 ** 1024 is out of range; long before that every cap is reached from any first wait worth a name.
    return min(first * 2.0 ** min(n, 100), cap) * dice()
