"""A straight line through the first points of a curve, and where the curve leaves it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

FIRST = 3  # points that make the line before the next ones are judged by it
AWAY = 0.2  # of the line's own value: what lies further off than this has left it


@dataclass(frozen=True, slots=True)
class Line:
    """What the curve is while it is straight: `base + slope * x`, and the `x` from which it no longer is.

    `bend` is `None` where the curve stays straight to its end.
    """

    base: float
    slope: float
    bend: float | None

    def at(self, x: float) -> float:
        """Return the line's value."""
        return self.base + self.slope * x


def straight(points: Sequence[tuple[float, float]]) -> Line | None:
    """Fit the longest straight beginning; return `None` for fewer than three points.

    A point belongs to the beginning as long as it is no further than a fifth from the line through those before it. A
    single point beside the line is noise when the next one is back on it.
    """
    if len(points) < FIRST:
        return None
    own, line = list(points[:FIRST]), _through(points[:FIRST])
    for index, point in enumerate(points[FIRST:], FIRST):
        if not _off(line, point):
            own.append(point)
            line = _through(own)
        elif all(_off(line, following) for following in points[index + 1 : index + 2]):
            return Line(*line, bend=point[0])
    return Line(*line, bend=None)


def _through(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    slope, base = statistics.linear_regression([x for x, _ in points], [y for _, y in points])
    return base, slope


def _off(line: tuple[float, float], point: tuple[float, float]) -> bool:
    base, slope = line
    expected = base + slope * point[0]
    return abs(point[1] - expected) > AWAY * max(abs(expected), abs(base))
