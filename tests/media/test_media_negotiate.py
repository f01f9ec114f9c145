"""Codecs agreed on: with a camera, which answers as Ring does, and with viewers, which offer as they like."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_kit import CHROMIUM_OFFER, PRINT, RING_ANSWER

from ringlight.errors import RingError
from ringlight.media import negotiate, sdp, transport_wide
from ringlight.media.sdp import Codec, Description, Section, Transport

OURS = Transport("ours", "our-password", PRINT, "actpass", ("candidate:1 1 udp 1 192.0.2.1 9 typ host",))
OFFER = negotiate.camera_offer(OURS, audio=True)
HIGH = Codec(96, "H264", 90_000, 1, {"profile-level-id": "640029", "packetization-mode": "1"})
MAIN = replace(HIGH, parameters={"profile-level-id": "4d0029", "packetization-mode": "1"})
CONSTRAINED = replace(HIGH, parameters={"profile-level-id": "42e029", "packetization-mode": "1"})
OPUS = Codec(111, "OPUS", 48_000, 2)
SSRCS = {"video": 1, "audio": 2}


def _answer(text: str, source: Codec = HIGH) -> tuple[Description, dict[str, negotiate.Seat]]:
    offer = negotiate.read_viewer_offer(text)
    return negotiate.answer_viewer(offer, {"video": source, "audio": OPUS}, OURS, SSRCS, "cname")


def _viewer_fails(text: str) -> str:
    with pytest.raises(RingError) as caught:
        _answer(text)
    assert caught.value.code == "VIEWER-OFFER"
    return caught.value.detail or ""


def _camera_fails(text: str) -> RingError:
    with pytest.raises(RingError) as caught:
        negotiate.read_answer(OFFER, sdp.parse(text))
    return caught.value


# With a camera


@pytest.mark.parametrize("audio", [True, False])
def test_a_camera_is_offered_every_h264_profile_to_send_in(audio: bool) -> None:
    offer = negotiate.camera_offer(OURS, audio=audio)
    video = offer.find("video")
    assert video is not None
    assert video.direction == "recvonly"
    assert {codec.h264_profile for codec in video.codecs if codec.is_called("H264")} == {
        "high", "constrained-high", "main", "constrained-baseline", "baseline",
    }  # fmt: skip
    assert all(codec.parameters["packetization-mode"] == "1" for codec in video.codecs if codec.is_called("H264"))
    assert all(video.repair_of(codec) is not None for codec in video.codecs if codec.is_called("H264"))
    assert all("nack pli" in codec.feedback for codec in video.codecs if codec.is_called("H264"))
    assert [section.kind for section in offer.sections] == (["audio", "video"] if audio else ["video"])
    assert offer.bundle == tuple(section.mid for section in offer.sections)


def test_sound_is_offered_both_ways() -> None:
    """Ring answers recvonly with sendrecv; an offer of sendrecv cannot be answered wrongly."""
    sound = OFFER.find("audio")
    assert sound is not None
    assert sound.direction == "sendrecv"


def test_rings_answer_is_taken_and_its_direction_repaired() -> None:
    agreed = negotiate.read_answer(OFFER, sdp.parse(RING_ANSWER))
    assert {kind: codec.payload_type for kind, codec in agreed.codecs.items()} == {"audio": 111, "video": 102}
    assert agreed.codecs["video"].h264_profile == "constrained-baseline"
    assert agreed.transport.ufrag == "abcdefgh"
    assert agreed.notes == (("SDP-DIRECTION", "video was answered sendrecv; read as sendonly"),)


def test_the_direction_is_repaired_in_every_section() -> None:
    """A peer's repair reaches the first section only; a browser then refuses the rest."""
    offer = replace(OFFER, sections=tuple(replace(section, direction="recvonly") for section in OFFER.sections))
    agreed = negotiate.read_answer(offer, sdp.parse(RING_ANSWER))
    assert [(code, seen.split()[0]) for code, seen in agreed.notes] == [
        ("SDP-DIRECTION", "audio"),
        ("SDP-DIRECTION", "video"),
    ]
    assert set(agreed.codecs) == {"audio", "video"}


def test_an_answer_without_fault_needs_no_note() -> None:
    agreed = negotiate.read_answer(
        OFFER, sdp.parse(RING_ANSWER.replace("a=sendrecv\r\na=mid:1", "a=sendonly\r\na=mid:1"))
    )
    assert agreed.notes == ()
    assert "video" in agreed.codecs


def test_refused_sound_leaves_the_video() -> None:
    agreed = negotiate.read_answer(OFFER, sdp.parse(RING_ANSWER.replace("m=audio 9", "m=audio 0")))
    assert set(agreed.codecs) == {"video"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m=video 9", "m=video 0"),
        ("H264/90000", "H265/90000"),
        ("a=sendrecv\r\na=mid:1", "a=recvonly\r\na=mid:1"),
        ("a=sendrecv\r\na=mid:1", "a=inactive\r\na=mid:1"),
        (RING_ANSWER[RING_ANSWER.index("m=video") :], ""),
    ],
)
def test_an_answer_without_video_for_us_is_sdp_codec(old: str, new: str) -> None:
    assert _camera_fails(RING_ANSWER.replace(old, new)).code == "SDP-CODEC"


def test_a_profile_that_was_not_offered_is_noted_and_passed_on() -> None:
    offer = negotiate.camera_offer(OURS, audio=False)
    codec = replace(HIGH, parameters={"profile-level-id": "f40029", "packetization-mode": "1"})
    transport = replace(OURS, setup="active")
    video = replace(offer.sections[0], direction="sendonly", codecs=(codec,), transport=transport)
    agreed = negotiate.read_answer(offer, Description((video,)))
    assert agreed.codecs["video"] == codec
    assert agreed.notes == (("SDP-PROFILE", "H.264 profile f4 was never offered; passed on as it is"),)


def test_a_payload_type_that_was_not_offered_is_sdp_profile() -> None:
    error = _camera_fails(RING_ANSWER.replace("102", "120"))
    assert error.code == "SDP-PROFILE"
    assert "120" in (error.detail or "")


@pytest.mark.parametrize(
    ("start", "new", "seen"),
    [
        ("a=ice-ufrag", "a=x", "no ice-ufrag"),
        ("a=ice-pwd", "a=x", "no ice-pwd"),
        ("a=fingerprint", "a=x", "no fingerprint"),
        ("a=fingerprint:sha-256", "a=fingerprint:sha-1", "no fingerprint"),
        ("a=setup:active", "a=setup:actpass", "setup is 'actpass'"),
        ("a=setup:active", "a=x", "setup is ''"),
    ],
)
def test_an_answer_without_path_is_sig_sdp_and_says_what_is_missing(start: str, new: str, seen: str) -> None:
    error = _camera_fails(RING_ANSWER.replace(start, new))
    assert error.code == "SIG-SDP"
    assert seen in (error.detail or "")


# With a viewer


@pytest.mark.parametrize(("source", "payload_type"), [(HIGH, 108), (MAIN, 107), (CONSTRAINED, 104)])
def test_a_viewer_gets_the_payload_type_of_the_cameras_profile(source: Codec, payload_type: int) -> None:
    """103 has the right profile too, but packetization-mode 0 cannot carry our fragments."""
    answer, seats = _answer(CHROMIUM_OFFER, source)
    assert seats["video"].codec.payload_type == payload_type
    assert seats["audio"].codec.payload_type == 111
    video, audio = answer.sections
    assert video.codecs[0].payload_type == payload_type
    assert (video.direction, video.ssrc, video.cname) == ("sendonly", 1, "cname")
    assert (audio.direction, audio.ssrc, audio.cname) == ("sendonly", 2, "cname")
    assert video.transport == audio.transport == OURS
    assert answer.bundle == ("0", "1")
    assert answer.ice_lite


def test_packets_are_sent_again_in_a_stream_of_their_own_where_the_viewer_offers_one() -> None:
    """RFC 4588: with a payload type and an SSRC of its own, tied to the picture's by the group FID."""
    answer, seats = _answer(CHROMIUM_OFFER, HIGH)
    video = answer.sections[0]
    assert [codec.payload_type for codec in video.codecs] == [108, 109]
    assert seats["video"].rtx == (109, video.rtx_ssrc)
    assert f"a=ssrc-group:FID 1 {video.rtx_ssrc}\r\n" in sdp.write(answer)
    without = _answer(CHROMIUM_OFFER.replace("apt=108", "apt=96"), HIGH)
    assert without[1]["video"].rtx is None
    assert without[0].sections[0].rtx_ssrc is None


def test_a_viewer_without_the_cameras_profile_gets_another_with_fragments() -> None:
    """Decoders take more than they offer; packetization-mode 1 matters more than the profile."""
    without = CHROMIUM_OFFER.replace(
        "packetization-mode=1;profile-level-id=64001f", "packetization-mode=0;profile-level-id=64001f"
    )
    assert _answer(without, HIGH)[1]["video"].codec.payload_type == 104


def test_only_feedback_that_we_act_upon_is_agreed_to() -> None:
    answer, _ = _answer(CHROMIUM_OFFER)
    assert answer.sections[0].codecs[0].feedback == ("transport-cc", "ccm fir", "nack", "nack pli")
    assert answer.sections[1].codecs[0].feedback == ()


def test_the_answer_is_one_that_can_be_read() -> None:
    answer, _ = _answer(CHROMIUM_OFFER)
    read = sdp.parse(sdp.write(answer))
    assert read.transport == replace(OURS)
    assert read.ice_lite
    assert [section.port for section in read.sections] == [9, 9]


def test_what_cannot_be_served_is_refused_in_its_place() -> None:
    """A second video, a data channel, and what a viewer would send stay in the answer, with port 0."""
    video = CHROMIUM_OFFER[CHROMIUM_OFFER.index("m=video") : CHROMIUM_OFFER.index("m=audio")]
    text = (
        CHROMIUM_OFFER.replace("a=mid:1\r\na=recvonly", "a=mid:1\r\na=sendonly")
        + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\na=sctp-port:5000\r\n"
        + video.replace("a=mid:0", "a=mid:3")
    )
    answer, seats = _answer(text)
    assert [(s.kind, s.mid, s.port) for s in answer.sections] == [
        ("video", "0", 9),
        ("audio", "1", 0),
        ("application", "2", 0),
        ("video", "3", 0),
    ]
    assert set(seats) == {"video"}
    assert answer.bundle == ("0",)
    assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n" in sdp.write(answer)


def _apart(offer: str) -> str:
    """Let an offer keep each kind on a path of its own, the sound first."""
    head, video, audio = offer.replace("a=group:BUNDLE 0 1\r\n", "").replace("m=", "\0m=").split("\0")
    return head + audio.replace("ufrag:4ZcD", "ufrag:other") + video


def test_of_what_is_kept_apart_the_picture_is_answered_on_its_own_path() -> None:
    """There is one path for all that a viewer gets; GStreamer's `webrtcbin` bundles nothing by itself."""
    offer = negotiate.read_viewer_offer(_apart(CHROMIUM_OFFER))
    assert negotiate.way_of(offer).ufrag == "4ZcD"
    answer, seats = _answer(_apart(CHROMIUM_OFFER))
    assert [(s.kind, s.mid, s.port) for s in answer.sections] == [("audio", "1", 0), ("video", "0", 9)]
    assert set(seats) == {"video"}
    assert "BUNDLE" not in sdp.write(answer), "an answer bundles nothing that was not offered so"


def test_a_refused_section_has_lines_of_ice_and_dtls_but_no_addresses() -> None:
    """GStreamer 1.22 refuses an answer without them, for the sake of a section that is refused itself."""
    answer, _ = _answer(CHROMIUM_OFFER.replace("opus/48000/2", "speex/16000"))
    head, refused = sdp.write(answer).split("m=audio 0")
    assert "a=candidate" in head
    assert "a=candidate" not in refused
    for line in (f"a=ice-ufrag:{OURS.ufrag}", f"a=fingerprint:sha-256 {OURS.fingerprint}", f"a=setup:{OURS.setup}"):
        assert line in refused
    first = sdp.parse(sdp.write(answer).replace("m=video 9", "m=video 0").replace("m=audio 0", "m=audio 9"))
    assert first.transport == first.sections[1].transport, "who reads it takes the path of a section that stands"


def test_a_section_that_the_viewer_has_stopped_stays_refused() -> None:
    video = CHROMIUM_OFFER[CHROMIUM_OFFER.index("m=video") : CHROMIUM_OFFER.index("m=audio")]
    text = CHROMIUM_OFFER.replace("m=video 9", "m=video 0") + video.replace("a=mid:0", "a=mid:2")
    text = text.replace("BUNDLE 0 1", "BUNDLE 0 1 2")
    answer, _ = _answer(text)
    assert [(s.kind, s.port) for s in answer.sections] == [("video", 0), ("audio", 9), ("video", 9)]
    assert answer.bundle == ("1", "2")


def test_a_camera_without_sound_leaves_the_viewers_sound_refused() -> None:
    offer = negotiate.read_viewer_offer(CHROMIUM_OFFER)
    answer, seats = negotiate.answer_viewer(offer, {"video": HIGH}, OURS, SSRCS, "c")
    assert set(seats) == {"video"}
    assert answer.sections[1].port == 0


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", "v=0"),
        ("garbage", "garbage"),
        ("v=0\r\n", "no video"),
        (CHROMIUM_OFFER.replace("m=video 9", "m=video 0"), "no video"),
        ("v=0\r\n" + CHROMIUM_OFFER[CHROMIUM_OFFER.index("m=audio") :], "no video"),
        (CHROMIUM_OFFER.replace("a=recvonly", "a=sendonly"), "receive H264"),
        (CHROMIUM_OFFER.replace("a=recvonly", "a=inactive"), "receive H264"),
        (CHROMIUM_OFFER.replace("H264/", "VP9/"), "receive H264"),
        (CHROMIUM_OFFER.replace("a=ice-ufrag", "a=x"), "ice-ufrag"),
        (CHROMIUM_OFFER.replace("a=setup:actpass", "a=setup:holdconn"), "'holdconn'"),
        (CHROMIUM_OFFER.replace("a=mid:1", "a=mid:1\r\n" + "m=audio 9 X 0\r\n" * 50), "52 media sections"),
    ],
)
def test_an_offer_that_cannot_be_served_is_viewer_offer_and_says_why(text: str, seen: str) -> None:
    assert seen in _viewer_fails(text)


@given(st.text(max_size=200))
def test_whatever_a_viewer_posts_is_at_worst_viewer_offer(text: str) -> None:
    for whole in (text, CHROMIUM_OFFER.replace("a=mid:0", text), CHROMIUM_OFFER.replace(PRINT, text)):
        try:
            _answer(whole)
        except RingError as error:
            assert error.code == "VIEWER-OFFER"  # noqa: PT017 - it may be served as well


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["drop", "double", "cut", "swap", "long"])), max_size=8))
def test_a_damaged_offer_is_served_or_refused_and_the_answer_can_be_read(damages: list[tuple[int, str]]) -> None:
    """Lines that are gone, doubled, cut, moved or endless; whatever is answered fits the offer section by section."""
    lines = CHROMIUM_OFFER.splitlines()
    for place, damage in damages:
        at = place % len(lines)
        line = lines[at]
        changed = {"drop": [], "double": [line, line], "cut": [line[: len(line) // 2 + 2]], "long": [line + "9" * 5000]}
        lines[at : at + 1] = changed.get(damage, [lines[-1], line])
    text = "\r\n".join(lines)
    try:
        answer, seats = _answer(text)
    except RingError as error:
        assert error.code == "VIEWER-OFFER"  # noqa: PT017 - it may be served as well
        return
    assert "video" in seats
    read = sdp.parse(sdp.write(answer))
    assert [one.kind for one in read.sections] == [one.kind for one in sdp.parse(text).sections]
    assert set(read.bundle) <= {one.mid for one in read.sections if one.port}


@pytest.mark.parametrize(("setup", "ours"), [("actpass", "passive"), ("active", "passive"), ("passive", "active")])
def test_the_handshake_is_begun_by_us_only_where_the_viewer_waits(setup: str, ours: str) -> None:
    offer = negotiate.read_viewer_offer(CHROMIUM_OFFER.replace("a=setup:actpass", f"a=setup:{setup}"))
    assert negotiate.our_part(offer) == ours


def test_without_a_bundle_the_video_is_served_alone_by_its_own_way() -> None:
    """We have one way for all sections; a viewer that wants two gets its picture and no sound."""
    text = CHROMIUM_OFFER.replace("a=group:BUNDLE 0 1\r\n", "")
    audio = text[text.index("m=audio") :].replace("4ZcD", "audi")
    video = text[text.index("m=video") : text.index("m=audio")]
    text = text[: text.index("m=video")] + audio + video
    answer, seats = _answer(text)
    assert [(one.kind, one.port) for one in answer.sections] == [("audio", 0), ("video", 9)]
    assert answer.bundle == ()
    assert set(seats) == {"video"}
    assert negotiate.way_of(negotiate.read_viewer_offer(text)).ufrag == "4ZcD"


def test_simulcast_and_what_is_not_known_are_left_out_politely() -> None:
    strange = "a=rid:hi recv\r\na=rid:lo recv\r\na=simulcast:recv hi;lo\r\na=x-new:thing\r\na=b\r\nb=AS:500\r\n"
    answer, seats = _answer(CHROMIUM_OFFER.replace("a=mid:0\r\n", "a=mid:0\r\n" + strange))
    assert set(seats) == {"video", "audio"}
    text = sdp.write(answer)
    assert not any(name in text for name in ("simulcast", "rid", "x-new", "goog-remb", "toffset"))


# Transport-wide feedback

EXTENSION = f"a=extmap:4 {transport_wide.EXTENSION}"


def test_transport_wide_feedback_is_agreed_for_the_video_where_it_is_offered() -> None:
    answer, seats = _answer(CHROMIUM_OFFER)
    video, audio = answer.sections
    assert seats["video"].stamp == 4
    assert "transport-cc" in video.codecs[0].feedback
    assert sdp.parse(sdp.write(answer)).sections[0].extensions == {transport_wide.EXTENSION: 4}
    assert seats["audio"].stamp is None
    assert (audio.codecs[0].feedback, audio.extensions) == ((), {})


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("a=rtcp-fb:108 transport-cc\r\n", ""),
        (EXTENSION + "\r\n", ""),
        (EXTENSION, f"a=extmap:15 {transport_wide.EXTENSION}"),
        (EXTENSION, f"a=extmap:0 {transport_wide.EXTENSION}"),
        (EXTENSION, f"a=extmap:x {transport_wide.EXTENSION}"),
        (EXTENSION, "a=extmap:4"),
        ("a=rtpmap:109 rtx/90000\r\n", ""),
        ("a=rtcp-fb:108 nack\r\n", ""),
    ],
    ids=["no feedback", "no extension", "a number for long headers", "0", "no number", "no name", "no RTX", "no NACK"],
)
def test_without_one_of_its_parts_there_is_no_transport_wide_feedback(there: str, instead: str) -> None:
    """RTX is one: what is sent again as it was must be the same to the last byte, stamp or none."""
    assert there in CHROMIUM_OFFER
    answer, seats = _answer(CHROMIUM_OFFER.replace(there, instead))
    assert seats["video"].stamp is None
    assert not any(name in sdp.write(answer) for name in ("transport-cc", "extmap"))


def test_an_extension_may_have_a_direction_and_attributes() -> None:
    answer, seats = _answer(CHROMIUM_OFFER.replace(EXTENSION, f"a=extmap:7/recvonly {transport_wide.EXTENSION} x"))
    assert seats["video"].stamp == 7
    assert f"a=extmap:7 {transport_wide.EXTENSION}\r\n" in sdp.write(answer)


def test_an_opposite_without_video_gets_no_seat_for_it() -> None:
    with pytest.raises(RingError) as caught:
        negotiate.answer_viewer(Description((Section("audio", "0"),)), {"video": HIGH}, OURS, SSRCS, "c")
    assert caught.value.code == "VIEWER-OFFER"


# Talking


def test_a_camera_that_answers_sound_both_ways_hears_us() -> None:
    assert negotiate.read_answer(OFFER, sdp.parse(RING_ANSWER)).hears


@pytest.mark.parametrize("direction", ["sendonly", "recvonly", "inactive"])
def test_a_camera_that_only_sends_or_refuses_sound_does_not(direction: str) -> None:
    audio, video = RING_ANSWER.split("m=video")
    answer = audio.replace("a=sendrecv", f"a={direction}") + "m=video" + video
    assert not negotiate.read_answer(OFFER, sdp.parse(answer)).hears


def test_our_sound_is_announced_in_the_offer() -> None:
    text = sdp.write(negotiate.camera_offer(OURS, audio=True, ssrc=77))
    assert text.count("a=ssrc:77 cname:") == 1
    assert sdp.parse(text).find("audio") is not None
    assert "a=ssrc" not in sdp.write(OFFER)


PCMU = Codec(0, "PCMU", 8_000)


@pytest.mark.parametrize(
    ("offered", "source", "hears", "answered", "payload_type"),
    [
        ("sendrecv", OPUS, True, "sendrecv", 111),
        ("sendrecv", PCMU, True, "sendrecv", 0),
        ("sendrecv", OPUS, False, "sendonly", 111),
        ("recvonly", OPUS, True, "sendonly", 111),
    ],
)
def test_a_viewer_may_talk_where_both_sides_can_in_the_codec_of_the_camera(
    offered: str, source: Codec, hears: bool, answered: str, payload_type: int
) -> None:
    """A browser that is answered with the camera's codec sends in that codec: nothing has to be transcoded."""
    video, audio = CHROMIUM_OFFER.split("m=audio")
    offer = negotiate.read_viewer_offer(video + "m=audio" + audio.replace("a=recvonly", f"a={offered}"))
    answer, seats = negotiate.answer_viewer(offer, {"video": HIGH, "audio": source}, OURS, SSRCS, "c", hears=hears)
    sound = answer.find("audio")
    assert sound is not None
    assert sound.direction == answered
    assert seats["audio"].hears == (answered == "sendrecv")
    assert [codec.payload_type for codec in sound.codecs] == [payload_type]
    assert not seats["video"].hears
    picture = answer.find("video")
    assert picture is not None
    assert picture.direction == "sendonly"


def test_video_is_never_taken_from_a_viewer() -> None:
    offer = negotiate.read_viewer_offer(CHROMIUM_OFFER.replace("a=recvonly", "a=sendrecv"))
    answer, seats = negotiate.answer_viewer(offer, {"video": HIGH, "audio": OPUS}, OURS, SSRCS, "c", hears=True)
    assert [section.direction for section in answer.sections] == ["sendonly", "sendrecv"]
    assert [kind for kind, seat in seats.items() if seat.hears] == ["audio"]
