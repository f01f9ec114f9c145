"""What a recording keeps and what it hides."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringlight.errors import MediaError, RingError
from ringlight.liveview import messages
from ringlight.liveview.trace import TraceFile, redact

CANARY = "canary-4002"
SDP = f"v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:{CANARY}-pwd\r\na=mid:0\r\n"
MESSAGE = {
    "method": "sdp",
    "dialog_id": "D1",
    "body": {
        "doorbot_id": 1001,
        "session_id": f"{CANARY}-session",
        "sdp": SDP,
        "session_info": {"session_id": f"{CANARY}-info", "ping_interval": 10},
        "command": [{"params": {"sessionId": f"{CANARY}-ptz", "token": f"{CANARY}-t", "ticket": f"{CANARY}-k"}}],
    },
}


def test_the_file_holds_each_message_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "live.jsonl"
    trace = TraceFile(path)
    trace.record("out", {"method": "live_view", "body": {"doorbot_id": 1001, "sdp": SDP}})
    trace.record("in", MESSAGE)
    text = path.read_text()  # before it is closed: written as it happens
    trace.record("note", {"text": "Ä"})
    trace.close()
    assert CANARY not in text
    assert [json.loads(line)["dir"] for line in path.read_text().splitlines()] == ["out", "in", "note"]
    sent, came = map(json.loads, text.splitlines())
    assert 0 <= sent["at"] <= came["at"] < 60
    assert sent["msg"]["body"]["sdp"] == SDP.replace(f"{CANARY}-pwd", "(redacted)")
    assert came["msg"]["body"]["doorbot_id"] == 1001
    assert came["msg"]["body"]["session_info"]["ping_interval"] == 10


def test_the_same_secret_has_the_same_mark_and_another_one_another() -> None:
    """So that a message with the wrong session id can be told, without the id itself."""
    first, again, other = (redact({"session_id": secret})["session_id"] for secret in ("S", "S", "T"))
    assert first == again != other
    assert first.startswith("redacted-")
    assert redact({"body": {"session_info": {"session_id": "S"}}})["body"]["session_info"]["session_id"] == first


@pytest.mark.parametrize("value", [None, 5, True, 1.5])
def test_a_secret_of_the_wrong_type_stays_visible_as_the_mistake_it_is(value: object) -> None:
    assert redact({"session_id": value}) == {"session_id": value}


@pytest.mark.parametrize("value", [[CANARY], {"value": CANARY}, [{"deep": [CANARY]}]])
def test_a_secret_inside_of_something_is_hidden_too(value: object) -> None:
    assert CANARY not in json.dumps(redact({"session_id": value, "ticket": value}))


def test_redacting_changes_nothing_of_ours() -> None:
    before = json.dumps(MESSAGE)
    redact(MESSAGE)
    assert json.dumps(MESSAGE) == before


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as caught:
        TraceFile(tmp_path / "missing" / "live.jsonl")
    assert caught.value.code == "FILE-WRITE"
    assert "missing" in str(caught.value)


def test_a_full_disk_ends_the_recording_and_not_the_view() -> None:
    trace = TraceFile(Path("/dev/full"))
    for _ in range(3):
        trace.record("in", MESSAGE)
    trace.close()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=50) | _json.map(json.dumps) | st.just('{"body": ' + "9" * 4000 + "}"))
def test_all_that_can_be_read_can_be_recorded(frame: str | bytes) -> None:
    trace = TraceFile(Path("/dev/null"))
    try:
        envelope: dict[str, Any] = messages.load(frame)
    except RingError:
        return
    finally:
        trace.close()
    redact(envelope)
    trace = TraceFile(Path("/dev/null"))
    trace.record("in", envelope)
    trace.close()


def test_a_frame_as_deep_as_the_parser_takes_is_recorded() -> None:
    for depth in (100, 500, 900):
        try:
            envelope = messages.load('{"a":' * depth + "1" + "}" * depth)
        except RingError:
            continue
        trace = TraceFile(Path("/dev/null"))
        trace.record("in", envelope)
        trace.close()
