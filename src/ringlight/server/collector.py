"""Python's collector of cyclic garbage in a program that runs for weeks: how often it looks, and at what."""

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["nothing_collected"]

# Objects that are made, beyond those that are gone again, until the young ones are looked at. With Python's own 700 a
# sixth of what it costs to let somebody into a room went into looking.
YOUNG = 10_000
# Such looks until the middle ones are looked at too, and so many of those until all are. With many more, what viewers
# and rooms leave behind in circles stays: with (20, 50) a server had 11 MB more ten minutes later.
THEN = (5, 5)


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
