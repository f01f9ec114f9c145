"""Sound in a file has no gap: each packet begins where the last one ended, at most half a packet from its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.media.sound import CLOCK, SILENCE, STEP, OpusTrack, Piece, opus_duration
from ringlight.simulator.sound import make_sound


@pytest.mark.parametrize(
    ("payload", "milliseconds"),
    [
        (b"\xf8\xff\xfe", 20), (b"\xe0x", 2.5), (b"\xf9xx", 40), (b"\xfaxx", 40), (b"\x08x", 20), (b"\x18x", 60),
        (b"\x60x", 10), (b"\x78x", 20), (b"\xfb\x03xxx", 60), (b"\xfb", 0), (b"", 0), (b"\x1b\x3fx", 0),
    ],
)  # fmt: skip
def test_the_length_of_an_opus_packet_is_in_its_first_bytes(payload: bytes, milliseconds: float) -> None:
    assert opus_duration(payload) == milliseconds * CLOCK / 1000


def test_the_simulators_sound_has_20_ms_a_packet() -> None:
    assert {opus_duration(payload) for payload in make_sound()} == {STEP}


@given(st.lists(st.floats(0, 3), max_size=40))
def test_pieces_follow_each_other_without_a_gap_near_their_place(places: list[float]) -> None:
    track, end = OpusTrack(), 0
    pieces: list[Piece] = []
    for place in sorted(places):
        made = list(track.put(b"\xf8own", place))
        for piece in made:
            assert piece.at == end
            end += piece.duration
        if made and made[-1].payload != SILENCE:
            assert abs(made[-1].at / CLOCK - place) <= 0.011
        pieces += made
    assert all(piece.payload in (SILENCE, b"\xf8own") for piece in pieces)


def test_what_is_missing_is_silence_and_what_comes_too_late_is_left_out() -> None:
    track = OpusTrack()
    assert [piece.payload for piece in track.put(b"\xf8a", 0.1)] == [SILENCE] * 5 + [b"\xf8a"]
    assert list(track.put(b"\xf8b", 0.05)) == []
    assert [piece.payload for piece in track.fill(0.2)] == [SILENCE] * 3
    assert list(track.fill(0.1)) == []
