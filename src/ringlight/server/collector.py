"""Python's collector of cyclic garbage in a program that runs for weeks: how often it looks, and at what."""

import gc

__all__ = ["settle"]

# Objects that are made, beyond those that are gone again, until the young ones are looked at. With Python's own 700 a
# fifth of what it costs to let somebody into a room went into looking.
YOUNG = 20_000
THEN = (20, 50)  # such looks until the middle ones are looked at too, and so many of those until all are


def settle() -> None:
    """Take what is there by now as there to stay: the collector does not look through it again.

    To be called once by a program whose parts are open. What is loaded is some 150,000 objects; to go through them
    takes a tenth of a second, in which no message is passed on.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *THEN)
