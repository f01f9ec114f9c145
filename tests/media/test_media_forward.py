"""One camera's packets on their way to many viewers: batches, the kept group of pictures, each viewer's own numbers."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from media_kit import AUD, IDR, PPS, SEI, SLICE, SPS, SSRC, frame, frames_of, packet

from ringlight.media import rtp
from ringlight.media.forward import BATCH, CATCH_UP_STEP, FRAME_GAP, Outlet, Source
from ringlight.media.rtp import SEQUENCES, TIMESTAMPS, Packet

KEY = (SPS, PPS, IDR + b"key")
STEP = 6000


def _outlet(sequence: int = 1000, timestamp: int = 50_000, *, video: bool = True) -> Outlet:
    return Outlet(77, 108, 90_000, video, sequence, timestamp)


def _read(packets: list[bytes]) -> list[Packet]:
    return [rtp.parse(data) for data in packets]


def _push(source: Source, packets: list[Packet]) -> list[list[Packet]]:
    return [batch for one in packets if (batch := source.push(one))]


def _numbers(packets: list[Packet]) -> list[int]:
    return [one.sequence for one in packets]


# Batches


def test_a_batch_ends_with_its_frame() -> None:
    key, delta = frame(1, 10, *KEY), frame(4, 20, SLICE, SLICE)
    assert _push(Source(video=True), key + delta) == [key, delta]


def test_a_long_frame_goes_out_in_parts() -> None:
    """So that nobody waits for the end of a large key frame."""
    whole = frame(0, 10, *[SLICE] * (2 * BATCH + 5))
    assert [len(batch) for batch in _push(Source(video=True), whole)] == [BATCH, BATCH, 5]


def test_a_frame_without_marker_goes_out_when_the_next_begins() -> None:
    packets = [packet(1, 10), packet(2, 10), packet(3, 20), packet(4, 20), packet(5, 20, marker=True)]
    assert _push(Source(video=True), packets) == [packets[:3], packets[3:]]


def test_sound_never_waits() -> None:
    packets = [packet(at, 960 * at) for at in range(3)]
    assert _push(Source(video=False), packets) == [[one] for one in packets]


def test_flush_hands_out_what_waits_once() -> None:
    source = Source(video=True)
    packets = [packet(1, 10), packet(2, 10)]
    assert _push(source, packets) == []
    assert source.flush() == packets
    assert source.flush() == []


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=120), st.booleans())
def test_every_packet_is_handed_out_once_and_in_order(steps: list[tuple[int, bool]], video: bool) -> None:
    source, stamp, packets = Source(video), 0, []
    for at, (step, marker) in enumerate(steps):
        stamp += step // 4
        packets.append(packet(at, stamp, marker=marker))
    batches = _push(source, packets)
    assert [one for batch in batches for one in batch] + source.flush() == packets
    assert all(len(batch) <= BATCH for batch in batches)


# The group of pictures that is kept


def test_the_group_begins_anew_with_every_key_frame() -> None:
    source = Source(video=True)
    _push(source, frames_of((SLICE,), KEY, (SLICE,), KEY, (SLICE,), (SLICE,)))
    assert [one.payload for one in source.group] == [*KEY, SLICE, SLICE]


def test_nothing_is_kept_before_the_first_key_frame_nor_of_sound() -> None:
    source, sound = Source(video=True), Source(video=False)
    _push(source, frames_of((SLICE,), (SLICE,)))
    _push(sound, frames_of(KEY))
    assert source.group == sound.group == []


def test_what_precedes_the_parameter_sets_in_the_same_frame_stays_with_them() -> None:
    source = Source(video=True)
    _push(source, frames_of(KEY, (SLICE,), (AUD, SEI, *KEY), (AUD, SLICE)))
    assert [one.payload for one in source.group] == [AUD, SEI, *KEY, AUD, SLICE]


def test_a_key_frame_of_several_slices_begins_the_group_once() -> None:
    source = Source(video=True)
    _push(source, frames_of((SPS, PPS, IDR + b"1", IDR + b"2", IDR + b"3")))
    assert len(source.group) == 5


def test_a_group_that_grows_too_long_is_not_kept_at_all() -> None:
    """Half a group cannot be decoded; the next key frame begins a new one."""
    source = Source(video=True, limit=5)
    packets = frames_of(KEY, (SLICE,), (SLICE,), (SLICE,), (SLICE,), KEY, (SLICE,))
    _push(source, packets[:5])
    assert len(source.group) == 5
    _push(source, packets[5:7])
    assert source.group == []
    _push(source, packets[7:])
    assert [one.payload for one in source.group] == [*KEY, SLICE]


def test_a_newcomer_has_missed_only_what_has_gone_out() -> None:
    """What waits for the end of its frame will reach the newcomer with everybody else."""
    source = Source(video=True)
    packets = frames_of(KEY, (SLICE, SLICE))
    _push(source, packets[:-1])
    assert source.sent == packets[:3]
    source.flush()
    assert source.sent == packets[:4]


def test_a_newcomer_during_the_first_key_frame_has_missed_nothing() -> None:
    source = Source(video=True)
    _push(source, frames_of((AUD, *KEY))[:2])
    assert source.sent == []


def test_a_group_never_holds_packets_of_two_sessions() -> None:
    """The pictures of another session refer to its own key frame, and its numbers to nothing here."""
    source = Source(video=True)
    _push(source, frames_of(KEY, (SLICE,)))
    _push(source, frames_of((SLICE,), (SLICE,), ssrc=2))
    assert source.group == []
    _push(source, frames_of(KEY, ssrc=2))
    assert {one.ssrc for one in source.group} == {2}


# A viewer's own numbers


def test_a_viewer_has_its_own_ssrc_payload_type_and_numbers() -> None:
    packets = frames_of(KEY, (SLICE,))
    seen = _read(_outlet().write(packets))
    assert {(one.ssrc, one.payload_type) for one in seen} == {(77, 108)}
    assert _numbers(seen) == [1001, 1002, 1003, 1004]
    assert [one.timestamp for one in seen] == [50_000 + FRAME_GAP] * 3 + [50_000 + FRAME_GAP + STEP]
    assert [one.payload for one in seen] == [one.payload for one in packets]
    assert [one.marker for one in seen] == [one.marker for one in packets]


def test_nothing_is_sent_before_the_first_key_frame() -> None:
    outlet = _outlet()
    assert outlet.write(frames_of((SLICE,), (AUD, SLICE))) == []
    assert not outlet.started
    assert len(outlet.write(frames_of(KEY))) == 3
    assert outlet.started


def test_sound_begins_at_once() -> None:
    assert len(_outlet(video=False).write([packet(1, 960, b"sound")])) == 1


def test_a_gap_of_the_camera_stays_a_gap_and_a_late_packet_its_own_place() -> None:
    """Only so can the viewer tell what is missing."""
    outlet = _outlet()
    packets = frames_of(KEY, *[(SLICE,)] * 6)
    outlet.write(packets[:4])
    seen = _read(outlet.write([packets[6], packets[5], packets[7]]))
    assert _numbers(seen) == [1007, 1006, 1008]
    assert outlet.sequence == 1008


def test_the_numbers_run_over_their_circles() -> None:
    outlet = _outlet(SEQUENCES - 2, TIMESTAMPS - FRAME_GAP - 1)
    seen = _read(outlet.write(frames_of(KEY, sequence=SEQUENCES - 1, timestamp=TIMESTAMPS - 1)))
    seen += _read(outlet.write(frames_of((SLICE,), sequence=2, timestamp=STEP - 1)))
    assert _numbers(seen) == [SEQUENCES - 1, 0, 1, 2]
    assert [one.timestamp for one in seen] == [TIMESTAMPS - 1] * 3 + [STEP - 1]


def test_counts_are_those_of_a_sender_report() -> None:
    outlet = _outlet()
    outlet.write(frames_of(KEY))
    assert (outlet.packets, outlet.octets) == (3, sum(map(len, KEY)))


def test_another_session_of_the_camera_goes_on_from_its_key_frame() -> None:
    """The viewer notices nothing: no gap in the numbers, and a time that goes forwards."""
    outlet = _outlet()
    before = _read(outlet.write(frames_of(KEY, (SLICE,))))
    after = frames_of((SLICE,), KEY, (SLICE,), sequence=40_000, timestamp=7, ssrc=2)
    seen = _read(outlet.write(after))
    assert [one.payload for one in seen] == [*KEY, SLICE]
    assert _numbers(before + seen) == list(range(1001, 1009))
    assert seen[0].timestamp == before[-1].timestamp + FRAME_GAP
    assert seen[-1].timestamp == seen[0].timestamp + STEP
    assert {one.ssrc for one in seen} == {77}


def test_sound_of_another_session_goes_on_at_once() -> None:
    outlet = _outlet(video=False)
    outlet.write([packet(1, 960, b"a")])
    (seen,) = _read(outlet.write([packet(9, 5, b"b", ssrc=2)]))
    assert (seen.sequence, seen.timestamp) == (1002, 50_000 + 2 * FRAME_GAP)


# Joining


def test_a_newcomer_gets_the_running_group_squeezed_and_then_goes_on_live() -> None:
    """All of it is decoded at once, the newest picture shown, and no delay stays."""
    outlet = _outlet()
    frames = frames_of(KEY, (SLICE,), (SLICE, SLICE), (SLICE,))
    missed, live = frames[:-1], frames[-1:]
    seen = _read(outlet.join(missed))
    assert _numbers(seen) == list(range(1001, 1007))
    stamps = list(dict.fromkeys(one.timestamp for one in seen))
    assert stamps == [50_000 + FRAME_GAP + CATCH_UP_STEP * at for at in range(3)]
    (next_one,) = _read(outlet.write(live))
    assert next_one.sequence == 1007
    assert next_one.timestamp == stamps[-1] + STEP


def test_an_empty_group_is_no_beginning() -> None:
    outlet = _outlet()
    assert outlet.join([]) == []
    assert outlet.write(frames_of((SLICE,))) == []


def test_who_watches_already_gets_no_group_again() -> None:
    outlet = _outlet()
    outlet.write(frames_of(KEY))
    assert outlet.join(frames_of(KEY)) == []


# In every order

PIECE = st.tuples(
    st.sampled_from(["key", "key", "delta", "delta", "delta", "session", "gap", "join"]), st.integers(1, 4)
)


@given(st.lists(PIECE, max_size=25), st.integers(0, 65_535), st.integers(0, (1 << 32) - 1), st.integers(0, 65_535))
@example([("key", 1), ("session", 1), ("delta", 1), ("join", 1)], 0, 0, 0)
@settings(max_examples=150)
def test_what_viewers_get_is_in_order_and_is_what_the_camera_sent(
    pieces: list[tuple[str, int]], sequence: int, timestamp: int, theirs: int
) -> None:
    """From whatever moment a viewer watches: numbers and time go forwards, and no byte of a payload changes.

    Without a gap of the camera there is none in the viewer's numbers either.
    """
    source = Source(video=True)
    viewers: list[tuple[Outlet, list[bytes]]] = [(_outlet(theirs, timestamp), [])]
    sent: set[bytes] = set()
    gaps, ssrc = False, SSRC
    for kind, size in pieces:
        match kind:
            case "session":
                ssrc, sequence, timestamp = ssrc + 1, sequence * 31 + 7, timestamp * 31 + 7
                continue
            case "gap":
                gaps, sequence = True, sequence + size
                continue
            case "join":
                outlet = _outlet(theirs, timestamp % TIMESTAMPS)
                viewers.append((outlet, outlet.join(source.sent)))
                continue
        payloads = [SPS, PPS, IDR] if kind == "key" else [SLICE]
        made = frame(sequence, timestamp, *(part + len(sent).to_bytes(2, "big") for part in payloads * size), ssrc=ssrc)
        sequence, timestamp = sequence + len(made), timestamp + STEP
        sent |= {one.payload for one in made}
        for batch in _push(source, made):
            for outlet, got in viewers:
                got.extend(outlet.write(batch))
    for _, got in viewers:
        seen = _read(got)
        steps = [rtp.distance(later.sequence, one.sequence) for one, later in pairwise(seen)]
        times = [rtp.distance(later.timestamp, one.timestamp, TIMESTAMPS) for one, later in pairwise(seen)]
        assert all(step > 0 for step in steps)
        assert gaps or all(step == 1 for step in steps)
        assert all(time >= 0 for time in times)
        assert {one.payload for one in seen} <= sent
        assert not seen or seen[0].payload[:1] == SPS[:1]


@pytest.mark.parametrize("viewers", [1, 3])
def test_viewers_do_not_disturb_each_other(viewers: int) -> None:
    outlets = [_outlet(100 * at) for at in range(viewers)]
    for batch in _push(Source(video=True), frames_of(KEY, (SLICE,))):
        for outlet in outlets:
            outlet.write(batch)
    assert [outlet.sequence for outlet in outlets] == [100 * at + 4 for at in range(viewers)]
