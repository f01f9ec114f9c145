"""The border: what is a message, and which fault each frame that is none has."""

import json
import random
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringlight.errors import RingError
from ringlight.liveview import messages
from ringlight.liveview.messages import Message, encode, parse

# Every shape that msgspec's types allow, with the limits of JSON: no infinities, no lone surrogates.
_text = st.text(st.characters(codec="utf-8"), max_size=20)
_numbers = st.integers(-(2**80), 2**80)
_times = _numbers | st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.5)
_common: dict[str, Any] = {"doorbot_id": _numbers, "session_id": st.none() | _text}
_maybe = st.none() | st.booleans()
_streams = st.builds(messages.Streams, audio_enabled=_maybe, video_enabled=_maybe, ptz_enabled=_maybe)
_info = st.builds(
    messages.SessionInfo, ping_interval=st.none() | _numbers, region=st.none() | _text, session_id=st.none() | _text,
    ding_id=st.none() | _text, created_at=st.none() | _numbers, ip=st.none() | _text,
)  # fmt: skip
_wish = st.builds(
    messages.PushWish, notification_type=_text, notification_scope=st.none() | _text,
    filter_identifier=st.none() | _text,
    filters=st.none() | st.builds(messages.PushFilters, doorbot_ids=st.lists(_numbers, max_size=3).map(tuple)),
)  # fmt: skip
_fields: dict[type[messages.Body], dict[str, Any]] = {
    messages.LiveView: {"sdp": _text, "stream_options": st.none() | _streams, "type": st.none() | _text},
    messages.SessionCreated: {"requested_at": st.none() | _times},
    messages.Sdp: {"sdp": _text, "type": st.none() | _text, "session_info": st.none() | _info},
    messages.Ice: {"ice": _text, "mlineindex": _numbers, "mid": st.none() | _text},
    messages.StreamOptions: {"audio_enabled": _maybe, "video_enabled": _maybe},
    messages.MicEnable: {"enabled": st.booleans()},
    messages.CameraOptions: {"stealth_mode": _maybe},
    messages.Notification: {"is_ok": _maybe, "text": _text},
    messages.StreamInfo: {"transcoding": _maybe, "transcoding_reason": st.none() | _text},
    messages.Rpc: {"command": st.dictionaries(_text, _text | st.booleans(), max_size=3)},
    messages.Close: {"reason": st.builds(messages.Reason, code=_numbers, text=_text)},
    messages.Playback: {"sdp": _text, "type": st.none() | _text, "entry_point": st.none() | _text},
    messages.PushSubscribe: {"requested_notifications": st.lists(_wish, max_size=3).map(tuple)},
    messages.PushSubscriptionAck: {"status": _text, "subscription_id": st.none() | _text},
    messages.PushEvent: {
        "subscription_id": _text, "payload": st.dictionaries(_text, _text | _numbers, max_size=3),
        "filter_identifiers": st.lists(_text, max_size=2).map(tuple), "ingestion_time_ms": st.none() | _times,
    },
    messages.PushHeartbeat: {"subscription_id": st.none() | _text},
    messages.PushUnsubscribe: {"subscription_id": st.none() | _text},
}  # fmt: skip
_json = st.recursive(
    st.none() | st.booleans() | _numbers | _text | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)


def _message(kind: type[messages.Body]) -> st.SearchStrategy[Message]:
    body = st.builds(kind, **_common, **_fields.get(kind, {}))
    return st.builds(
        Message, method=st.just(kind.METHOD), body=body, dialog_id=st.none() | _text, riid=st.none() | _text
    )


@settings(max_examples=150, deadline=None)
@given(st.one_of(*map(_message, messages.BODIES.values())))
def test_what_is_written_is_read_back_the_same(message: Message) -> None:
    assert parse(encode(message)) == message


def test_messages_about_events_name_no_camera_in_the_usual_place() -> None:
    """As in the app's recording; everywhere else a missing doorbot_id is a fault."""
    told = (
        '{"method":"push_event","dialog_id":"d","body":{"subscription_id":"s","notification_type":"shoulder_tap",'
        '"notification_scope":"event","payload":{"device_id":"1001"},"filter_identifiers":["f"]}}'
    )
    message = parse(told)
    assert message.body == messages.PushEvent(
        subscription_id="s", notification_type="shoulder_tap", notification_scope="event",
        payload={"device_id": "1001"}, filter_identifiers=("f",),
    )  # fmt: skip
    assert json.loads(encode(message)) == json.loads(told)


def test_every_kind_of_body_is_written_and_read() -> None:
    assert set(_fields) <= set(messages.BODIES.values())
    assert set(messages.BODIES) == {kind.METHOD for kind in messages.BODIES.values()}
    assert "" not in messages.BODIES


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(_text, _json, max_size=4))
def test_an_unlisted_method_keeps_its_body_as_it_came(fields: dict[str, Any]) -> None:
    message = parse(json.dumps({"method": "weather_report", "dialog_id": "D", "body": fields}))
    assert isinstance(message.body, messages.Unknown)
    assert message.body.fields == fields
    assert json.loads(encode(message)) == {"method": "weather_report", "dialog_id": "D", "body": fields}


def test_an_answer_as_ring_sends_it() -> None:
    frame = (
        '{"method":"sdp","dialog_id":"D1","riid":"R1","body":{"doorbot_id":50120001,"session_id":"eyJ.J.W",'
        '"type":"answer","sdp":"v=0\\r\\n","session_info":{"session_id":"uuid-b","ping_interval":10,'
        '"region":"eu-west-1","something_new":[1]}}}'
    )
    assert parse(frame) == Message(
        method="sdp",
        dialog_id="D1",
        riid="R1",
        body=messages.Sdp(
            doorbot_id=50120001,
            session_id="eyJ.J.W",
            sdp="v=0\r\n",
            type="answer",
            session_info=messages.SessionInfo(session_id="uuid-b", ping_interval=10, region="eu-west-1"),
        ),
    )


def test_the_close_of_old_clients_has_no_body() -> None:
    with pytest.raises(RingError) as caught:
        parse('{"method":"close","reason":{"code":0,"text":""}}')
    assert caught.value.code == "SIG-FORMAT"


def _frame(method: object = "live_view", body: object = None, **envelope: object) -> str:
    usual = {"doorbot_id": 1001, "sdp": "v=0"} if body is None else body
    return json.dumps({"method": method, "dialog_id": "D", "body": usual, **envelope})


def _offer(**body: object) -> str:
    return _frame(body={"doorbot_id": 1001, "sdp": "v=0", **body})


def _ice(**body: object) -> str:
    return _frame("ice", {"doorbot_id": 1001, "ice": "candidate:1", "mlineindex": 0, **body})


def _without(frame: str, *path: str) -> str:
    whole = json.loads(frame)
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return json.dumps(whole)


BAD: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "SIG-NOISE"),
    "words": ("hello", "SIG-NOISE"),
    "64 KiB of noise": (random.Random(4002).randbytes(65536), "SIG-NOISE"),
    "invalid UTF-8": (b'{"method": "\xff"}', "SIG-NOISE"),
    "lone surrogate as bytes": ('{"method": "\ud800"}', "SIG-NOISE"),
    "lone surrogate escaped": (r'{"method": "\ud800"}', "SIG-NOISE"),
    "cut off": (_offer()[:-3], "SIG-NOISE"),
    "two in one": (_offer() * 2, "SIG-NOISE"),
    "array": (f"[{_offer()}]", "SIG-NOISE"),
    "text": ('"live_view"', "SIG-NOISE"),
    "null": ("null", "SIG-NOISE"),
    "number": ("4002", "SIG-NOISE"),
    "number beyond floats": ('{"method": 1e999}', "SIG-NOISE"),
    "number beyond patience": ('{"method": "sdp", "body": {"doorbot_id": ' + "9" * 5000 + "}}", "SIG-NOISE"),
    "infinity": ('{"method": Infinity}', "SIG-NOISE"),
    # Within MAX_BYTES, so it is the depth that counts. Python 3.14 counts bytes of its stack, and can read this.
    "deep": ('{"a":' * 20_000 + "1" + "}" * 20_000, "SIG-NOISE" if sys.version_info < (3, 14) else "SIG-FORMAT"),
    "huge": (_offer(sdp="x" * messages.MAX_BYTES), "SIG-NOISE"),
    "no method": (_without(_offer(), "method"), "SIG-FORMAT"),
    "method null": (_frame(None), "SIG-FORMAT"),
    "method number": (_frame(5), "SIG-FORMAT"),
    "no body": (_without(_offer(), "body"), "SIG-FORMAT"),
    "body text": (_frame(body="doorbot_id"), "SIG-FORMAT"),
    "body array": (_frame(body=[1]), "SIG-FORMAT"),
    "body of an unlisted method": (_frame("news", body=[1]), "SIG-FORMAT"),
    "riid number": (_frame(riid=7), "SIG-FORMAT"),
    "dialog_id number": (_frame(dialog_id=7), "SIG-DIALOG-ID"),
    "dialog_id object": (_frame(dialog_id={}), "SIG-DIALOG-ID"),
    "doorbot_id missing": (_without(_offer(), "body", "doorbot_id"), "SIG-DOORBOT-ID"),
    "doorbot_id text": (_offer(doorbot_id="1001"), "SIG-DOORBOT-ID"),
    "doorbot_id float": (_offer(doorbot_id=1001.5), "SIG-DOORBOT-ID"),
    "doorbot_id bool": (_offer(doorbot_id=True), "SIG-DOORBOT-ID"),
    "doorbot_id null": (_offer(doorbot_id=None), "SIG-DOORBOT-ID"),
    "session_id number": (_frame("pong", {"doorbot_id": 1001, "session_id": 5}), "SIG-SESSION-ID"),
    "sdp missing": (_without(_offer(), "body", "sdp"), "SIG-SDP"),
    "sdp object": (_offer(sdp={"type": "answer"}), "SIG-SDP"),
    "ice missing": (_without(_ice(), "body", "ice"), "SIG-CANDIDATE"),
    "ice object": (_ice(ice={"candidate": "candidate:1"}), "SIG-CANDIDATE"),
    "mlineindex missing": (_without(_ice(), "body", "mlineindex"), "SIG-CANDIDATE"),
    "mlineindex text": (_ice(mlineindex="0"), "SIG-CANDIDATE"),
    "mlineindex bool": (_ice(mlineindex=False), "SIG-CANDIDATE"),
    "reason missing": (_frame("close", {"doorbot_id": 1001}), "SIG-FORMAT"),
    "reason code text": (_frame("close", {"doorbot_id": 1001, "reason": {"code": "5"}}), "SIG-FORMAT"),
    "stream_options text": (_offer(stream_options="all"), "SIG-FORMAT"),
    "is_ok text": (_frame("notification", {"doorbot_id": 1001, "is_ok": "yes"}), "SIG-FORMAT"),
    "enabled missing": (_frame("mic_enable", {"doorbot_id": 1001}), "SIG-FORMAT"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_frame_has_its_own_fault(name: str) -> None:
    frame, code = BAD[name]
    with pytest.raises(RingError) as caught:
        parse(frame)
    assert caught.value.code == code
    assert caught.value.detail
    assert len(caught.value.detail) < 300


def test_a_float_that_is_whole_is_taken_for_what_it_is() -> None:
    """1001.0 is a fraction to JSON's readers elsewhere, and Ring's server wants an integer."""
    with pytest.raises(RingError) as caught:
        parse('{"method": "pong", "body": {"doorbot_id": 1001.0}}')
    assert caught.value.code == "SIG-DOORBOT-ID"


def _only_ring_errors(frame: str | bytes) -> None:
    try:
        message = parse(frame)
    except RingError as error:
        code: str | None = error.code
    else:
        code = None
        encode(message)
    assert code is None or code.startswith("SIG-")


def test_what_nobody_needs_may_come_in_any_form() -> None:
    """Ring changes such fields without notice; a view that fails by it would fail for everybody on the same day."""
    info = {"ping_interval": 10, "region": 3, "ding_id": 75, "created_at": "now", "ip": ["198.51.100.7"], "cell_id": 1}
    answer = parse(json.dumps({"method": "sdp", "body": {"doorbot_id": 1, "sdp": "v=0", "session_info": info}}))
    assert isinstance(answer.body, messages.Sdp)
    assert answer.body.session_info is not None
    assert answer.body.session_info.ping_interval == 10
    parse(
        json.dumps({"method": "session_created", "body": {"doorbot_id": 1, "session_id": "s", "requested_at": "now"}})
    )


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100) | _json.map(json.dumps))
def test_noise_is_never_worse_than_a_fault(frame: str | bytes) -> None:
    _only_ring_errors(frame)


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from([*messages.BODIES, "news"]),
    fields=st.dictionaries(
        st.sampled_from(["doorbot_id", "session_id", "sdp", "ice", "mlineindex", "reason", "session_info", "is_ok"]),
        _json,
    ),
    envelope=st.dictionaries(st.sampled_from(["dialog_id", "riid", "body"]), _json, max_size=2),
)
@example(method="sdp", fields={"doorbot_id": 1, "session_info": {"ping_interval": 10**400}}, envelope={})
def test_almost_right_is_never_worse_than_a_fault(
    method: str, fields: dict[str, Any], envelope: dict[str, Any]
) -> None:
    _only_ring_errors(msgspec.json.encode({"method": method, "body": fields, **envelope}))
