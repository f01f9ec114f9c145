"""The judge of Ring's app socket: for the client the rules of the simulator, for Ring those of our client."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringlight.doctor.traces.assumed import Known, completed
from ringlight.doctor.traces.entries import Ended, Opened, Place, Said
from ringlight.doctor.traces.findings import Judged, Silence
from ringlight.errors import RingError
from ringlight.faults import find
from ringlight.liveview import endings, messages
from ringlight.liveview.lint import Judge
from ringlight.liveview.messages import Message
from ringlight.settings import LiveViewSettings

__all__ = ["RingJudge"]

MAX_DIALOGS = 1000  # remembered at once; a recording of weeks has more


@dataclass(slots=True)
class _Span:
    """What happened in one dialog, and when (seconds; `None` where nobody says).

    `activated` and `closed` are of both sides; the times are of the last message of the kind.
    """

    at: float | None
    created: bool = False
    answered: bool = False
    answered_at: float | None = None
    activated: bool = False
    connected: bool = False
    closed: bool = False
    pinged: bool = False
    pinged_at: float | None = None
    ponged: bool = True
    ping_every: float = 0.0
    partial: bool = False


class RingJudge:
    """Judges what both sides say on one socket.

    Args:
        settings: How long each step may take.
    """

    def __init__(self, settings: LiveViewSettings | None = None) -> None:
        self._settings = settings or LiveViewSettings()
        self._judge = Judge()
        self._spans: dict[str, _Span] = {}
        self._known = Known()
        self._heard = False
        self._said = False
        self._nameless: str | None = None  # a dialog whose session id a log did not show

    def opened(self, entry: Opened) -> list[Judged]:
        """Judge the answer to the upgrade."""
        if entry.status is None or entry.status == 101:
            return []
        code = find("upgrade", entry.status) or "SIG-UPGRADE"
        return [(code, f"the upgrade was answered with HTTP {entry.status}")]

    def said(self, entry: Said) -> list[Judged]:
        """Judge one message."""
        try:
            envelope = messages.load(entry.frame) if isinstance(entry.frame, str) else entry.frame
        except RingError as error:
            return [(error.code, error.detail or "")]
        if entry.out is None:
            return []
        if entry.partial:
            self._assume_the_beginning(envelope)
            envelope = completed(envelope, self._known, out=entry.out)
        return self._out(envelope, entry) if entry.out else self._in(envelope, entry)

    def ended(self, entry: Ended) -> list[Judged]:
        """Judge the close code, where the other side closed without a word before."""
        open_views = [span for span in self._spans.values() if not span.closed]
        if entry.code is None or entry.ours or not self._said or (self._spans and not open_views):
            return []
        for span in open_views:
            span.closed = True
        if entry.ours is None and entry.code in (1000, 1001, 1005):
            return []
        code = endings.of_socket(entry.code, entry.reason, heard=self._heard)
        said = f": {entry.reason}" if entry.reason else ""
        return [(code, f"the socket was closed with {entry.code}{said}")] if code != "SIG-ENDED" else []

    def _assume_the_beginning(self, envelope: Mapping[str, Any]) -> None:
        """Take offer and answer for given, where a log shows only what came after them."""
        if self._spans or envelope.get("method") in ("live_view", "session_created", "sdp", "ice", "playback"):
            return
        for method, out in (("live_view", True), ("session_created", False), ("sdp", False)):
            self.said(Said(Place(0), out, {"method": method}, partial=True))

    # ---- what the client says ----

    def _out(self, envelope: Mapping[str, Any], entry: Said) -> list[Judged]:
        self._said = True
        self._learn_session(envelope)
        verdict = self._judge.receive_envelope(envelope)
        dialog_id, at = envelope.get("dialog_id"), entry.place.at
        if verdict.method == "close":
            self._close(dialog_id)
        if verdict.is_forgiven:
            return []
        if verdict.message is not None and verdict.message.dialog_id in self._judge.dialogs:
            self._note_out(verdict.message, at, partial=entry.partial)
        return [(verdict.code, verdict.detail)] if verdict.code else []

    def _note_out(self, message: Message, at: float | None, *, partial: bool) -> None:
        dialog_id = message.dialog_id or ""
        if isinstance(message.body, messages.LiveView) and dialog_id not in self._spans:
            self._spans[dialog_id] = _Span(at, ping_every=self._settings.ping_every)
            self._known.began(dialog_id, message.body.doorbot_id)
            self._forget()
        span = self._spans.get(dialog_id)
        if span is None:
            return
        span.partial = span.partial or partial
        if isinstance(message.body, messages.ActivateSession):
            span.activated = True
        elif isinstance(message.body, messages.Ping):
            span.pinged, span.pinged_at, span.ponged = True, at, False

    def _learn_session(self, envelope: Mapping[str, Any]) -> None:
        """Take the session id from the first message of the client, where the log hid the server's."""
        body = envelope.get("body")
        named = body.get("session_id") if isinstance(body, Mapping) else None
        if self._nameless in self._judge.dialogs and isinstance(named, str):
            self._judge.created(self._nameless, named)
            self._nameless = None

    def _close(self, dialog_id: object) -> None:
        for name, span in self._spans.items():
            if name == dialog_id or not isinstance(dialog_id, str):
                span.closed = True

    def _forget(self) -> None:
        for name in [name for name, span in self._spans.items() if span.closed][: len(self._spans) - MAX_DIALOGS]:
            del self._spans[name]
        for name in list(self._spans)[: max(0, len(self._spans) - MAX_DIALOGS)]:
            del self._spans[name]
        for name in [name for name in self._judge.dialogs if name not in self._spans][:-MAX_DIALOGS]:
            del self._judge.dialogs[name]

    # ---- what Ring says ----

    def _in(self, envelope: Mapping[str, Any], entry: Said) -> list[Judged]:
        self._heard = True
        try:
            message = messages.parse_envelope(envelope)
        except RingError as error:
            return [(error.code, error.detail or "")]
        dialog_id = message.dialog_id or ""
        if dialog_id not in self._judge.dialogs:
            return []  # of another dialog, which was opened before the recording
        span = self._spans.get(dialog_id) or _Span(None)
        self._note_in(message, span, entry)
        match message.body:
            case messages.Notification(is_ok=False, text=text):
                return [("SIG-NOTICE", text)]
            case messages.Sdp(sdp=text) if not text.strip():
                return [("SIG-SDP", "the answer is empty")]
            case messages.Close(reason=reason):
                return self._ring_closed(reason, span, entry)
            case _:
                return []

    def _note_in(self, message: Message, span: _Span, entry: Said) -> None:
        dialog_id, body = message.dialog_id or "", message.body
        span.partial = span.partial or entry.partial
        match body:
            case messages.SessionCreated() | messages.SessionStarted():
                span.created = True
                if entry.partial:
                    self._nameless = dialog_id
                elif body.session_id:
                    self._judge.created(dialog_id, body.session_id)
            case messages.Sdp() | messages.LiveView():
                span.answered, span.answered_at = True, entry.place.at
                self._judge.answered(dialog_id)
                info = body.session_info if isinstance(body, messages.Sdp) else None
                if info is not None and info.ping_interval:
                    span.ping_every = float(info.ping_interval)
            case messages.CameraStarted() | messages.Notification(text="camera_connected"):
                span.connected = True
                self._judge.connected(dialog_id)
            case messages.Pong():
                span.ponged = True
            case messages.Close():
                span.closed = True
            case _:
                pass

    def _ring_closed(self, reason: messages.Reason, span: _Span, entry: Said) -> list[Judged]:
        if entry.partial and "reason" not in (
            entry.frame.get("body") or {} if isinstance(entry.frame, Mapping) else {}
        ):
            return []  # a log that shows the method alone
        code, detail = endings.of_dialog(reason), f"reason {reason.code}: {reason.text}"
        at = entry.place.at
        if code == "SIG-PING" and at is not None and span.pinged_at is not None:
            detail += f"; the client's last ping was {at - span.pinged_at:.1f} s before"
        if code == "SIG-CLOSED" and span.answered and not span.activated:
            age = f" {at - span.answered_at:.0f} s after the answer" if at and span.answered_at is not None else ""
            return [("SIG-NO-ACTIVATION", f"Ring ended the view{age}, and no activate_session was sent")]
        return [] if code == "SIG-CLOSED" else [(code, detail)]

    # ---- silence ----

    def silence(self) -> Silence | None:
        """Return who was to speak next in the last view that is open."""
        span = next((span for span in reversed(self._spans.values()) if not span.closed), None)
        if span is None:
            return None
        wait = self._settings
        if not span.created and not span.answered:
            return Silence("Ring", "`session_created`", span.at, wait.session_timeout, "SIG-NO-SESSION")
        if not span.answered:
            return Silence("Ring", "the answer (`sdp`)", span.at, wait.answer_timeout, "SIG-NO-ANSWER")
        if not span.activated:
            limit = wait.activation_limit
            return Silence("the client", "`activate_session`", span.answered_at, limit, "SIG-NO-ACTIVATION")
        if not span.connected:
            return Silence("Ring", "`camera_connected`", span.answered_at, wait.camera_timeout, "SIG-NO-CAMERA")
        if not span.ponged:
            limit = max(wait.pong_timeout, span.ping_every * 1.5)
            return Silence("Ring", "`pong`", span.pinged_at, limit, "SIG-PING")
        if span.partial:
            return None  # such logs do not show the pings
        since = span.pinged_at if span.pinged else span.answered_at
        return Silence("the client", "the next `ping`", since, span.ping_every * 3, "SIG-PING")
