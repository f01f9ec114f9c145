"""The faults that the simulator can be told to show, each with what a user should then see."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SimFault:
    """One switch.

    Attributes:
        name: In URLs and scenario files.
        title: For people.
        about: What the simulator does.
        code: The fault that Ringlight should then name.
        overcome: Whether Ringlight gets over it by itself, and only notes it.
    """

    name: str
    title: str
    about: str
    code: str
    overcome: bool = False


SWITCHES = {
    switch.name: switch
    for switch in (
        SimFault("wrong-password", "Wrong password", "All tokens are revoked and the password is refused.",
                 "AUTH-PASSWORD"),
        SimFault("expired-ticket", "Expired ticket", "The upgrade to a WebSocket is answered with HTTP 404.",
                 "SIG-TICKET"),
        SimFault("string-doorbot-id", "doorbot_id as text", "The camera's id arrives in quotes: 4002.",
                 "SIG-DOORBOT-ID"),
        SimFault("missing-dialog-id", "No dialog_id", "The offer arrives without its dialog_id: 4002.",
                 "SIG-DIALOG-ID"),
        SimFault("not-ready", "Camera not ready, then ready", "The first two offers are closed with reason 26.",
                 "SIG-NOT-READY", overcome=True),
        SimFault("never-ready", "Camera never ready", "Every offer is closed with reason 26.", "SIG-NOT-READY"),
        SimFault("auth-failed", "Sign-in refused in the view", "The view is closed with reason 5.", "SIG-AUTH"),
        SimFault("session-lost", "Session not found", "The view is closed with reason 5 and the other text.",
                 "SIG-SESSION-LOST"),
        SimFault("ping-lost", "Keep-alive lost", "Pings go unheard, and the view is closed with reason 6.", "SIG-PING"),
        SimFault("short-view", "Short time limit", "Ring ends every view after four seconds, with reason 10.",
                 "SIG-TIME-LIMIT", overcome=True),
        SimFault("offline", "Camera offline", "The device list says that the cameras are offline.", "CAM-OFFLINE"),
        SimFault("live-view-disabled", "Live view switched off", "The device list says that a Mode forbids live view.",
                 "CAM-DISABLED"),
        SimFault("no-udp", "No UDP", "Signaling works, but no media packet comes through.", "MEDIA-UDP"),
    )
}  # fmt: skip


def as_rows(on: set[str]) -> list[dict[str, Any]]:
    """Return all switches as the page shows them."""
    return [{**asdict(switch), "on": switch.name in on} for switch in SWITCHES.values()]
