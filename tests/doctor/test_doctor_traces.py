"""The lint of recorded dialogs: clean ones are clean in every form, and each mistake is found where it stands."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import (
    CANDIDATE,
    FORMS,
    ID,
    Dialog,
    as_chrome_har,
    as_dump,
    as_lines,
    opened,
    ring_dialog,
    room_dialogs,
    seed_dialogs,
)

from ringlight.doctor.traces.lint import Report, lint
from ringlight.faults import FAULTS

DOCTOR, PATIENT = room_dialogs()
SEED_DOCTOR, SEED_PATIENT = seed_dialogs()
CLEAN = {"ring": ring_dialog(), "v2, clinician": DOCTOR, "v2, patient": PATIENT, "seed, doctor": SEED_DOCTOR,
         "seed, patient": SEED_PATIENT}  # fmt: skip


def judged(dialog: Dialog, form: str = "JSON lines") -> Report:
    return lint(opened(FORMS[form](dialog)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_dialog_is_clean_in_every_form(name: str, form: str) -> None:
    report = judged(CLEAN[name], form)
    assert [(found.where, found.code, found.detail) for found in report.findings] == []
    assert report.messages == len(CLEAN[name])
    assert report.code is None
    assert report.verdict.startswith(f"All {report.messages} messages are right as far as they go.")


# ---- Ring ----

Change = Callable[[Dialog], Dialog]


def at(index: int, **changes: Any) -> Change:
    """Change fields of the envelope of a message; `None` takes one out."""

    def change(dialog: Dialog) -> Dialog:
        message = dialog[index][2]
        for name, value in changes.items():
            message.pop(name, None)
            if value is not None:
                message[name] = value
        return dialog

    return change


def body(index: int, **changes: Any) -> Change:
    """The same in its body."""

    def change(dialog: Dialog) -> Dialog:
        at_body = dialog[index][2]["body"]
        for name, value in changes.items():
            at_body.pop(name, None)
            if value is not None:
                at_body[name] = value
        return dialog

    return change


def moved(index: int, to: int) -> Change:
    def change(dialog: Dialog) -> Dialog:
        dialog.insert(to, dialog.pop(index))
        return dialog

    return change


def twice(index: int) -> Change:
    return lambda dialog: [*dialog[: index + 1], copy.deepcopy(dialog[index]), *dialog[index + 1 :]]


def ends(index: int, *more: tuple[float, str, dict[str, Any]]) -> Change:
    return lambda dialog: [*dialog[:index], *more]


def ring_says(method: str, **fields: Any) -> dict[str, Any]:
    return {"method": method, "dialog_id": ID, "body": {"doorbot_id": 1001, "session_id": "the.servers.own", **fields}}


def closes(code: int, text: str = "") -> dict[str, Any]:
    return ring_says("close", reason={"code": code, "text": text})


OFFER, ACTIVATE, OPTIONS, ICE, PING, END = 0, 3, 4, 5, 8, 12
SDP = ring_dialog()[OFFER][2]["body"]["sdp"]
SPEAKER = ring_says("camera_options", stealth_mode=False)
MISTAKES: dict[str, tuple[Change, int, str]] = {  # what is changed, the message that is wrong then (from 1), its fault
    "doorbot_id as text": (body(OFFER, doorbot_id="1001"), 1, "SIG-DOORBOT-ID"),
    "doorbot_id as a fraction": (body(OFFER, doorbot_id=1001.5), 1, "SIG-DOORBOT-ID"),
    "no doorbot_id": (body(OFFER, doorbot_id=None), 1, "SIG-DOORBOT-ID"),
    "another camera in a ping": (body(PING, doorbot_id=1002), 9, "SIG-DOORBOT-ID"),
    "no dialog_id": (at(PING, dialog_id=None), 9, "SIG-DIALOG-ID"),
    "a dialog_id that is no UUID": (at(OFFER, dialog_id="7"), 1, "SIG-DIALOG-ID"),
    "action in place of method": (at(PING, method=None, action="ping"), 9, "SIG-METHOD"),
    "a method of somebody's own": (at(PING, method="keepalive"), 9, "SIG-METHOD"),
    "no body": (at(PING, body=None), 9, "SIG-FORMAT"),
    "fields at the top level": (at(OPTIONS, body=None, doorbot_id=1001, audio_enabled=True), 5, "SIG-FORMAT"),
    "no stream_options": (body(OFFER, stream_options=None), 1, "SIG-FORMAT"),
    "an empty sdp": (body(OFFER, sdp=" "), 1, "SIG-SDP"),
    "sdp without CR": (body(OFFER, sdp=SDP.replace("\r\n", "\n")), 1, "SIG-SDP"),
    "sdp without H264": (body(OFFER, sdp=SDP.replace("H264", "VP8")), 1, "SIG-SDP"),
    "sdp without ufrag": (body(OFFER, sdp=SDP.replace("a=ice-ufrag:ufrag\r\n", "")), 1, "SIG-SDP"),
    "sdp that sends video": (body(OFFER, sdp=SDP.replace("a=recvonly", "a=sendonly")), 1, "SIG-SDP"),
    "a candidate with a=": (body(ICE, ice=f"a={CANDIDATE}"), 6, "SIG-CANDIDATE"),
    "a candidate as an object": (body(ICE, ice={"candidate": CANDIDATE}), 6, "SIG-CANDIDATE"),
    "mlineindex as text": (body(ICE, mlineindex="0"), 6, "SIG-CANDIDATE"),
    "icecandidate": (at(ICE, method="icecandidate"), 6, "SIG-CANDIDATE"),
    "a session of its own": (body(PING, session_id="mine"), 9, "SIG-SESSION-ID"),
    "no session in a ping": (body(PING, session_id=None), 9, "SIG-SESSION-ID"),
    "ping first": (moved(PING, 0), 1, "SIG-ORDER"),
    "activation before the answer": (moved(ACTIVATE, 2), 3, "SIG-ORDER"),
    "activation before the session": (moved(ACTIVATE, 1), 2, "SIG-ORDER"),
    "activation twice": (twice(ACTIVATE), 5, "SIG-ORDER"),
    "the offer twice": (twice(OFFER), 2, "SIG-ORDER"),
    "the speaker before the camera": (lambda d: [*d[:6], (0.6, "out", SPEAKER), *d[6:]], 7, "SIG-ORDER"),
    "a word after the close": (lambda d: [*d, (12.0, "out", d[PING][2])], 14, "SIG-ORDER"),
    "Ring: not ready": (ends(1, (0.2, "in", closes(26, "x"))), 2, "SIG-NOT-READY"),
    "Ring: no such session": (ends(9, (6.0, "in", closes(5, "Sessions with the provided ID not found"))), 10,
                              "SIG-SESSION-LOST"),
    "Ring: token": (ends(9, (6.0, "in", closes(5, "x Unauthorized: invalid or expired token"))), 10, "SIG-TOKEN"),
    "Ring: sign-in": (ends(9, (6.0, "in", closes(5, "Authentication failed: -1"))), 10, "SIG-AUTH"),
    "Ring: no pings": (ends(8, (40.0, "in", closes(6, "Timeout waiting for ping"))), 9, "SIG-PING"),
    "Ring: time is over": (ends(12, (720.0, "in", closes(10, "answered_timeout"))), 13, "SIG-TIME-LIMIT"),
    "Ring: a reason nobody knows": (ends(12, (20.0, "in", closes(77, "quota"))), 13, "SIG-CLOSE-OTHER"),
    "Ring: a notice": (lambda d: [*d[:8], (1.0, "in", ring_says("notification", is_ok=False, text="busy")), *d[8:]], 9,
                       "SIG-NOTICE"),
    "Ring: an empty answer": (body(2, sdp=""), 3, "SIG-SDP"),
    "never activated": (lambda d: [*d[:3], (70.4, "in", closes(0))], 4, "SIG-NO-ACTIVATION"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_in_a_live_view_is_the_first_that_is_found(mistake: str, form: str) -> None:
    change, number, code = MISTAKES[mistake]
    dialog = change(copy.deepcopy(ring_dialog()))
    report = judged(dialog, form)
    assert report.findings, report.verdict
    first = report.findings[0]
    assert (first.code, report.code) == (code, code)
    if form != "log of Node.js":  # there a message has many lines
        assert first.where.endswith(f" {number}")
    assert first.detail
    assert FAULTS[code].title in report.verdict


# ---- rooms ----


def index_of(dialog: Dialog, side: str, **fields: Any) -> int:
    return next(
        number for number, (_, way, said) in enumerate(dialog)
        if way == side and all(said.get(name) == value for name, value in fields.items())
    )  # fmt: skip


D_OFFER = index_of(DOCTOR, "out", t="signal", rid=2)
D_CANDIDATE = index_of(DOCTOR, "out", t="signal", rid=3)
P_ANSWER = index_of(PATIENT, "out", t="signal", rid=1)
S_OFFER = index_of(SEED_DOCTOR, "out", type="offer")
S_CANDIDATE = index_of(SEED_DOCTOR, "out", type="ice-candidate")
S_ANSWER = index_of(SEED_PATIENT, "out", type="answer")
DESCRIPTION = {"type": "offer", "sdp": "v=0\r\n"}
ROOM_MISTAKES: dict[str, tuple[Dialog, Change, int, str]] = {
    "no hello": (DOCTOR, lambda d: d[1:], index_of(DOCTOR[1:], "out", t="admit") + 1, "ROOM-HELLO"),
    "a late hello": (DOCTOR, lambda d: [(0.0, "in", {"t": "pong", "at": 1.0}), *[(t + 60, s, m) for t, s, m in d]], 2,
                     "ROOM-HELLO"),
    "version 1": (DOCTOR, at(0, v=1), 1, "ROOM-MESSAGE"),
    "version as text": (DOCTOR, at(0, v="2"), 1, "ROOM-MESSAGE"),
    "hello twice": (DOCTOR, twice(0), 2, "ROOM-MESSAGE"),
    "a type nobody knows": (DOCTOR, at(D_OFFER, t="sdp"), D_OFFER + 1, "ROOM-MESSAGE"),
    "a number that is used again": (DOCTOR, at(D_CANDIDATE, rid=2), D_CANDIDATE + 1, "ROOM-MESSAGE"),
    "both in one signal": (DOCTOR, at(D_CANDIDATE, description=DESCRIPTION), D_CANDIDATE + 1, "ROOM-MESSAGE"),
    "neither in a signal": (DOCTOR, at(D_OFFER, description=None), D_OFFER + 1, "ROOM-MESSAGE"),
    "a description as text": (DOCTOR, at(D_OFFER, description="v=0"), D_OFFER + 1, "ROOM-MESSAGE"),
    "an sdp that is none": (DOCTOR, at(D_OFFER, description={"type": "offer", "sdp": "x"}), D_OFFER + 1,
                            "ROOM-MESSAGE"),
    "a candidate with a=": (DOCTOR, at(D_CANDIDATE, candidate={"candidate": "a=candidate:1"}), D_CANDIDATE + 1,
                            "ROOM-MESSAGE"),
    "a message too long": (DOCTOR, at(D_OFFER, description={"type": "offer", "sdp": "v=0" + "x" * 70_000}), D_OFFER + 1,
                           "ROOM-SIZE"),
    "too much at once": (DOCTOR, lambda d: [*d[:D_OFFER], *[(1.0, "out", {"t": "ping"})] * 130, *d[D_OFFER:]],
                         D_OFFER + 120, "ROOM-RATE"),
    "an answer that nobody asked for": (PATIENT, twice(P_ANSWER), P_ANSWER + 2, "ROOM-MESSAGE"),
    "an answer before the offer": (PATIENT, lambda d: [
        line for line in d if not (line[1] == "in" and line[2]["t"] == "signal")
    ], P_ANSWER - 1, "ROOM-ORDER"),
    "the server: replaced": (DOCTOR, lambda d: [*d[:D_OFFER], (1.0, "in", {
        "t": "error", "code": "ROOM-REPLACED", "retry": "never", "message": "m", "fix": "f", "help": "h"})],
        D_OFFER + 1, "ROOM-REPLACED"),
    "the server: nonsense": (DOCTOR, lambda d: [*d[:3], (1.0, "in", {"t": "ok", "rid": "x"})], 4, "ROOM-MESSAGE"),
    "seed: offer without offer": (SEED_DOCTOR, at(S_OFFER, offer=None, sdp="v=0"), S_OFFER + 1, "ROOM-MESSAGE"),
    "seed: offer as text": (SEED_DOCTOR, at(S_OFFER, offer="v=0"), S_OFFER + 1, "ROOM-MESSAGE"),
    "seed: the other name for a candidate": (SEED_DOCTOR, at(S_CANDIDATE, type="icecandidate"), S_CANDIDATE + 1,
                                             "ROOM-MESSAGE"),
    "seed: a candidate first": (SEED_DOCTOR, moved(S_CANDIDATE, S_OFFER), S_OFFER + 1, "ROOM-ORDER"),
    "seed: an answer twice": (SEED_PATIENT, twice(S_ANSWER), S_ANSWER + 2, "ROOM-ORDER"),
    "seed: both offer": (SEED_PATIENT, lambda d: [*d[:S_ANSWER], (1.0, "out", SEED_DOCTOR[S_OFFER][2]), *d[S_ANSWER:]],
                         S_ANSWER + 1, "ROOM-ORDER"),
    "seed: an answer is called an offer": (SEED_PATIENT, at(S_ANSWER, answer=DESCRIPTION), S_ANSWER + 1,
                                           "ROOM-MESSAGE"),
}  # fmt: skip


@pytest.mark.parametrize("form", ["JSON lines", "HAR of Chromium", "dump of mitmproxy", "log of Python"])
@pytest.mark.parametrize("mistake", ROOM_MISTAKES)
def test_each_mistake_in_a_room_is_the_first_that_is_found(mistake: str, form: str) -> None:
    dialog, change, number, code = ROOM_MISTAKES[mistake]
    report = judged(change(copy.deepcopy(dialog)), form)
    assert report.findings, report.verdict
    first = report.findings[0]
    assert (first.code, first.where.partition(" ")[2]) == (code, str(number)), first


# ---- the end ----


@pytest.mark.parametrize(
    ("kept", "then", "who", "owes", "code"),
    [
        (1, 4.0, "Ring", "`session_created`", None),
        (1, 12.0, "Ring", "`session_created`", "SIG-NO-SESSION"),
        (2, 12.0, "Ring", "the answer (`sdp`)", "SIG-NO-ANSWER"),
        (3, 30.0, "the client", "`activate_session`", None),
        (3, 71.0, "the client", "`activate_session`", "SIG-NO-ACTIVATION"),
        (6, 40.0, "Ring", "`camera_connected`", "SIG-NO-CAMERA"),
        (9, 8.0, "Ring", "`pong`", None),
        (9, 25.0, "Ring", "`pong`", "SIG-PING"),
        (10, 12.0, "the client", "the next `ping`", None),
        (10, 30.0, "the client", "the next `ping`", "SIG-PING"),
    ],
)
def test_silence_says_who_was_to_speak_and_how_long_one_waited(
    kept: int, then: float, who: str, owes: str, code: str | None
) -> None:
    """The recording goes on with something that says nothing, so that time passes."""
    note = json.dumps({"at": then, "dir": "note", "msg": {"text": "stopped"}}) + "\n"
    report = lint(opened(as_lines(ring_dialog()[:kept]) + note.encode()))
    assert report.silence is not None
    assert (report.silence.who, report.silence.owes, report.code, report.findings) == (who, owes, code, [])
    assert report.waited is not None
    assert f"Then silence: {who} was to speak next ({owes}); {report.waited:.1f} s passed" in report.verdict


@pytest.mark.parametrize(
    ("dialog", "kept", "owes"),
    [
        (DOCTOR, 1, "`welcome`"),
        (DOCTOR, 2, "`roster` or `waiting`"),
        (PATIENT, 3, "to let this page in (`admit`)"),
        (PATIENT, P_ANSWER, "its answer"),
        (DOCTOR, D_CANDIDATE, "its answer"),
        (SEED_DOCTOR, S_OFFER + 1, "its answer"),
        (SEED_PATIENT, S_ANSWER, "its answer"),
    ],
)
def test_silence_in_a_room_is_no_fault(dialog: Dialog, kept: int, owes: str) -> None:
    report = judged(dialog[:kept])
    assert report.silence is not None
    assert (report.silence.owes, report.code) == (owes, None)


@pytest.mark.parametrize(
    ("code", "reason", "fault"),
    [(4002, "", "SIG-REJECTED"), (4002, "doorbot_id must be an integer", "SIG-DOORBOT-ID"), (4711, "", "SIG-REJECTED"),
     (1006, "", "SIG-DROPPED")],
)  # fmt: skip
def test_a_socket_that_the_other_side_closes_is_the_finding(code: int, reason: str, fault: str) -> None:
    note = json.dumps({"at": 6, "dir": "note", "msg": {"socket": "closed", "code": code, "reason": reason}}) + "\n"
    report = lint(opened(as_lines(ring_dialog()[:9]) + note.encode()))
    assert [(found.code, found.where, found.who) for found in report.findings] == [(fault, "line 10", "socket")]
    unheard = lint(opened(as_lines(ring_dialog()[:1]) + note.replace(str(code), "1000").encode()))
    assert unheard.code == ("SIG-USER-AGENT" if not reason else unheard.code)


def test_a_socket_that_never_opened_says_why() -> None:
    url = "wss://api.prod.signalling.ring.devices.a2z.com:443/ws?auth_type=ring_solutions&token=abc"
    refused = as_chrome_har([], url).replace(b'"status": 101', b'"status": 404')
    report = lint(opened(refused))
    assert (report.code, report.messages) == ("SIG-TICKET", 0)
    assert "abc" not in report.findings[0].evidence
    nobody = as_chrome_har([], "ws://localhost:8000/ws/signaling/7/doctor").replace(
        b'"status": 101', b'"status": 0, "_error": "net::ERR_CONNECTION_REFUSED"'
    )
    assert lint(opened(nobody)).code == "REACH-REFUSED"
    nowhere = as_chrome_har([], "ws://localhost:8000/ws/signaling/undefined/doctor")
    assert lint(opened(nowhere)).code == "ROOM-ID"
    assert lint(opened(as_dump([], "/ws/signaling/visit/nurse"))).code == "ROOM-ROLE"


def test_what_others_speak_on_other_sockets_is_left_alone() -> None:
    chat: Dialog = [(0.0, "out", {"type": "subscribe", "channel": 7}), (0.1, "in", {"event": "hello"})]
    report = lint(opened(as_chrome_har(chat)))
    assert (report.messages, report.others, report.findings) == (0, 2, [])
    assert "nothing in it is a message" in report.verdict


# ---- secrets ----


@pytest.mark.parametrize("form", FORMS)
def test_no_secret_is_shown(form: str) -> None:
    dialog = copy.deepcopy(ring_dialog())
    for _, _, said in dialog:
        if "session_id" in said["body"]:
            said["body"]["session_id"] = "MARKED-SECRET"
    dialog[ICE][2]["body"]["ice"] = "a=candidate"
    dialog[PING][2]["body"]["session_id"] = "MARKED-SECRET-2"
    dialog.append((12.0, "out", {"method": "ping", "dialog_id": ID, "body": {"doorbot_id": 1, "session_id": "MARKED"}}))
    report = judged(dialog, form)
    assert len(report.findings) >= 3
    assert "MARKED" not in json.dumps(report.as_dict())


def test_evidence_is_short() -> None:
    report = judged([(0.0, "out", {**ring_dialog()[0][2], "dialog_id": None, "riid": "x" * 5000})])
    assert len(report.findings[0].evidence) <= 400


# ---- anything ----

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from([ID, "offer", "the.servers.own", OFFER, CANDIDATE]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["method", "body", "dialog_id", "doorbot_id", "session_id", "reason", "code", "sdp", "t",
                         "type", "v", "rid", "to", "description", "candidate", "offer", "answer", "person", "id"]),
        inner | st.sampled_from(["live_view", "ping", "close", "sdp", "ice", "hello", "signal", "offer", "welcome"]),
        max_size=5,
    ), max_leaves=12,
)  # fmt: skip
_DIALOGS = st.lists(
    st.tuples(
        st.floats(-10, 1e6), st.sampled_from(["in", "out"]),
        st.dictionaries(st.sampled_from(["method", "t", "type", "body", "dialog_id", "rid"]), _VALUES, max_size=5)
        | st.sampled_from([said for dialog in CLEAN.values() for _, _, said in dialog]),
    ), max_size=6,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_DIALOGS, st.sampled_from(sorted(FORMS)), st.data())
def test_whatever_is_said_is_judged_and_nothing_raises(dialog: Dialog, form: str, data: st.DataObject) -> None:
    whole = FORMS[form](dialog)
    report = lint(opened(whole))
    assert json.dumps(report.as_dict())
    cut = lint(opened(whole[: data.draw(st.integers(0, len(whole)))]))
    assert cut.verdict


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode) | st.sampled_from([
    b"", b"\n\n", b"12:", b"12:3:abc,", b"9999999999:1:", b'{"log":{"entries":[{"_webSocketMessages":[',
    b'{"log":{' * 500,
    b"{" * 2000, b'{"dir":' * 100, b"\x1b[" * 100, b"\xff\xfe" + "{\"a\":1}".encode("utf-16-le"), b"\0" * 100,
    b"{'a': '" * 300, b"> TEXT '{' [5 bytes]\n" * 5, b"received 4002 (private use)\n",
    b'"WebSocket /ws/signaling/" 403',
]))  # fmt: skip
def test_bytes_of_any_kind_have_a_verdict(data: bytes) -> None:
    report = lint(opened(data))
    assert report.verdict
    assert json.dumps(report.as_dict())
