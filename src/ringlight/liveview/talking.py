"""Talking in one dialog: the camera's speaker is open only while somebody wants to talk. Pure."""

from dataclasses import dataclass

from ringlight.liveview import messages
from ringlight.liveview.messages import Body


@dataclass(slots=True)
class Talking:
    """Whether somebody wants to talk, and whether they can.

    Attributes:
        is_wanted: Somebody wants to talk.
        is_connected: The camera itself takes part, not only Ring's server. What is sent before that would be lost.
        is_open: The camera's speaker is open.
    """

    is_wanted: bool = False
    is_connected: bool = False
    is_open: bool = False

    def follow(self, doorbot_id: int, session_id: str | None) -> list[Body]:
        """Open or close the speaker as it is wanted; return what to tell the camera. Empty: nothing has changed."""
        if not self.is_connected or self.is_wanted is self.is_open:
            return []
        self.is_open = self.is_wanted
        told: list[Body] = [microphone(doorbot_id, session_id, on=self.is_open)]
        # At the end the app only switches its microphone off. We close the speaker too: it is never open unasked.
        closed = not self.is_open
        told.append(messages.CameraOptions(doorbot_id=doorbot_id, session_id=session_id, stealth_mode=closed))
        if self.is_open:
            told.append(messages.StreamOptions(doorbot_id=doorbot_id, session_id=session_id, audio_enabled=True))
        return told


def microphone(doorbot_id: int, session_id: str | None, *, on: bool) -> messages.MicEnable:
    """Write what opens or closes the person's microphone."""
    return messages.MicEnable(doorbot_id=doorbot_id, session_id=session_id, enabled=on)
