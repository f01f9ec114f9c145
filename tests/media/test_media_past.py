"""What is kept of a running view: whole groups of pictures, no further back than wanted, within its memory."""

from media_kit import IDR, PPS, SLICE, SPS, frame, packet

from ringlight.media.past import Past
from ringlight.media.rtp import Packet


def group(past: Past, second: int, pictures: int = 10, size: int = 100) -> None:
    """Show a group of pictures with sound: a key frame at a whole second, then a picture every tenth."""
    for at in range(pictures):
        now = second + at / 10
        stamp = int(now * 90_000)
        payloads = [SPS, PPS, IDR + bytes(size)] if at == 0 else [SLICE + bytes(size)]
        past.push("video", frame(second * 100 + at * 3, stamp, *payloads), now)
        past.push("audio", [packet(second * 100 + at, int(now * 48_000), b"sound")], now)


def seconds_kept(past: Past) -> list[float]:
    return sorted({int(batch.at) for batch in past.since(float("-inf"))})


def test_without_more_it_keeps_the_running_group_with_its_sound() -> None:
    past = Past()
    for second in range(5):
        group(past, second)
    assert seconds_kept(past) == [4]
    assert {batch.kind for batch in past.since(4.5)} == {"video", "audio"}


def test_it_reaches_as_far_back_as_wanted_and_begins_with_a_key_frame() -> None:
    past = Past(seconds=2.5)
    for second in range(10):
        group(past, second)
    assert seconds_kept(past) == [7, 8, 9] or seconds_kept(past) == [6, 7, 8, 9]
    begun = past.since(8.3)
    assert begun[0].at == 8.0
    assert begun[0].packets[0].payload == SPS
    assert past.since(0.0)[0].at == seconds_kept(past)[0]


def test_memory_bounds_it_and_the_oldest_goes_first() -> None:
    past = Past(seconds=600, limit=25_000)
    for second in range(10):
        group(past, second, size=1000)
    assert seconds_kept(past) == [8, 9]


def test_a_running_group_that_is_too_large_goes_as_a_whole() -> None:
    """Half a group cannot be shown; the next key frame begins anew."""
    past = Past(limit=5_000)
    group(past, 0, size=1000)
    assert past.since(0.0) == []
    group(past, 1, pictures=2, size=1000)
    assert past.since(0.0)[0].at == 1.0


def test_what_came_before_the_key_frame_in_the_same_frame_belongs_to_it() -> None:
    past = Past()
    group(past, 0)
    delimiter = frame(200, 90_000, b"\x09\xf0", SPS, PPS, IDR)
    late: list[Packet] = frame(199, 89_000, SLICE)
    past.push("video", [*late, *delimiter], 1.0)
    assert [packet.payload for packet in past.since(1.0)[0].packets] == [b"\x09\xf0", SPS, PPS, IDR]


def test_the_rate_of_the_camera_is_known_after_some_seconds() -> None:
    past = Past()
    group(past, 0, size=1000)
    assert past.rate(1.0) is None
    for second in range(1, 5):
        group(past, second, size=1000)
    rate = past.rate(5.0)
    assert rate is not None
    assert 9_000 < rate < 12_000
