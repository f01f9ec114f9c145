"""Runs a command of ours so that it can be looked into: at a signal it writes down what it holds.

SIGUSR1: how many objects of each type there are, blocks of memory, tasks by name. SIGUSR2: what memory was taken for
since the first such signal, from which on it is traced. Files go into the folder that `INTO` names.
"""

import asyncio
import ctypes
import gc
import itertools
import json
import os
import re
import signal
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

from ringlight.cli import main

INTO = "SOAK_INSIDE"
FRAMES = 6  # of a stack, for each block of memory: enough to see whose it is
_numbers = itertools.count()


class _Malloc(ctypes.Structure):
    """What mallinfo2(3) tells, in bytes."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"
        )
    )  # fmt: skip


def malloc() -> dict[str, float]:
    """Return megabytes that the C library has given out and that lie free between; nothing where it does not tell."""
    asked = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if asked is None:
        return {}
    asked.restype = _Malloc
    told = asked()
    return {"used": told.uordblks / 1e6, "mapped": told.hblkhd / 1e6, "free": told.fordblks / 1e6}


def census() -> dict[str, object]:
    """Count what this process holds."""
    gc.collect()
    kinds = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())
    try:
        names = Counter(re.sub(r"[\d-]+$", "", task.get_name()) for task in asyncio.all_tasks())
    except RuntimeError:  # between two turns of the loop
        names = Counter()
    return {"malloc": malloc(), "blocks": sys.getallocatedblocks(), "kinds": dict(kinds), "tasks": dict(names)}


def _look(*_: object) -> None:
    path = Path(os.environ[INTO]) / f"census-{next(_numbers):04}.json"
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(census()), encoding="utf-8")
    beside.replace(path)


def _trace(*_: object) -> None:
    if not tracemalloc.is_tracing():
        tracemalloc.start(FRAMES)
    path = Path(os.environ[INTO]) / f"trace-{next(_numbers):04}.pickle"
    beside = path.with_suffix(".part")
    gc.collect()
    tracemalloc.take_snapshot().dump(str(beside))
    beside.replace(path)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _look)
    signal.signal(signal.SIGUSR2, _trace)
    main()
