"""One attempt of a live view that lasts, and what has become of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from ringlight.errors import RingError, fault_error
from ringlight.liveview.events import Halted, Note, Speaker, Step
from ringlight.media import key_frames
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet

__all__ = ["AnAttempt", "Leg", "Run", "View", "outcome"]


class AnAttempt(Protocol):
    """One attempt that was begun; `Attempt` is one."""

    def ask_key_frame(self) -> None:
        """Ask the camera for a key frame."""

    async def command(self, method: str, params: Mapping[str, Any]) -> str | None:
        """Let the camera do something; return why it stopped by itself."""

    def talk(self, *, on: bool) -> None:
        """Have the camera's speaker opened, or closed."""

    def send_sound(self, packet: Packet) -> None:
        """Send sound to the open speaker."""


class View(Protocol):
    """The view, as its attempts tell it what happens; `LastingView` is one."""

    def begun(self, leg: "Leg") -> None:
        """An attempt is made; see `Leg`."""

    def acted(self, leg: "Leg", action: Step | Note | Halted | Speaker) -> None:
        """An attempt tells something; see `Leg`."""

    def answered(self, leg: "Leg", agreed: Agreed) -> None:
        """An attempt was answered; see `Leg`."""

    def took(self, leg: "Leg", packet: Packet) -> None:
        """A packet came; see `Leg`."""


class Leg:
    """One attempt, and what has become of it; whoever makes the attempt tells it what happens."""

    task: "asyncio.Task[RingError]"

    def __init__(self, view: View) -> None:
        self._view = view
        self.attempt: AnAttempt | None = None
        self.agreed: Agreed | None = None
        self.answered_at = 0.0  # from there on its time limit counts
        self.flowing_since: float | None = None

    def begun(self, attempt: AnAttempt) -> None:
        """Take the attempt, to pass on what is asked of the view."""
        self.attempt = attempt
        self._view.begun(self)

    def acted(self, action: Step | Note | Halted | Speaker) -> None:
        """Take what the attempt tells."""
        self._view.acted(self, action)

    def answered(self, agreed: Agreed) -> None:
        """Take the codecs: the other side has answered."""
        self._view.answered(self, agreed)

    def took(self, packet: Packet) -> None:
        """Take a packet of the camera."""
        self._view.took(self, packet)

    def starts_with(self, packet: Packet) -> bool:
        """Whether a packet begins a key frame of its video: what comes before cannot be shown."""
        video = self.agreed.codecs["video"] if self.agreed else None
        return video is not None and packet.payload_type == video.payload_type and key_frames.of(video)(packet.payload)


def outcome(task: "asyncio.Task[RingError]") -> RingError:
    """Return why a view or an attempt has ended; it is cancelled only by `close`."""
    return fault_error("SIG-CLOSED") if task.cancelled() else task.result()


Run = Callable[[Leg, bool], Awaitable[RingError]]
"""Makes one attempt and runs it to its end; returns why it ended, or raises why it did not begin.

The second argument says whether the access token has to be another one than before.
"""
