"""Every known cause of a failed live view, with the fault that names it: one table, to be read as the coverage.

`MISTAKES` are those of a broken client, which a bare WebSocket makes against the simulated Ring. `TROUBLES` are those
that a user of Ringlight meets. Rows follow docs/reference/observed-protocol.md#causes-of-4002 and #close.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from raw_client import CANDIDATE, OFFER, RawClient
from ringlight.testing import SimulatedRing

Envelope = dict[str, Any]
When = Literal["at once", "created", "live"]


@dataclass(frozen=True)
class Mistake:
    """What a broken client sends, and when; how the dialog is then judged; and what Ring does."""

    what: str
    code: str
    when: When
    message: Callable[[RawClient], Envelope | str]
    then: Literal["4002", "close 5", "let pass"] = "4002"


def _no(name: str) -> Callable[[RawClient], Envelope]:
    """An offer that lacks a field of the envelope or of the body."""

    def message(client: RawClient) -> Envelope:
        offer = client.offer()
        (offer if name in offer else offer["body"]).pop(name)
        return offer

    return message


def _offer(change: Callable[[str], str]) -> Callable[[RawClient], Envelope]:
    return lambda client: client.offer(sdp=change(OFFER))


def _without_line(name: str) -> Callable[[RawClient], Envelope]:
    return _offer(lambda text: re.sub(rf"a={name}[^\r]*\r\n", "", text))


def _at_top(client: RawClient) -> Envelope:
    offer = client.offer()
    return {**offer.pop("body"), **offer}


def _session(method: str, **body: Any) -> Callable[[RawClient], Envelope]:
    return lambda client: client.in_session(method, **body)


def _other_client(method: str, **body: Any) -> Callable[[RawClient], Envelope]:
    return lambda client: client.envelope(method, **body)


MISTAKES: dict[str, list[Mistake]] = {
    "wrong or old message format": [
        Mistake("no method", "SIG-METHOD", "at once", _no("method")),
        Mistake("action for method", "SIG-METHOD", "at once", lambda c: {**_no("method")(c), "action": "live_view"}),
        Mistake("no dialog_id", "SIG-DIALOG-ID", "at once", _no("dialog_id")),
        Mistake("dialog_id is no UUID", "SIG-DIALOG-ID", "at once", lambda c: {**c.offer(), "dialog_id": "d-1"}),
        Mistake("no body", "SIG-FORMAT", "at once", _no("body")),
        Mistake("fields at the top", "SIG-FORMAT", "at once", _at_top),
        Mistake("no doorbot_id", "SIG-DOORBOT-ID", "at once", _no("doorbot_id")),
        Mistake("no sdp", "SIG-SDP", "at once", _no("sdp")),
        Mistake("no stream_options", "SIG-FORMAT", "at once", _no("stream_options")),
        Mistake("close without a reason", "SIG-FORMAT", "live", _session("close"), "let pass"),
        Mistake("close of old clients", "SIG-DIALOG-ID", "live", lambda _: {"method": "close", "reason": {"code": 0}},
                "let pass"),
    ],
    "doorbot_id text": [
        Mistake("a number in quotes", "SIG-DOORBOT-ID", "at once", lambda c: c.offer(doorbot_id="1001")),
        Mistake("a MAC address", "SIG-DOORBOT-ID", "at once", lambda c: c.offer(doorbot_id="0c1d2e3f4a5b")),
        Mistake("a fraction", "SIG-DOORBOT-ID", "at once", lambda c: c.offer(doorbot_id=1001.0)),
        Mistake("true", "SIG-DOORBOT-ID", "at once", lambda c: c.offer(doorbot_id=True)),
        Mistake("another camera later", "SIG-DOORBOT-ID", "live", _session("ping", doorbot_id=1002)),
    ],
    "session_id wrong": [
        Mistake("home-made", "SIG-SESSION-ID", "live", _session("ping", session_id="0b5e"), "close 5"),
        Mistake("missing", "SIG-SESSION-ID", "live", _other_client("ping"), "close 5"),
        Mistake("that of session_info", "SIG-SESSION-ID", "live",
                lambda c: c.in_session("ping", session_id=c.heard[-1]["body"]["session_info"]["session_id"]),
                "close 5"),
        Mistake("a number", "SIG-SESSION-ID", "live", _session("ping", session_id=5)),
    ],
    "malformed SDP": [
        Mistake("empty", "SIG-SDP", "at once", _offer(lambda _: "")),
        Mistake("no v=0", "SIG-SDP", "at once", _offer(lambda text: text.removeprefix("v=0\r\n"))),
        Mistake("LF only", "SIG-SDP", "at once", _offer(lambda text: text.replace("\r\n", "\n"))),
        Mistake("no m-line", "SIG-SDP", "at once", _offer(lambda text: text[: text.index("m=")])),
        Mistake("no video", "SIG-SDP", "at once", _offer(lambda text: text[: text.index("m=video")])),
        Mistake("video to be sent", "SIG-SDP", "at once", _offer(lambda text: text.replace("recvonly", "sendonly"))),
        Mistake("no H264", "SIG-SDP", "at once", _offer(lambda text: text.replace("H264/", "VP8/"))),
        *(Mistake(f"no {name}", "SIG-SDP", "at once", _without_line(name))
          for name in ("ice-ufrag", "ice-pwd", "fingerprint", "setup", "mid")),
        Mistake("an object", "SIG-SDP", "at once", lambda c: c.offer(sdp={"type": "offer", "sdp": OFFER})),
    ],
    "malformed ICE": [
        Mistake("icecandidate", "SIG-CANDIDATE", "live",
                _session("icecandidate", candidate={"candidate": CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0})),
        Mistake("an object", "SIG-CANDIDATE", "live", _session("ice", ice={"candidate": CANDIDATE}, mlineindex=0)),
        Mistake("a= in front", "SIG-CANDIDATE", "live", _session("ice", ice=f"a={CANDIDATE}", mlineindex=0)),
        Mistake("no mlineindex", "SIG-CANDIDATE", "live", _session("ice", ice=CANDIDATE)),
        Mistake("mlineindex text", "SIG-CANDIDATE", "live", _session("ice", ice=CANDIDATE, mlineindex="0")),
        Mistake("before live_view", "SIG-ORDER", "at once", _other_client("ice", ice=CANDIDATE, mlineindex=0)),
    ],
    "wrong method name": [
        Mistake(name, "SIG-METHOD", "live", _session(name))
        for name in ("start", "keepalive", "refresh", "activate_camera_speaker", "Ping", "pong")
    ],
    "wrong order": [
        Mistake("ping before live_view", "SIG-ORDER", "at once", _other_client("ping")),
        Mistake("activation before live_view", "SIG-ORDER", "at once", _other_client("activate_session")),
        Mistake("live_view twice", "SIG-ORDER", "live", lambda c: c.offer()),
        Mistake("activation twice", "SIG-ORDER", "live", _session("activate_session")),
        Mistake("activation before the answer", "SIG-ORDER", "created", _session("activate_session")),
        Mistake("heartbeat in a view", "SIG-ORDER", "live", _session("push_heartbeat")),
    ],
    "no message at all": [
        Mistake("no JSON", "SIG-NOISE", "at once", lambda _: "hello"),
        Mistake("a list", "SIG-NOISE", "live", lambda _: "[]"),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Trouble:
    """What goes wrong around Ringlight, which is not to blame; the fault that its user sees.

    Attributes:
        what: For the name of the test.
        code: The fault in the end; `None` where video plays.
        on: Switches that are on.
        during: What the world does once video flows.
        note: A fault that is noted on the way.
        said: Part of the detail.
        deadlines: Settings of the live view that are shorter than usual.
    """

    what: str
    code: str | None
    on: tuple[str, ...] = ()
    during: Callable[[SimulatedRing], None] | None = None
    note: str | None = None
    said: str = ""
    deadlines: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


def _closed(reason: int, text: str = "") -> Callable[[SimulatedRing], None]:
    return lambda ring: ring.world.end_views(reason, text)


def _socket(code: int | None, text: str = "") -> Callable[[SimulatedRing], None]:
    return lambda ring: ring.world.end_sockets(code, text)


EXPIRED = "[rsl-apps/webrtc-liveview-server-session] session-manager.cpp: Unauthorized: invalid or expired token"
UNKNOWN = "ringlight-has-no-such-host.invalid"
REGIONAL = f"wss://{UNKNOWN}/ws"
NOBODY = "ws://127.0.0.1:9/ws"

TROUBLES: dict[str, list[Trouble]] = {
    # The list of supposed causes of 4002, in its order; the first seven rows are MISTAKES.
    "wrong or old message format": [
        Trouble("dialog_id lost", "SIG-DIALOG-ID", ("missing-dialog-id",), said="4002"),
    ],
    "doorbot_id text": [Trouble("in quotes", "SIG-DOORBOT-ID", ("string-doorbot-id",), said="4002")],
    "session_id wrong": [Trouble("told at the offer", "SIG-SESSION-LOST", ("session-lost",))],
    "code 26": [
        Trouble("for a while", None, ("not-ready",), note="SIG-NOT-READY"),
        Trouble("for ever", "SIG-NOT-READY", ("never-ready",), said="reason 26: not ready yet"),
    ],
    "expired token": [
        Trouble("at the ticket", "TICKET-REFUSED", ("ticket-401",)),
        Trouble("in the view", "SIG-TOKEN", ("token-expired",), said="invalid or expired token"),
    ],
    "stale ticket": [Trouble("at the upgrade", "SIG-TICKET", ("expired-ticket",), said="HTTP 404")],
    "missing account id": [Trouble("nobody asks for it", None)],
    "region mismatch": [
        Trouble("a host of a region", "SIG-REGION", settings={"ring_signaling_url": REGIONAL}, said=UNKNOWN),
    ],
    "firewall / WebSocket block": [
        Trouble("no connection", "NET-UNREACHABLE", settings={"ring_signaling_url": NOBODY}),
        Trouble("no upgrade", "SIG-BLOCKED", ("upgrade-silent",), deadlines={"socket_timeout": 0.3}),
        Trouble("cut", "SIG-DROPPED", ("socket-1006",), said="1006"),
    ],
    "NAT / UDP": [
        Trouble("no UDP", "MEDIA-UDP", ("no-udp",), deadlines={"path_timeout": 0.5}),
        Trouble("TCP addresses only", "MEDIA-UDP", ("tcp-only-candidates",), deadlines={"path_timeout": 0.5}),
        Trouble("connected without RTP", "MEDIA-SILENT", ("black-hole",), deadlines={"media_timeout": 0.5}),
    ],
    "missing User-Agent": [Trouble("lost on its way", "SIG-USER-AGENT", ("user-agent-lost",))],
    "no activate_session": [
        Trouble("lost on its way", "SIG-NO-ACTIVATION", ("not-activated",), deadlines={"activation_limit": 2.0},
                said="reason 0 after 2 s"),
    ],
    "no/late ping": [Trouble("lost on its way", "SIG-PING", ("ping-lost",), said="Timeout waiting for ping")],
    "time limit": [Trouble("not renewed", "SIG-TIME-LIMIT", during=_closed(10, "answered_timeout"))],
    "Modes / live_view_disabled / offline / privacy cover": [
        Trouble("offline", "CAM-OFFLINE", ("offline",)),
        Trouble("Modes", "CAM-DISABLED", ("live-view-disabled",)),
        Trouble("cover", "CAM-PRIVACY", ("privacy-cover",)),
        Trouble("video on demand", "CAM-VIDEO-OFF", ("video-off",)),
    ],
    "406 edge block": [Trouble("at the ticket", "AUTH-EDGE-BLOCK", ("ticket-406",))],
    "recvonly answered sendrecv": [Trouble("repaired", None, ("video-sendrecv",), note="SDP-DIRECTION")],
    "profile mismatch": [
        Trouble("another profile", None, ("unoffered-profile",), note="SDP-PROFILE"),
        Trouble("another payload type", "SDP-PROFILE", ("unoffered-type",)),
        Trouble("HEVC", "SDP-CODEC", ("hevc-only",)),
        Trouble("no video", "SDP-CODEC", ("no-video",)),
        Trouble("words", "SIG-SDP", ("empty-answer",)),
    ],
    # Close reasons.
    "reason 0": [
        Trouble("without text", "SIG-CLOSED", during=_closed(0)),
        Trouble("with text", "SIG-CLOSED", during=_closed(0, "client_closed"), said="client_closed"),
    ],
    "reason 5": [
        Trouble("failed", "SIG-AUTH", during=_closed(5, "Authentication failed: -1"), said="Authentication failed"),
        Trouble("expired", "SIG-TOKEN", during=_closed(5, EXPIRED), said="expired token"),
        Trouble("session", "SIG-SESSION-LOST", during=_closed(5, "Sessions with the provided ID not found")),
        Trouble("another text", "SIG-AUTH", during=_closed(5, "no"), said="reason 5: no"),
    ],
    "reason 6": [Trouble("during", "SIG-PING", during=_closed(6, "Timeout waiting for ping"), said="reason 6")],
    "reason 10": [Trouble("during", "SIG-TIME-LIMIT", during=_closed(10, "answered_timeout"), said="answered_timeout")],
    "reason 26": [Trouble("during", "SIG-NOT-READY", during=_closed(26, "busy"), said="reason 26: busy")],
    "other reasons": [
        Trouble("31", "SIG-CLOSE-OTHER", during=_closed(31, "the moon"), said="reason 31: the moon"),
        Trouble("at the answer", "SIG-CLOSE-OTHER", ("unknown-reason",), said="reason 31: the moon"),
    ],
    # Close codes of the socket.
    "socket 1000": [Trouble("during", "SIG-ENDED", during=_socket(1000), said="1000")],
    "socket 1001": [Trouble("during", "SIG-ENDED", during=_socket(1001, "restart"), said="1001: restart")],
    "socket 1005": [Trouble("during", "SIG-ENDED", during=_socket(1005), said="1005")],
    "socket 1006": [Trouble("during", "SIG-DROPPED", during=_socket(None), said="1006")],
    "socket 1011": [Trouble("during", "SIG-DROPPED", during=_socket(1011, "oops"), said="1011: oops")],
    "socket 4002": [
        Trouble("no text", "SIG-REJECTED", during=_socket(4002), said="4002"),
        Trouble("text that says it", "SIG-SESSION-ID", during=_socket(4002, "bad session_id"), said="bad session_id"),
        Trouble("text that nobody knows", "SIG-REJECTED", during=_socket(4002, "E_INVAL"), said="E_INVAL"),
    ],
    "other 4xxx": [Trouble("during", "SIG-REJECTED", during=_socket(4999, "policy 7"), said="4999: policy 7")],
    # HTTP statuses by step.
    "ticket": [
        Trouble("403", "TICKET-REFUSED", ("ticket-403",)),
        Trouble("500", "RING-DOWN", ("ticket-500",)),
        Trouble("no JSON", "TICKET-ANSWER", ("ticket-not-json",)),
        Trouble("slow", None, ("slow-ticket",)),
    ],
    "upgrade": [
        Trouble("401", "SIG-UPGRADE", ("upgrade-401",), said="HTTP 401"),
        Trouble("403", "SIG-UPGRADE", ("upgrade-403",), said="HTTP 403"),
    ],
    "any": [Trouble("429", "RING-RATE", ("rate-429",)), Trouble("406", "AUTH-EDGE-BLOCK", ("edge-406",))],
    # Phases that never come.
    "deadlines": [
        Trouble("no session", "SIG-NO-SESSION", ("no-session",), deadlines={"session_timeout": 0.3}),
        Trouble("no answer", "SIG-NO-ANSWER", ("no-answer",), deadlines={"answer_timeout": 0.3}),
        Trouble("no camera", "SIG-NO-CAMERA", ("no-camera", "bad-notice"), note="SIG-NOTICE",
                deadlines={"camera_timeout": 0.3}, said="Ring said: the camera reports low signal"),
    ],
}  # fmt: skip
