"""What is new in a camera's history, which is read again and again. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from ringlight.account.events import CameraEvent

__all__ = ["News"]

KEPT = 64  # events of one camera that are remembered by name
LATE = 120.0  # seconds; what Ring tells later than that is history
ROUNDED = 2.0  # seconds by which an age may be wrong: Ring tells its time in whole ones, and the answer takes a while


@dataclass(slots=True)
class _Camera:
    before: float  # Ring's time of the newest event that the first look found
    latest: float  # of the newest of all
    told: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))


class News:
    """Remembers what was told. What happened before it was waited for is no news.

    This machine's clock has no part in it, which may be wrong by minutes: an event's age is by Ring's own clock. Where
    Ring does not tell the time, what the first look finds is history, and then whatever is not later than that.
    """

    def __init__(self) -> None:
        self._cameras: dict[str, _Camera] = {}

    def read(self, camera: str, history: Iterable[CameraEvent], waited: float) -> list[CameraEvent]:
        """Return what was not there before, oldest first.

        Args:
            camera: Whose history it is.
            history: Its newest events, in any order.
            waited: Seconds since news of it began to be waited for, by a clock that nobody sets.
        """
        events = {event.name: (event, event.at) for event in history if event.at is not None}
        newest = max((at for _, at in events.values()), default=float("-inf"))
        known = self._cameras.setdefault(camera, _Camera(newest, newest))
        known.latest = max(known.latest, newest)
        new = [one for name, one in events.items() if name not in known.told]
        known.told.extend(event.name for event, _ in new)
        youngest = min(waited, LATE) + ROUNDED

        def is_news(event: CameraEvent, at: float) -> bool:
            if event.ago is not None:
                return event.ago <= youngest
            return at > known.before and at >= known.latest - LATE

        return [event for event, at in sorted(new, key=lambda one: (one[1], one[0].name)) if is_news(event, at)]

    def forget(self, kept: Iterable[str]) -> None:
        """Forget all cameras but these."""
        self._cameras = {camera: self._cameras[camera] for camera in kept if camera in self._cameras}
