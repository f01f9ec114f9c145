"""The judge: each way of sending something wrong that is known, and the fault it has."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringlight.faults import FAULTS, find
from ringlight.liveview import messages
from ringlight.liveview.lint import Judge, Verdict, offer_complaint
from ringlight.media import negotiate, sdp
from ringlight.media.sdp import Transport

DIALOG = "9b2f1c1e-2f6e-4f0b-8f7e-1d2c3b4a5968"
TRANSPORT = Transport("ufrag123", "password-of-ice-24-chars", "AA:BB", "actpass")
OFFER = sdp.write(negotiate.camera_offer(TRANSPORT, audio=True))
CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host"
STREAMS = {"audio_enabled": True, "video_enabled": True}


def _envelope(method: str, **body: Any) -> dict[str, Any]:
    return {"method": method, "dialog_id": DIALOG, "body": {"doorbot_id": 1001, **body}}


def _live_view(**body: Any) -> dict[str, Any]:
    return _envelope("live_view", **{"sdp": OFFER, "stream_options": STREAMS, "type": "offer", **body})


def _in_session(method: str, **body: Any) -> dict[str, Any]:
    return _envelope(method, **{"session_id": "S", **body})


def _without(envelope: dict[str, Any], field: str) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(json.dumps(envelope))
    if field in whole:
        del whole[field]
    else:
        del whole["body"][field]
    return whole


def _offered() -> Judge:
    judge = Judge()
    assert judge.receive_envelope(_live_view()).code is None
    return judge


def _created() -> Judge:
    judge = _offered()
    judge.created(DIALOG, "S")
    return judge


def _live() -> Judge:
    judge = _created()
    judge.answered(DIALOG)
    assert judge.receive_envelope(_in_session("activate_session")).code is None
    return judge


def _closed() -> Judge:
    judge = _live()
    assert judge.receive_envelope(_in_session("close", reason={"code": 0})).code is None
    return judge


def test_a_legal_dialog_is_clean() -> None:
    judge = Judge()
    verdicts = [judge.receive_envelope(_live_view())]
    verdicts.append(judge.receive_envelope(_envelope("ice", ice=CANDIDATE, mlineindex=0)))
    judge.created(DIALOG, "S")
    judge.created(DIALOG, "T")  # a second one replaces nothing
    judge.answered(DIALOG)
    for method, body in (
        ("activate_session", {}),
        ("stream_options", {"video_enabled": True}),
        ("mic_enable", {"enabled": False}),
        ("ping", {}),
        ("ice", {"ice": CANDIDATE, "mlineindex": 0, "mid": "0"}),
        ("camera_options", {"stealth_mode": True}),
        ("rpc", {"command": {"jsonrpc": "2.0", "id": "c-17", "method": "PTZ.Pan.Step", "params": {}}}),
        ("notification", {"is_ok": False, "text": "x"}),
        ("close", {"reason": {"code": 0, "text": "client_closed"}}),
    ):
        verdicts.append(judge.receive(json.dumps(_in_session(method, **body))))
    assert [verdict.code for verdict in verdicts] == [None] * 11
    assert [verdict.method for verdict in verdicts][-2:] == ["notification", "close"]
    assert all(verdict.message is not None for verdict in verdicts)


def test_several_dialogs_share_a_socket_without_mixing() -> None:
    judge, other = _live(), str(uuid.uuid4())
    assert judge.receive_envelope(_live_view(doorbot_id=1002) | {"dialog_id": other}).code is None
    judge.created(other, "S2")
    crossed = _in_session("ping", session_id="S2")
    assert judge.receive_envelope(crossed).code == "SIG-SESSION-ID"
    assert judge.receive_envelope(_in_session("ping", doorbot_id=1002, session_id="S2") | {"dialog_id": other}) == (
        Verdict("ping", message=messages.parse_envelope(
            _in_session("ping", doorbot_id=1002, session_id="S2") | {"dialog_id": other}))
    )  # fmt: skip


WISH = {"notification_type": "shoulder_tap", "notification_scope": "event", "filter_identifier": "f",
        "filters": {"doorbot_ids": [1001]}}  # fmt: skip


def _about_events(method: str, **body: Any) -> dict[str, Any]:
    return {"method": method, "dialog_id": str(uuid.UUID(int=7, version=4)), "body": body}


def test_events_and_recorded_video_have_dialogs_of_their_own_on_the_socket() -> None:
    """As Ring's app does: one socket, a subscription beside views, each heartbeat with a riid of its own."""
    judge = _live()
    playback = _envelope("playback", sdp=OFFER, type="cloud", entry_point="timeline") | {"dialog_id": str(uuid.uuid4())}
    for envelope in (
        _about_events("push_subscribe", requested_notifications=[WISH]),
        _about_events("push_heartbeat", subscription_id="s") | {"riid": "0" * 32},
        _in_session("ping"),
        _about_events("push_unsubscribe", subscription_id="s"),
        playback,
    ):
        verdict = judge.receive_envelope(envelope)
        assert verdict.code is None, verdict
    for envelope in (
        _about_events("push_heartbeat"),
        _about_events("push_subscribe", requested_notifications=[WISH]),
        _in_session("push_heartbeat"),
        playback,
        _about_events("ping", doorbot_id=1001),
    ):
        assert judge.receive_envelope(envelope).code == "SIG-ORDER", envelope


# Each row of observed-protocol.md#causes-of-4002 that a message can show: when, what, the fault.
WRONG: dict[str, tuple[Any, Any, str]] = {
    # wrong or old message format
    "method missing": (Judge, _without(_live_view(), "method"), "SIG-METHOD"),
    "action for method": (Judge, {**_without(_live_view(), "method"), "action": "live_view"}, "SIG-METHOD"),
    "dialog_id missing": (Judge, _without(_live_view(), "dialog_id"), "SIG-DIALOG-ID"),
    "dialog_id missing later": (_live, _without(_in_session("ping"), "dialog_id"), "SIG-DIALOG-ID"),
    "dialog_id null": (Judge, {**_live_view(), "dialog_id": None}, "SIG-DIALOG-ID"),
    "dialog_id number": (Judge, {**_live_view(), "dialog_id": 7}, "SIG-DIALOG-ID"),
    "dialog_id no UUID": (Judge, {**_live_view(), "dialog_id": "dialog-1"}, "SIG-DIALOG-ID"),
    "riid number": (Judge, {**_live_view(), "riid": 7}, "SIG-FORMAT"),
    "body missing": (Judge, _without(_live_view(), "body"), "SIG-FORMAT"),
    "body array": (Judge, {**_live_view(), "body": []}, "SIG-FORMAT"),
    "fields at the top": (Judge, {**_without(_live_view(), "body"), **_live_view()["body"]}, "SIG-FORMAT"),
    "close of old clients": (_live, {"method": "close", "reason": {"code": 0, "text": ""}}, "SIG-DIALOG-ID"),
    "close without reason": (_live, _in_session("close"), "SIG-FORMAT"),
    "stream_options missing": (Judge, _without(_live_view(), "stream_options"), "SIG-FORMAT"),
    "stream_options text": (Judge, _live_view(stream_options="all"), "SIG-FORMAT"),
    # doorbot_id
    "doorbot_id missing": (Judge, _without(_live_view(), "doorbot_id"), "SIG-DOORBOT-ID"),
    "doorbot_id text": (Judge, _live_view(doorbot_id="1001"), "SIG-DOORBOT-ID"),
    "doorbot_id of hardware": (Judge, _live_view(doorbot_id="0c1d2e3f4a5b"), "SIG-DOORBOT-ID"),
    "doorbot_id fraction": (Judge, _live_view(doorbot_id=1001.5), "SIG-DOORBOT-ID"),
    "doorbot_id whole fraction": (Judge, _live_view(doorbot_id=1001.0), "SIG-DOORBOT-ID"),
    "doorbot_id bool": (Judge, _live_view(doorbot_id=True), "SIG-DOORBOT-ID"),
    "doorbot_id null": (Judge, _live_view(doorbot_id=None), "SIG-DOORBOT-ID"),
    "doorbot_id of another camera": (_live, _in_session("ping", doorbot_id=1002), "SIG-DOORBOT-ID"),
    # session_id
    "session_id missing": (_live, _envelope("ping"), "SIG-SESSION-ID"),
    "session_id invented": (_live, _in_session("ping", session_id=str(uuid.uuid4())), "SIG-SESSION-ID"),
    "session_id number": (_live, _in_session("ping", session_id=5), "SIG-SESSION-ID"),
    "session_id missing in rpc": (_live, _envelope("rpc", command={}), "SIG-SESSION-ID"),
    "session_id wrong in ice": (
        _live, _in_session("ice", session_id="T", ice=CANDIDATE, mlineindex=0), "SIG-SESSION-ID",
    ),
    # SDP
    "sdp missing": (Judge, _without(_live_view(), "sdp"), "SIG-SDP"),
    "sdp empty": (Judge, _live_view(sdp=""), "SIG-SDP"),
    "sdp object": (Judge, _live_view(sdp={"type": "offer", "sdp": OFFER}), "SIG-SDP"),
    "sdp without v=0": (Judge, _live_view(sdp=OFFER.replace("v=0\r\n", "")), "SIG-SDP"),
    "sdp with LF only": (Judge, _live_view(sdp=OFFER.replace("\r\n", "\n")), "SIG-SDP"),
    "sdp without m-line": (Judge, _live_view(sdp=OFFER[: OFFER.index("m=")]), "SIG-SDP"),
    "sdp without video": (Judge, _live_view(sdp=OFFER[: OFFER.index("m=video")]), "SIG-SDP"),
    "sdp with video refused": (Judge, _live_view(sdp=OFFER.replace("m=video 9", "m=video 0")), "SIG-SDP"),
    "sdp that sends video": (Judge, _live_view(sdp=OFFER.replace("a=recvonly", "a=sendonly")), "SIG-SDP"),
    "sdp inactive": (Judge, _live_view(sdp=OFFER.replace("a=recvonly", "a=inactive")), "SIG-SDP"),
    "sdp without H264": (Judge, _live_view(sdp=OFFER.replace("H264", "VP8")), "SIG-SDP"),
    "sdp that is words": (Judge, _live_view(sdp="v=0\r\nhello\r\n"), "SIG-SDP"),
    # candidates
    "icecandidate": (_live, _in_session("icecandidate", candidate={"candidate": CANDIDATE}), "SIG-CANDIDATE"),
    "ice object": (_live, _in_session("ice", ice={"candidate": CANDIDATE}, mlineindex=0), "SIG-CANDIDATE"),
    "ice missing": (_live, _in_session("ice", mlineindex=0), "SIG-CANDIDATE"),
    "ice with a=": (_live, _in_session("ice", ice=f"a={CANDIDATE}", mlineindex=0), "SIG-CANDIDATE"),
    "ice empty": (_live, _in_session("ice", ice="", mlineindex=0), "SIG-CANDIDATE"),
    "ice cut off": (_live, _in_session("ice", ice="candidate:1 1 udp", mlineindex=0), "SIG-CANDIDATE"),
    "mlineindex missing": (_live, _in_session("ice", ice=CANDIDATE), "SIG-CANDIDATE"),
    "mlineindex text": (_live, _in_session("ice", ice=CANDIDATE, mlineindex="0"), "SIG-CANDIDATE"),
    # method names
    **{
        f"method {name}": (_live, _in_session(name), "SIG-METHOD")
        for name in ("start", "keepalive", "refresh", "session_created", "pong", "camera_started", "Live_View", "")
    },
    # order
    "ice before live_view": (Judge, _envelope("ice", ice=CANDIDATE, mlineindex=0), "SIG-ORDER"),
    "ping before live_view": (Judge, _envelope("ping"), "SIG-ORDER"),
    "close before live_view": (Judge, _envelope("close", reason={"code": 0}), "SIG-ORDER"),
    "ping before session_created": (_offered, _envelope("ping"), "SIG-ORDER"),
    "activate before session_created": (_offered, _envelope("activate_session"), "SIG-ORDER"),
    "session id before session_created": (_offered, _in_session("ping"), "SIG-ORDER"),
    "activate before the answer": (_created, _in_session("activate_session"), "SIG-ORDER"),
    "activate twice": (_live, _in_session("activate_session"), "SIG-ORDER"),
    "live_view twice": (_offered, _live_view(), "SIG-ORDER"),
    "ping after close": (_closed, _in_session("ping"), "SIG-ORDER"),
    "live_view after close": (_closed, _live_view(), "SIG-ORDER"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_each_mistake_has_its_fault(name: str) -> None:
    judge, envelope, code = WRONG[name]
    verdict = judge().receive(json.dumps(envelope))
    assert verdict.code == code, verdict.detail
    assert verdict.detail


@pytest.mark.parametrize("name", WRONG)
def test_the_words_of_a_verdict_lead_back_to_its_fault(name: str) -> None:
    """The simulator closes with them as the reason of a 4002, and that is all that a client sees."""
    judge, envelope, code = WRONG[name]
    verdict = judge().receive_envelope(envelope)
    assert find("socket", 4002, verdict.detail[:120]) == code, verdict.detail


@pytest.mark.parametrize("field", ["ice-ufrag", "ice-pwd", "fingerprint", "setup", "mid"])
def test_an_offer_without_a_line_that_media_needs(field: str) -> None:
    lacking = "".join(line for line in OFFER.splitlines(keepends=True) if not line.startswith(f"a={field}:"))
    complaint = offer_complaint(lacking)
    assert complaint is not None
    assert field in complaint
    assert Judge().receive_envelope(_live_view(sdp=lacking)).code == "SIG-SDP"


@pytest.mark.parametrize("direction", ["recvonly", "sendrecv"])
def test_offers_that_receive_video_are_fine(direction: str) -> None:
    assert offer_complaint(OFFER.replace("a=recvonly", f"a={direction}")) is None
    assert offer_complaint(sdp.write(negotiate.camera_offer(TRANSPORT, audio=False))) is None


def test_an_offer_that_was_refused_opens_no_dialog() -> None:
    judge = Judge()
    assert judge.receive_envelope(_live_view(sdp="")).code == "SIG-SDP"
    assert judge.receive_envelope(_in_session("ping")).code == "SIG-ORDER"
    assert judge.receive_envelope(_live_view()).code is None


@pytest.mark.parametrize("frame", ["", "[]", b"\xff", "{" * 9999, b"\x00" * 70_000])
def test_noise_is_judged_too(frame: str | bytes) -> None:
    verdict = Judge().receive(frame)
    assert (verdict.method, verdict.code, verdict.message) == ("?", "SIG-NOISE", None)


def test_a_verdict_on_an_endless_name_stays_short() -> None:
    judge = _live()
    for frame in (_in_session("x" * 99_999), {"method": "y" * 99_999, "dialog_id": DIALOG, "body": 1}):
        verdict = judge.receive_envelope(frame)
        assert verdict.code == "SIG-METHOD"
        assert len(verdict.detail) < 200


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([DIALOG, "S", OFFER, CANDIDATE]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=6,
)
_bodies = st.dictionaries(
    st.sampled_from(["doorbot_id", "session_id", "sdp", "ice", "mlineindex", "reason", "stream_options", "enabled"]),
    _json,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "method": st.sampled_from(["live_view", "ping", "ice", "close", "rpc", "x", "icecandidate"]) | _json,
                "dialog_id": st.just(DIALOG) | _json,
                "riid": _json,
                "body": _bodies | _json,
            },
        ),
        max_size=4,
    )
)
def test_the_judge_never_raises(envelopes: list[dict[str, Any]]) -> None:
    for start in (Judge, _live):
        judge = start()
        for envelope in envelopes:
            verdict = judge.receive_envelope(envelope)
            assert verdict.code is None or verdict.code in FAULTS
            assert (verdict.code is None) <= (verdict.message is not None)


def test_a_speaker_opened_before_the_camera_is_there_is_out_of_order_but_ends_nothing() -> None:
    """Ring loses the message and goes on; closing a speaker is never too early."""
    judge = _live()
    early = judge.receive_envelope(_in_session("camera_options", stealth_mode=False))
    assert (early.code, early.lost) == ("SIG-ORDER", True)
    assert "camera_connected" in early.detail
    assert judge.receive_envelope(_in_session("camera_options", stealth_mode=True)).code is None
    judge.connected(DIALOG)
    assert judge.receive_envelope(_in_session("camera_options", stealth_mode=False)).code is None
