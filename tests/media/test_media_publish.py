"""What is offered to a media server, and how its answer is read."""

import re

import pytest
from media_kit import PRINT

from ringlight.errors import MediaError
from ringlight.media import sdp
from ringlight.media.dtls import Role
from ringlight.media.negotiate import Seat
from ringlight.media.publish import publish_offer, read_publish_answer, trickled
from ringlight.media.sdp import Codec, Description, Transport

OURS = Transport("ours", "o" * 22, PRINT, "actpass", ("candidate:1 1 udp 1 127.0.0.1 9 typ host",))
SSRCS = {"video": 1000, "audio": 2000}
OPUS, PCMU = Codec(111, "OPUS", 48_000, 2), Codec(0, "PCMU", 8_000)

ANSWER = f"""v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0 1
a=ice-lite
a=fingerprint:sha-256 {PRINT}
a=setup:passive
m=video 7000 UDP/TLS/RTP/SAVPF 98 99
c=IN IP4 127.0.0.1
a=mid:0
a=recvonly
a=rtcp-mux
a=ice-ufrag:their
a=ice-pwd:tttttttttttttttttttttt
a=candidate:1 1 udp 1 127.0.0.1 7000 typ host
a=rtpmap:98 H264/90000
a=rtcp-fb:98 nack
a=rtcp-fb:98 nack pli
a=fmtp:98 packetization-mode=1;profile-level-id=42e01f
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=98
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:1
a=recvonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
"""


def _offer(profile: str = "640029", sound: Codec | None = OPUS) -> Description:
    sources = {"video": Codec(100, "H264", 90_000, 1, {"profile-level-id": profile})}
    return publish_offer(sources | ({"audio": sound} if sound else {}), OURS, SSRCS, "cname")


def test_the_camera_is_offered_with_its_own_profile_and_the_one_that_all_know() -> None:
    """Servers that know no other still pass on what comes under it; so does who cannot decode it all."""
    text = sdp.write(_offer()).replace("\r", "")
    assert re.findall(r"a=fmtp:(\d+) .*profile-level-id=(\w+)", text) == [("96", "640029"), ("98", "42e01f")]
    assert re.findall(r"a=(send\w+|recv\w+)", text) == ["sendonly", "sendonly"]
    assert re.findall(r"a=(?:ssrc-group:FID |ssrc:)(.*)", text) == [
        "1000 1001", "1000 cname:cname", "1001 cname:cname", "2000 cname:cname",
    ]  # fmt: skip
    assert "a=setup:actpass" in text
    assert "a=group:BUNDLE 0 1" in text


def test_the_profile_that_all_know_is_offered_once() -> None:
    assert [codec.name for codec in _offer("42E01F").sections[0].codecs] == ["H264", "rtx"]


def test_video_that_is_not_h264_is_offered_as_the_camera_describes_it() -> None:
    source = Codec(106, "H265", 90_000, 1, {"level-id": "93"}, ("nack",))
    offer = publish_offer({"video": source}, OURS, SSRCS, "cname")
    assert [(codec.payload_type, codec.name) for codec in offer.sections[0].codecs] == [(96, "H265"), (97, "rtx")]
    assert offer.sections[0].codecs[0].parameters == source.parameters
    with pytest.raises(MediaError, match="it takes no H265 of ours"):
        read_publish_answer(offer, ANSWER)


@pytest.mark.parametrize(("source", "number", "name"), [(OPUS, 111, "opus"), (PCMU, 0, "PCMU")])
def test_sound_is_offered_as_the_camera_sends_it(source: Codec, number: int, name: str) -> None:
    (codec,) = _offer(sound=source).sections[1].codecs
    assert (codec.payload_type, codec.name) == (number, name)


def test_a_camera_without_sound_offers_none() -> None:
    assert [section.kind for section in _offer(sound=None).sections] == ["video"]


def test_what_the_server_takes_is_read() -> None:
    terms = read_publish_answer(_offer(), ANSWER)
    assert {kind: (seat.codec.payload_type, seat.rtx) for kind, seat in terms.seats.items()} == {
        "video": (98, (99, 1001)), "audio": (111, None),
    }  # fmt: skip
    assert terms.role is Role.CLIENT
    assert terms.transport.ufrag == "their"
    assert terms.transport.complete, "no more addresses come after the answer"


def test_whoever_begins_the_handshake_is_the_servers_choice() -> None:
    assert read_publish_answer(_offer(), ANSWER.replace("setup:passive", "setup:active")).role is Role.SERVER


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("m=audio 9", "m=audio 0"),
        ("BUNDLE 0 1", "BUNDLE 0"),
        ("a=mid:1\na=recvonly", "a=mid:1\na=inactive"),
        ("111 opus", "111 AMR"),
    ],
)
def test_a_server_may_leave_the_sound_out(found: str, instead: str) -> None:
    assert set(read_publish_answer(_offer(), ANSWER.replace(found, instead)).seats) == {"video"}


def test_without_nack_nothing_is_sent_again_in_a_stream_of_its_own() -> None:
    seat = read_publish_answer(_offer(), ANSWER.replace("a=rtcp-fb:98 nack\n", "")).seats["video"]
    assert isinstance(seat, Seat)
    assert seat.rtx is None


@pytest.mark.parametrize(
    ("found", "instead", "said"),
    [
        ("v=0", "<html>", "not a line of an SDP"),
        ("m=video 7000", "m=video 0", "it takes no H264 of ours"),
        ("a=mid:0\na=recvonly", "a=mid:0\na=sendonly", "it takes no H264 of ours"),
        ("98 H264", "98 VP8", "it takes no H264 of ours"),
        ("SAVPF 98 99", "SAVPF 102 99", "it takes no H264 of ours"),
        ("a=setup:passive", "a=setup:actpass", "setup is 'actpass'"),
        ("sha-256", "sha-1", "there is no fingerprint"),
        ("a=ice-pwd", "a=x", "there is no ice-pwd"),
    ],
)
def test_an_answer_that_cannot_be_used_says_why(found: str, instead: str, said: str) -> None:
    assert found in ANSWER
    with pytest.raises(MediaError) as caught:
        read_publish_answer(_offer(), ANSWER.replace(found, instead))
    assert caught.value.code == "PUBLISH-ANSWER"
    assert said in (caught.value.detail or "")


def test_addresses_that_came_later_are_written_as_a_fragment() -> None:
    assert trickled(_offer(), ["candidate:2 1 udp 1 192.0.2.1 5 typ srflx"]).split("\r\n") == [
        "a=ice-ufrag:ours", f"a=ice-pwd:{'o' * 22}", "m=video 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0",
        "a=candidate:2 1 udp 1 192.0.2.1 5 typ srflx", "a=end-of-candidates", "",
    ]  # fmt: skip
