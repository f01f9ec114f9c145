"""The faults that the simulator can be told to show, each with what a user should then see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["SWITCHES", "Ending", "SimFault", "as_rows"]

SOON = 0.5  # seconds from the answer to the end of a view that a switch ends


@dataclass(frozen=True, slots=True)
class Ending:
    """How a view ends by Ring's doing.

    Attributes:
        after: Seconds from the answer.
        reason: The number in a close message; `None` where the socket itself closes.
        text: What comes with the number.
        socket: The close code of the socket; `None` cuts the connection without a close frame.
    """

    after: float = SOON
    reason: int | None = None
    text: str = ""
    socket: int | None = None


@dataclass(frozen=True, slots=True)
class SimFault:
    """One switch.

    Attributes:
        name: In URLs and scenario files.
        title: For people.
        about: What the simulator does.
        code: The fault that Ringlight should then name; `None` where nobody need notice.
        overcome: Whether Ringlight gets over it by itself, and at most notes it.
        changes: What it changes in `Behaviour`; other switches are asked for by name.
    """

    name: str
    title: str
    about: str
    code: str | None = None
    overcome: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)


EXPIRED = "[rsl-apps/webrtc-liveview-server-session] session-manager.cpp: Unauthorized: invalid or expired token"
NO_SESSION = "Sessions with the provided ID not found"

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
        SimFault("auth-failed", "Sign-in refused in the view", "The view is closed with reason 5.", "SIG-AUTH",
                 changes={"refusal": (5, "Authentication failed: -1")}),
        SimFault("token-expired", "Token expired in the view",
                 "The view is closed with reason 5 and the text of an expired token.", "SIG-TOKEN",
                 changes={"refusal": (5, EXPIRED)}),
        SimFault("session-lost", "Session not found", "The view is closed with reason 5 and the other text.",
                 "SIG-SESSION-LOST", changes={"refusal": (5, NO_SESSION)}),
        SimFault("ping-lost", "Keep-alive lost", "Pings go unheard, and the view is closed with reason 6.", "SIG-PING",
                 changes={"hears_pings": False}),
        SimFault("short-view", "Short time limit", "Ring ends every view after four seconds, with reason 10.",
                 "SIG-TIME-LIMIT", overcome=True, changes={"time_limit": 4.0}),
        SimFault("not-activated", "Activation lost",
                 "`activate_session` is lost on its way, and the view ends without a reason after two seconds "
                 "in place of 70.", "SIG-NO-ACTIVATION", changes={"eats": "activate_session", "activation_limit": 2.0}),
        SimFault("unknown-reason", "A reason that nobody knows", "The view is closed with reason 31.",
                 "SIG-CLOSE-OTHER", changes={"ending": Ending(reason=31, text="the moon is in the wrong house")}),
        SimFault("socket-1000", "Socket closed", "The socket is closed in the regular way (1000) and without a word.",
                 "SIG-ENDED", changes={"ending": Ending(socket=1000)}),
        SimFault("socket-1001", "Server restarts", "The socket is closed because the server goes away (1001).",
                 "SIG-ENDED", changes={"ending": Ending(socket=1001, text="restart")}),
        SimFault("socket-1006", "Connection cut", "The connection is cut without a close frame (1006).",
                 "SIG-DROPPED", changes={"ending": Ending()}),
        SimFault("socket-4002", "Rejected without a word", "The socket is closed with 4002 and no reason.",
                 "SIG-REJECTED", changes={"ending": Ending(socket=4002)}),
        SimFault("socket-4400", "Rejected by another code", "The socket is closed with 4400, which nobody knows.",
                 "SIG-REJECTED", changes={"ending": Ending(socket=4400, text="policy 7")}),
        SimFault("no-session", "No session", "The offer is never answered by a session.", "SIG-NO-SESSION",
                 changes={"silent_at": "session"}),
        SimFault("no-answer", "No answer", "There is a session, but the answer never comes.", "SIG-NO-ANSWER",
                 changes={"silent_at": "answer"}),
        SimFault("no-camera", "Camera does not wake", "Ring answers, but the camera never connects.", "SIG-NO-CAMERA",
                 changes={"silent_at": "camera"}),
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
        SimFault("slow-ticket", "Slow ticket", "A ticket takes two seconds.", overcome=True,
                 changes={"ticket_delay": 2.0}),
        SimFault("upgrade-401", "WebSocket refused", "The upgrade to a WebSocket is answered with HTTP 401.",
                 "SIG-UPGRADE", changes={"upgrade": 401}),
        SimFault("upgrade-403", "WebSocket forbidden", "The upgrade to a WebSocket is answered with HTTP 403.",
                 "SIG-UPGRADE", changes={"upgrade": 403}),
        SimFault("upgrade-silent", "WebSocket blocked", "The upgrade to a WebSocket is never answered.",
                 "SIG-BLOCKED", changes={"upgrade": 0}),
        SimFault("user-agent-lost", "User-Agent lost",
                 "The User-Agent is lost on its way: the socket opens and closes at once.", "SIG-USER-AGENT",
                 changes={"drops_user_agent": True}),
        SimFault("udp-blocked", "UDP blocked", "Media packets come through over TCP alone.", "MEDIA-TCP",
                 overcome=True, changes={"tcp": "only"}),
        SimFault("no-udp", "No UDP", "Signaling works, but no media packet comes through.", "MEDIA-UDP",
                 changes={"reachable": False}),
        SimFault("tcp-only-candidates", "TCP addresses only",
                 "The answer has no address but TCP ones, and these lead nowhere.", "MEDIA-UDP",
                 changes={"tcp": "nowhere"}),
        SimFault("black-hole", "Connected, but silent", "The media path opens, and nothing is sent over it.",
                 "MEDIA-SILENT", changes={"sends": False}),
        SimFault("video-stops", "The video stops",
                 "Half a second after the first packet nothing more is sent, and nothing else is said.",
                 "MEDIA-STALLED", changes={"sends_for": SOON}),
        SimFault("no-key-frame", "No key frame",
                 "The camera sends pictures, but never a whole one that the others could be built on.",
                 "MEDIA-NO-KEY-FRAME", changes={"key_frames": False}),
        SimFault("other-certificate", "Another certificate",
                 "The camera shows another certificate than the one that the answer names.", "MEDIA-DTLS",
                 changes={"own_certificate": False}),
        SimFault("no-json", "Frames that are no JSON", "A page of HTML comes over the WebSocket in place of a session.",
                 "SIG-NOISE", changes={"garbles": True}),
        SimFault("empty-answer", "An answer of words", "The answer is no session description.", "SIG-SDP",
                 changes={"video": "garbage"}),
        SimFault("hevc-only", "HEVC only", "The answer has HEVC video and nothing else.", "SDP-CODEC",
                 changes={"video": "hevc"}),
        SimFault("no-video", "Video refused", "The answer refuses the video section.", "SDP-CODEC",
                 changes={"video": "none"}),
        SimFault("unoffered-type", "A type that was not offered", "The answer takes a payload type of its own.",
                 "SDP-PROFILE", changes={"video": "unoffered-type"}),
        SimFault("unoffered-profile", "A profile that was not offered",
                 "The answer names an H.264 profile that was not offered.", "SDP-PROFILE", overcome=True,
                 changes={"video": "unoffered-profile"}),
        SimFault("video-sendrecv", "Wrong direction", "Video that is only to be received is answered sendrecv.",
                 "SDP-DIRECTION", overcome=True, changes={"direction": "sendrecv"}),
        SimFault("pcmu-sound", "Telephone sound", "The camera's sound is PCMU in place of Opus.", overcome=True,
                 changes={"sound": "pcmu"}),
        SimFault("trickled-candidates", "Candidates trickled", "The camera's addresses come by `ice` messages only.",
                 overcome=True, changes={"candidates": "trickled", "trickle_after": 0.1}),
        SimFault("both-candidates", "Candidates twice", "The camera's addresses come in the answer and by `ice`.",
                 overcome=True, changes={"candidates": "both"}),
        SimFault("answer-first", "Answer first", "The answer comes before the session.", overcome=True,
                 changes={"answer_first": True}),
        SimFault("duplicates", "Everything twice", "Session and answer come twice; the second have other ids.",
                 overcome=True, changes={"duplicates": True}),
        SimFault("noise", "Messages for others", "Messages for other cameras, dialogs and sessions come in between.",
                 overcome=True, changes={"noise": True}),
        SimFault("unknown-methods", "Unknown messages", "Messages of methods that nobody knows come in between.",
                 overcome=True, changes={"unknown_methods": True}),
        SimFault("bad-notice", "Ring complains", "Ring sends a notification that is not OK, and goes on.",
                 "SIG-NOTICE", overcome=True, changes={"notice": "the camera reports low signal"}),
        SimFault("transcoded", "Transcoded", "Ring says that it transcodes, for a codec mismatch.", overcome=True,
                 changes={"transcoding": "codec_mismatch"}),
    )
}  # fmt: skip


def as_rows(switches: Mapping[str, SimFault], on: set[str]) -> list[dict[str, Any]]:
    """Return switches as the page shows them."""
    shown = ("name", "title", "about", "code", "overcome")
    return [
        {**{name: getattr(switch, name) for name in shown}, "on": switch.name in on} for switch in switches.values()
    ]
