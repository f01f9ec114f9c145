"""Reads and runs the conversations of `conversations/`: what happens to a session, and what it then does.

A line is `time < Event(...) -> Action, Action`; nothing after the arrow means that nothing is done. The
first line, after `#`, says what is at stake; `with name=value` changes a setting.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringlight.liveview import events, messages, ptz
from ringlight.liveview.messages import Body, Message
from ringlight.liveview.session import Session
from ringlight.settings import LiveViewSettings

CAMERA = 1001
DIALOG = "9b2f1c1e-2f6e-4f0b-8f7e-1d2c3b4a5968"
RIID = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
FOLDER = Path(__file__).with_name("conversations")
_LINE = re.compile(r"\s*(?P<at>\d+(\.\d+)?)\s+<\s+(?P<event>.+?)\s+->\s*(?P<actions>.*)")


@dataclass(frozen=True)
class Line:
    """One event and what is expected of it."""

    at: float
    event: str
    actions: str


@dataclass(frozen=True)
class Conversation:
    """One file."""

    stake: str
    settings: LiveViewSettings
    lines: tuple[Line, ...]


def read(path: Path) -> Conversation:
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# "), "the first line says what is at stake"
    options: dict[str, Any] = {}
    lines = []
    for text in rest:
        if text.startswith("with "):
            options = eval(f"dict({text.removeprefix('with ')})", {"dict": dict})
        elif text.strip():
            found = _LINE.fullmatch(text)
            assert found, f"not a line of a conversation: {text!r}"
            lines.append(Line(float(found["at"]), found["event"], " ".join(found["actions"].split())))
    return Conversation(first.removeprefix("# "), LiveViewSettings(**options), tuple(lines))


def run(conversation: Conversation) -> Iterator[tuple[Line, str]]:
    """Yield each line with what the session really did, holding it to what is true of every conversation."""
    session = Session(CAMERA, DIALOG, RIID, conversation.settings)
    for line in conversation.lines:
        event: events.Event = eval(line.event, dict(_EVENTS))
        if isinstance(event, events.Tick):
            assert session.deadline is not None
            assert abs(session.deadline - line.at) < 1e-6, f"a Tick is due at {session.deadline:g}, not at {line.at:g}"
        elif session.deadline is not None:
            assert line.at < session.deadline, f"at {session.deadline:g} a Tick would have come"
        known = session.session_id
        actions = session.receive(event, now=line.at)
        for action in actions:
            if isinstance(action, events.Send):
                sent = action.message
                assert (sent.dialog_id, sent.riid, sent.body.doorbot_id) == (DIALOG, RIID, CAMERA)
                assert sent.body.session_id == (None if sent.method == "live_view" else session.session_id or known)
        yield line, ", ".join(map(_shown, actions))


def _sent(message: Message) -> str:
    match message.body:
        case messages.Ice(ice=line):
            return f"Send ice({line!r})"
        case messages.MicEnable(enabled=on):
            return f"Send mic_enable({'on' if on else 'off'})"
        case messages.CameraOptions(stealth_mode=closed):
            return f"Send camera_options({'closed' if closed else 'open'})"
        case messages.Close(reason=reason):
            return f"Send close({reason.code})"
        case _:
            return f"Send {message.method}"


def _shown(action: events.Action) -> str:
    match action:
        case events.Send(message):
            return _sent(message)
        case events.UseAnswer(sdp):
            return f"UseAnswer {sdp}"
        case events.AddCandidate(line, index):
            return f"AddCandidate({line!r} on {index})"
        case events.Step(name):
            return f"Step {name}"
        case events.Note(text, code):
            return f"Note {code} ({text})" if code else f"Note ({text})"
        case events.CommandDone(identifier, refused, halted):
            return f"CommandDone {identifier}" + (f" ({refused})" if refused else f" ({halted})" if halted else "")
        case events.Halted(axis, reason):
            return f"Halted {axis} ({reason})"
        case events.Speaker(is_open):
            return f"Speaker {'open' if is_open else 'closed'}"
        case events.Closed(code, detail):
            return f"Closed {code}" + (f" ({detail})" if detail else "")


def received(body: Body, dialog_id: str | None = DIALOG, method: str | None = None) -> events.Received:
    return events.Received(Message(method=method or body.METHOD, dialog_id=dialog_id, riid=RIID, body=body))


def _ring(kind: type[Body], **usual: Any) -> Any:
    """Make the name for one message of Ring's, with the session id `S` unless another is given."""

    def make(*, dialog_id: str | None = DIALOG, doorbot_id: int = CAMERA, **fields: Any) -> events.Received:
        return received(kind(doorbot_id=doorbot_id, **{"session_id": "S", **usual, **fields}), dialog_id)

    return make


def _answer(sdp: str = "ANSWER", ping_interval: float | None = None, session_id: str = "S") -> events.Received:
    info = messages.SessionInfo(ping_interval=ping_interval) if ping_interval is not None else None
    return received(messages.Sdp(doorbot_id=CAMERA, session_id=session_id, sdp=sdp, type="answer", session_info=info))


def _notification(text: str = "camera_connected", *, is_ok: bool | None = True) -> events.Received:
    return received(messages.Notification(doorbot_id=CAMERA, session_id="S", is_ok=is_ok, text=text))


def _ice(line: str, mlineindex: int = 0) -> events.Received:
    return received(messages.Ice(doorbot_id=CAMERA, session_id="S", ice=line, mlineindex=mlineindex))


def _ring_closes(code: int, text: str = "") -> events.Received:
    return received(messages.Close(doorbot_id=CAMERA, session_id="S", reason=messages.Reason(code=code, text=text)))


def _rpc(**command: Any) -> events.Received:
    return received(messages.Rpc(doorbot_id=CAMERA, session_id="S", command=command))


def _unknown(method: str) -> events.Received:
    return received(messages.Unknown(fields={"doorbot_id": CAMERA}), method=method)


def _offer() -> events.Start:
    return events.Start("OFFER")


# The words of the conversations. Those that are not events of ours are messages of Ring's.
_EVENTS: dict[str, Any] = {
    "Start": _offer,
    "LocalCandidate": lambda line: events.LocalCandidate(line, 0, "0"),
    "PathOpen": events.PathOpen,
    "PathFailed": events.PathFailed,
    "PathLeft": events.PathLeft,
    "MediaSeen": events.MediaSeen,
    "SocketClosed": events.SocketClosed,
    "Garbled": lambda detail="not JSON": events.Garbled("SIG-NOISE", detail),
    "Command": lambda identifier="c-1": events.Command(identifier, "PTZ.Pan.Step", {"direction": "LEFT"}),
    "KeepTurning": lambda name, direction="left", speed=0.5: events.Command(name, *ptz.continuous(direction, speed)),
    "Halted": lambda axis="Pan", **params: _rpc(id="h-1", method=f"PTZ.{axis}.Halted", params=params),
    "Rpc": _rpc,
    "Talk": lambda: events.Talk(on=True),
    "Hush": lambda: events.Talk(on=False),
    "Tick": events.Tick,
    "Stop": events.Stop,
    "Created": _ring(messages.SessionCreated),
    "Started": _ring(messages.SessionStarted),
    "Answer": _answer,
    "AnswerAsLiveView": _ring(messages.LiveView, sdp="ANSWER"),
    "Ice": _ice,
    "Pong": _ring(messages.Pong),
    "Notification": _notification,
    "CameraStarted": _ring(messages.CameraStarted),
    "StreamInfo": _ring(messages.StreamInfo),
    "RingCloses": _ring_closes,
    "PushEvent": lambda: received(messages.PushEvent(subscription_id="sub-1")),
    "Unknown": _unknown,
}
