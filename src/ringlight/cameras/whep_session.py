"""One live view by WHEP as a pure machine: from the answer to the end. It is told the time, and never waits.

The Partner API has no word for the end of a view (partner-api.md#live-view). So it is found by what does not come.
"""

from dataclasses import dataclass, field

from ringlight.liveview.events import Closed, MediaSeen, PathFailed, PathLeft, PathOpen, Step, Stop, Tick

__all__ = ["STEPS", "Action", "Answered", "Event", "Waits", "WhepSession"]

STEPS = ("offer", "answer", "media")
LIMITS = (30.0, 60.0)  # seconds, on battery and on line power; nothing says for certain what a camera runs on
NEAR = 2.5  # seconds by which an end may miss a limit and still be it


@dataclass(frozen=True, slots=True)
class Answered:
    """The other side has answered the offer."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long to wait for what, in seconds.

    Attributes:
        path: For ICE and DTLS.
        media: From the open path to the first packet; a camera that sleeps needs some.
        stall: From one packet to the next.
        limit: The time limit that is expected of this camera.
    """

    path: float = 15.0
    media: float = 15.0
    stall: float = 3.0
    limit: float = LIMITS[1]


Event = Answered | PathOpen | PathFailed | PathLeft | MediaSeen | Tick | Stop
Action = Step | Closed


@dataclass(slots=True)
class WhepSession:
    """One attempt at a view.

    Attributes:
        waits: The deadlines.
        deadline: When to send a `Tick` at the latest; `None` before the answer and after the end.
    """

    waits: Waits = field(default_factory=Waits)
    deadline: float | None = None
    _stage: str = "asked"  # then path, media, stall: what is waited for; closed
    _answered_at: float = 0.0

    def receive(self, event: Event, *, now: float) -> list[Action]:
        """Feed one event; return what to do, in order. Never raises, never waits."""
        if self._stage == "closed":
            return []
        match event:
            case Answered():
                return self._answered(now)
            case PathOpen():
                self._await("media", now)
                return []
            case MediaSeen():
                first = self._stage != "stall"
                self._await("stall", now)
                return [Step("media")] if first else []
            case PathFailed("MEDIA-STALLED", detail):
                return self._ended(now, detail or "the path was lost")
            case PathFailed(code, detail):
                return self._close(code, detail or "")
            case PathLeft():
                return self._ended(now, "the other side left")
            case Tick():
                return self._tick(now)
            case Stop():
                return self._close("SIG-CLOSED")

    def _answered(self, now: float) -> list[Action]:
        if self._stage != "asked":
            return []
        self._answered_at = now
        self._await("path", now)
        return [Step("answer")]

    def _await(self, stage: str, now: float) -> None:
        self._stage = stage
        self.deadline = now + float(getattr(self.waits, stage))

    def _tick(self, now: float) -> list[Action]:
        if self.deadline is None or now < self.deadline:
            return []
        if self._stage == "stall":
            return self._ended(now - self.waits.stall, f"no packet for {self.waits.stall:g} s")
        if self._stage == "path":
            return self._close("MEDIA-UDP", f"no path within {self.waits.path:g} s")
        return self._close("MEDIA-SILENT", f"no packet within {self.waits.media:g} s of the open path")

    def _ended(self, at: float, seen: str) -> list[Action]:
        """Judge an end without a word: at a limit it is the regular one."""
        ran = at - self._answered_at
        regular = self._stage == "stall" and any(abs(ran - limit) <= NEAR for limit in (self.waits.limit, *LIMITS))
        return self._close("PARTNER-VIEW-LIMIT" if regular else "MEDIA-STALLED", f"{seen}, after {ran:.0f} s")

    def _close(self, code: str, detail: str = "") -> list[Action]:
        self._stage, self.deadline = "closed", None
        return [Closed(code, detail or None)]
