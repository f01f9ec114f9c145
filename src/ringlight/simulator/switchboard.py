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
        SimFault("privacy-cover", "Privacy cover closed", "The device list says that the covers are closed.",
                 "CAM-PRIVACY"),
        SimFault("video-off", "Video switched off", "The device list says that video on demand is off.",
                 "CAM-VIDEO-OFF"),
        SimFault("edge-406", "Blocked at the edge", "Every address answers 406 with a page of HTML.",
                 "AUTH-EDGE-BLOCK"),
        SimFault("rate-429", "Too many requests", "Every address answers 429 and names the seconds to wait.",
                 "RING-RATE"),
        SimFault("rate-429-date", "Too many requests, with a date",
                 "Every address answers 429 and names the time of day to wait for.", "RING-RATE"),
        SimFault("token-not-json", "A hotel's page for tokens",
                 "All access tokens end, and the token service answers with a page of HTML.", "AUTH-ANSWER"),
        SimFault("session-lapsed", "Registration forgotten",
                 "Registrations are forgotten: device addresses answer 404 with the hardware id until the next one.",
                 "ACCOUNT-SESSION", overcome=True),
        SimFault("session-denied", "Registration never kept",
                 "Device addresses answer 404 with the hardware id, however often it registers.", "ACCOUNT-SESSION"),
        SimFault("ticket-401", "Ticket refused", "The ticket service answers 401, whatever the token.",
                 "TICKET-REFUSED"),
        SimFault("ticket-403", "Ticket forbidden", "The ticket service answers 403.", "TICKET-REFUSED"),
        SimFault("ticket-406", "Ticket blocked at the edge", "The ticket service alone answers 406.",
                 "AUTH-EDGE-BLOCK"),
        SimFault("ticket-500", "Ticket service down", "The ticket service answers 500.", "RING-DOWN"),
        SimFault("ticket-not-json", "A hotel's page for the ticket",
                 "The ticket service answers 200 with a page of HTML.", "TICKET-ANSWER"),
        SimFault("udp-blocked", "UDP blocked", "Media packets come through over TCP alone.", "MEDIA-TCP",
                 overcome=True),
        SimFault("no-udp", "No UDP", "Signaling works, but no media packet comes through.", "MEDIA-UDP"),
    )
}  # fmt: skip


def as_rows(on: set[str]) -> list[dict[str, Any]]:
    """Return all switches as the page shows them."""
    return [{**asdict(switch), "on": switch.name in on} for switch in SWITCHES.values()]
