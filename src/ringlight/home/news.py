"""What is new in a camera's history, which is read again and again. Pure."""

from collections import deque
from collections.abc import Iterable

from ringlight.account.events import CameraEvent

__all__ = ["News"]

KEPT = 64  # events of one camera that are remembered by name
LATE = 120.0  # seconds; what Ring tells later than that is history


class News:
    """Remembers what was told. What happened before it began is no news.

    Args:
        since: When it began, in seconds since 1970.
    """

    def __init__(self, since: float) -> None:
        self._since = since
        self._told: dict[str, deque[str]] = {}

    def read(self, camera: str, history: Iterable[CameraEvent], now: float) -> list[CameraEvent]:
        """Return what was not there before, oldest first.

        Args:
            camera: Whose history it is.
            history: Its newest events, in any order.
            now: Seconds since 1970.
        """
        told = self._told.setdefault(camera, deque(maxlen=KEPT))
        new = [event for event in {event.id: event for event in history}.values() if event.id not in told]
        told.extend(event.id for event in new)
        earliest = max(self._since, now - LATE)
        recent = [event for event in new if event.at is not None and event.at >= earliest]
        return sorted(recent, key=lambda event: (event.at or 0.0, event.id))

    def forget(self, kept: Iterable[str]) -> None:
        """Forget all cameras but these."""
        self._told = {camera: self._told[camera] for camera in kept if camera in self._told}
