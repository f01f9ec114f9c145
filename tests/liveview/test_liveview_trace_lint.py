"""The lint of a recorded dialog."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.liveview import messages
from ringlight.liveview.messages import Message
from ringlight.liveview.trace_lint import TraceLint
from ringlight.media import negotiate, sdp
from ringlight.media.sdp import Transport

DIALOG = "9b2f1c1e-2f6e-4f0b-8f7e-1d2c3b4a5968"
OFFER = sdp.write(negotiate.camera_offer(Transport("u", "p", "AA", "actpass"), audio=True))
START = messages.LiveView(doorbot_id=1, sdp=OFFER, stream_options=messages.Streams())
CREATED = messages.SessionCreated(doorbot_id=1, session_id="S")
ANSWER = messages.Sdp(doorbot_id=1, session_id="S", sdp="v=0")
ACTIVATE = messages.ActivateSession(doorbot_id=1, session_id="S")
PING = messages.Ping(doorbot_id=1, session_id="S")
SPEAK = messages.CameraOptions(doorbot_id=1, session_id="S", stealth_mode=False)
CONNECTED = messages.Notification(doorbot_id=1, session_id="S", is_ok=True, text="camera_connected")
END = messages.Close(doorbot_id=1, session_id="S", reason=messages.Reason(code=0))


def line(direction: str, body: messages.Body, **changes: Any) -> str:
    message = json.loads(messages.encode(Message(method=body.METHOD, dialog_id=DIALOG, body=body)))
    return json.dumps({"at": 1.0, "dir": direction, "msg": {**message, **changes}})


def lint(*lines: str) -> TraceLint:
    result = TraceLint()
    result.read(lines)
    return result


REGULAR = [line("out", START), line("in", CREATED), line("in", ANSWER), line("out", ACTIVATE), line("out", PING)]


def test_a_regular_dialog_is_right_as_far_as_it_goes() -> None:
    assert lint(*REGULAR, line("out", END)).verdict == "All 6 messages are right as far as it goes."
    assert "Then silence: the last was `out ping`" in lint(*REGULAR).verdict
    assert lint(*REGULAR, line("in", CONNECTED), line("out", SPEAK), line("out", END)).findings == []


@pytest.mark.parametrize(
    ("lines", "number", "code"),
    [
        ([line("out", PING)], 1, "SIG-ORDER"),
        ([*REGULAR, line("out", messages.Ping(doorbot_id=1, session_id="other"))], 6, "SIG-SESSION-ID"),
        ([line("out", START, dialog_id=None)], 1, "SIG-DIALOG-ID"),
        ([line("out", START), line("out", ACTIVATE)], 2, "SIG-ORDER"),
        ([*REGULAR, line("out", SPEAK)], 6, "SIG-ORDER"),
        ([*REGULAR, line("in", messages.Close(doorbot_id=1, reason=messages.Reason(code=26)))], 6, "SIG-NOT-READY"),
        ([*REGULAR, line("in", messages.Notification(doorbot_id=1, is_ok=False, text="x"))], 6, "SIG-NOTICE"),
    ],
)
def test_the_first_wrong_message_is_named(lines: list[str], number: int, code: str) -> None:
    found = lint(*lines).findings[0]
    assert (found.line, found.code) == (number, code)


def test_what_is_no_message_is_counted_and_an_empty_trace_says_what_is_expected() -> None:
    mixed = lint("noise", "", "[]", '{"dir": "out"}', "[" * 5000, *REGULAR)
    assert mixed.unread == 4
    assert mixed.seen == 5
    assert mixed.findings == []
    assert "Nothing in it is a message" in lint("", "noise").verdict
    notes = lint('{"at": 1, "dir": "note", "msg": {"text": "x"}}', *REGULAR)
    assert (notes.seen, notes.unread) == (5, 0)
    endless = lint(line("out", PING).replace("1.0", "9" * 400))
    assert (endless.findings[0].at, endless.findings[0].code) == (None, "SIG-ORDER")


@given(
    st.lists(
        st.text()
        | st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(["dir", "msg", "method", "body", "dialog_id", "at"]) | st.text(),
                    inner | st.sampled_from(["in", "out", "live_view", DIALOG]),
                )
            ),
        ).map(json.dumps)
    )
)
def test_nothing_in_a_trace_raises(lines: list[str]) -> None:
    assert lint(*lines).verdict
