"""Sound of ours as a camera gets it: one source, whoever speaks."""

from itertools import pairwise

from media_kit import packet

from ringlight.media import rtcp, rtp
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec
from ringlight.media.voice import REPORT_EVERY, Voice

OPUS = Codec(111, "OPUS", 48_000, 2)


def spoken(sequence: int, ssrc: int = 5) -> Packet:
    return packet(sequence, sequence * 960, b"sound", ssrc=ssrc, payload_type=0)


def test_two_who_talk_one_after_the_other_are_one_source_without_a_gap() -> None:
    """The camera's side knows nothing of who talks; its numbers run on over their circle."""
    voice = Voice(OPUS, 77, start=65_533)
    said = [spoken(at) for at in (9, 10, 11)] + [spoken(at, ssrc=6) for at in (60_000, 60_001)]
    heard = [rtp.parse(data) for one in said for data in voice.write(one, 1.0)]
    assert {(one.ssrc, one.payload_type) for one in heard} == {(77, 111)}
    assert [(later.sequence - earlier.sequence) % 65_536 for earlier, later in pairwise(heard)] == [1] * 4
    assert all(0 < later.timestamp - earlier.timestamp < 4_000 for earlier, later in pairwise(heard))
    assert [one.marker for one in heard] == [True, False, False, False, False]


def test_what_was_lost_on_the_way_to_us_stays_a_gap() -> None:
    """The camera conceals it; with the numbers closed up it would play too early."""
    voice = Voice(OPUS, 77)
    first, second = (rtp.parse(voice.write(spoken(at), 1.0)[0]) for at in (9, 12))
    assert (second.sequence - first.sequence, second.timestamp - first.timestamp) == (3, 3 * 960)


def test_a_report_is_due_once_a_second_and_tells_the_time_of_now() -> None:
    voice = Voice(OPUS, 77)
    (data,) = voice.write(spoken(9), 100.0)
    written = voice.report(100.5, 1_000.0)
    assert written is not None
    report = rtcp.parse(written)[0]
    assert isinstance(report, rtcp.SenderReport)
    assert (report.ssrc, report.packets, report.octets) == (77, 1, 5)
    assert report.ntp == rtcp.ntp_time(1_000.0)
    assert report.rtp_timestamp == rtp.parse(data).timestamp + 24_000
    assert voice.report(100.5 + REPORT_EVERY / 2, 1_000.0) is None
    assert voice.report(100.5 + REPORT_EVERY, 1_001.0) is not None
