"""Python's collector of cyclic garbage in a program that runs for weeks: how often it looks, and at what."""

import asyncio
import contextlib
import gc
import time
from collections.abc import Iterator
from typing import NoReturn

__all__ = ["look_at_all", "nothing_collected", "until_the_next"]

# Objects that are made, beyond those that are gone again, until the young ones are looked at. With Python's own 700 a
# sixth of what it costs to let somebody into a room went into looking.
YOUNG = 10_000
# Such looks until the middle ones are looked at too, and so many of those until all are.
THEN = (5, 5)
# Seconds between two looks at all. Python itself counts objects: what a quiet server leaves behind in circles, few but
# large, would wait for half an hour, and memory would grow meanwhile, by 8 MB in ten minutes of a long run.
EVERY = 30.0
# And at least so many times as long as the last look took, in which nothing else is done: a thousandth of the time.
REST = 1000.0


@contextlib.contextmanager
def nothing_collected() -> Iterator[None]:
    """Spare Python the search for garbage in what stays until the end: while the body starts a program, and ever after.

    A program's modules are more than a hundred thousand objects. Each full search among them would hold up all viewers,
    and all messages, for tens of milliseconds.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
        gc.set_threshold(YOUNG, *THEN)
    finally:
        gc.enable()


async def look_at_all() -> NoReturn:
    """Look at everything that has come since the start now and then, until cancelled."""
    while True:
        began = time.perf_counter()
        gc.collect()
        await asyncio.sleep(until_the_next(time.perf_counter() - began))


def until_the_next(took: float) -> float:
    """Return how many seconds to wait for the next look at all, after one that took so many."""
    return max(EVERY, REST * took)
