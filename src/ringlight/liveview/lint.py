"""The judge of a dialog: what each message of a client must be like, and the fault if it is not.

The rules that Ring's server applies, written once. The simulator judges with them what it receives.
Pure: it is fed messages and keeps what it must remember of each dialog.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ringlight.errors import RingError
from ringlight.liveview import messages
from ringlight.liveview.messages import Message
from ringlight.media import sdp

CLIENT_METHODS = frozenset(
    {"live_view", "ice", "activate_session", "stream_options", "mic_enable", "camera_options", "ping", "close",
     "notification", "rpc", "playback", "push_subscribe", "push_heartbeat", "push_unsubscribe"}
)  # fmt: skip
_NO_SESSION_NEEDED = frozenset(
    {"live_view", "ice", "close", "playback", "push_subscribe", "push_heartbeat", "push_unsubscribe"}
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one message.

    Attributes:
        method: As far as it could be read.
        code: The fault; `None` if nothing is wrong.
        detail: What was seen and what was expected.
        message: The message, where it could be read.
        lost: The server does not do what the message asks, but goes on; for any other fault it closes.
    """

    method: str
    code: str | None = None
    detail: str = ""
    message: Message | None = None
    lost: bool = False

    @property
    def is_forgiven(self) -> bool:
        """Whether it is a goodbye in a wrong form, as ring-client-api says it before it hangs up; Ring lets it pass
        (observed-protocol.md#close).
        """
        return self.code is not None and self.method == "close"


@dataclass(slots=True)
class Dialog:
    """What is known of one dialog.

    Attributes:
        doorbot_id: The camera that the first message named; 0 for a dialog about events.
        session_id: What the server gave; `None` before.
        activated: Whether `activate_session` has come.
        answered: Whether the server has sent its answer.
        about: What its first message was: `live_view`, `playback` or `push_subscribe`.
        connected: Whether it has said that the camera is connected.
    """

    doorbot_id: int
    session_id: str | None = None
    activated: bool = False
    answered: bool = False
    connected: bool = False
    closed: bool = False
    about: str = "live_view"


@dataclass(slots=True)
class Judge:
    """Judges all that a client sends on one socket. Tell it what the server sent.

    That is what `created`, `answered` and `connected` are for.
    """

    dialogs: dict[str, Dialog] = field(default_factory=dict)

    def receive(self, frame: str | bytes) -> Verdict:
        """Judge one frame of the client. Never raises."""
        try:
            return self.receive_envelope(messages.load(frame))
        except RingError as error:
            return Verdict("?", error.code, error.detail or "")

    def receive_envelope(self, envelope: Mapping[str, Any]) -> Verdict:
        """Judge one decoded frame of the client. Never raises."""
        method = envelope.get("method")
        name = method if isinstance(method, str) else "?"
        try:
            complaint = _envelope_complaint(envelope)
            if complaint is not None:
                return Verdict(name, *complaint)
            message = messages.parse_envelope(envelope)
        except RingError as error:
            return Verdict(name, error.code, error.detail or "")
        complaint = self._judge(message)
        if complaint is not None:
            return Verdict(name, *complaint, message)
        early = self._early_speaker(message)
        return Verdict(name, "SIG-ORDER", early, message, lost=True) if early else Verdict(name, message=message)

    def created(self, dialog_id: str, session_id: str) -> None:
        """Note the session id that the server gave."""
        dialog = self.dialogs[dialog_id]
        dialog.session_id = dialog.session_id or session_id

    def answered(self, dialog_id: str) -> None:
        """Note that the server has answered the offer."""
        self.dialogs[dialog_id].answered = True

    def connected(self, dialog_id: str) -> None:
        """Note that the server has said that the camera is connected."""
        self.dialogs[dialog_id].connected = True

    def _early_speaker(self, message: Message) -> str | None:
        """Say what is wrong with opening a speaker of a camera that is not there yet (observed-protocol.md#talking)."""
        opens = isinstance(message.body, messages.CameraOptions) and message.body.stealth_mode is False
        if opens and not self.dialogs[message.dialog_id or ""].connected:
            return "camera_options out of order: the speaker opens only after camera_connected, before it this is lost"
        return None

    def _judge(self, message: Message) -> tuple[str, str] | None:
        dialog_id = message.dialog_id or ""
        dialog = self.dialogs.get(dialog_id)
        body = message.body
        if isinstance(body, messages.LiveView):
            return self._judge_offer(dialog_id, dialog, body)
        if isinstance(body, messages.Playback | messages.PushSubscribe):
            return self._judge_opening(dialog_id, dialog, body)
        if dialog is None or dialog.closed:
            first = "push_subscribe" if isinstance(body, messages.PushBody) else "live_view"
            return "SIG-ORDER", f"{message.method} out of order: {first} opens a dialog"
        if isinstance(body, messages.PushBody) and dialog.about != "push_subscribe":
            return "SIG-ORDER", f"{message.method} out of order: this dialog was opened by {dialog.about}"
        if isinstance(body, messages.PushUnsubscribe):
            dialog.closed = True
        named = not isinstance(body, messages.Unknown | messages.PushBody) and dialog.about != "push_subscribe"
        if named and body.doorbot_id != dialog.doorbot_id:
            return "SIG-DOORBOT-ID", f"doorbot_id {body.doorbot_id} where the dialog is about {dialog.doorbot_id}"
        complaint = _session_complaint(message, dialog)
        if complaint is None:
            complaint = _moment_complaint(message, dialog)
        return complaint

    def _judge_offer(self, dialog_id: str, dialog: Dialog | None, body: messages.LiveView) -> tuple[str, str] | None:
        if dialog is not None:
            return "SIG-ORDER", "live_view out of order: once per dialog_id"
        complaint = offer_complaint(body.sdp)
        if complaint is not None:
            return "SIG-SDP", complaint
        if body.stream_options is None:
            return "SIG-FORMAT", "live_view: required field stream_options is missing"
        self.dialogs[dialog_id] = Dialog(body.doorbot_id)
        return None

    def _judge_opening(
        self, dialog_id: str, dialog: Dialog | None, body: messages.Playback | messages.PushSubscribe
    ) -> tuple[str, str] | None:
        if dialog is not None:
            return "SIG-ORDER", f"{body.METHOD} out of order: once per dialog_id"
        if isinstance(body, messages.Playback) and not body.sdp.strip():
            return "SIG-SDP", "playback: sdp is empty"
        self.dialogs[dialog_id] = Dialog(body.doorbot_id, about=body.METHOD)
        return None


def _envelope_complaint(envelope: Mapping[str, Any]) -> tuple[str, str] | None:
    method = envelope.get("method")
    if not isinstance(method, str):
        wrong = " (it is `method`, not `action`)" if "action" in envelope else ""
        return "SIG-METHOD", f"unknown method: there is no text in `method`{wrong}"
    if method == "icecandidate":
        return "SIG-CANDIDATE", "candidate sent as `icecandidate`; it is `ice`, with text"
    if method not in CLIENT_METHODS:
        return "SIG-METHOD", f"unknown method {method[:40]!r}"
    dialog_id = envelope.get("dialog_id")
    if not isinstance(dialog_id, str) or not _is_uuid(dialog_id):
        return "SIG-DIALOG-ID", f"{method}: dialog_id must be a UUID as text"
    body = envelope.get("body")
    if isinstance(body, dict) and "doorbot_id" in body and type(body["doorbot_id"]) is not int:
        kind = {"str": "text", "float": "a fraction", "bool": "true or false"}.get(type(body["doorbot_id"]).__name__)
        return "SIG-DOORBOT-ID", f"{method}: doorbot_id must be an integer, not {kind or 'that'}"
    return None


def _session_complaint(message: Message, dialog: Dialog) -> tuple[str, str] | None:
    session_id = message.body.session_id
    if isinstance(message.body, messages.Unknown):
        raw = message.body.fields.get("session_id")
        session_id = raw if isinstance(raw, str) else None
    if session_id is None and (message.method in _NO_SESSION_NEEDED):
        return None
    if dialog.session_id is None:
        return "SIG-ORDER", f"{message.method} out of order: there is no session yet"
    if session_id is None:
        return "SIG-SESSION-ID", f"{message.method}: session_id is missing"
    if session_id != dialog.session_id:
        return "SIG-SESSION-ID", f"{message.method}: session_id is not the one of session_created"
    return None


def _moment_complaint(message: Message, dialog: Dialog) -> tuple[str, str] | None:
    match message.body:
        case messages.ActivateSession():
            if dialog.activated:
                return "SIG-ORDER", "activate_session out of order: once per dialog"
            if not dialog.answered:
                return "SIG-ORDER", "activate_session out of order: the answer comes first"
            dialog.activated = True
        case messages.Ice(ice=line) if not line.startswith("candidate:") or len(line.split()) < 8:
            return "SIG-CANDIDATE", "candidate must be text like `candidate:1 1 udp …`, without `a=`"
        case messages.Close():
            dialog.closed = True
        case _:
            pass
    return None


def offer_complaint(text: str) -> str | None:
    """Say what is wrong with an offer's SDP, or `None`."""
    if not text.strip():
        return "sdp is empty"
    if "\r\n" not in text:
        return "sdp lines must end with CR LF"
    try:
        offer = sdp.parse(text)
    except RingError as error:
        return f"sdp: {error.detail}"
    video = offer.find("video")
    if video is None:
        return "sdp has no m=video"
    if video.direction not in ("recvonly", "sendrecv"):
        return f"sdp: video must be recvonly, not {video.direction}"
    if video.find("H264") is None:
        return "sdp: video offers no H264"
    if "\r\na=mid:" not in text:
        return "sdp: there is no mid"
    transport = video.transport
    for name, value in (
        ("ice-ufrag", transport.ufrag),
        ("ice-pwd", transport.pwd),
        ("fingerprint", transport.fingerprint),
        ("setup", transport.setup),
    ):
        if not value:
            return f"sdp: there is no {name}"
    return None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
