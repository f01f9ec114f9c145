"""What a minute of video costs a battery: measured from the camera's own per cents, never guessed. Pure.

A reading is a whole per cent, so one short view shows nothing; over many views the roundings even out. What
the battery loses between views is not counted.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["KEPT_SPANS", "Cost", "Meter", "Span"]

FRESH = 600.0  # seconds; an older reading does not tell what the battery had when the view began
SETTLING = 900.0  # seconds after a view in which a reading still belongs to it: Ring hears of the battery late
KEPT_SPANS = 50  # of each camera; batteries age, so old ones make room
LEAST_MINUTES, LEAST_DROP = 10.0, 2  # below these the rounding of the per cents weighs more than the video


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes of video, and how many per cent the battery lost over them."""

    minutes: float
    drop: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a minute of video costs.

    Attributes:
        percent: Per cent of the battery a minute; `None` until that is measured.
        minutes: Over how many minutes.
    """

    percent: float | None
    minutes: float

    def __str__(self) -> str:
        if self.percent is None:
            return "not measured yet"
        amount = f"{self.percent:.1f}" if self.percent >= 0.095 else f"{self.percent:.2f}"
        return f"about {amount} % a minute (measured over {self.minutes:.0f} minutes)"

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        percent = None if self.percent is None else round(self.percent, 3)
        return {"percent_per_minute": percent, "minutes": round(self.minutes, 1), "text": str(self)}


class Meter:
    """The meter of one camera. Told of readings and of views, with the time in seconds on any one clock."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._spans = deque(spans, maxlen=KEPT_SPANS)
        self._last: tuple[int, float] | None = None  # per cent, when
        self._began: float | None = None
        self._before: int | None = None
        self._after: tuple[int, float, float] | None = None  # per cent before, minutes, when the view ended
        self._open: Span | None = None  # of the view that ended last: a later reading may still change it

    @property
    def awaits_reading(self) -> bool:
        """Whether a view has ended that no reading has followed yet."""
        return self._after is not None and self._open is None

    @property
    def cost(self) -> Cost:
        """What is known by now."""
        spans = [*self._spans, *([self._open] if self._open else [])]
        minutes, drop = sum(span.minutes for span in spans), sum(span.drop for span in spans)
        known = minutes >= LEAST_MINUTES and drop >= LEAST_DROP
        return Cost(drop / minutes if known else None, minutes)

    def read(self, percent: int, now: float) -> None:
        """Take a reading of the battery."""
        self._last = (percent, now)
        if self._after is None:
            return
        before, minutes, ended = self._after
        if now - ended > SETTLING:
            return
        drop = before - percent
        if drop < 0:  # charged meanwhile: this view measures nothing
            self._after = self._open = None
        elif self._open is None or drop > self._open.drop:
            self._open = Span(minutes, drop)

    def begin(self, now: float) -> None:
        """Video begins to flow."""
        fresh = self._last is not None and now - self._last[1] <= FRESH
        self._before = self._last[0] if self._last is not None and fresh else None
        self._began = now

    def end(self, now: float) -> None:
        """Video flows no more."""
        if self._began is not None and self._before is not None:
            self._after = (self._before, (now - self._began) / 60, now)
        self._began = None

    def settle(self, now: float, *, last: bool = False) -> Span | None:
        """Return what a view has cost once no reading can change it any more, once; `last` does not wait for that."""
        if self._after is None or not (last or self._began is not None or now - self._after[2] > SETTLING):
            return None
        span, self._open, self._after = self._open, None, None
        if span is not None:
            self._spans.append(span)
        return span
