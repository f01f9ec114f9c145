"""What was recorded and when, and what becomes of a request for some of it. Pure; times are epoch milliseconds."""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["DAY", "Found", "Recording", "find_clip", "find_still"]

DAY = 86_400_000
NEAREST = 10_000  # ms to each side in which a still picture is looked for


@dataclass(frozen=True, slots=True)
class Recording:
    """A time for which there is footage of a device.

    Attributes:
        start: Its first moment.
        end: Its last; in the future while it is being made.
        ready: When it can be had.
        corrupt: Whether it cannot be read.
    """

    start: int
    end: int
    ready: int
    corrupt: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a request comes to.

    Attributes:
        status: 200, 206, or that of the refusal: 416, 422, 425.
        recording: Where the footage is from.
        start: The first moment that there is.
        length: How much there is, in ms.
    """

    status: int
    recording: Recording | None = None
    start: int = 0
    length: int = 0


def find_clip(recordings: Iterable[Recording], start: int, length: int, now: int) -> Found:
    """Find the footage of a time. Where there is some of it only, that is 206."""
    end = start + length
    touched = [one for one in recordings if one.start < end and start < one.end]
    if not touched:
        return Found(416)
    # Of several the one with most of it: gaps are not bridged.
    best = max(touched, key=lambda one: min(end, one.end) - max(start, one.start))
    refusal = _refusal(best, now)
    if refusal:
        return Found(refusal)
    first, last = max(start, best.start), min(end, best.end)
    return Found(200 if (first, last) == (start, end) else 206, best, first, last - first)


def find_still(recordings: Iterable[Recording], first: int, last: int, now: int, *, nearest: bool) -> Found:
    """Find a picture: the latest between two moments, or the one that is nearest to the first of them."""
    kept = tuple(recordings)
    if nearest:
        found = [(abs(min(max(first, one.start), one.end) - first), one) for one in kept]
        close = [(distance, one) for distance, one in found if distance <= NEAREST]
        one = min(close, key=lambda pair: pair[0])[1] if close else None
        at = min(max(first, one.start), one.end) if one else 0
    else:
        one = max((one for one in kept if one.start <= last and first <= one.end), key=lambda o: o.end, default=None)
        at = min(last, one.end) if one else 0
    if one is None:
        return Found(416)
    refusal = _refusal(one, now)
    return Found(refusal) if refusal else Found(200, one, at)


def _refusal(recording: Recording, now: int) -> int:
    if now < recording.ready:
        return 425
    return 422 if recording.corrupt else 0
