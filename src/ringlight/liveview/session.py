"""One live view as a pure machine: from the offer to the close.

It is told the time and what happened, and returns what to do. It opens no socket, never waits, and
never raises: whatever the other side sends ends in a note or in one `Closed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ringlight.foreign import one_line
from ringlight.liveview import endings, messages
from ringlight.liveview.commands import MAX_SAID, Commands
from ringlight.liveview.events import (
    Action,
    AddCandidate,
    Closed,
    Command,
    CommandDone,
    Event,
    Garbled,
    LocalCandidate,
    MediaSeen,
    Note,
    PathFailed,
    PathLeft,
    PathOpen,
    Received,
    Send,
    SocketClosed,
    Speaker,
    Start,
    Step,
    Stop,
    Talk,
    Tick,
    UseAnswer,
)
from ringlight.liveview.messages import Message
from ringlight.liveview.talking import Talking, microphone
from ringlight.settings import LiveViewSettings

MAX_NOISE = 10  # frames that are no messages, in a view that runs; more of them end it
PING_BOUNDS = (1.0, 60.0)  # seconds; an interval outside of them is not believed
FAREWELL = 1.0  # seconds for the socket to say why, after the media path was left; both go at the same time
STEPS = ("token", "ticket", "socket", "offer", "session", "answer", "camera", "media")


class State(Enum):
    """Where the dialog stands."""

    NEW = "new"
    OFFERED = "offered"  # the offer is out; session id or answer (or both) are missing
    LIVE = "live"  # activated; pings run
    CLOSED = "closed"


_FAULT_OF_DEADLINE = {
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
class Session:
    """One live view, from offer to close. Knows the rules; does no I/O.

    Attributes:
        doorbot_id: The camera's number.
        dialog_id: A UUID, made by the caller, one per live view.
        riid: 32 hex digits, made by the caller; the same in every message of the dialog.
        settings: The deadlines, in seconds.
        state: Where the dialog stands.
        session_id: The server's; `None` until it has told.
    """

    doorbot_id: int
    dialog_id: str
    riid: str
    settings: LiveViewSettings = field(default_factory=LiveViewSettings)
    state: State = State.NEW
    session_id: str | None = None
    _answer: str | None = None
    _deadlines: dict[str, float] = field(default_factory=dict)
    _ping_every: float = 0.0
    _waiting_out: list[LocalCandidate] = field(default_factory=list)
    _waiting_in: list[AddCandidate] = field(default_factory=list)
    _heard: bool = False
    _noise: int = 0
    _done: set[str] = field(default_factory=set)
    _notice: str | None = None
    _media_session: str | None = None
    _waiting_commands: list[Command] = field(default_factory=list)
    _live_since: float = 0.0
    _commands: Commands = field(default_factory=Commands)
    _talking: Talking = field(default_factory=Talking)

    @property
    def deadline(self) -> float | None:
        """When to send a `Tick` at the latest, on the clock of `now`; `None` once closed or not begun."""
        return min(self._deadlines.values(), default=None)

    def receive(self, event: Event, *, now: float) -> list[Action]:
        """Feed one event; return what to do, in order. Never raises, never waits."""
        if self.state is State.CLOSED:
            return []
        match event:
            case Start(sdp):
                return self._start(sdp, now)
            case Received(message):
                return self._received(message, now)
            case Garbled():
                return self._garbled(event)
            case LocalCandidate():
                return self._local_candidate(event)
            case PathOpen() | PathFailed() | PathLeft():
                return self._path(event, now)
            case MediaSeen():
                return self._media_seen(now)
            case Command() | Talk():
                return self._asked(event)
            case SocketClosed(code, reason):
                return self._socket_closed(code, reason)
            case Tick():
                return self._tick(now)
            case Stop():
                return self._close("SIG-CLOSED")

    def _asked(self, event: Command | Talk) -> list[Action]:
        if isinstance(event, Command):
            return self._command(event.id, event.method, event.params)
        self._talking.is_wanted = event.on
        return self._follow_talk()

    # ---- the offer and its answer ----

    def _start(self, sdp: str, now: float) -> list[Action]:
        if self.state is not State.NEW:
            return []
        self.state = State.OFFERED
        self._ping_every = self.settings.ping_every
        self._deadlines["session"] = now + self.settings.session_timeout
        self._deadlines["answer"] = now + self.settings.answer_timeout
        options = messages.Streams(audio_enabled=self.settings.audio, video_enabled=True)
        offer = messages.LiveView(doorbot_id=self.doorbot_id, sdp=sdp, type="offer", stream_options=options)
        return [self._send(offer), *self._step("offer")]

    def _received(self, message: Message, now: float) -> list[Action]:
        self._heard = True
        stranger = self._stranger(message)
        if stranger is not None:
            return [Note(f"ignored {_said(message.method)}: it {stranger}")]
        body = message.body
        match body:
            case messages.SessionCreated() | messages.SessionStarted():
                return self._created(body.session_id, now)
            case messages.Sdp() | messages.LiveView():
                return self._answered(body, now)
            case messages.Ice():
                return self._remote_candidate(body)
            case messages.Pong():
                self._deadlines["pong"] = now + self._pong_limit
                return []
            case messages.Notification():
                return self._notified(body, now)
            case messages.CameraStarted():
                return self._camera_up(now)
            case messages.StreamInfo():
                why = _said(body.transcoding_reason or "it does not say why")
                return [Note(f"transcoded by Ring: {why}")] if body.transcoding else []
            case messages.Rpc():
                return self._commands.hear(body.command)
            case messages.Close():
                return self._closed_by_ring(body.reason, now)
            case _:
                return [Note(f"unexpected message {_said(message.method)}")]

    def _stranger(self, message: Message) -> str | None:
        """Say whom a message is for, if it is not for us: several dialogs may share a socket."""
        body = message.body
        if self.state is State.NEW or message.dialog_id not in (None, self.dialog_id):
            return "belongs to another dialog"
        if not isinstance(body, messages.Unknown | messages.PushBody) and body.doorbot_id != self.doorbot_id:
            return f"is for camera {body.doorbot_id}"
        opens = isinstance(body, messages.SessionCreated | messages.SessionStarted)
        if not opens and self.session_id is not None and body.session_id not in (None, self.session_id):
            return "belongs to another session"
        return None

    def _created(self, session_id: str | None, now: float) -> list[Action]:
        if self.session_id is not None:
            return [Note("a second session_created changes nothing")]
        if not session_id:
            return self._close("SIG-SESSION-ID", "session_created without a session_id")
        self.session_id = session_id
        del self._deadlines["session"]
        queued, self._waiting_out = self._waiting_out, []
        return [*self._step("session"), *map(self._candidate_message, queued), *self._go_live(now)]

    def _answered(self, body: messages.Sdp | messages.LiveView, now: float) -> list[Action]:
        if self._answer is not None:
            return [Note("a second answer changes nothing")]
        if not body.sdp.strip():
            return self._close("SIG-SDP", "the answer is empty")
        self._answer = body.sdp
        del self._deadlines["answer"]
        self._deadlines["path"] = now + self.settings.path_timeout
        self._deadlines["camera"] = now + self.settings.camera_timeout
        if isinstance(body, messages.Sdp) and body.session_info:
            self._media_session = body.session_info.session_id
        if isinstance(body, messages.Sdp) and body.session_info and body.session_info.ping_interval:
            low, high = PING_BOUNDS
            self._ping_every = float(min(max(body.session_info.ping_interval, low), high))
        waiting, self._waiting_in = self._waiting_in, []
        return [UseAnswer(body.sdp), *self._step("answer"), *waiting, *self._go_live(now)]

    def _go_live(self, now: float) -> list[Action]:
        """Activate once both the session id and the answer are here, in whatever order they came."""
        if self.session_id is None or self._answer is None:
            return []
        self.state, self._live_since = State.LIVE, now
        self._deadlines["ping"] = now + self._ping_every
        self._deadlines["pong"] = now + self._pong_limit
        waiting, self._waiting_commands = self._waiting_commands, []
        mine = messages.StreamOptions(
            doorbot_id=self.doorbot_id,
            session_id=self.session_id,
            audio_enabled=self.settings.audio,
            video_enabled=True,
        )
        return [
            # Without activate_session Ring ends the stream after about 70 seconds.
            self._send(messages.ActivateSession(doorbot_id=self.doorbot_id, session_id=self.session_id)),
            self._send(microphone(self.doorbot_id, self.session_id, on=False)),
            self._send(mine),
            self._send(messages.Ping(doorbot_id=self.doorbot_id, session_id=self.session_id)),
            *(action for each in waiting for action in self._command(each.id, each.method, each.params)),
            *self._follow_talk(),
        ]

    # ---- candidates ----

    def _local_candidate(self, candidate: LocalCandidate) -> list[Action]:
        if self.session_id is None:  # nothing but the offer goes out before there is a session
            self._waiting_out.append(candidate)
            return []
        return [self._candidate_message(candidate)]

    def _candidate_message(self, candidate: LocalCandidate) -> Send:
        return self._send(
            messages.Ice(
                doorbot_id=self.doorbot_id,
                session_id=self.session_id,
                ice=candidate.line,
                mlineindex=candidate.mlineindex,
                mid=candidate.mid,
            )
        )

    def _remote_candidate(self, body: messages.Ice) -> list[Action]:
        candidate = AddCandidate(body.ice, body.mlineindex)
        if self._answer is None:
            self._waiting_in.append(candidate)
            return []
        return [candidate]

    # ---- the camera and its media ----

    def _path(self, event: PathOpen | PathFailed | PathLeft, now: float) -> list[Action]:
        match event:
            case PathOpen():
                self._deadlines.pop("path", None)
                return self._step("path") + self._await_media(now)
            case PathFailed(code, detail):
                return self._close(code, detail)
            case PathLeft():
                self._deadlines["farewell"] = now + FAREWELL
                return []

    def _notified(self, body: messages.Notification, now: float) -> list[Action]:
        if body.is_ok is False:
            self._notice = _said(body.text)
            return [Note(self._notice or "Ring says that something is wrong", "SIG-NOTICE")]
        if body.text == "camera_connected":
            self._deadlines.pop("camera", None)
            return self._await_media(now) + self._camera_connected()
        return []

    def _camera_up(self, now: float) -> list[Action]:
        self._deadlines.pop("camera", None)
        return self._step("camera") + self._await_media(now) + self._camera_connected()

    def _await_media(self, now: float) -> list[Action]:
        open_path = self._answer is not None and "path" not in self._deadlines
        if open_path and "camera" not in self._deadlines and "media" not in self._done:
            self._deadlines.setdefault("media", now + self.settings.media_timeout)
        return []

    def _media_seen(self, now: float) -> list[Action]:
        for phase in ("path", "camera", "media"):
            self._deadlines.pop(phase, None)
        self._deadlines["stall"] = now + self.settings.stall_timeout
        return self._step("media")

    def _camera_connected(self) -> list[Action]:
        self._talking.is_connected = True
        return self._follow_talk()

    def _follow_talk(self) -> list[Action]:
        if self.state is not State.LIVE:
            return []
        told = self._talking.follow(self.doorbot_id, self.session_id)
        return [*map(self._send, told), Speaker(self._talking.is_open)] if told else []

    # ---- commands ----

    def _command(self, identifier: str, method: str, params: Mapping[str, Any]) -> list[Action]:
        if self.state is State.OFFERED:
            self._waiting_commands.append(Command(identifier, method, params))
            return []
        if self.state is not State.LIVE:
            return [CommandDone(identifier, "the view is not open yet")]
        command = self._commands.ask(identifier, method, params, self._media_session or self.dialog_id)
        return [self._send(messages.Rpc(doorbot_id=self.doorbot_id, session_id=self.session_id, command=command))]

    # ---- time and the end ----

    def _tick(self, now: float) -> list[Action]:
        due = [name for name, at in self._deadlines.items() if at <= now]
        for name in due:
            if name != "ping":
                return self._close(_FAULT_OF_DEADLINE[name], self._late(name))
        if "ping" not in due:
            return []
        self._deadlines["ping"] = now + self._ping_every
        return [self._send(messages.Ping(doorbot_id=self.doorbot_id, session_id=self.session_id))]

    def _late(self, name: str) -> str:
        if name == "farewell":
            return "the media path was closed"
        seconds = self._pong_limit if name == "pong" else getattr(self.settings, f"{name}_timeout")
        notice = f"; Ring said: {self._notice}" if self._notice else ""
        return f"waited {seconds:g} s{notice}"

    @property
    def _pong_limit(self) -> float:
        """Seconds without a pong that end the view: always longer than from one ping to the next."""
        return max(self.settings.pong_timeout, self._ping_every * 1.5)

    def _garbled(self, event: Garbled) -> list[Action]:
        self._heard = True
        self._noise += 1
        if self.state is State.LIVE and self._noise <= MAX_NOISE:
            return [Note(_said(event.detail), event.code)]
        return self._close(event.code, _said(event.detail))

    def _closed_by_ring(self, reason: messages.Reason, now: float) -> list[Action]:
        code = endings.of_dialog(reason)
        detail = f"reason {reason.code}: {_said(reason.text)}"
        age = now - self._live_since
        if code == "SIG-CLOSED" and self._is_activation_limit(age):
            code, detail = "SIG-NO-ACTIVATION", f"reason 0 after {age:.0f} s"
        return self._close(code, detail, tell=False)

    def _is_activation_limit(self, age: float) -> bool:
        return self.state is State.LIVE and endings.is_activation_limit(age, self.settings.activation_limit)

    def _socket_closed(self, code: int, reason: str) -> list[Action]:
        said = f"close code {code}" + (f": {_said(reason)}" if reason else "")
        heard = self._heard or self.state is State.NEW
        return self._close(endings.of_socket(code, reason, heard=heard), said, tell=False)

    def _close(self, code: str, detail: str | None = None, *, tell: bool = True) -> list[Action]:
        told: list[Action] = []
        if tell and self.state is not State.NEW:
            reason = messages.Reason(code=0, text="client_closed")
            close = messages.Close(doorbot_id=self.doorbot_id, session_id=self.session_id, reason=reason)
            told = [self._send(close)]
        self.state = State.CLOSED
        self._deadlines.clear()
        return [*told, Closed(code, detail)]

    def _send(self, body: messages.Body) -> Send:
        return Send(Message(method=body.METHOD, dialog_id=self.dialog_id, riid=self.riid, body=body))

    def _step(self, name: str) -> list[Action]:
        if name in self._done:
            return []
        self._done.add(name)
        return [Step(name)] if name in STEPS else []


def _said(text: str) -> str:
    return one_line(text, MAX_SAID)
