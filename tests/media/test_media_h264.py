"""H.264 inside RTP: frames cut into packets and put together again, whatever is lost on the way."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_kit import AUD, IDR, PPS, SEI, SLICE, SPS, clip, clip_frames, frame, frames_of, packet, unit

from ringlight.media import h264
from ringlight.media.h264 import AccessUnit, Assembler, packetize, split_annex_b, starts_key_frame
from ringlight.media.rtp import Packet

UNIT = st.builds(unit, st.sampled_from([SLICE, IDR, SEI]), st.integers(1, 400))
FRAME = st.lists(UNIT, min_size=1, max_size=4).map(tuple)


def _assembled(packets: list[Packet], assembler: Assembler | None = None) -> list[AccessUnit]:
    assembler = assembler or Assembler()
    return [whole for one in packets for whole in assembler.push(one)]


def _stap(*units: bytes) -> bytes:
    return b"\x78" + b"".join(len(one).to_bytes(2, "big") + one for one in units)


# Whole again


@given(st.lists(FRAME, min_size=1, max_size=6), st.integers(10, 300), st.integers(0, 65_535), st.booleans())
def test_frames_come_out_as_they_went_in(
    frames: list[tuple[bytes, ...]], limit: int, sequence: int, marked: bool
) -> None:
    """With the marker as each ends; without it as the next begins."""
    packets: list[Packet] = []
    for at, units in enumerate(frames):
        payloads = packetize(units, limit)
        assert all(len(payload) <= limit for payload in payloads)
        for place, payload in enumerate(payloads):
            marker = marked and place == len(payloads) - 1
            packets.append(packet(sequence + len(packets), 5 + at, payload, marker=marker))
    found = _assembled(packets)
    expected = [AccessUnit(5 + at, units) for at, units in enumerate(frames)]
    assert found == (expected if marked else expected[:-1])


@pytest.mark.parametrize("size", [1178, 1179, 1180, 1181, 1182, 1179 + 1178, 1180 + 1178, 100_000])
def test_units_at_the_limits_of_packets_are_whole(size: int) -> None:
    whole = unit(SLICE, size)
    (found,) = _assembled(frames_of((whole,)))
    assert found.units == (whole,)


def test_the_first_and_last_fragment_say_so() -> None:
    """RFC 6184 section 5.8; and one packet is never both."""
    payloads = packetize((unit(IDR, 1181),))
    assert [payload[:2] for payload in payloads] == [b"\x7c\x85", b"\x7c\x45"]


def test_units_in_one_packet_are_taken_apart() -> None:
    (found,) = _assembled(frame(1, 1, _stap(SPS, PPS), IDR + b"x"))
    assert found.units == (SPS, PPS, IDR + b"x")
    assert found.find(h264.SPS) == SPS
    assert found.find(h264.AUD) is None
    assert found.key_frame
    assert found.annex_b == b"\0\0\0\1\x67sps\0\0\0\1\x68pps\0\0\0\1\x65x"


def test_a_clip_comes_through() -> None:
    found = _assembled([one for made in clip_frames(count=30) for one in made])
    assert len(found) == 30
    assert [whole.key_frame for whole in found] == [one.key_frame for one in clip().frames[:30]]


@pytest.mark.parametrize("code", [b"\0\0\1", b"\0\0\0\1"])
def test_a_byte_stream_is_cut_at_its_start_codes(code: bytes) -> None:
    assert split_annex_b(b"".join(code + one for one in (SPS, PPS, IDR))) == (SPS, PPS, IDR)


# Loss


@given(
    st.lists(FRAME, min_size=2, max_size=6), st.integers(20, 200), st.sets(st.integers(0, 60)), st.integers(0, 65_535)
)
def test_a_frame_is_whole_or_not_there(
    frames: list[tuple[bytes, ...]], limit: int, lost: set[int], sequence: int
) -> None:
    """Any packets may be missing: what comes out is a frame that went in, and an undisturbed one comes out.

    Undisturbed means that the packet before it came too: else nobody can tell to which frame the missing belonged.
    The very first packet always comes, since nobody can miss what came before it.
    """
    lost -= {0}
    packets: list[Packet] = []
    of_frame: list[range] = []
    for at, units in enumerate(frames):
        of_frame.append(range(len(packets), len(packets) + len(packetize(units, limit))))
        packets += frame(sequence + len(packets), 5 + at, *packetize(units, limit))
    found = _assembled([one for at, one in enumerate(packets) if at not in lost])
    expected = [AccessUnit(5 + at, units) for at, units in enumerate(frames)]
    assert [whole for whole in found if whole not in expected] == []
    for whole, places in zip(expected, of_frame, strict=True):
        if not lost & {places.start - 1, *places}:
            assert whole in found


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_a_lost_packet_costs_its_own_frame_only(missing: int) -> None:
    frames = [(unit(SLICE, 3000),), (unit(SLICE, 4000),), (unit(SLICE, 3000),)]
    assembler = Assembler()
    found = _assembled([one for at, one in enumerate(frames_of(*frames)) if at != 3 + missing], assembler)
    assert [whole.units for whole in found] == [frames[0], frames[2]]
    assert assembler.dropped == 1


def test_a_loss_from_one_frame_into_the_next_costs_both() -> None:
    """The end of the first frame and the beginning of the second are gone, though the rest looks whole."""
    packets = [
        *frame(1, 10, SLICE + b"a", SLICE + b"b"),
        *frame(3, 20, SLICE + b"c", SLICE + b"d"),
        *frame(5, 30, SLICE),
    ]
    assembler = Assembler()
    found = _assembled([packets[0], *packets[3:]], assembler)
    assert [whole.timestamp for whole in found] == [30]
    assert assembler.dropped == 2


def test_doubled_and_late_packets_are_left_out() -> None:
    first, second = frame(65_535, 10, SLICE + b"a", SLICE + b"b")
    assembler = Assembler()
    assert _assembled([first, first, second, second, first, *frame(1, 20, SLICE)], assembler) == [
        AccessUnit(10, (SLICE + b"a", SLICE + b"b")),
        AccessUnit(20, (SLICE,)),
    ]
    assert assembler.dropped == 0


@pytest.mark.parametrize("sequence", [0, 90, 102, 20_000, 40_000])
def test_another_session_of_the_camera_is_taken_at_once(sequence: int) -> None:
    """Its numbers begin anywhere; they are not late packets of the session before."""
    before = frame(100, 10, SLICE + b"a", SLICE + b"b")[:1]
    after = frame(sequence, 20, SLICE + b"c", ssrc=2) + frame(sequence + 1, 30, SLICE + b"d", ssrc=2)
    assembler = Assembler()
    assert [whole.units for whole in _assembled(before + after, assembler)] == [(SLICE + b"c",), (SLICE + b"d",)]
    assert assembler.dropped == 1


def test_a_frame_that_grows_without_end_is_dropped() -> None:
    piece = unit(SLICE, 60_000)
    count = h264.MAX_UNIT // len(piece) + 2
    assembler = Assembler()
    found = _assembled([*frame(0, 10, *[piece] * count), *frame(count, 20, SLICE)], assembler)
    assert [whole.timestamp for whole in found] == [20]
    assert sum(map(len, assembler._units)) == 0


# Damage


@pytest.mark.parametrize(
    "payloads",
    [
        (b"\x7c",),
        (b"\x7c\x05x",),
        (b"\x7c\x45x",),
        (b"\x7c\x85x",),
        (b"\x7c\x85x", SLICE + b"\x7c"),
    ],
    ids=["no header", "middle first", "end first", "no end", "unit inside"],
)
def test_fragments_that_do_not_fit_cost_the_frame(payloads: tuple[bytes, ...]) -> None:
    assembler = Assembler()
    found = _assembled([*frame(1, 10, *payloads), *frame(5, 20, SLICE)][:-1], assembler)
    assert found == []
    assert assembler.dropped == 1


@pytest.mark.parametrize("payload", [b"\x78", b"\x78\0", b"\x78\0\0", b"\x78\0\5ab", b"\x78\xff\xff" + bytes(9)])
def test_an_aggregate_that_is_cut_off_brings_nothing(payload: bytes) -> None:
    assert _assembled(frame(1, 10, payload)) == []
    assert not starts_key_frame(payload)


@given(
    st.lists(st.tuples(st.integers(0, 65_535), st.integers(0, 5), st.binary(max_size=12), st.booleans()), max_size=20)
)
@settings(max_examples=150)
def test_garbage_is_never_an_exception(packets: list[tuple[int, int, bytes, bool]]) -> None:
    for whole in _assembled([packet(number, stamp, data, marker=end) for number, stamp, data, end in packets]):
        assert whole.units
        assert all(whole.units)


@given(st.lists(st.tuples(st.sampled_from([28, 24, 1, 0, 30]), st.binary(max_size=6)), max_size=12))
def test_fragments_in_any_order_are_never_an_exception(pieces: list[tuple[int, bytes]]) -> None:
    _assembled([packet(at, at // 3, bytes([0x60 | kind]) + rest) for at, (kind, rest) in enumerate(pieces)])


# Key frames


@pytest.mark.parametrize(
    ("payload", "starts"),
    [
        (SPS, True),
        (IDR + b"x", True),
        (packetize((unit(IDR, 3000),))[0], True),
        (packetize((unit(IDR, 3000),))[1], False),
        (packetize((unit(SLICE, 3000),))[0], False),
        (_stap(SPS, PPS), True),
        (_stap(AUD, SEI, SPS), True),
        (_stap(SEI, SLICE), False),
        (PPS, False),
        (AUD, False),
        (SEI, False),
        (SLICE, False),
        (b"", False),
        (b"\x7c", False),
    ],
)
def test_key_frames_are_known_by_their_first_unit(payload: bytes, starts: bool) -> None:
    assert starts_key_frame(payload) is starts


@pytest.mark.parametrize("make", [lambda: (SPS, PPS), lambda: (SLICE,)])
def test_a_frame_without_idr_is_no_key_frame(make: Callable[[], tuple[bytes, ...]]) -> None:
    assert not AccessUnit(0, make()).key_frame
