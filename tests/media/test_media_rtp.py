"""RTP and RTCP as bytes: what is written is read back, and what is broken does no harm."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.errors import RingError
from ringlight.media import rtcp, rtp
from ringlight.media.rtp import Packet

U8, U16, U32 = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
PACKET = st.builds(Packet, st.integers(0, 127), st.booleans(), U16, U32, U32, st.binary(max_size=80))
BLOCK = st.builds(rtcp.ReportBlock, U32, U8, st.integers(-(1 << 23), (1 << 23) - 1), U32, U32, U32, U32)
BLOCKS = st.lists(BLOCK, max_size=3).map(tuple)
REPORT: st.SearchStrategy[rtcp.Report] = st.one_of(
    st.builds(rtcp.SenderReport, U32, st.integers(0, (1 << 64) - 1), U32, U32, U32, BLOCKS),
    st.builds(rtcp.ReceiverReport, U32, BLOCKS),
    st.builds(rtcp.KeyFrameRequest, U32, U32),
    st.builds(rtcp.Nack, U32, U32, st.lists(U16, max_size=5).map(tuple)),
    st.builds(rtcp.Bye, st.lists(U32, max_size=5).map(tuple)),
)

# RTP


@given(PACKET)
def test_a_packet_is_read_back_as_written(packet: Packet) -> None:
    assert rtp.parse(rtp.write(packet)) == packet


@given(PACKET, st.lists(U32, max_size=15), st.none() | st.binary(max_size=40), st.integers(0, 255))
def test_sources_extension_and_padding_are_no_payload(
    packet: Packet, sources: list[int], extension: bytes | None, padding: int
) -> None:
    plain = rtp.write(packet)
    first = 0x80 | len(sources) | (0x10 if extension is not None else 0) | (0x20 if padding else 0)
    middle = struct.pack(f"!{len(sources)}I", *sources)
    if extension is not None:
        words = (len(extension) + 3) // 4
        middle += struct.pack("!HH", 0xBEDE, words) + extension.ljust(4 * words, b"\0")
    end = bytes(padding - 1) + bytes([padding]) if padding else b""
    assert rtp.parse(bytes([first]) + plain[1:12] + middle + packet.payload + end) == packet


@given(PACKET, st.integers(1, 14), U16)
def test_a_number_in_the_extension_changes_nothing_else(packet: Packet, extension: int, number: int) -> None:
    plain = rtp.header(packet.payload_type, packet.marker, packet.sequence, packet.timestamp, packet.ssrc)
    stamped = rtp.with_number(plain, extension, number)
    assert rtp.parse(stamped + packet.payload) == packet
    # RFC 8285 section 4.2: 0xBEDE, one word; a number and length less one in four bits each; padded with zero.
    assert stamped[12:] == struct.pack("!HHBHB", 0xBEDE, 1, extension << 4 | 1, number, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" + bytes(10),
        b"\x40" + bytes(11),
        b"\x81" + bytes(11),
        b"\x90" + bytes(11),
        b"\x90" + bytes(13) + b"\xff\xff",
        b"\xa0" + bytes(11),
        b"\xa0" + bytes(12),
        b"\xa0" + bytes(11) + b"\x02",
    ],
    ids=["empty", "short", "version", "sources", "extension", "long extension", "padding", "no padding", "all padding"],
)
def test_lengths_that_do_not_add_up_are_refused(data: bytes) -> None:
    with pytest.raises(RingError) as caught:
        rtp.parse(data)
    assert caught.value.code == "MEDIA-SILENT"


@given(st.binary(max_size=60) | st.binary(min_size=11, max_size=60).map(lambda data: b"\xbf" + data))
def test_garbage_is_refused_or_read_as_some_packet(data: bytes) -> None:
    try:
        packet = rtp.parse(data)
    except RingError as error:
        assert error.code == "MEDIA-SILENT"  # noqa: PT017 - it may be read as well
    else:
        assert len(packet.payload) <= len(data) - 12


@pytest.mark.parametrize(
    ("later", "earlier", "ahead"),
    [(5, 5, 0), (6, 5, 1), (5, 6, -1), (0, 65_535, 1), (65_535, 0, -1), (32_767, 0, 32_767), (32_768, 0, -32_768)],
)
def test_distance_goes_the_short_way_round(later: int, earlier: int, ahead: int) -> None:
    assert rtp.distance(later, earlier) == ahead


@given(U32, st.integers(-(1 << 31), (1 << 31) - 1))
def test_distance_undoes_a_step_on_either_circle(start: int, step: int) -> None:
    assert rtp.distance((start + step) % rtp.TIMESTAMPS, start, rtp.TIMESTAMPS) == step
    short = step >> 16
    assert rtp.distance((start + short) % rtp.SEQUENCES, start % rtp.SEQUENCES) == short


@given(REPORT)
def test_reports_and_packets_share_a_port_and_are_told_apart(report: rtcp.Report) -> None:
    assert rtp.is_rtcp(rtcp.write(report))


@given(PACKET.filter(lambda packet: packet.payload_type not in range(64, 96)))
def test_packets_are_not_taken_for_reports(packet: Packet) -> None:
    """RFC 5761 section 4 keeps 64 to 95 free for this."""
    assert not rtp.is_rtcp(rtp.write(packet))


# RTCP


@given(st.lists(REPORT, max_size=4))
def test_a_compound_is_read_back_as_written(reports: list[rtcp.Report]) -> None:
    assert rtcp.parse(b"".join(map(rtcp.write, reports))) == reports


@given(REPORT, st.text(max_size=30))
def test_a_source_description_is_skipped(report: rtcp.Report, name: str) -> None:
    assert rtcp.parse(rtcp.write(report) + rtcp.source_description(7, name) + rtcp.write(report)) == [report, report]


def test_a_nack_names_a_packet_and_a_mask_of_the_sixteen_behind() -> None:
    """RFC 4585 section 6.2.1."""
    data = struct.pack("!BBHIIHH", 0x81, 205, 3, 1, 2, 65_530, 0b1000_0000_0000_0001)
    assert rtcp.parse(data) == [rtcp.Nack(1, 2, (65_530, 65_531, 10))]


def test_both_requests_for_a_key_frame_are_understood() -> None:
    """PLI names its source in the head; FIR behind it (RFC 5104 section 4.3.1)."""
    pli = struct.pack("!BBHII", 0x81, 206, 2, 1, 2)
    fir = struct.pack("!BBHIIII", 0x84, 206, 4, 1, 0, 2, 5 << 24)
    assert rtcp.parse(pli + fir) == [rtcp.KeyFrameRequest(1, 2), rtcp.KeyFrameRequest(1, 2)]
    estimate = struct.pack("!BBHIIII", 0x8F, 206, 4, 1, 0, 0x52454D42, 0)
    assert rtcp.parse(estimate) == []


@given(st.binary(max_size=120))
def test_garbage_is_never_an_exception(data: bytes) -> None:
    rtcp.parse(data)


@given(st.lists(REPORT, min_size=1, max_size=3), st.data())
def test_a_compound_that_is_damaged_is_never_an_exception(reports: list[rtcp.Report], data: st.DataObject) -> None:
    whole = bytearray(b"".join(map(rtcp.write, reports)))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(U8)
    rtcp.parse(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


@given(st.lists(REPORT, min_size=2, max_size=3))
def test_what_came_before_the_cut_is_still_read(reports: list[rtcp.Report]) -> None:
    whole = b"".join(map(rtcp.write, reports))
    assert rtcp.parse(whole[:-1]) == reports[:-1]


def test_ntp_time_begins_in_1900() -> None:
    assert rtcp.ntp_time(0.0) == 2_208_988_800 << 32
    assert rtcp.ntp_time(0.5) & 0xFFFFFFFF == 1 << 31
