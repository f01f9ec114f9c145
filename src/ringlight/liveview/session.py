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
from ringlight.liveview.deadlines import Deadlines
from ringlight.liveview.dialog import OF_ANOTHER, Dialog
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
from ringlight.liveview.talking import Talking
from ringlight.settings import LiveViewSettings

MAX_NOISE = 10  # frames that are no messages, in a view that runs; more of them end it
STEPS = ("token", "ticket", "socket", "offer", "session", "answer", "camera", "media")


class State(Enum):
    """Where the dialog stands."""

    NEW = "new"
    OFFERED = "offered"  # the offer is out; session id or answer (or both) are missing
    LIVE = "live"  # activated; pings run
    CLOSED = "closed"


@dataclass(slots=True)
class Session:
    """One live view, from offer to close. Knows the rules; does no I/O.

    Attributes:
        doorbot_id: The camera's number.
        dialog_id: A UUID, made by the caller, one per live view.
        riid: 32 hex digits, made by the caller; the same in every message of the dialog.
        settings: The deadlines, in seconds.
        state: Where the dialog stands.
    """

    doorbot_id: int
    dialog_id: str
    riid: str
    settings: LiveViewSettings = field(default_factory=LiveViewSettings)
    state: State = State.NEW
    _answer: str | None = None
    _deadlines: Deadlines = field(init=False)
    _dialog: Dialog = field(init=False)
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

    def __post_init__(self) -> None:
        self._deadlines = Deadlines(self.settings)
        self._dialog = Dialog(self.doorbot_id, self.dialog_id, self.riid)

    @property
    def session_id(self) -> str | None:
        """The server's; `None` until it has told."""
        return self._dialog.session_id

    @property
    def deadline(self) -> float | None:
        """When to send a `Tick` at the latest, on the clock of `now`; `None` once closed or not begun."""
        return self._deadlines.next

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
                return list(self._dialog.tell(event))
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
        self._deadlines.begin("session", now)
        self._deadlines.begin("answer", now)
        return [self._dialog.offer(sdp, sound=self.settings.audio), *self._step("offer")]

    def _received(self, message: Message, now: float) -> list[Action]:
        self._heard = True
        stranger = OF_ANOTHER if self.state is State.NEW else self._dialog.stranger(message)
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
                self._deadlines.ponged(now)
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

    def _created(self, session_id: str | None, now: float) -> list[Action]:
        if self.session_id is not None:
            return [Note("a second session_created changes nothing")]
        if not session_id:
            return self._close("SIG-SESSION-ID", "session_created without a session_id")
        self._deadlines.end("session")
        told = self._dialog.created(session_id)
        return [*self._step("session"), *told, *self._go_live(now)]

    def _answered(self, body: messages.Sdp | messages.LiveView, now: float) -> list[Action]:
        if self._answer is not None:
            return [Note("a second answer changes nothing")]
        if not body.sdp.strip():
            return self._close("SIG-SDP", "the answer is empty")
        self._answer = body.sdp
        self._deadlines.end("answer")
        self._deadlines.begin("path", now)
        self._deadlines.begin("camera", now)
        if isinstance(body, messages.Sdp) and body.session_info:
            self._media_session = body.session_info.session_id
            if body.session_info.ping_interval:
                self._deadlines.told_to_ping(body.session_info.ping_interval)
        waiting, self._waiting_in = self._waiting_in, []
        return [UseAnswer(body.sdp), *self._step("answer"), *waiting, *self._go_live(now)]

    def _go_live(self, now: float) -> list[Action]:
        """Activate once both the session id and the answer are here, in whatever order they came."""
        if self.session_id is None or self._answer is None:
            return []
        self.state, self._live_since = State.LIVE, now
        self._deadlines.pinged(now)
        self._deadlines.ponged(now)
        waiting, self._waiting_commands = self._waiting_commands, []
        return [
            *self._dialog.activation(sound=self.settings.audio),
            *(action for each in waiting for action in self._command(each.id, each.method, each.params)),
            *self._follow_talk(),
        ]

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
                self._deadlines.end("path")
                self._await_media(now)
                return self._step("path")
            case PathFailed(code, detail):
                return self._close(code, detail)
            case PathLeft():
                self._deadlines.leave(now)
                return []

    def _notified(self, body: messages.Notification, now: float) -> list[Action]:
        if body.is_ok is False:
            self._notice = _said(body.text)
            return [Note(self._notice or "Ring says that something is wrong", "SIG-NOTICE")]
        if body.text == "camera_connected":
            return self._camera_connected(now)
        return []

    def _camera_up(self, now: float) -> list[Action]:
        return self._step("camera") + self._camera_connected(now)

    def _await_media(self, now: float) -> None:
        awaits = self._deadlines.awaits
        is_ready = self._answer is not None and not awaits("path") and not awaits("camera")
        if is_ready and not awaits("media") and "media" not in self._done:
            self._deadlines.begin("media", now)

    def _media_seen(self, now: float) -> list[Action]:
        self._deadlines.end("path", "camera", "media")
        self._deadlines.begin("stall", now)
        return self._step("media")

    def _camera_connected(self, now: float) -> list[Action]:
        self._deadlines.end("camera")
        self._await_media(now)
        self._talking.is_connected = True
        return self._follow_talk()

    def _follow_talk(self) -> list[Action]:
        if self.state is not State.LIVE:
            return []
        told = self._talking.follow(self.doorbot_id, self.session_id)
        return [*map(self._dialog.send, told), Speaker(self._talking.is_open)] if told else []

    # ---- commands ----

    def _command(self, identifier: str, method: str, params: Mapping[str, Any]) -> list[Action]:
        if self.state is State.OFFERED:
            self._waiting_commands.append(Command(identifier, method, params))
            return []
        if self.state is not State.LIVE:
            return [CommandDone(identifier, "the view is not open yet")]
        command = self._commands.ask(identifier, method, params, self._media_session or self.dialog_id)
        return [self._dialog.command(command)]

    # ---- time and the end ----

    def _tick(self, now: float) -> list[Action]:
        missed = self._deadlines.missed(now, self._notice)
        if missed is not None:
            return self._close(*missed)
        if not self._deadlines.is_ping_due(now):
            return []
        self._deadlines.pinged(now)
        return [self._dialog.ping()]

    def _garbled(self, event: Garbled) -> list[Action]:
        self._heard = True
        self._noise += 1
        if self.state is State.LIVE and self._noise <= MAX_NOISE:
            return [Note(_said(event.detail), event.code)]
        return self._close(event.code, _said(event.detail))

    def _closed_by_ring(self, reason: messages.Reason, now: float) -> list[Action]:
        code = endings.of_dialog(reason)
        detail = f"reason {reason.code}: {_said(reason.text)}"
        age, limit = now - self._live_since, self.settings.activation_limit
        if code == "SIG-CLOSED" and self.state is State.LIVE and endings.is_activation_limit(age, limit):
            code, detail = "SIG-NO-ACTIVATION", f"reason 0 after {age:.0f} s"
        return self._close(code, detail, tell=False)

    def _socket_closed(self, code: int, reason: str) -> list[Action]:
        said = f"close code {code}" + (f": {_said(reason)}" if reason else "")
        heard = self._heard or self.state is State.NEW
        return self._close(endings.of_socket(code, reason, heard=heard), said, tell=False)

    def _close(self, code: str, detail: str | None = None, *, tell: bool = True) -> list[Action]:
        told: list[Action] = [self._dialog.close()] if tell and self.state is not State.NEW else []
        self.state = State.CLOSED
        self._deadlines.clear()
        return [*told, Closed(code, detail)]

    def _step(self, name: str) -> list[Action]:
        if name in self._done:
            return []
        self._done.add(name)
        return [Step(name)] if name in STEPS else []


def _said(text: str) -> str:
    return one_line(text, MAX_SAID)
