"""Session descriptions, as Ring and browsers write them, and as nobody should."""

import string
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_kit import CHROMIUM_OFFER, PRINT, RING_ANSWER

from ringlight.errors import RingError
from ringlight.media import sdp
from ringlight.media.sdp import Codec, Description, Section, Transport

DIRECTIONS: list[sdp.Direction] = ["sendrecv", "sendonly", "recvonly", "inactive"]


def _raises(text: str) -> RingError:
    with pytest.raises(RingError) as caught:
        sdp.parse(text)
    assert caught.value.code == "SIG-SDP"
    return caught.value


# What others write


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_rings_answer_is_read_with_either_line_ending(ending: str) -> None:
    answer = sdp.parse(RING_ANSWER.replace("\r\n", ending))
    audio, video = answer.sections
    assert answer.bundle == ("0", "1")
    assert not answer.ice_lite
    assert (audio.kind, audio.mid, audio.direction, audio.port) == ("audio", "0", "sendrecv", 9)
    assert audio.codecs == (Codec(111, "OPUS", 48_000, 2, {"useinbandfec": "1"}, ("transport-cc",)),)
    assert audio.find("opus") is audio.codecs[0]
    assert (video.kind, video.mid, video.direction, video.formats) == ("video", "1", "sendrecv", ("102", "103"))
    parameters = {"profile-level-id": "42e034", "packetization-mode": "1"}
    assert video.find("h264") == Codec(102, "H264", 90_000, 1, parameters, ("nack", "nack pli"))
    assert video.find("rtx") == Codec(103, "RTX", 90_000, 1, {"apt": "102"})
    assert answer.transport == Transport(
        "abcdefgh",
        "abcdefghijklmnopqrstuvwx",
        PRINT,
        "active",
        (
            "candidate:7 1 UDP 2013266429 127.0.0.1 40000 typ host",
            "candidate:9 1 TCP 1010828031 127.0.0.1 443 typ host tcptype passive",
        ),
    )


def test_a_browsers_offer_is_read() -> None:
    offer = sdp.parse(CHROMIUM_OFFER)
    video, audio = offer.sections
    assert [codec.payload_type for codec in video.codecs if codec.is_called("H264")] == [103, 104, 107, 108]
    assert video.codecs[0].feedback == ("goog-remb", "nack pli")
    assert video.direction == audio.direction == "recvonly"
    assert audio.find("PCMU") == Codec(0, "PCMU", 8000)
    assert audio.find("red") == Codec(63, "red", 48_000, 2, {"111/111": ""})
    assert offer.transport.setup == "actpass"
    assert offer.transport.candidates == ()


def test_ice_and_dtls_lines_of_the_session_count_for_every_section() -> None:
    """RFC 8839 and 8842 allow them at either level; the section's own win."""
    text = (
        f"v=0\na=ice-ufrag:u\na=ice-pwd:p\na=fingerprint:SHA-256 {PRINT.lower()}\na=setup:passive\na=ice-lite\n"
        "m=audio 9 X 0\nm=video 9 X 96\na=ice-ufrag:mine\n"
    )
    answer = sdp.parse(text)
    assert answer.sections[0].transport == Transport("u", "p", PRINT, "passive")
    assert answer.sections[1].transport == Transport("mine", "p", PRINT, "passive")
    assert answer.ice_lite


def test_a_payload_type_that_is_named_again_and_again_costs_no_memory() -> None:
    """Each takes its lines of feedback along: a tenth of a megabyte of text was a third of a gigabyte."""
    text = "v=0\nm=video 9 X" + " 96" * 10_000 + "\n" + "a=rtcp-fb:* nack\n" * 4000
    tracemalloc.start()
    try:
        (section,) = sdp.parse(text).sections
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [codec.payload_type for codec in section.codecs] == [96]
    assert peak < 32 * 1024 * 1024


@pytest.mark.parametrize("character", ["\r", "\0"])
def test_no_part_of_a_line_becomes_a_line_of_its_own_elsewhere(character: str) -> None:
    """RFC 8866 section 9 knows neither in a line, and what is passed on would end there for some readers."""
    assert "control character" in str(_raises(f"v=0\r\nm=video 9 X 96\r\na=mid:0{character}a=x\r\n").detail)


def test_a_fingerprint_of_another_digest_does_not_hide_the_one_of_sha_256() -> None:
    text = f"v=0\nm=video 9 X 96\na=fingerprint:sha-256 {PRINT}\na=fingerprint:sha-512 00:11\n"
    assert sdp.parse(text).transport.fingerprint == ""  # the first transport with a user fragment is the one
    assert sdp.parse(text).sections[0].transport.fingerprint == PRINT


def test_a_section_without_direction_sends_and_receives_and_without_mid_goes_by_its_place() -> None:
    section = sdp.parse("v=0\nm=audio 9 X 0 8 77\n").sections[0]
    assert (section.direction, section.mid) == ("sendrecv", "0")
    assert [(codec.name, codec.clock_rate) for codec in section.codecs] == [
        ("PCMU", 8000),
        ("PCMA", 8000),
        ("unknown", 0),
    ]


def test_feedback_for_all_payload_types_counts_for_each() -> None:
    text = "v=0\nm=video 9 X 96 97\na=rtcp-fb:* nack\na=rtcp-fb:97 ccm fir\n"
    assert [codec.feedback for codec in sdp.parse(text).sections[0].codecs] == [("nack",), ("nack", "ccm fir")]


def test_the_first_section_that_is_not_refused_is_found() -> None:
    answer = sdp.parse("v=0\nm=video 0 X 96\nm=video 9 X 97\nm=application 9 X webrtc-datachannel\n")
    assert answer.find("video") is answer.sections[1]
    assert answer.find("audio") is None
    assert answer.sections[2].codecs == ()


def test_a_section_for_the_bundle_only_is_not_refused_though_its_port_is_0() -> None:
    """RFC 9143 section 6: browsers with the max-bundle policy write all sections but the first this way."""
    offer = sdp.parse("v=0\nm=audio 9 X 0\na=ice-ufrag:u\nm=video 0 X 96\na=bundle-only\na=mid:v\n")
    video = offer.find("video")
    assert video is not None
    assert video.port == 9
    assert offer.transport.ufrag == "u"


# Limits and damage


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", "v=0"),
        ("\r\n\r\n", "v=0"),
        ("v=1\r\n", "v=0"),
        ("m=video 9 X 96\r\n", "v=0"),
        ("v=0\r\nhello\r\n", "'hello'"),
        ("v=0\r\nab=c\r\n", "'ab=c'"),
        ("v=0\r\nm=video\r\n", "m=video"),
        ("v=0\r\nm=video x X 96\r\n", "m=video x"),
        ("v=0\r\nm=video ٩ X 96\r\n", "m=video"),
        ("v=0\r\nm=video 9 X h264\r\n", "'h264'"),
        ("v=0\r\nm=video 9 X 128\r\n", "'128'"),
        ("v=0\r\nm=video 65536 X 96\r\n", "m=video 65536"),
        ("v=0\r\n" + "m=audio 9 X 0\r\n" * 33, "33 media sections"),
        ("v=0\r\n" + "a=x\r\n" * 60_000, "300005 characters"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, seen: str) -> None:
    assert seen in (_raises(text).detail or "")


def test_as_many_sections_as_are_allowed_are_read() -> None:
    assert len(sdp.parse("v=0\r\n" + "m=audio 9 X 0\r\n" * 32).sections) == 32


@given(st.text(max_size=300))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    _read_or_refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "m=video # X 96",
        "m=video 9 X #",
        "m=video 9 X 96\na=rtpmap:# H264/90000",
        "m=video 9 X 96\na=rtpmap:96 H264/#/#",
        "m=video 9 X 96\na=fmtp:# x=y",
    ],
)
def test_numbers_longer_than_python_reads_are_no_trap(text: str) -> None:
    """`int` raises ValueError above 4,300 digits, which is no refusal of ours."""
    _read_or_refused("v=0\n" + text.replace("#", "9" * 5000))


def _read_or_refused(text: str) -> None:
    try:
        sdp.write(sdp.parse(text))
    except RingError as error:
        assert error.code == "SIG-SDP"  # noqa: PT017 - it may be read as well


@st.composite
def _damaged(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from([RING_ANSWER, CHROMIUM_OFFER]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        text = text[:start] + draw(st.text(max_size=12) | st.sampled_from(["\r\n", "m=", "a=", " ", ":"])) + text[end:]
    return text


@given(_damaged())
@settings(max_examples=150)
def test_damaged_descriptions_are_read_or_refused_and_what_was_read_can_be_written(text: str) -> None:
    _read_or_refused(text)


# What we write

_token = st.text(string.ascii_letters + string.digits + "+/-", min_size=1, max_size=8)
_value = st.text(string.ascii_letters + string.digits + "+/-=", max_size=8)
_feedback = st.sampled_from(["nack", "nack pli", "ccm fir", "transport-cc"])


@st.composite
def _codec(draw: st.DrawFn, payload_type: int) -> Codec:
    return Codec(
        payload_type,
        draw(_token.filter(lambda name: "/" not in name)),
        draw(st.integers(0, 999_999_999)),
        draw(st.integers(1, 8)),
        draw(st.dictionaries(_token.map(str.lower), _value, max_size=3)),
        tuple(draw(st.lists(_feedback, max_size=3))),
    )


@st.composite
def _section(draw: st.DrawFn) -> Section:
    numbers = draw(st.lists(st.integers(0, 127), min_size=1, max_size=5, unique=True))
    transport = Transport(
        draw(_token),
        draw(_token),
        draw(st.binary(min_size=32, max_size=32)).hex(":").upper(),
        draw(st.sampled_from(["actpass", "active", "passive"])),
        tuple(f"candidate:{line}" for line in draw(st.lists(_token, max_size=3))),
        draw(st.booleans()),
    )
    return Section(
        draw(st.sampled_from(["audio", "video"])),
        draw(_token),
        draw(st.sampled_from(DIRECTIONS)),
        tuple(draw(_codec(number)) for number in numbers),
        transport,
        draw(st.integers(1, 65_535)),
        formats=tuple(map(str, numbers)),
        extensions=draw(st.dictionaries(_token, st.integers(0, 255), max_size=3)),
    )


@given(st.lists(_section(), max_size=4), st.lists(_token, max_size=4), st.booleans())
@settings(max_examples=60)
def test_what_is_written_is_read_back_the_same(sections: list[Section], bundle: list[str], lite: bool) -> None:
    """All but the SSRC and the session's number, which we only tell."""
    description = Description(tuple(sections), tuple(bundle), lite)
    text = sdp.write(description)
    assert sdp.parse(text) == description
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")


def test_what_is_sent_is_announced_with_ssrc_and_cname() -> None:
    section = Section("video", "v", "sendonly", (Codec(96, "H264", 90_000),), port=9, ssrc=77, cname="both")
    text = sdp.write(Description((section,)))
    assert "\r\na=ssrc:77 cname:both\r\n" in text
    assert "\r\na=rtcp-mux\r\n" in text


def test_a_refused_section_keeps_its_place_its_name_and_its_formats() -> None:
    """RFC 3264 section 6: an answer has as many sections as the offer, in the same order."""
    offer = sdp.parse(CHROMIUM_OFFER)
    text = sdp.write(Description(tuple(map(sdp.refused, offer.sections))))
    assert "m=video 0 UDP/TLS/RTP/SAVPF 96 97 103 104" in text
    assert "ice-ufrag" not in text
    back = sdp.parse(text)
    assert [(s.kind, s.mid, s.port, s.direction) for s in back.sections] == [
        ("video", "0", 0, "inactive"),
        ("audio", "1", 0, "inactive"),
    ]
    assert [s.formats for s in back.sections] == [s.formats for s in offer.sections]


@pytest.mark.parametrize(
    ("level_id", "profile"),
    [
        ("42e01f", "constrained-baseline"),
        ("42C01F", "constrained-baseline"),
        ("42401f", "constrained-baseline"),
        ("42001f", "baseline"),
        ("42801f", "baseline"),
        ("4d0034", "main"),
        ("4D401F", "main"),
        ("640034", "high"),
        ("640c34", "constrained-high"),
        ("640C1f", "constrained-high"),
        ("f4001f", "f4"),
        ("", ""),
        (None, "baseline"),
    ],
)
def test_the_h264_profile_is_told_from_the_level_id(level_id: str | None, profile: str) -> None:
    parameters = {} if level_id is None else {"profile-level-id": level_id}
    assert Codec(96, "h264", 90_000, 1, parameters).h264_profile == profile


def test_only_h264_has_an_h264_profile() -> None:
    assert Codec(96, "VP8", 90_000, 1, {"profile-level-id": "42e01f"}).h264_profile is None
