"""RTSP's text: read in pieces of any size, bounded before it is understood, and never a cause of an exception."""

import base64
import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.media.h264 import AccessUnit
from ringlight.media.sdp import Codec
from ringlight.server.rtsp import credentials, transport
from ringlight.server.rtsp.description import describe
from ringlight.server.rtsp.messages import (
    BODY,
    HEAD,
    Channel,
    Piece,
    Reader,
    Request,
    Unreadable,
    interleaved,
    response,
)
from ringlight.server.rtsp.transport import OverTcp, OverUdp

DESCRIBE = b"DESCRIBE rtsp://h:8554/front-door RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n"
GET = b"GET_PARAMETER rtsp://h/front-door/ RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 4\r\n\r\nname"
DIALOG = DESCRIBE + interleaved(1, b"report") + GET + b"\r\n" + interleaved(3, b"") + DESCRIBE


def read(*parts: bytes) -> list[Piece]:
    reader = Reader()
    return [piece for part in parts for piece in reader.feed(part)]


def test_a_dialog_is_the_same_whole_and_byte_by_byte() -> None:
    whole = read(DIALOG)
    assert read(*(DIALOG[at : at + 1] for at in range(len(DIALOG)))) == whole
    assert [type(piece) for piece in whole] == [Request, Channel, Request, Channel, Request]
    assert whole[0] == Request("DESCRIBE", "rtsp://h:8554/front-door", {"cseq": "2", "accept": "application/sdp"})
    assert whole[1] == Channel(1, b"report")
    assert isinstance(whole[2], Request)
    assert whole[2].body == b"name"


@given(st.lists(st.integers(0, len(DIALOG)), max_size=20))
def test_it_does_not_matter_where_a_dialog_is_cut(cuts: list[int]) -> None:
    at = [0, *sorted(cuts), len(DIALOG)]
    assert read(*(DIALOG[start:end] for start, end in pairwise(at))) == read(DIALOG)


@given(st.lists(st.binary(max_size=200) | st.sampled_from([DESCRIBE, GET, b"$", b"\r\n", b"DESCRIBE "]), max_size=20))
def test_whatever_comes_nothing_is_raised_and_nothing_follows_what_cannot_be_read(parts: list[bytes]) -> None:
    pieces = read(*parts)
    assert not any(isinstance(piece, Unreadable) for piece in pieces[:-1])


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),  # TLS
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n", 505),
        (b"options * RTSP/1.0\r\n\r\n", 400),
        (b"OPTIONS  * RTSP/1.0\r\n\r\n", 400),
        (b"OPTIONS * RTSP/1.0\r\nno colon\r\n\r\n", 400),
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: %d\r\n\r\n" % (BODY + 1), 413),
        (b"OPTIONS * RTSP/1.0\r\n" + b"X: y\r\n" * HEAD, 413),
        (b"A" * 30, 400),
        (b"OPTIONS " + b"x" * 1_000_000, 413),
    ],
)
def test_what_is_no_rtsp_or_too_long_ends_it(data: bytes, status: int) -> None:
    pieces = read(data, DESCRIBE)
    assert [piece.status if isinstance(piece, Unreadable) else piece for piece in pieces] == [status]


def test_half_a_request_is_kept_and_noted() -> None:
    reader = Reader()
    assert reader.feed(DESCRIBE[:-1]) == []
    assert reader.halfway
    assert len(reader.feed(DESCRIBE[-1:])) == 1
    assert not reader.halfway


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("rtsp://h:8554/front-door", ("front-door", "")),
        ("rtsp://h/front-door/", ("front-door", "")),
        ("rtsp://u:p@h/Front%20Door/trackID=1", ("Front Door", "trackID=1")),
        ("rtsp://h/front-door?video=all", ("front-door", "")),
        ("*", ("*", "")),
        ("rtsp://[/x", ("", "")),
    ],
)
def test_an_address_names_a_camera_and_a_track(url: str, target: tuple[str, str]) -> None:
    assert Request("SETUP", url).target == target


def test_an_answer_stays_on_its_lines_whatever_is_in_it() -> None:
    text = response(403, "4\r\nX: y", [("Unsupported", "a\r\nSet-Cookie: b")], b"body", "VIEWER-BATTERY No")
    head, _, body = text.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"RTSP/1.0 403 VIEWER-BATTERY No", b"CSeq: 4 X: y", b"Unsupported: a Set-Cookie: b", b"Content-Length: 4",
    ]  # fmt: skip
    assert body == b"body"


@pytest.mark.parametrize(
    ("header", "way"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=2-3", OverTcp((2, 3))),
        ("RTP/AVP/TCP;unicast", OverTcp()),
        ("RTP/AVP;unicast;client_port=5000-5001", OverUdp((5000, 5001))),
        ("RTP/AVP/UDP;unicast;client_port=5000", OverUdp((5000, 5001))),
        ('RTP/AVP;multicast, RTP/AVP;unicast;client_port=5000-5001;mode="PLAY"', OverUdp((5000, 5001))),
        ("RAW/RAW/UDP;unicast, RTP/AVP/TCP", OverTcp()),
        ("RTP/AVP;unicast;destination=192.0.2.9;client_port=5000-5001", OverUdp((5000, 5001))),
        ("RTP/AVP;unicast;client_port=53-54", None),
        ("RTP/AVP;unicast;client_port=5000-5000", None),
        ("RTP/AVP;unicast;client_port=70000-70001", None),
        ("RTP/AVP;unicast", None),
        ("RTP/AVP/TCP;interleaved=300-301", None),
        ("RTP/AVP/TCP;unicast;mode=record", None),
        ("RTP/SAVP;unicast;client_port=5000-5001", None),
        ("", None),
    ],
)
def test_the_first_way_that_can_be_served_is_taken(header: str, way: transport.Way | None) -> None:
    assert transport.parse(header, udp=True) == way


def test_without_udp_only_the_way_between_the_text_is_left() -> None:
    assert transport.parse("RTP/AVP;unicast;client_port=5000-5001", udp=False) is None
    both = "RTP/AVP;unicast;client_port=5000-5001, RTP/AVP/TCP;unicast"
    assert transport.parse(both, udp=False) == OverTcp()


def md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()


def digest(key: str, nonce: str, method: str, more: str = "", hashed: tuple[str, ...] = ()) -> str:
    answer = md5(md5("me", "Ringlight", key), nonce, *hashed, md5(method, "rtsp://h/x"))
    return f'Digest username="me", realm="Ringlight", nonce="{nonce}", uri="rtsp://h/x", response="{answer}"{more}'


@pytest.mark.parametrize(
    ("header", "right"),
    [
        ("Basic " + base64.b64encode(b"any:k\xc3\xa9y:1").decode(), True),
        ("Basic " + base64.b64encode(b"any:other").decode(), False),
        ("Basic ???", False),
        ("Bearer kéy:1", True),
        ("Bearer", False),
        (digest("kéy:1", "N", "PLAY"), True),
        (digest("kéy:1", "N", "PLAY", ", qop=auth, nc=00000001, cnonce=\"c\"", ("00000001", "c", "auth")), True),
        (digest("kéy:1", "N", "SETUP"), False),
        (digest("kéy:1", "older", "PLAY"), False),
        (digest("other", "N", "PLAY"), False),
        (digest("kéy:1", "N", "PLAY", ", algorithm=SHA-256"), False),
        (digest("kéy:1", "N", "PLAY", ", qop=auth-int"), False),
        ("Digest", False),
        ("", False),
    ],
)  # fmt: skip
def test_the_key_is_proved_by_basic_bearer_or_a_digest_of_this_connection(header: str, right: bool) -> None:
    assert credentials.knows("kéy:1", "N", "PLAY", header) is right


@given(st.text(max_size=300))
def test_no_header_of_a_stranger_proves_anything(header: str) -> None:
    for scheme in ("Basic ", "Digest ", ""):
        assert not credentials.knows("a long random key", "N", "PLAY", scheme + header)


def test_a_description_has_what_a_decoder_wants_before_the_first_packet() -> None:
    picture = AccessUnit(0, (bytes.fromhex("67640028ac"), b"\x68pps", b"\x65idr"))
    codecs = {"video": Codec(102, "h264", 90_000), "audio": Codec(111, "OPUS", 48_000, 2)}
    stream = describe("Front\r\na=evil Door", codecs, {"video": 7, "audio": 8}, picture)
    lines = stream.write(5, "192.0.2.1").decode().split("\r\n")
    assert "s=Front a=evil Door" in lines
    assert [line for line in lines if line.startswith("a=evil")] == []
    assert lines[7:] == [
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 packetization-mode=1; profile-level-id=640028; sprop-parameter-sets=Z2QAKKw=,aHBwcw==",
        "a=control:trackID=0",
        "m=audio 0 RTP/AVP 97",
        "a=rtpmap:97 opus/48000/2",
        "a=control:trackID=1",
        "",
    ]


def test_g711_keeps_the_number_that_everybody_knows() -> None:
    codecs = {"video": Codec(102, "H264", 90_000), "audio": Codec(0, "pcmu", 8_000)}
    stream = describe("Door", codecs, {"video": 7, "audio": 8}, AccessUnit(0, (b"\x65idr",)))
    text = stream.write(5, "::1").decode()
    assert "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n" in text
    assert "a=fmtp:96 packetization-mode=1\r\n" in text
    assert "c=IN IP6 ::\r\n" in text
