"""Clean dialogs, and the forms in which people record them."""

import io
import json
from collections.abc import Callable
from typing import Any

from ringlight.liveview import messages
from ringlight.liveview.messages import Message
from ringlight.media import negotiate, sdp
from ringlight.media.sdp import Transport
from ringlight.rooms.memory import MemoryRooms, MemorySocket

Line = tuple[float, str, dict[str, Any]]  # seconds, `out` or `in`, message
Dialog = list[Line]

ID = "9b2f1c1e-2f6e-4f0b-8f7e-1d2c3b4a5968"
OFFER = sdp.write(negotiate.camera_offer(Transport("ufrag", "p" * 22, ":".join(["AA"] * 32), "actpass"), audio=True))
CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.10 50000 typ host"
_ICE = {"candidate": CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0}
_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"


def ring_dialog() -> Dialog:
    """A live view as our client and Ring speak it, with two pings, to its regular end."""
    common: dict[str, Any] = {"doorbot_id": 1001, "session_id": "the.servers.own"}
    said: list[tuple[float, str, messages.Body]] = [
        (0.0, "out", messages.LiveView(doorbot_id=1001, sdp=OFFER, type="offer",
                                       stream_options=messages.Streams(audio_enabled=True, video_enabled=True))),
        (0.3, "in", messages.SessionCreated(**common, requested_at=1)),
        (0.4, "in", messages.Sdp(**common, sdp=OFFER, type="answer")),
        (0.5, "out", messages.ActivateSession(**common)),
        (0.5, "out", messages.StreamOptions(**common, audio_enabled=True, video_enabled=True)),
        (0.6, "out", messages.Ice(**common, ice=CANDIDATE, mlineindex=0)),
        (0.7, "in", messages.Notification(**common, is_ok=True, text="camera_connected")),
        (0.9, "in", messages.CameraStarted(**common)),
        (5.5, "out", messages.Ping(**common)),
        (5.6, "in", messages.Pong(**common)),
        (10.5, "out", messages.Ping(**common)),
        (10.6, "in", messages.Pong(**common)),
        (11.0, "out", messages.Close(**common, reason=messages.Reason(code=0, text="client_closed"))),
    ]  # fmt: skip
    return [
        (at, side, json.loads(messages.encode(Message(method=body.METHOD, dialog_id=ID, body=body))))
        for at, side, body in said
    ]


class _Page:
    """One page of a room; what it sends and gets is written down."""

    def __init__(self, house: MemoryRooms, path: str) -> None:
        self.house = house
        self.socket: MemorySocket = house.connect(path)
        self.began, self.dialog, self._read = house.now, Dialog(), 0

    def say(self, message: dict[str, Any]) -> None:
        self.hear()
        self.dialog.append((round(self.house.now - self.began, 3), "out", message))
        self.socket.say(message)
        self.hear()

    def hear(self) -> None:
        for frame in self.socket.frames[self._read :]:
            self.dialog.append((round(self.house.now - self.began, 3), "in", json.loads(frame)))
        self._read = len(self.socket.frames)


def room_dialogs(path: str = "/ws/v2") -> tuple[Dialog, Dialog]:
    """A call of a clinician and a patient over our own rooms, as each of their pages recorded it."""
    house = MemoryRooms()
    doctor, patient = _Page(house, path), _Page(house, path)
    doctor.say({"t": "hello", "v": 2, "room": "visit", "role": "doctor"})
    patient.say({"t": "hello", "v": 2, "room": "visit", "role": "patient", "name": "B"})
    house.pass_time(1)
    doctor.say({"t": "admit", "rid": 1})
    patient.hear()
    other = next(line[2]["person"]["id"] for line in doctor.dialog if line[2].get("t") == "joined")
    doctor.say({"t": "signal", "rid": 2, "to": other, "description": {"type": "offer", "sdp": _SDP}})
    doctor.say({"t": "signal", "rid": 3, "to": other, "candidate": _ICE})
    patient.hear()
    one = next(line[2]["from"] for line in patient.dialog if line[2].get("t") == "signal")
    patient.say({"t": "signal", "rid": 1, "to": one, "description": {"type": "answer", "sdp": _SDP}})
    patient.say({"t": "signal", "rid": 2, "to": one, "candidate": None})
    doctor.hear()
    house.pass_time(15)
    doctor.say({"t": "ping"})
    patient.say({"t": "chat", "rid": 3, "text": "hello"})
    doctor.say({"t": "bye"})
    patient.hear()
    return doctor.dialog, patient.dialog


def seed_dialogs() -> tuple[Dialog, Dialog]:
    """The same over the old address."""
    house = MemoryRooms()
    doctor, patient = _Page(house, "/ws/signaling/visit/doctor"), _Page(house, "/ws/signaling/visit/patient")
    doctor.hear()
    house.pass_time(1)
    doctor.say({"type": "offer", "offer": {"type": "offer", "sdp": _SDP}})
    doctor.say({"type": "ice-candidate", "candidate": _ICE})
    patient.hear()
    patient.say({"type": "answer", "answer": {"type": "answer", "sdp": _SDP}})
    patient.say({"type": "ice-candidate", "candidate": _ICE})
    patient.say({"type": "ice-candidate", "candidate": None})
    doctor.hear()
    return doctor.dialog, patient.dialog


# ---- the forms ----


def as_lines(dialog: Dialog) -> bytes:
    """JSON lines, as `--trace` writes them."""
    return "".join(json.dumps({"at": at, "dir": side, "msg": said}) + "\n" for at, side, said in dialog).encode()


def as_chrome_har(dialog: Dialog, url: str = "wss://example.org/socket") -> bytes:
    """A HAR file as Chromium's developer tools write it: the messages before the address."""
    socket = [
        {
            "type": {"out": "send", "in": "receive"}[side],
            "time": 1_770_000_000 + at,
            "opcode": 1,
            "data": json.dumps(said),
        }
        for at, side, said in dialog
    ]
    page = {"_resourceType": "document", "request": {"url": "https://example.org/"}, "response": {"status": 200}}
    entry = {
        "_initiator": {"type": "script"}, "_resourceType": "websocket", "_webSocketMessages": socket,
        "request": {"method": "GET", "url": url, "headers": [{"name": "Cookie", "value": "a\\\"{[b"}]},
        "response": {"status": 101, "content": {"size": 0}}, "startedDateTime": "2026-11-20T03:00:00.000Z",
        "time": 1000 * dialog[-1][0] if dialog else 0,
    }  # fmt: skip
    return json.dumps(
        {"log": {"version": "1.2", "creator": {"name": "WebInspector"}, "entries": [page, entry]}}
    ).encode()


def netstring(value: object) -> bytes:
    """Write a value as mitmproxy does: a netstring with a letter for its kind."""
    match value:
        case None:
            return b"0:~"
        case bool():
            return _tagged(str(value).lower().encode(), b"!")
        case int():
            return _tagged(str(value).encode(), b"#")
        case float():
            return _tagged(repr(value).encode(), b"^")
        case str():
            return _tagged(value.encode(), b";")
        case bytes():
            return _tagged(value, b",")
        case dict():
            return _tagged(b"".join(netstring(part) for item in value.items() for part in item), b"}")
        case list():
            return _tagged(b"".join(map(netstring, value)), b"]")
    raise TypeError(type(value))


def _tagged(payload: bytes, kind: bytes) -> bytes:
    return b"%d:%s%s" % (len(payload), payload, kind)


def as_dump(dialog: Dialog, path: str = "/socket") -> bytes:
    """A dump of mitmproxy 11: a plain flow, then the WebSocket's."""
    start = 1_770_000_000.0
    request = {"path": path.encode(), "scheme": b"https", "method": b"GET", "host": "example.org", "port": 443,
               "timestamp_start": start}  # fmt: skip
    said = [[1, side == "out", json.dumps(message).encode(), start + at, False, False] for at, side, message in dialog]
    socket = {
        "timestamp_end": None,
        "close_reason": None,
        "close_code": None,
        "closed_by_client": None,
        "messages": said,
    }
    answered = {"status_code": 101, "headers": [[b"upgrade", b"websocket"]]}
    return b"".join(
        netstring({"websocket": web, "response": reply, "request": request, "type": "http", "version": 21})
        for web, reply in ((None, {"status_code": 200, "content": b"1:x,}"}), (socket, answered))
    )


def _clock(at: float) -> str:
    return f"{int(max(at, 0) // 60) % 60:02d}:{max(at, 0) % 60:06.3f}"


def as_python_log(dialog: Dialog) -> bytes:
    """A log of a Python program that prints its dictionaries."""
    verb = {"out": "Sending message", "in": "Received message"}
    return "".join(
        f"2026-11-20 03:{_clock(at)} DEBUG (MainThread) [client] {verb[side]}: {said!r}\n" for at, side, said in dialog
    ).encode()


def as_node_log(dialog: Dialog) -> bytes:
    """What Node.js prints of objects, in colours and over several lines."""
    arrow = {"out": "->", "in": "<-"}
    return "".join(
        f"\x1b[36m03:{_clock(at)}\x1b[0m [ring] {arrow[side]} {_inspected(said)}\n" for at, side, said in dialog
    ).encode()


def _inspected(value: Any, depth: int = 0) -> str:
    if isinstance(value, dict):
        inner = ",\n".join(
            f"{'  ' * (depth + 1)}{_name(key)}: {_inspected(item, depth + 1)}" for key, item in value.items()
        )
        return "{\n" + inner + "\n" + "  " * depth + "}"
    if isinstance(value, str):
        lines = value.splitlines(keepends=True) or [""]
        shown = [
            "'" + line.replace("\\", "\\\\").replace("'", "\\'").replace("\r", "\\r").replace("\n", "\\n") + "'"
            for line in lines
        ]
        return f" +\n{'  ' * (depth + 1)}".join(shown)
    if isinstance(value, list):
        return "[ " + ", ".join(_inspected(item, depth + 1) for item in value) + " ]"
    return "undefined" if value is None else json.dumps(value)


def _name(key: str) -> str:
    return key if key.isidentifier() else f"'{key}'"


def as_json_log(dialog: Dialog) -> bytes:
    """A log whose lines are JSON, with the message as text in it."""
    verb = {"out": "send", "in": "recv"}
    return "".join(
        json.dumps({"level": "debug", "ts": 1, "msg": f"03:{_clock(at)} ws {verb[side]} {json.dumps(said)}"}) + "\n"
        for at, side, said in dialog
    ).encode()


FORMS: dict[str, Callable[[Dialog], bytes]] = {
    "JSON lines": as_lines, "HAR of Chromium": as_chrome_har, "dump of mitmproxy": as_dump,
    "log of Python": as_python_log, "log of Node.js": as_node_log, "log in JSON": as_json_log,
}  # fmt: skip


def opened(data: bytes) -> io.BytesIO:
    """Return it as a file."""
    return io.BytesIO(data)
