"""Logs as people paste them: what other programs print of a dialog, and what stands around it."""

import json

import pytest
from recordings import ID, OFFER, Dialog, as_chrome_har, as_dump, as_lines, opened, ring_dialog, room_dialogs
from websockets.frames import Frame, Opcode

from ringlight.doctor.traces.lint import lint

SESSION = "eyJhbGciOiJIUzI1NiJ9.0123456789abcdef0123456789abcdef.signature-of-it"
SAID = {method: message for _, _, message in ring_dialog() for method in [message["method"]]}


def stamped(*lines: str, seconds: float = 1.0) -> bytes:
    """Lines of a Home Assistant log, so many seconds apart."""
    return "".join(
        f"2026-11-20 03:{int(seconds * at) // 60:02d}:{seconds * at % 60:06.3f} DEBUG (MainThread) "
        f"[ring_doorbell.webrtcstream] {line}\n"
        for at, line in enumerate(lines)
    ).encode()


def prd(method: str, **body: object) -> str:
    """A message as python-ring-doorbell prints it, with the session's id in it."""
    return repr({"method": method, "dialog_id": ID, "body": {**body, "doorbot_id": 1001, "session_id": SESSION}})


LIVE_VIEW = {
    "method": "live_view",
    "dialog_id": ID,
    "body": {
        "doorbot_id": 1001,
        "stream_options": {"audio_enabled": True, "video_enabled": True},
        "sdp": OFFER,
        "type": "offer",
    },
}
PRD = [
    f"Generating stream with sdp offer: {OFFER}",
    "Received RTC streaming ticket MARKED-TICKET from endpoint, creating websocket",
    f"Connected to RTC streaming websocket, sending live_view offer msg: {LIVE_VIEW}",
    "Starting reader task",
    f"Session created: {SESSION[:16]}___{SESSION[-16:]}",
    f"SDP answer received: {OFFER}",
    "Attempt to fix sdp answer...",
    f"Sending activate_session message: {prd('activate_session')}",
    "Notification received: camera_connected",
    f"Sending camera options: {prd('camera_options', stealth_mode=False)}",
    "camera_started message received",
    "Pong message received",
]


def test_a_view_of_python_ring_doorbell_is_right_as_far_as_its_log_shows_it() -> None:
    """It prints no ping, hides the session's id, and spreads descriptions over lines."""
    report = lint(opened(stamped(*PRD)))
    assert [(found.where, found.code, found.detail) for found in report.findings] == []
    assert (report.messages, report.protocols) == (8, ["Ring's app socket"])
    assert report.silence is None
    assert "MARKED" not in json.dumps(report.as_dict())


@pytest.mark.parametrize(
    ("line", "instead", "code"),
    [
        (2, f"sending live_view offer msg: {repr(LIVE_VIEW).replace('1001', repr('1001'))}", "SIG-DOORBOT-ID"),
        (9, f"Sending camera options: {prd('camera_options', stealth_mode=False).replace(SESSION, 'mine')}",
         "SIG-SESSION-ID"),
        (8, "Received notification: {'method': 'notification', 'dialog_id': '" + ID + "', 'body': {'doorbot_id': 1001, "
            "'is_ok': False, 'text': 'camera is busy'}}", "SIG-NOTICE"),
        (11, "Close message received: {'code': 26, 'text': 'x'}", "SIG-NOT-READY"),
        (11, "Close message received: {'code': 10, 'text': 'answered_timeout'}", "SIG-TIME-LIMIT"),
    ],
)  # fmt: skip
def test_its_mistakes_are_found(line: int, instead: str, code: str) -> None:
    report = lint(opened(stamped(*PRD[:line], instead, *PRD[line + 1 :])))
    assert report.code == code, report.verdict


def test_a_view_that_gets_no_answer_says_so() -> None:
    """The library gives up after a second; Ring may take ten."""
    report = lint(opened(stamped(*PRD[:5], "Closing the RTC Stream")))
    assert report.code is None
    assert "Ring was to speak next (the answer (`sdp`)); 3.0 s passed" in report.verdict


def test_what_ring_client_api_prints_of_an_end_is_understood() -> None:
    """It prints neither offer nor answer, which are taken for right, and the end as Node.js shows an object."""
    log = (
        "[11/20/2026, 3:00:00 AM] [Ring] WebSocket connected for Front Door (Cloud)\n"
        "[11/20/2026, 3:00:01 AM] [Ring] Activating Session\n"
        "[11/20/2026, 3:12:01 AM] [Ring] \x1b[31mVideo stream closed\x1b[39m\n"
        "[11/20/2026, 3:12:01 AM] [Ring] {\n  doorbot_id: 1001,\n  session_id: 'MARKED',\n"
        "  reason: { code: 10, text: 'answered_timeout' }\n}\n"
    )
    report = lint(opened(log.encode()))
    assert [(found.code, found.where) for found in report.findings] == [("SIG-TIME-LIMIT", "line 4")]


def test_the_library_websockets_shows_frames_and_their_end() -> None:
    live_view = json.dumps(LIVE_VIEW).replace("1001", '"1001"')
    log = (
        "03:00:00,000 websockets.client DEBUG = connection is OPEN\n"
        f"03:00:00,001 websockets.client DEBUG > TEXT '{live_view}' [{len(live_view)} bytes]\n"
        "03:00:00,200 websockets.client DEBUG < CLOSE 4002 (private use) doorbot_id must be an integer [30 bytes]\n"
    )
    report = lint(opened(log.encode()))
    assert [(found.code, found.who) for found in report.findings] == [
        ("SIG-DOORBOT-ID", "out"),
        ("SIG-DOORBOT-ID", "socket"),
    ]
    shortened = log.replace(live_view, live_view[:60] + "..." + live_view[-20:])
    assert [(found.code, found.who) for found in lint(opened(shortened.encode())).findings] == [
        ("SIG-DOORBOT-ID", "socket")
    ], "what the log does not show is taken for right"


def websockets_log(dialog: Dialog) -> bytes:
    """What the library `websockets` prints of a dialog at DEBUG: of long frames only beginning and end."""
    arrow = {"out": ">", "in": "<"}
    return "".join(
        f"2026-11-20 03:00:{at:06.3f} DEBUG websockets.client {arrow[side]} "
        f"{Frame(Opcode.TEXT, json.dumps(said, separators=(',', ':')).encode())}\n"
        for at, side, said in dialog
    ).encode()


@pytest.mark.parametrize("dialog", room_dialogs(), ids=["clinician", "patient"])
def test_what_the_library_websockets_leaves_out_of_a_room_is_taken_for_right(dialog: Dialog) -> None:
    """Welcome, token and every description are longer than what it shows, so that nothing of them can be judged."""
    assert b"..." in websockets_log(dialog)
    report = lint(opened(websockets_log(dialog)))
    assert [(found.where, found.code, found.detail) for found in report.findings] == []
    assert report.messages == len(dialog)


def test_a_refusal_of_a_room_is_named_though_its_middle_is_left_out() -> None:
    said = {"t": "error", "code": "ROOM-FULL", "retry": "backoff", "message": "x" * 200, "detail": "1 of 1"}
    hello = {"t": "hello", "v": 2, "token": "x" * 200}
    report = lint(opened(websockets_log([(0.0, "out", hello), (0.1, "in", said)])))
    assert [(found.code, found.where, found.who) for found in report.findings] == [("ROOM-FULL", "line 2", "in")]


def test_our_own_log_shows_methods_alone_and_their_order_is_judged() -> None:
    def log(*names: str) -> bytes:
        return "".join(f"2026-11-20 03:00:0{n},000 ring.live DEBUG {name}\n" for n, name in enumerate(names)).encode()

    clean = log("out live_view", "in session_created", "in sdp", "out activate_session", "out ping", "in pong")
    assert lint(opened(clean)).verdict.startswith("All 6 messages are right")
    early = log("out live_view", "in session_created", "out activate_session")
    found = lint(opened(early)).findings
    assert [(one.code, one.where) for one in found] == [("SIG-ORDER", "line 3")]


ROOM = "ws://localhost:8000/ws/signaling"


@pytest.mark.parametrize(
    ("log", "code"),
    [
        (f"🔌 Connecting to signaling server: {ROOM}/undefined/doctor\n", "ROOM-ID"),
        (f"Connecting to signaling server: {ROOM}/visit/nurse\n", "ROOM-ROLE"),
        ("WebSocket connection to 'ws://localhost:8000/ws/signaling//doctor' failed: \n", "ROOM-ID"),
        ('INFO:     127.0.0.1:50000 - "WebSocket /ws/signaling/visit/doctor" 403\n', "ROOM-ORIGIN"),
        (f"Connecting to signaling server: {ROOM}/visit/doctor\nClosed: 4403 ROOM-ORIGIN\n", "ROOM-ORIGIN"),
        (f"Connecting to signaling server: {ROOM}/visit/doctor\nClosed: 1006 \n", "SIG-DROPPED"),
        (f"Connecting to signaling server: {ROOM}/visit/doctor\nClosed: 1000 \n", None),
        (f"Connecting to server: {ROOM}/visit/doctor\nreceived: {{type: 'user-joined', userType: 'patient'}}\n",
         "ROOM-MESSAGE"),
    ],
)  # fmt: skip
def test_the_console_of_a_page_is_enough_for_its_address_and_its_end(log: str, code: str | None) -> None:
    report = lint(opened(log.encode()))
    assert report.code == code, report


def test_a_log_without_messages_is_searched_for_words() -> None:
    report = lint(opened(b"starting\nOSError: [Errno 98] Address already in use\n"))
    assert (report.code, report.messages) == (None, 0)
    assert [match.fault.code for match in report.hint.matches] == ["CFG-PORT"]


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"", "an empty file"),
        (b"  \n\n", "an empty file"),
        (b"\xd4\xc3\xb2\xa1" + b"\0" * 60, "a capture of packets"),
        (b"\0\1\2", "a binary file"),
        (b"hello\n", "a log"),
        (b"<html></html>", "a log"),
        (b'{"log": {"entries": []}}', "a HAR file"),
        (as_dump([]), "a dump of mitmproxy"),
    ],
)
def test_what_is_no_dialog_is_called_what_it_is_and_says_what_is_expected(data: bytes, form: str) -> None:
    report = lint(opened(data))
    assert report.form.startswith(form)
    assert report.messages == 0
    assert "Give a file of `--trace`" in report.verdict


def test_a_log_in_utf_16_and_one_with_a_mark_are_read() -> None:
    """As PowerShell and Windows' editor write them."""
    text = as_lines(ring_dialog()).decode()
    for encoding in ("utf-16", "utf-8-sig"):
        assert lint(opened(text.replace("\n", "\r\n").encode(encoding))).messages == 13


def test_a_cut_file_is_judged_as_far_as_it_goes() -> None:
    for form in (as_lines, as_chrome_har, as_dump):
        whole = form(ring_dialog())
        report = lint(opened(whole[: len(whole) * 2 // 3]))
        assert report.findings == []
        assert form is as_dump or 0 < report.messages < 13


def test_a_line_without_end_is_no_message_and_takes_no_memory() -> None:
    report = lint(opened(b"x" * 3_000_000 + b"\n" + as_lines(ring_dialog())))
    assert (report.messages, report.findings) == (13, [])


def test_messages_that_were_copied_without_a_direction_are_sorted_by_what_they_are() -> None:
    """As the console shows them when somebody marks and copies it: the first offer is taken for this page's own."""
    offer = '{"type":"offer","offer":{"type":"offer","sdp":"v=0"}}\n'
    answer = '{"type":"answer","answer":{"type":"answer","sdp":"v=0"}}\n'
    joined = '{"type":"user-joined","userType":"patient","totalUsers":2}\n'
    report = lint(opened((joined + offer + answer).encode()))
    assert (report.messages, report.findings, report.last) == (3, [], "in answer")
    waiting = lint(opened((joined + offer).encode()))
    assert waiting.silence is not None
    assert waiting.silence.owes == "its answer"
    view = "".join(json.dumps(SAID[name]) + "\n" for name in ("live_view", "session_created", "activate_session"))
    assert lint(opened(view.encode())).code == "SIG-ORDER"
