"""One camera's packets on their way to many viewers: batches, numbers, the kept group."""

from hypothesis import given
from hypothesis import strategies as st
from media_kit import AUD, IDR, PPS, SEI, SLICE, SPS, frame, frames_of, packet
from tracks import KEY, STEP, flat, push, track_of

from ringlight.media import rtp
from ringlight.media.forward import BATCH, FRAME_GAP, RUN_BYTES, RUN_PACKETS, Batch, Numbered
from ringlight.media.rtp import SEQUENCES, TIMESTAMPS, Packet


def _payloads(packets: list[Packet] | list[Numbered]) -> list[bytes]:
    return [one.payload for one in packets]


# Batches


def test_a_batch_ends_with_its_frame() -> None:
    key, delta = frame(1, 10, *KEY), frame(4, 20, SLICE, SLICE)
    assert [len(batch) for batch in push(track_of(), key + delta)] == [3, 2]


def test_a_long_frame_goes_out_in_parts() -> None:
    """So that nobody waits for the end of a large key frame."""
    whole = frame(0, 10, SPS, *[SLICE] * (2 * BATCH + 4))
    assert [len(batch) for batch in push(track_of(), whole)] == [BATCH, BATCH, 5]


def test_a_frame_without_marker_goes_out_when_the_next_begins() -> None:
    packets = [packet(1, 10, SPS), packet(2, 10), packet(3, 20), packet(4, 20), packet(5, 20, marker=True)]
    assert [len(batch) for batch in push(track_of(), packets)] == [3, 2]


def test_sound_never_waits() -> None:
    packets = [packet(at, 960 * at) for at in range(3)]
    assert [len(batch) for batch in push(track_of(video=False), packets)] == [1, 1, 1]


def test_flush_hands_out_what_waits_once() -> None:
    track = track_of()
    assert push(track, [packet(1, 10, SPS), packet(2, 10)]) == []
    waiting = track.flush()
    assert waiting is not None
    assert len(waiting) == 2
    assert track.flush() is None


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=120), st.booleans())
def test_every_packet_is_handed_out_once_and_in_order(steps: list[tuple[int, bool]], video: bool) -> None:
    track, stamp, packets = track_of(video=video), 0, []
    for at, (step, marker) in enumerate(steps):
        stamp += step // 4
        packets.append(packet(at, stamp, SPS if at == 0 else SLICE + bytes([at]), marker=marker))
    batches = push(track, packets)
    rest = track.flush()
    handed = flat([*batches, rest] if rest else batches)
    assert _payloads(handed) == _payloads(packets)
    assert [one.index for one in handed] == list(range(1001, 1001 + len(packets)))
    assert all(len(batch) <= BATCH for batch in batches)


@given(st.lists(st.integers(1, 1400), min_size=1, max_size=200))
def test_the_kernel_can_cut_every_run_into_the_packets_that_it_is_made_of(sizes: list[int]) -> None:
    """UDP_SEGMENT: all of one length, the last one shorter at most, 64 at most, and no longer than a datagram."""
    batch = Batch(Numbered(96, False, at, 0, 1, bytes(size), at) for at, size in enumerate(sizes))
    assert [at for start, end in batch.runs for at in range(start, end)] == list(range(len(sizes)))
    for start, end in batch.runs:
        lengths = sizes[start:end]
        assert set(lengths[:-1]) <= {lengths[0]}
        assert lengths[-1] <= lengths[0]
        assert len(lengths) <= RUN_PACKETS
        assert sum(lengths) <= RUN_BYTES
    assert not any(
        len({*sizes[start:end], sizes[end]}) == 1 and end - start < 40 for start, end in batch.runs if end < len(sizes)
    )


def test_headers_are_written_once_for_all_viewers_with_the_same_payload_type() -> None:
    (batch,) = push(track_of(), frames_of(KEY))
    assert batch.headers(108) is batch.headers(108)
    seen = [rtp.parse(header + payload) for header, payload in zip(batch.headers(109), batch.payloads, strict=True)]
    assert {(one.payload_type, one.ssrc) for one in seen} == {(109, 77)}
    assert [one.sequence for one in seen] == [1001, 1002, 1003]
    assert [one.marker for one in seen] == [False, False, True]
    assert batch.octets == sum(map(len, KEY))


# The numbers


def test_the_numbers_are_our_own_and_the_payloads_the_camera_s() -> None:
    packets = frames_of(KEY, (SLICE,))
    seen = flat(push(track_of(), packets))
    assert {one.ssrc for one in seen} == {77}
    assert [one.sequence for one in seen] == [1001, 1002, 1003, 1004]
    assert [one.timestamp for one in seen] == [50_000 + FRAME_GAP] * 3 + [50_000 + FRAME_GAP + STEP]
    assert _payloads(seen) == _payloads(packets)


def test_nothing_goes_out_before_the_first_key_frame() -> None:
    track = track_of()
    assert push(track, frames_of((SLICE,), (AUD, SLICE))) == []
    assert len(flat(push(track, frames_of(KEY, sequence=103)))) == 3


def test_a_gap_of_the_camera_stays_a_gap_and_a_late_packet_its_own_place() -> None:
    """Only so can a viewer tell what is missing."""
    packets = frames_of(KEY, *[(SLICE,)] * 6)
    seen = flat(push(track_of(), [*packets[:4], packets[6], packets[5], packets[7]]))
    assert [one.sequence for one in seen[4:]] == [1007, 1006, 1008]


def test_the_numbers_run_over_their_circles() -> None:
    track = track_of(SEQUENCES - 2, TIMESTAMPS - FRAME_GAP - 1)
    seen = flat(push(track, frames_of(KEY, (SLICE,), sequence=SEQUENCES - 1, timestamp=TIMESTAMPS - 1)))
    assert [one.sequence for one in seen] == [SEQUENCES - 1, 0, 1, 2]
    assert [one.index for one in seen] == [SEQUENCES - 1, SEQUENCES, SEQUENCES + 1, SEQUENCES + 2]
    assert [one.timestamp for one in seen] == [TIMESTAMPS - 1] * 3 + [STEP - 1]


def test_another_session_of_the_camera_goes_on_from_its_key_frame() -> None:
    """A viewer notices nothing: no gap in the numbers, and a time that goes forwards."""
    track = track_of()
    before = flat(push(track, frames_of(KEY, (SLICE,))))
    after = frames_of((SLICE,), KEY, (SLICE,), sequence=40_000, timestamp=7, ssrc=2)
    seen = flat(push(track, after))
    assert _payloads(seen) == [*KEY, SLICE]
    assert [one.sequence for one in before + seen] == list(range(1001, 1009))
    assert seen[0].timestamp == before[-1].timestamp + FRAME_GAP
    assert seen[-1].timestamp == seen[0].timestamp + STEP
    assert {one.ssrc for one in seen} == {77}


def test_after_a_pause_the_time_of_the_track_has_gone_on() -> None:
    """A view broke off and was opened again: a player must not take what follows for late."""
    track = track_of()
    for one in frames_of(KEY):
        track.push(one, 10.0)
    before = track.timestamp
    for one in frames_of((SLICE,), KEY, sequence=40_000, timestamp=7, ssrc=2):
        track.push(one, 14.0)
    assert track.timestamp - before == 4 * 90_000


def test_what_comes_late_from_before_the_key_frame_of_a_session_is_left_out() -> None:
    """Its number would be one that the session before has used."""
    track = track_of()
    push(track, frames_of(KEY, (SLICE,)))
    other = frames_of((SLICE,), KEY, ssrc=2)
    push(track, other[1:])
    assert push(track, other[:1]) == []


def test_sound_of_another_session_goes_on_at_once() -> None:
    track = track_of(video=False)
    push(track, [packet(1, 960, b"a")])
    (seen,) = flat(push(track, [packet(9, 5, b"b", ssrc=2)]))
    assert (seen.sequence, seen.timestamp) == (1002, 50_000 + 2 * FRAME_GAP)


def test_the_time_of_a_track_runs_on_between_its_packets() -> None:
    """For sender reports: they tie the time of day to the clock of picture or sound."""
    track = track_of()
    for one in frames_of(KEY):
        track.push(one, 10.0)
    assert track.time(10.5) == track.timestamp + 45_000


# The group of pictures that is kept


def test_the_group_begins_anew_with_every_key_frame() -> None:
    track = track_of()
    push(track, frames_of((SLICE,), KEY, (SLICE,), KEY, (SLICE,), (SLICE,)))
    assert _payloads(track.group) == [*KEY, SLICE, SLICE]


def test_nothing_is_kept_before_the_first_key_frame_nor_of_sound() -> None:
    track, sound = track_of(), track_of(video=False)
    push(track, frames_of((SLICE,), (SLICE,)))
    push(sound, frames_of(KEY))
    assert track.group == sound.group == []


def test_what_precedes_the_parameter_sets_in_the_same_frame_stays_with_them() -> None:
    track = track_of()
    push(track, frames_of(KEY, (SLICE,), (AUD, SEI, *KEY), (AUD, SLICE)))
    assert _payloads(track.group) == [AUD, SEI, *KEY, AUD, SLICE]


def test_a_key_frame_of_several_slices_begins_the_group_once() -> None:
    track = track_of()
    push(track, frames_of((SPS, PPS, IDR + b"1", IDR + b"2", IDR + b"3")))
    assert len(track.group) == 5


def test_a_group_that_grows_too_long_is_not_kept_at_all() -> None:
    """Half a group cannot be decoded; the next key frame begins a new one."""
    track = track_of(limit=5)
    packets = frames_of(KEY, (SLICE,), (SLICE,), (SLICE,), (SLICE,), KEY, (SLICE,))
    push(track, packets[:5])
    assert len(track.group) == 5
    push(track, packets[5:7])
    assert track.group == []
    push(track, packets[7:])
    assert _payloads(track.group) == [*KEY, SLICE]


def test_a_newcomer_has_missed_only_what_has_gone_out() -> None:
    """What waits for the end of its frame will reach the newcomer with everybody else."""
    track = track_of()
    packets = frames_of(KEY, (SLICE, SLICE))
    push(track, packets[:-1])
    assert _payloads(track.sent) == [*KEY]
    track.flush()
    assert len(track.sent) == 4


def test_a_newcomer_during_the_first_key_frame_has_missed_nothing() -> None:
    track = track_of()
    push(track, frames_of(KEY)[:2])
    assert track.sent == []


def test_a_group_never_holds_packets_of_two_sessions() -> None:
    """The pictures of another session refer to its own key frame."""
    track = track_of()
    push(track, frames_of(KEY, (SLICE,)))
    push(track, frames_of(KEY, sequence=5, ssrc=2))
    assert _payloads(track.group) == [*KEY]
