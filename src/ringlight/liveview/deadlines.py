"""What has to have happened by when in a live view, and which fault it is where it has not. Pure."""

from dataclasses import dataclass, field
from typing import Literal

from ringlight.settings import LiveViewSettings

__all__ = ["Deadlines", "Phase"]

PING_BOUNDS = (1.0, 60.0)  # seconds; an interval outside of them is not believed
FAREWELL = 1.0  # seconds for the socket to say why, after the media path was left; both go at the same time
Phase = Literal["session", "answer", "camera", "path", "media", "stall"]  # each has its own setting, in seconds
_FAULT_OF = {
    "session": "SIG-NO-SESSION",
    "answer": "SIG-NO-ANSWER",
    "camera": "SIG-NO-CAMERA",
    "path": "MEDIA-UDP",
    "media": "MEDIA-SILENT",
    "stall": "MEDIA-STALLED",
    "farewell": "MEDIA-STALLED",
    "pong": "SIG-PING",
}


@dataclass(slots=True)
class Deadlines:
    """Those of one view; times are on the clock of `now`.

    Attributes:
        settings: How long each phase may take, in seconds.
    """

    settings: LiveViewSettings
    _ping_every: float = 0.0
    _at: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ping_every = self.settings.ping_every

    @property
    def next(self) -> float | None:
        """When the next is over; `None` where nothing is waited for."""
        return min(self._at.values(), default=None)

    def begin(self, phase: Phase, now: float) -> None:
        """Wait for something from now on, anew where it is waited for already."""
        seconds: float = getattr(self.settings, f"{phase}_timeout")
        self._at[phase] = now + seconds

    def end(self, *phases: Phase) -> None:
        """Wait for these no longer."""
        for phase in phases:
            self._at.pop(phase, None)

    def awaits(self, phase: Phase) -> bool:
        """Whether something is waited for."""
        return phase in self._at

    def leave(self, now: float) -> None:
        """Wait for the socket to say why the media path was left."""
        self._at["farewell"] = now + FAREWELL

    def told_to_ping(self, seconds: float) -> None:
        """Take the interval of pings from the server."""
        low, high = PING_BOUNDS
        self._ping_every = float(min(max(seconds, low), high))

    def pinged(self, now: float) -> None:
        """Ping again in time."""
        self._at["ping"] = now + self._ping_every

    def ponged(self, now: float) -> None:
        """Wait for the next pong."""
        self._at["pong"] = now + self._pong_limit

    def is_ping_due(self, now: float) -> bool:
        """Whether to ping now."""
        return self._at.get("ping", float("inf")) <= now

    def missed(self, now: float, notice: str | None) -> tuple[str, str] | None:
        """Return the fault of what has not happened in time and how long it was waited for; `None` where all is well.

        Args:
            now: The time.
            notice: What Ring said was wrong meanwhile.
        """
        name = next((name for name, at in self._at.items() if at <= now and name != "ping"), None)
        return None if name is None else (_FAULT_OF[name], self._late(name, notice))

    def clear(self) -> None:
        """Wait for nothing any more."""
        self._at.clear()

    def _late(self, name: str, notice: str | None) -> str:
        if name == "farewell":
            return "the media path was closed"
        seconds = self._pong_limit if name == "pong" else getattr(self.settings, f"{name}_timeout")
        return f"waited {seconds:g} s" + (f"; Ring said: {notice}" if notice else "")

    @property
    def _pong_limit(self) -> float:
        """Seconds without a pong that end the view: always longer than from one ping to the next."""
        return max(self.settings.pong_timeout, self._ping_every * 1.5)
