"""Datagrams on a TCP connection: whatever the network does to the stream, they come out as they went in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.media.framing import LONGEST, Deframer, framed

DATAGRAMS = st.lists(st.binary(min_size=1, max_size=60), max_size=8)


def test_the_length_stands_before_the_datagram() -> None:
    assert framed(b"abc") == b"\0\3abc"


@given(DATAGRAMS)
def test_a_stream_may_be_split_at_every_byte(datagrams: list[bytes]) -> None:
    stream = b"".join(map(framed, datagrams))
    for at in range(len(stream) + 1):
        deframer = Deframer()
        assert deframer.feed(stream[:at]) + deframer.feed(stream[at:]) == datagrams
    one_by_one = Deframer()
    assert [found for at in range(len(stream)) for found in one_by_one.feed(stream[at : at + 1])] == datagrams


@given(DATAGRAMS, st.lists(st.integers(0, 500), max_size=6))
def test_and_in_as_many_pieces_as_it_likes(datagrams: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(framed, datagrams))
    deframer = Deframer()
    places = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    assert [found for a, b in pairwise(places) for found in deframer.feed(stream[a:b])] == datagrams
    assert not deframer.broken


def test_empty_datagrams_are_left_out() -> None:
    """RFC 4571 allows them as keep-alives."""
    assert Deframer().feed(framed(b"") + framed(b"a") + framed(b"")) == [b"a"]


def test_the_longest_passes_and_a_longer_one_ends_it() -> None:
    longest = bytes(LONGEST)
    deframer = Deframer()
    assert deframer.feed(framed(b"before") + framed(longest) + framed(longest + b"x")) == [b"before", longest]
    assert deframer.broken
    assert deframer.feed(framed(b"after")) == []


@pytest.mark.parametrize("words", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\0" + bytes(512), b"SSH-2.0-x\r\n"])
def test_another_protocol_is_known_by_its_first_bytes(words: bytes) -> None:
    deframer = Deframer()
    assert deframer.feed(words) == []
    assert deframer.broken


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_garbage_is_never_an_exception_and_never_kept_beyond_one_datagram(pieces: list[bytes]) -> None:
    deframer = Deframer()
    for piece in pieces:
        assert all(0 < len(found) <= LONGEST for found in deframer.feed(piece))
        assert len(deframer._rest) < LONGEST + 2
