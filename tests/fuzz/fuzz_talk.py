"""Readers of WebSockets and of what is said on them: Ring's live view, both protocols of rooms, the rooms' ledger."""

from contextlib import suppress

import httptools
from fuzz_target import Target, codes, refusing

from ringlight.faults import FAULTS
from ringlight.http.websocket import handshake
from ringlight.http.websocket.frames import Binary, Closed, Event, Frames, Ping, Pong, Violation, text_frame, unmask
from ringlight.liveview import messages as ring_messages
from ringlight.liveview.events import Closed as ViewClosed
from ringlight.liveview.events import Received, Start, Tick
from ringlight.liveview.session import Session
from ringlight.liveview.trace import redact
from ringlight.media import negotiate, sdp
from ringlight.media.sdp import Transport
from ringlight.rooms import address, ledger, messages
from ringlight.rooms.memory import MemoryRooms
from ringlight.rooms.signals import candidate_complaint, description_complaint
from ringlight.rooms.tokens import Tokens
from ringlight.secrets import Secret
from ringlight.server.passes import Passes
from ringlight.settings import RoomSettings

SETTINGS = RoomSettings()
MOST = 4096  # bytes of a message
OFFER = sdp.write(negotiate.camera_offer(Transport("ufrag123", "p" * 24, ":".join(["AA"] * 32), "actpass"), audio=True))
TOKENS = Tokens(Secret("a secret key of the server"), 3600)
PASSES = Passes(Secret("a secret key of the server"))


def _whole(events: list[Event]) -> list[Event]:
    """Leave what ends it out: where a stream is split decides what of a bad frame is seen first."""
    return [event for event in events if not isinstance(event, Violation)]


def read_frames(data: bytes) -> None:
    """Messages are the same wherever the stream was split; nothing comes after the end; limits hold."""
    whole = Frames(MOST)
    at_once = list(whole.receive(data))
    piecewise = Frames(MOST)
    in_pieces = [event for at in range(0, len(data), 3) for event in piecewise.receive(data[at : at + 3])]
    assert _whole(at_once) == _whole(in_pieces)
    ends = [at for at, event in enumerate(at_once) if isinstance(event, (Closed, Violation))]
    assert ends in ([], [len(at_once) - 1])
    if ends:
        assert not whole.receive(b"\x81\x80\0\0\0\0")
    for event in at_once:
        match event:
            case bytes():
                assert len(event) <= MOST
                event.decode()
                assert text_frame(event).endswith(event)
            case Binary(content):
                assert len(content) <= MOST
            case Ping(content):
                assert len(content) <= 125
            case Pong() | Closed() | Violation():
                pass
    assert unmask(unmask(data, b"mask"), b"mask") == data


class _Request:
    """What an HTTP parser tells of a request."""

    def __init__(self) -> None:
        self.url = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.whole = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.whole = True


def read_handshake(data: bytes) -> None:
    """An upgrade request that the HTTP parser has taken is judged, and answered in whole lines.

    It comes to us as uvicorn writes it anew.
    """
    request = _Request()
    parser = httptools.HttpRequestParser(request)
    with suppress(httptools.HttpParserUpgrade, httptools.HttpParserError):
        parser.feed_data(data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    if not request.whole:
        return
    fields = [name + b": " + value for name, value in request.fields]
    upgrade = handshake.read_upgrade(b"\r\n".join([parser.get_method() + b" " + request.url + b" HTTP/1.1", *fields]))
    _ = upgrade.subprotocols
    try:
        answer = handshake.accepted(handshake.judge(upgrade), None)
    except handshake.RefusedError as error:
        answer = handshake.refused(error).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert answer.startswith((b"HTTP/1.1 101 ", b"HTTP/1.1 4"))
    assert answer.count(b"\r\n\r\n") == 1
    assert answer.endswith(b"\r\n\r\n")


def read_ring(data: bytes) -> None:
    """A frame of Ring's socket: written again it is the same, it can be shown, and no session breaks by it."""
    message = ring_messages.parse(data)
    assert ring_messages.parse(ring_messages.encode(message)) == message
    redact(ring_messages.load(data))
    session = Session(7, "dialog", "riid")
    session.receive(Start(OFFER), now=0.0)
    created = ring_messages.SessionCreated(doorbot_id=7, session_id="S")
    session.receive(
        Received(ring_messages.Message(method="session_created", body=created, dialog_id="dialog")), now=0.1
    )
    ended = [action for action in session.receive(Received(message), now=0.2) if isinstance(action, ViewClosed)]
    ended += [action for action in session.receive(Tick(), now=1000.0) if isinstance(action, ViewClosed)]
    assert len(ended) == 1
    assert ended[0].code in FAULTS


def read_ring_text(data: bytes) -> None:
    """A text frame, as the WebSocket library hands it on."""
    ring_messages.parse(data.decode("utf-8", "replace"))


def read_room(data: bytes) -> None:
    """Frames of a page of our own protocol, one a line: the rooms answer each, and go on for the others."""
    rooms = MemoryRooms(SETTINGS)
    other = rooms.connect("/ws/v2")
    other.say({"t": "hello", "v": 2, "room": "red", "role": "clinician"})
    page = rooms.connect("/ws/v2")
    page.say({"t": "hello", "v": 2, "room": "red", "role": "clinician"})
    for frame in data.split(b"\n")[:20]:
        page.say(frame.decode("utf-8", "replace"))
    assert page.heard or page.closed
    other.say({"t": "ping", "rid": 1})
    assert other.closed or any(frame["t"] == "ok" and frame["rid"] == 1 for frame in other.heard)
    rooms.pass_time(2)


def read_seed_room(data: bytes) -> None:
    """Frames of the seed's front end, one a line."""
    rooms = MemoryRooms(SETTINGS)
    other = rooms.connect("/ws/signaling/red/doctor")
    page = rooms.connect("/ws/signaling/red/patient")
    for frame in data.split(b"\n")[:20]:
        page.say(frame.decode("utf-8", "replace"))
    assert all(isinstance(frame, dict) for frame in other.heard)
    assert other.closed is None
    rooms.pass_time(2)


def read_told(data: bytes) -> None:
    """What a server says to a page, as the judge of recordings reads it."""
    for read in (messages.parse_told, messages.parse_told_seed, messages.parse, messages.parse_seed):
        with refusing("ROOM-MESSAGE"):
            read(data)
    messages.kind_of(data)  # type: ignore[arg-type]  # raw JSON


def read_room_address(data: bytes) -> None:
    path = data.decode("utf-8", "replace")
    found = address.read_address(path)
    address.dialect_of(path)
    assert found.room.isprintable()
    assert len(found.room) <= 200


def read_ledger(data: bytes) -> None:
    """What Redis keeps of rooms: an entry that cannot be read is left out, and no event of it breaks a room."""
    event = ledger.read_event(data, SETTINGS)
    if event is not None:
        ledger.read_event(ledger.write_event(event), SETTINGS)


def read_ledger_line(data: bytes) -> None:
    """What is published of a room: five numbers and an entry."""
    entry = ledger.read_entry(data)
    assert entry is None or isinstance(entry.at, float)


def read_token(data: bytes) -> None:
    """Nobody gets in by a token that we have not signed."""
    text = data.decode("utf-8", "replace")
    for check in (
        lambda: TOKENS.check(text, 1e9), lambda: PASSES.check("session", text, 1e9),
        lambda: PASSES.check("link", text, 1e9),
    ):  # fmt: skip
        with refusing("ROOM-TOKEN KEY-LINK"):
            check()
            raise AssertionError("somebody got in")


def read_signals(data: bytes) -> None:
    message = ring_messages.load(data)
    for value in message.values():
        description_complaint(value)
        candidate_complaint(value)


TARGETS = (
    Target("websocket-frames", read_frames),
    Target("websocket-handshake", read_handshake),
    Target(
        "ring-messages", read_ring,
        codes("SIG-NOISE SIG-FORMAT SIG-DOORBOT-ID SIG-SESSION-ID SIG-SDP SIG-CANDIDATE SIG-DIALOG-ID"),
    ),
    Target(
        "ring-text", read_ring_text,
        codes("SIG-NOISE SIG-FORMAT SIG-DOORBOT-ID SIG-SESSION-ID SIG-SDP SIG-CANDIDATE SIG-DIALOG-ID"),
    ),
    Target("room-own", read_room),
    Target("room-seed", read_seed_room),
    Target("room-told", read_told, codes("ROOM-MESSAGE")),
    Target("room-address", read_room_address, codes("ROOM-PATH ROOM-ID ROOM-ROLE")),
    Target("room-ledger", read_ledger),
    Target("room-ledger-line", read_ledger_line),
    Target("signed-tokens", read_token),
    Target("signals", read_signals, codes("SIG-NOISE")),
)  # fmt: skip
