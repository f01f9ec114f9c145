"""Transport-wide feedback as bytes: the draft's own shapes, what others write, and what is broken."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.media import rtcp, transport_wide
from ringlight.media.transport_wide import LONGEST_RUN, REFERENCE, TICK, TransportFeedback, parse

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)


@st.composite
def _feedback(draw: st.DrawFn) -> TransportFeedback:
    count = draw(st.integers(1, 60) | st.integers(1, 20_000))
    offsets = sorted(draw(st.sets(st.integers(0, count - 1), max_size=40)))
    clock = draw(st.integers(-(1 << 20), 1 << 20)) * REFERENCE
    arrived = []
    for offset in offsets:
        clock += TICK * draw(st.integers(0, 255) | st.integers(-0x7F00, 0x7FFF))
        arrived.append((offset, clock))
    return TransportFeedback(draw(U32), draw(U32), draw(U16), count, tuple(arrived), draw(st.integers(0, 255)))


@given(_feedback())
def test_feedback_is_read_back_as_written(feedback: TransportFeedback) -> None:
    assert rtcp.parse(rtcp.write(feedback)) == [feedback]


def _body(count: int, *chunks: int, deltas: bytes = b"", base: int = 10, reference: int = 2) -> bytes:
    head = struct.pack("!IIHHI", 1, 77, base, count, reference << 8 | 5)
    body = head + b"".join(chunk.to_bytes(2, "big") for chunk in chunks) + deltas
    return body + bytes(-len(body) % 4)


def test_a_vector_of_one_bit_tells_fourteen_packets() -> None:
    """Section 3.1.4: 1 0, then a bit for each; those that came have a step of one byte."""
    read = parse(_body(14, 0b10_10000000000011, deltas=bytes([4, 8, 0])))
    assert read is not None
    assert read.arrived == ((0, 2 * REFERENCE + 1000), (12, 2 * REFERENCE + 3000), (13, 2 * REFERENCE + 3000))


def test_a_vector_of_two_bits_tells_seven_and_steps_may_go_back() -> None:
    """Section 3.1.4: 1 1, then two bits for each; a packet that overtook another has a step below zero."""
    read = parse(_body(7, 0b11_01_00_10_00_00_00_01, deltas=bytes([1]) + (-3).to_bytes(2, "big", signed=True) + b"\2"))
    assert read is not None
    clock = 2 * REFERENCE
    assert read.arrived == ((0, clock + TICK), (2, clock - 2 * TICK), (6, clock))


def test_a_run_beyond_the_count_is_cut_and_padding_is_no_packet() -> None:
    read = parse(_body(3, 1 << 13 | 3, deltas=bytes([1, 1, 1])))
    assert read is not None
    assert [offset for offset, _ in read.arrived] == [0, 1, 2]
    long = parse(_body(2, 1 << 13 | 9, deltas=bytes([1, 1])))
    assert long is not None
    assert len(long.arrived) == 2


def test_the_clock_may_begin_below_zero() -> None:
    read = parse(_body(1, 1 << 13 | 1, deltas=b"\0", reference=(1 << 24) - 1))
    assert read is not None
    assert read.arrived == ((0, -REFERENCE),)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        _body(1)[:15],
        _body(3),
        _body(20, 0b10_11111111111111),
        _body(9, 1 << 13 | 9),
        _body(2, 2 << 13 | 2, deltas=b"\0\0\0")[:21],
        _body(5, 0),
        _body(5, 1 << 13),
        _body(2, 3 << 13 | 2, deltas=bytes(8)),
        _body(0xFFFF, 1 << 13 | LONGEST_RUN, 1 << 13 | LONGEST_RUN),
    ],
    ids=["empty", "cut head", "no chunk", "half of it", "no steps", "cut step", "empty run", "empty run of some",
         "a status that there is not", "more than it can hold"],
)  # fmt: skip
def test_what_does_not_add_up_is_no_feedback(body: bytes) -> None:
    assert parse(body) is None


@given(st.binary(max_size=120), U16)
def test_garbage_is_nothing_or_some_feedback_in_bounds(data: bytes, count: int) -> None:
    """Whatever a viewer sends: no exception, and no more work than it sent bytes."""
    for body in (data, _body(count) + data, _body(count, 0x2000 | count & LONGEST_RUN) + data):
        read = parse(body)
        if read is not None:
            assert len(read.arrived) <= len(body)
            assert all(0 <= offset < read.count for offset, _ in read.arrived)


@given(_feedback(), st.data())
def test_damaged_feedback_is_left_out_or_read(feedback: TransportFeedback, data: st.DataObject) -> None:
    body = bytearray(transport_wide.write(feedback))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(body[: data.draw(st.integers(0, len(body)))])
    for one in (bytes(body), cut):
        read = parse(one)
        assert read is None or len(read.arrived) <= len(one)
