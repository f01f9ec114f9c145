"""A camera's packets as one viewer gets them: joining, what is sent again, and a viewer that cannot keep up."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from media_kit import IDR, PPS, SLICE, SPS, SSRC, frame, frames_of, packet
from tracks import KEY, STEP, flat, push, track_of

from ringlight.media import rtp
from ringlight.media.forward import RECENT, Batch, Numbered, Track
from ringlight.media.outlet import CATCH_UP_STEP, Outlet
from ringlight.media.rtp import SEQUENCES, TIMESTAMPS


def _outlet(track: Track) -> Outlet:
    return Outlet(track, 108)


def _taken(outlet: Outlet, batches: list[Batch]) -> list[Numbered]:
    return [one for batch in batches for one in outlet.take(batch) or ()]


# Joining


def test_a_viewer_begins_with_a_key_frame() -> None:
    track = track_of()
    outlet = _outlet(track)
    before = push(track, frames_of(KEY, (SLICE,)))
    assert outlet.take(before[1]) is None
    assert not outlet.started
    assert _taken(outlet, push(track, frames_of(KEY, sequence=104)))[0].payload == SPS
    assert outlet.started


def test_sound_begins_at_once() -> None:
    track = track_of(video=False)
    assert len(_taken(_outlet(track), push(track, [packet(1, 960, b"sound")]))) == 1


def test_a_newcomer_gets_the_running_group_squeezed_and_then_goes_on_live() -> None:
    """All of it is decoded at once, the newest picture shown, and no delay stays."""
    track = track_of()
    outlet = _outlet(track)
    frames = frames_of(KEY, (SLICE,), (SLICE, SLICE), (SLICE,))
    sent = flat(push(track, frames[:-1]))
    seen = flat(outlet.join())
    assert [one.sequence for one in seen] == list(range(1001, 1007))
    stamps = list(dict.fromkeys(one.timestamp for one in seen))
    assert stamps == [sent[-1].timestamp - CATCH_UP_STEP * at for at in (2, 1, 0)]
    (live,) = _taken(outlet, push(track, frames[-1:]))
    assert live.sequence == 1007
    assert live.timestamp == stamps[-1] + STEP


def test_what_a_newcomer_got_with_the_group_does_not_come_again() -> None:
    """Batches may still be on their way to others when it joins."""
    track = track_of()
    outlet = _outlet(track)
    batches = push(track, frames_of(KEY, (SLICE,)))
    outlet.join()
    assert [outlet.take(batch) for batch in batches] == [None, None]


def test_an_empty_group_is_no_beginning() -> None:
    outlet = _outlet(track_of())
    assert outlet.join() == []
    assert not outlet.started


def test_who_watches_already_gets_no_group_again() -> None:
    track = track_of()
    outlet = _outlet(track)
    _taken(outlet, push(track, frames_of(KEY)))
    assert outlet.join() == []


# Sent again


def test_a_packet_that_is_missed_goes_out_again_as_it_was() -> None:
    track = track_of()
    outlet = _outlet(track)
    _taken(outlet, push(track, frames_of(KEY)))
    ((header, payload, index),) = outlet.again([1002])
    again = rtp.parse(header + payload)
    assert (again.sequence, again.payload, again.ssrc, index) == (1002, PPS, 77, 1002)


def test_with_rtx_it_goes_out_in_a_stream_of_its_own() -> None:
    """RFC 4588: the first two bytes are the number that it had."""
    track = track_of()
    outlet = Outlet(track, 108, rtx=(109, 78))
    _taken(outlet, push(track, frames_of(KEY)))
    again = [rtp.parse(header + payload) for header, payload, index in outlet.again([1003, 1002]) if index is None]
    assert [(one.payload_type, one.ssrc, one.sequence) for one in again] == [(109, 78, 1), (109, 78, 2)]
    assert [int.from_bytes(one.payload[:2], "big") for one in again] == [1003, 1002]
    assert again[1].payload[2:] == PPS


def test_what_was_squeezed_goes_out_again_with_the_same_time() -> None:
    """The same number with another time would use a nonce twice."""
    track = track_of()
    outlet = _outlet(track)
    push(track, frames_of(KEY, (SLICE,), (SLICE,)))
    first = {one.sequence: one for one in flat(outlet.join())}
    for header, payload, _ in outlet.again(list(first)):
        again = rtp.parse(header + payload)
        assert again.timestamp == first[again.sequence].timestamp


def test_what_is_not_kept_or_was_never_sent_is_not_sent_again() -> None:
    track = track_of()
    push(track, frames_of(KEY))
    outlet = _outlet(track)
    assert outlet.again([1001]) == []
    _taken(outlet, push(track, frames_of(KEY, sequence=103)))
    assert outlet.again([1001, 999, 1007, 30_000]) == []
    assert len(outlet.again([1004])) == 1
    push(track, frames_of(*[(SLICE,)] * RECENT, sequence=106))
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
    track = track_of(ours, timestamp)
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
                viewers.append((outlet, flat(outlet.join())))
                continue
        payloads = [SPS, PPS, IDR] if kind == "key" else [SLICE]
        made = frame(sequence, timestamp, *(part + len(sent).to_bytes(2, "big") for part in payloads * size), ssrc=ssrc)
        sequence, timestamp = sequence + len(made), timestamp + STEP
        sent |= {one.payload for one in made}
        for batch in push(track, made):
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
    track = track_of()
    outlets = [_outlet(track) for _ in range(viewers)]
    for batch in push(track, frames_of(KEY, (SLICE,))):
        assert all(outlet.take(batch) is batch for outlet in outlets)


# A viewer that cannot keep up


def test_after_a_pause_it_goes_on_with_a_key_frame_and_the_time_right() -> None:
    track = track_of()
    outlet = _outlet(track)
    first = _taken(outlet, push(track, frame(1, 10 * STEP, *KEY)))
    outlet.skip()
    assert _taken(outlet, push(track, frame(4, 11 * STEP, SLICE) + frame(5, 12 * STEP, SLICE))) == []
    then = _taken(outlet, push(track, frame(6, 13 * STEP, *KEY)))
    assert [one.payload for one in then] == [one.payload for one in first]
    assert then[0].timestamp - first[0].timestamp == 3 * STEP
    missing = [one.sequence + 1 for one in first[-1:]]
    assert outlet.again(missing) == [], "it would be as late as what was left out"


def test_sound_goes_on_with_the_next_packet() -> None:
    track = track_of(video=False)
    outlet = _outlet(track)
    assert len(_taken(outlet, push(track, [packet(1, 960)]))) == 1
    outlet.skip()
    (after,) = _taken(outlet, push(track, [packet(9, 9 * 960)]))
    assert after.index == 1009


def test_a_late_packet_from_before_a_viewers_first_one_is_not_for_it() -> None:
    """Its number may belong to the round before the viewer's first, for which there is no nonce."""
    track = track_of(index=2 * SEQUENCES - 2, video=False)
    first, early, late = (packet(at, at * 960, b"sound") for at in (10, 12, 11))
    before = push(track, [first])
    outlet = _outlet(track)
    assert [one.index for one in _taken(outlet, push(track, [early]))] == [2 * SEQUENCES + 1]
    assert _taken(outlet, push(track, [late])) == []
    assert before[0][0].index == 2 * SEQUENCES - 1
