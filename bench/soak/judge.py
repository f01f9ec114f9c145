"""What is to be said of a long run, from what was measured in it. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

WARM_UP = 0.2  # of a run: what grows in it are caches, pools and imports that happen once
MEMORY = (
    8.0  # MB that a server may grow after its warm-up, by the slope: half of what a lost viewer a second would take
)
LEFT_OVER = 4  # descriptors, sockets, tasks or threads that the quietest moments may differ by
AFTERWARDS = 12  # the same between the rest before the load and after: connections to the database stay open


@dataclass(frozen=True, slots=True)
class Sample:
    """What the kernel and the server say of the server at one moment.

    Attributes:
        at: Seconds since the run began.
        memory: Megabytes that are resident.
        files: Open file descriptors, sockets among them.
        sockets: Those of them that are sockets.
        threads: Of the process.
        tasks: Of its event loop.
    """

    at: float
    memory: float
    files: int
    sockets: int
    threads: int
    tasks: int


@dataclass(slots=True)
class Counts:
    """What was asked of the server, and what of it arrived.

    Attributes:
        lost: One line for each thing that is gone.
    """

    done: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def add(self, what: str, count: int = 1) -> None:
        self.done[what] = self.done.get(what, 0) + count


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """Return the growth a second: the median of the slopes of all pairs, which no single peak moves (Theil and Sen)."""
    thinned = samples[:: max(1, len(samples) // 150)]
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(thinned, 2) if x2 > x1]
    return statistics.median(slopes) if slopes else 0.0


def growth(samples: Sequence[Sample]) -> list[str]:
    """Name what has grown after the warm-up; nothing is well."""
    warm = [sample for sample in samples if sample.at >= samples[-1].at * WARM_UP] if samples else []
    if len(warm) < 8:
        return ["too few samples to judge by"]
    found = []
    more = slope([(sample.at, sample.memory) for sample in warm]) * (warm[-1].at - warm[0].at)
    if more > MEMORY:
        found.append(
            f"memory grew by {more:.1f} MB in {warm[-1].at - warm[0].at:.0f} s; at most {MEMORY:g} are allowed"
        )
    quarter = len(warm) // 4
    for name in ("files", "sockets", "threads", "tasks"):
        first = min(getattr(sample, name) for sample in warm[:quarter])
        last = min(getattr(sample, name) for sample in warm[-quarter:])
        if last - first > LEFT_OVER:
            found.append(f"{name}: never under {last} in the last quarter, {first} in the first")
    return found


def left_over(before: Sample, after: Sample) -> list[str]:
    """Name what did not go away with the load."""
    return [
        f"{name}: {getattr(after, name)} once all had left, {getattr(before, name)} before anybody came"
        for name in ("files", "sockets", "threads", "tasks")
        if getattr(after, name) - getattr(before, name) > AFTERWARDS
    ]
