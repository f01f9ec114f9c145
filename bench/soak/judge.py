"""What is to be said of a long run, from what was measured in it. Pure."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

WARM_UP = 1 / 3  # of a run: what grows in it are caches, pools and imports that happen once
HOURLY = 12.0  # MB an hour: a kilobyte that each webhook of four a second left behind would be 14
# MB that are no growth yet: the C library keeps what was freed in pieces, and every crowd breaks it up a little more.
TWITCH = 3.0
JUDGED_FROM = 400.0  # seconds after the warm-up; in less, caches and pools still fill
LEFT_OVER = 4  # descriptors, sockets, tasks or threads that the quietest moments may differ by
AFTERWARDS = 12  # the same between the rest before the load and after: connections to the database stay open
MORE_ROWS = 0.2  # of the rows of a table: how many there are just before it is swept differs by so much


@dataclass(frozen=True, slots=True)
class Sample:
    """What the kernel and the server say of the server at one moment.

    Attributes:
        at: Seconds since the run began.
        memory: Megabytes that are resident.
        files: Open file descriptors that are no sockets.
        sockets: Those that are.
        threads: Of the process.
        tasks: Of its event loop.
        holds: What it says that it has: rooms, people, viewers and so on, by the names of its metrics.
    """

    at: float
    memory: float
    files: int
    sockets: int
    threads: int
    tasks: int
    holds: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Counts:
    """What was asked of the server, and what of it arrived.

    Attributes:
        lost: One line for each thing that is gone.
        rows: At each look the seconds since the run began, and the rows of each table.
        clock: Tells the seconds since the run began.
    """

    done: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    rows: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    clock: Callable[[], float] = lambda: 0.0

    def lose(self, what: str) -> None:
        """Note that something is gone."""
        self.lost.append(f"{what}, at {self.clock():.0f} s")

    def add(self, what: str, count: int = 1) -> None:
        self.done[what] = self.done.get(what, 0) + count


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """Return the growth a second: the median of the slopes of all pairs, which no single peak moves (Theil and Sen)."""
    thinned = samples[:: max(1, len(samples) // 150)]
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(thinned, 2) if x2 > x1]
    return statistics.median(slopes) if slopes else 0.0


def hourly(samples: Sequence[Sample]) -> float:
    """Return by how many megabytes an hour memory grows, at the pace of these samples."""
    return slope([(sample.at, sample.memory) for sample in samples]) * 3600.0


def warm(samples: Sequence[Sample], share: float = WARM_UP) -> list[Sample]:
    """Return the samples after this share of the time."""
    return [sample for sample in samples if sample.at >= samples[-1].at * share] if samples else []


def memory_grows(samples: Sequence[Sample]) -> str | None:
    """Say by how much memory grows, where it does and goes on to; growth that settles is none."""
    after, late = warm(samples), warm(samples, 1 - WARM_UP)
    if len(late) < 4 or after[-1].at - after[0].at < JUDGED_FROM:
        return None
    pace, lately = hourly(after), hourly(late)
    more = pace / 3600.0 * (after[-1].at - after[0].at)
    if min(pace, lately) <= HOURLY or more <= TWITCH:
        return None
    return (
        f"memory grows by {pace:.1f} MB an hour, in the last third by {lately:.1f}; {HOURLY:g} are allowed, "
        f"and it was {after[0].memory:.1f} MB at {after[0].at:.0f} s and {after[-1].memory:.1f} MB at the end"
    )


def growth(samples: Sequence[Sample]) -> list[str]:
    """Name what has grown after the warm-up, but for memory; nothing is well."""
    after = warm(samples)
    if len(after) < 8:
        return ["too few samples to judge by"]
    quarter, found = len(after) // 4, []
    for name in ("files", "sockets", "threads", "tasks"):
        first = min(getattr(sample, name) for sample in after[:quarter])
        last = min(getattr(sample, name) for sample in after[-quarter:])
        if last - first > LEFT_OVER:
            found.append(f"{name}: never under {last} in the last quarter, {first} in the first")
    return found


def rows_grow(
    looks: Sequence[tuple[float, Mapping[str, int]]], full_after: float, most: Mapping[str, int]
) -> list[str]:
    """Name the tables that go on to grow when they have been swept for long enough.

    Args:
        looks: Seconds, and the rows of each table.
        full_after: Seconds after which as much is swept as comes, where that is by age.
        most: How many rows are kept of the tables that are swept by their number.
    """
    steady = [rows for at, rows in looks if at >= full_after]
    if len(steady) < 16:
        return []
    quarter, found = len(steady) // 4, []
    for table in sorted(steady[-1]):
        first = max(rows.get(table, 0) for rows in steady[:quarter])
        last = min(rows.get(table, 0) for rows in steady[-quarter:])
        if last > max(first, most.get(table, 0)) * (1 + MORE_ROWS) + LEFT_OVER:
            found.append(f"table {table}: never under {last} rows in the last quarter, {first} at most in the first")
    return found


def left_over(before: Sample, after: Sample) -> list[str]:
    """Name what did not go away with the load."""
    found = [
        f"{name}: {getattr(after, name)} once all had left, {getattr(before, name)} before anybody came"
        for name in ("files", "sockets", "threads", "tasks")
        if getattr(after, name) - getattr(before, name) > AFTERWARDS
    ]
    return found + [f"{name} is {value:g} once all had left" for name, value in after.holds.items() if value]


def more_kinds(before: Mapping[str, int], after: Mapping[str, int], most: int = 12) -> list[str]:
    """Name the types of which there are more objects than before, those that grew most first."""
    more = {kind: count - before.get(kind, 0) for kind, count in after.items()}
    chosen = sorted((kind for kind in more if more[kind] > 0), key=lambda kind: -more[kind])[:most]
    return [f"{more[kind]:+6} {kind}: {before.get(kind, 0)}, then {after[kind]}" for kind in chosen]
