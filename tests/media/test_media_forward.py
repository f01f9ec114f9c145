"""One camera's packets on their way to many viewers: batches, numbers, the kept group, what is sent again."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from media_kit import AUD, IDR, PPS, SEI, SLICE, SPS, SSRC, frame, frames_of, packet

from ringlight.media import rtp
from ringlight.media.forward import BATCH, FRAME_GAP, RECENT, RUN_BYTES, RUN_PACKETS, Batch, Numbered, Track
from ringlight.media.outlet import CATCH_UP_STEP, Outlet
from ringlight.media.rtp import SEQUENCES, TIMESTAMPS, Packet

KEY = (SPS, PPS, IDR + b"key")
STEP = 6000


def _track(index: int = 1000, timestamp: int = 50_000, *, video: bool = True, limit: int = 1500) -> Track:
    return Track(video, 77, 90_000, limit, index, timestamp)


def _outlet(track: Track) -> Outlet:
    return Outlet(track, 108)


def _push(track: Track, packets: list[Packet]) -> list[Batch]:
    return [batch for one in packets if (batch := track.push(one))]


def _flat(batches: list[Batch]) -> list[Numbered]:
    return [one for batch in batches for one in batch]


def _taken(outlet: Outlet, batches: list[Batch]) -> list[Numbered]:
    return [one for batch in batches for one in outlet.take(batch) or ()]


def _payloads(packets: list[Packet] | list[Numbered]) -> list[bytes]:
    return [one.payload for one in packets]


# Batches


def test_a_batch_ends_with_its_frame() -> None:
    key, delta = frame(1, 10, *KEY), frame(4, 20, SLICE, SLICE)
    assert [len(batch) for batch in _push(_track(), key + delta)] == [3, 2]


def test_a_long_frame_goes_out_in_parts() -> None:
    """So that nobody waits for the end of a large key frame."""
    whole = frame(0, 10, SPS, *[SLICE] * (2 * BATCH + 4))
    assert [len(batch) for batch in _push(_track(), whole)] == [BATCH, BATCH, 5]


def test_a_frame_without_marker_goes_out_when_the_next_begins() -> None:
    packets = [packet(1, 10, SPS), packet(2, 10), packet(3, 20), packet(4, 20), packet(5, 20, marker=True)]
    assert [len(batch) for batch in _push(_track(), packets)] == [3, 2]


def test_sound_never_waits() -> None:
    packets = [packet(at, 960 * at) for at in range(3)]
    assert [len(batch) for batch in _push(_track(video=False), packets)] == [1, 1, 1]


def test_flush_hands_out_what_waits_once() -> None:
    track = _track()
    assert _push(track, [packet(1, 10, SPS), packet(2, 10)]) == []
    waiting = track.flush()
    assert waiting is not None
    assert len(waiting) == 2
    assert track.flush() is None


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=120), st.booleans())
def test_every_packet_is_handed_out_once_and_in_order(steps: list[tuple[int, bool]], video: bool) -> None:
    track, stamp, packets = _track(video=video), 0, []
    for at, (step, marker) in enumerate(steps):
        stamp += step // 4
        packets.append(packet(at, stamp, SPS if at == 0 else SLICE + bytes([at]), marker=marker))
    batches = _push(track, packets)
    rest = track.flush()
    handed = _flat([*batches, rest] if rest else batches)
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
    (batch,) = _push(_track(), frames_of(KEY))
    assert batch.headers(108) is batch.headers(108)
    seen = [rtp.parse(header + payload) for header, payload in zip(batch.headers(109), batch.payloads, strict=True)]
    assert {(one.payload_type, one.ssrc) for one in seen} == {(109, 77)}
    assert [one.sequence for one in seen] == [1001, 1002, 1003]
    assert [one.marker for one in seen] == [False, False, True]
    assert batch.octets == sum(map(len, KEY))


# The numbers


def test_the_numbers_are_our_own_and_the_payloads_the_camera_s() -> None:
    packets = frames_of(KEY, (SLICE,))
    seen = _flat(_push(_track(), packets))
    assert {one.ssrc for one in seen} == {77}
    assert [one.sequence for one in seen] == [1001, 1002, 1003, 1004]
    assert [one.timestamp for one in seen] == [50_000 + FRAME_GAP] * 3 + [50_000 + FRAME_GAP + STEP]
    assert _payloads(seen) == _payloads(packets)


def test_nothing_goes_out_before_the_first_key_frame() -> None:
    track = _track()
    assert _push(track, frames_of((SLICE,), (AUD, SLICE))) == []
    assert len(_flat(_push(track, frames_of(KEY, sequence=103)))) == 3


def test_a_gap_of_the_camera_stays_a_gap_and_a_late_packet_its_own_place() -> None:
    """Only so can a viewer tell what is missing."""
    packets = frames_of(KEY, *[(SLICE,)] * 6)
    seen = _flat(_push(_track(), [*packets[:4], packets[6], packets[5], packets[7]]))
    assert [one.sequence for one in seen[4:]] == [1007, 1006, 1008]


def test_the_numbers_run_over_their_circles() -> None:
    track = _track(SEQUENCES - 2, TIMESTAMPS - FRAME_GAP - 1)
    seen = _flat(_push(track, frames_of(KEY, (SLICE,), sequence=SEQUENCES - 1, timestamp=TIMESTAMPS - 1)))
    assert [one.sequence for one in seen] == [SEQUENCES - 1, 0, 1, 2]
    assert [one.index for one in seen] == [SEQUENCES - 1, SEQUENCES, SEQUENCES + 1, SEQUENCES + 2]
    assert [one.timestamp for one in seen] == [TIMESTAMPS - 1] * 3 + [STEP - 1]


def test_another_session_of_the_camera_goes_on_from_its_key_frame() -> None:
    """A viewer notices nothing: no gap in the numbers, and a time that goes forwards."""
    track = _track()
    before = _flat(_push(track, frames_of(KEY, (SLICE,))))
    after = frames_of((SLICE,), KEY, (SLICE,), sequence=40_000, timestamp=7, ssrc=2)
    seen = _flat(_push(track, after))
    assert _payloads(seen) == [*KEY, SLICE]
    assert [one.sequence for one in before + seen] == list(range(1001, 1009))
    assert seen[0].timestamp == before[-1].timestamp + FRAME_GAP
    assert seen[-1].timestamp == seen[0].timestamp + STEP
    assert {one.ssrc for one in seen} == {77}


def test_after_a_pause_the_time_of_the_track_has_gone_on() -> None:
    """A view broke off and was opened again: a player must not take what follows for late."""
    track = _track()
    for one in frames_of(KEY):
        track.push(one, 10.0)
    before = track.timestamp
    for one in frames_of((SLICE,), KEY, sequence=40_000, timestamp=7, ssrc=2):
        track.push(one, 14.0)
    assert track.timestamp - before == 4 * 90_000


def test_what_comes_late_from_before_the_key_frame_of_a_session_is_left_out() -> None:
    """Its number would be one that the session before has used."""
    track = _track()
    _push(track, frames_of(KEY, (SLICE,)))
    other = frames_of((SLICE,), KEY, ssrc=2)
    _push(track, other[1:])
    assert _push(track, other[:1]) == []


def test_sound_of_another_session_goes_on_at_once() -> None:
    track = _track(video=False)
    _push(track, [packet(1, 960, b"a")])
    (seen,) = _flat(_push(track, [packet(9, 5, b"b", ssrc=2)]))
    assert (seen.sequence, seen.timestamp) == (1002, 50_000 + 2 * FRAME_GAP)


def test_the_time_of_a_track_runs_on_between_its_packets() -> None:
    """For sender reports: they tie the time of day to the clock of picture or sound."""
    track = _track()
    for one in frames_of(KEY):
        track.push(one, 10.0)
    assert track.time(10.5) == track.timestamp + 45_000


# The group of pictures that is kept


def test_the_group_begins_anew_with_every_key_frame() -> None:
    track = _track()
    _push(track, frames_of((SLICE,), KEY, (SLICE,), KEY, (SLICE,), (SLICE,)))
    assert _payloads(track.group) == [*KEY, SLICE, SLICE]


def test_nothing_is_kept_before_the_first_key_frame_nor_of_sound() -> None:
    track, sound = _track(), _track(video=False)
    _push(track, frames_of((SLICE,), (SLICE,)))
    _push(sound, frames_of(KEY))
    assert track.group == sound.group == []


def test_what_precedes_the_parameter_sets_in_the_same_frame_stays_with_them() -> None:
    track = _track()
    _push(track, frames_of(KEY, (SLICE,), (AUD, SEI, *KEY), (AUD, SLICE)))
    assert _payloads(track.group) == [AUD, SEI, *KEY, AUD, SLICE]


def test_a_key_frame_of_several_slices_begins_the_group_once() -> None:
    track = _track()
    _push(track, frames_of((SPS, PPS, IDR + b"1", IDR + b"2", IDR + b"3")))
    assert len(track.group) == 5


def test_a_group_that_grows_too_long_is_not_kept_at_all() -> None:
    """Half a group cannot be decoded; the next key frame begins a new one."""
    track = _track(limit=5)
    packets = frames_of(KEY, (SLICE,), (SLICE,), (SLICE,), (SLICE,), KEY, (SLICE,))
    _push(track, packets[:5])
    assert len(track.group) == 5
    _push(track, packets[5:7])
    assert track.group == []
    _push(track, packets[7:])
    assert _payloads(track.group) == [*KEY, SLICE]


def test_a_newcomer_has_missed_only_what_has_gone_out() -> None:
    """What waits for the end of its frame will reach the newcomer with everybody else."""
    track = _track()
    packets = frames_of(KEY, (SLICE, SLICE))
    _push(track, packets[:-1])
    assert _payloads(track.sent) == [*KEY]
    track.flush()
    assert len(track.sent) == 4


def test_a_newcomer_during_the_first_key_frame_has_missed_nothing() -> None:
    track = _track()
    _push(track, frames_of(KEY)[:2])
    assert track.sent == []


def test_a_group_never_holds_packets_of_two_sessions() -> None:
    """The pictures of another session refer to its own key frame."""
    track = _track()
    _push(track, frames_of(KEY, (SLICE,)))
    _push(track, frames_of(KEY, sequence=5, ssrc=2))
    assert _payloads(track.group) == [*KEY]


# Joining


def test_a_viewer_begins_with_a_key_frame() -> None:
    track = _track()
    outlet = _outlet(track)
    before = _push(track, frames_of(KEY, (SLICE,)))
    assert outlet.take(before[1]) is None
    assert not outlet.started
    assert _taken(outlet, _push(track, frames_of(KEY, sequence=104)))[0].payload == SPS
    assert outlet.started


def test_sound_begins_at_once() -> None:
    track = _track(video=False)
    assert len(_taken(_outlet(track), _push(track, [packet(1, 960, b"sound")]))) == 1


def test_a_newcomer_gets_the_running_group_squeezed_and_then_goes_on_live() -> None:
    """All of it is decoded at once, the newest picture shown, and no delay stays."""
    track = _track()
    outlet = _outlet(track)
    frames = frames_of(KEY, (SLICE,), (SLICE, SLICE), (SLICE,))
    sent = _flat(_push(track, frames[:-1]))
    seen = _flat(outlet.join())
    assert [one.sequence for one in seen] == list(range(1001, 1007))
    stamps = list(dict.fromkeys(one.timestamp for one in seen))
    assert stamps == [sent[-1].timestamp - CATCH_UP_STEP * at for at in (2, 1, 0)]
    (live,) = _taken(outlet, _push(track, frames[-1:]))
    assert live.sequence == 1007
    assert live.timestamp == stamps[-1] + STEP


def test_what_a_newcomer_got_with_the_group_does_not_come_again() -> None:
    """Batches may still be on their way to others when it joins."""
    track = _track()
    outlet = _outlet(track)
    batches = _push(track, frames_of(KEY, (SLICE,)))
    outlet.join()
    assert [outlet.take(batch) for batch in batches] == [None, None]


def test_an_empty_group_is_no_beginning() -> None:
    outlet = _outlet(_track())
    assert outlet.join() == []
    assert not outlet.started


def test_who_watches_already_gets_no_group_again() -> None:
    track = _track()
    outlet = _outlet(track)
    _taken(outlet, _push(track, frames_of(KEY)))
    assert outlet.join() == []


# Sent again


def test_a_packet_that_is_missed_goes_out_again_as_it_was() -> None:
    track = _track()
    outlet = _outlet(track)
    _taken(outlet, _push(track, frames_of(KEY)))
    ((header, payload, index),) = outlet.again([1002])
    again = rtp.parse(header + payload)
    assert (again.sequence, again.payload, again.ssrc, index) == (1002, PPS, 77, 1002)


def test_with_rtx_it_goes_out_in_a_stream_of_its_own() -> None:
    """RFC 4588: the first two bytes are the number that it had."""
    track = _track()
    outlet = Outlet(track, 108, rtx=(109, 78))
    _taken(outlet, _push(track, frames_of(KEY)))
    again = [rtp.parse(header + payload) for header, payload, index in outlet.again([1003, 1002]) if index is None]
    assert [(one.payload_type, one.ssrc, one.sequence) for one in again] == [(109, 78, 1), (109, 78, 2)]
    assert [int.from_bytes(one.payload[:2], "big") for one in again] == [1003, 1002]
    assert again[1].payload[2:] == PPS


def test_what_was_squeezed_goes_out_again_with_the_same_time() -> None:
    """The same number with another time would use a nonce twice."""
    track = _track()
    outlet = _outlet(track)
    _push(track, frames_of(KEY, (SLICE,), (SLICE,)))
    first = {one.sequence: one for one in _flat(outlet.join())}
    for header, payload, _ in outlet.again(list(first)):
        again = rtp.parse(header + payload)
        assert again.timestamp == first[again.sequence].timestamp


def test_what_is_not_kept_or_was_never_sent_is_not_sent_again() -> None:
    track = _track()
    _push(track, frames_of(KEY))
    outlet = _outlet(track)
    assert outlet.again([1001]) == []
    _taken(outlet, _push(track, frames_of(KEY, sequence=103)))
    assert outlet.again([1001, 999, 1007, 30_000]) == []
    assert len(outlet.again([1004])) == 1
    _push(track, frames_of(*[(SLICE,)] * RECENT, sequence=106))
    assert outlet.again([1004]) == []


# In every order

PIECE = st.tuples(
    st.sampled_from(["key", "key", "delta", "delta", "delta", "session", "gap", "join"]), st.integers(1, 4)
)


@given(st.lists(PIECE, max_size=25), st.integers(0, 65_535), st.integers(0, (1 << 32) - 1), st.integers(0, 65_535))
@example([("key", 1), ("session", 1), ("delta", 1), ("join", 1)], 0, 0, 0)
@settings(max_examples=150)
def test_what_viewers_get_is_in_order_and_is_what_the_camera_sent(
    pieces: list[tuple[str, int]], sequence: int, timestamp: int, ours: int
) -> None:
    """From whatever moment a viewer watches: numbers and time go forwards, and no byte of a payload changes.

    Without a gap of the camera there is none in the viewer's numbers either.
    """
    track = _track(ours, timestamp)
    viewers: list[tuple[Outlet, list[Numbered]]] = [(_outlet(track), [])]
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
                outlet = _outlet(track)
                viewers.append((outlet, _flat(outlet.join())))
                continue
        payloads = [SPS, PPS, IDR] if kind == "key" else [SLICE]
        made = frame(sequence, timestamp, *(part + len(sent).to_bytes(2, "big") for part in payloads * size), ssrc=ssrc)
        sequence, timestamp = sequence + len(made), timestamp + STEP
        sent |= {one.payload for one in made}
        for batch in _push(track, made):
            for outlet, got in viewers:
                got.extend(outlet.take(batch) or ())
    for _, seen in viewers:
        steps = [later.index - one.index for one, later in pairwise(seen)]
        times = [rtp.distance(later.timestamp, one.timestamp, TIMESTAMPS) for one, later in pairwise(seen)]
        assert all(step > 0 for step in steps)
        assert gaps or all(step == 1 for step in steps)
        assert all(time >= 0 for time in times)
        assert {one.payload for one in seen} <= sent
        assert not seen or seen[0].payload[:1] == SPS[:1]


@pytest.mark.parametrize("viewers", [1, 3])
def test_all_viewers_get_the_very_same_packets(viewers: int) -> None:
    track = _track()
    outlets = [_outlet(track) for _ in range(viewers)]
    for batch in _push(track, frames_of(KEY, (SLICE,))):
        assert all(outlet.take(batch) is batch for outlet in outlets)


# A viewer that cannot keep up


def test_after_a_pause_it_goes_on_with_a_key_frame_and_the_time_right() -> None:
    track = _track()
    outlet = _outlet(track)
    first = _taken(outlet, _push(track, frame(1, 10 * STEP, *KEY)))
    outlet.skip()
    assert _taken(outlet, _push(track, frame(4, 11 * STEP, SLICE) + frame(5, 12 * STEP, SLICE))) == []
    then = _taken(outlet, _push(track, frame(6, 13 * STEP, *KEY)))
    assert [one.payload for one in then] == [one.payload for one in first]
    assert then[0].timestamp - first[0].timestamp == 3 * STEP
    missing = [one.sequence + 1 for one in first[-1:]]
    assert outlet.again(missing) == [], "it would be as late as what was left out"


def test_sound_goes_on_with_the_next_packet() -> None:
    track = _track(video=False)
    outlet = _outlet(track)
    assert len(_taken(outlet, _push(track, [packet(1, 960)]))) == 1
    outlet.skip()
    (after,) = _taken(outlet, _push(track, [packet(9, 9 * 960)]))
    assert after.index == 1009


def test_a_late_packet_from_before_a_viewers_first_one_is_not_for_it() -> None:
    """Its number may belong to the round before the viewer's first, for which there is no nonce."""
    track = _track(index=2 * SEQUENCES - 2, video=False)
    first, early, late = (packet(at, at * 960, b"sound") for at in (10, 12, 11))
    before = _push(track, [first])
    outlet = _outlet(track)
    assert [one.index for one in _taken(outlet, _push(track, [early]))] == [2 * SEQUENCES + 1]
    assert _taken(outlet, _push(track, [late])) == []
    assert before[0][0].index == 2 * SEQUENCES - 1
