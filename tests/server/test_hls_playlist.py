"""The window of HLS segments: cut at key frames, bounded, numbered on, and told to players as RFC 8216 wants."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ringlight.media.reel import Fragment
from ringlight.server.playlist import KEPT, LONGEST, Window


def window(shortest: float = 2.0, length: int = 3) -> Window:
    made = Window("0123abcd", shortest, length)
    made.describe(b"first")
    return made


def feed(made: Window, start: int, end: int, every: int = 1) -> list[int]:
    """One fragment a second; every so many begins with a key frame. Return when a segment became whole."""
    return [at for at in range(start, end) if made.add(Fragment(b"%d." % at, float(at), (at - start) % every == 0))]


def test_segments_end_at_the_first_key_frame_after_the_shortest_time() -> None:
    made = window()
    assert feed(made, 0, 7) == [2, 4, 6]
    assert [(one.number, one.seconds, one.data) for one in made.segments] == [
        (0, 2.0, b"0.1."), (1, 2.0, b"2.3."), (2, 2.0, b"4.5."),
    ]  # fmt: skip
    assert made.write().splitlines() == [
        "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:4", "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0", '#EXT-X-MAP:URI="0123abcd-1.mp4"',
        "#EXTINF:2.00000,", "0123abcd-0.m4s", "#EXTINF:2.00000,", "0123abcd-1.m4s",
        "#EXTINF:2.00000,", "0123abcd-2.m4s",
    ]  # fmt: skip
    assert made.find("0123abcd-1.mp4") == b"first"
    assert made.find("0123abcd-1.m4s") == b"2.3."
    assert made.find("0123abcd-3.m4s") is None


def test_a_camera_with_rare_key_frames_is_cut_between_them() -> None:
    made = window()
    feed(made, 0, 20, every=100)
    assert {one.seconds for one in made.segments} == {LONGEST}


def test_sound_alone_goes_with_the_pictures_before_it() -> None:
    made = window()
    feed(made, 0, 2)
    assert not made.add(Fragment(b"sound.", None, False))
    assert made.add(Fragment(b"2.", 2.0, True))
    assert made.segments[0].data == b"0.1.sound."


def test_other_pictures_are_told_as_a_discontinuity_and_counted_when_they_have_left() -> None:
    made = window()
    feed(made, 0, 3)
    made.describe(b"second")
    feed(made, 0, 5)
    text = made.write()
    assert text.index("0123abcd-1.m4s") < text.index("#EXT-X-DISCONTINUITY\n") < text.index('MAP:URI="0123abcd-2.mp4"')
    feed(made, 5, 12)
    text = made.write()
    assert "#EXT-X-DISCONTINUITY\n" not in text
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in text
    feed(made, 12, 30)
    assert made.find("0123abcd-1.mp4") is None, "nobody can need it any more"


def test_at_the_end_what_is_left_is_listed_and_the_player_told() -> None:
    made = window()
    feed(made, 0, 4)
    made.end()
    assert made.segments[-1].data == b"2.3."
    assert made.segments[-1].seconds == 2.0
    assert made.write().endswith("0123abcd-1.m4s\n#EXT-X-ENDLIST\n")


def test_where_the_camera_falls_silent_sound_alone_does_not_pile_up() -> None:
    made = window()
    feed(made, 0, 2)
    for _ in range(3600):
        made.add(Fragment(b"sound", None, False))
    made.end()
    assert len(made.segments[-1].data) < 20 * len(b"sound")


def test_a_segment_that_lasts_over_a_gap_is_not_told_as_longer_than_the_playlist_allows() -> None:
    made = window()
    feed(made, 0, 2)
    made.add(Fragment(b"after a minute", 60.0, True))
    assert "#EXTINF:4.4" in made.write()


@given(st.lists(st.tuples(st.floats(0.01, 5), st.booleans(), st.integers(0, 12)), max_size=150), st.floats(0.5, 10))
def test_whatever_comes_the_window_stays_bounded_and_its_lists_in_order(
    steps: list[tuple[float, bool, int]], shortest: float
) -> None:
    made, at = window(shortest), 0.0
    for step, key_frame, chance in steps:
        if chance == 0:
            made.describe(b"other")
            at = 0.0
        made.add(Fragment(b"x", None if chance == 1 else at, key_frame))
        at += step
        assert len(made.segments) <= 3 + KEPT
        numbers = [one.number for one in made.segments]
        assert all(later == earlier + 1 for earlier, later in pairwise(numbers))
        lines = made.write().splitlines()
        target = next(int(line.partition(":")[2]) for line in lines if line.startswith("#EXT-X-TARGETDURATION"))
        lengths = [float(line[8:-1]) for line in lines if line.startswith("#EXTINF:")]
        assert all(int(length + 0.5) <= target for length in lengths), "RFC 8216 section 4.3.3.1"
        for line in lines:
            if line.endswith((".m4s", '.mp4"')):
                assert made.find(line.split('"')[1] if '"' in line else line)
