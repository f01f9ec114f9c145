"""Picture and sound stay together within 50 ms, whatever clocks, losses and renewals do to their stamps."""

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.media.rtp import TIMESTAMPS
from ringlight.media.timing import PICTURE_CLOCK, Timing

TOGETHER = 0.05  # seconds that nobody notices


class Camera:
    """One session: what was filmed and heard at the same moment has stamps of two clocks."""

    def __init__(self, seed: int, *, drift: float = 0.0, jitter: float = 0.0) -> None:
        self._dice = random.Random(seed)
        self.ssrc = self._dice.randrange(1 << 32)
        self._picture, self._sound = (self._dice.randrange(TIMESTAMPS) for _ in range(2))
        self._drift, self._jitter = drift, jitter

    def run(self, timing: Timing, start: float, end: float, lost: float = 0.0) -> Iterator[float]:
        """Send 15 pictures and 50 packets of sound a second; yield how far apart they are put, after each."""
        moments = [(start + at / 15, "picture") for at in range(int((end - start) * 15))]
        moments += [(start + at / 50, "sound") for at in range(int((end - start) * 50))]
        shown: float | None = None
        for moment, kind in sorted(moments):
            if self._dice.random() < lost:
                continue
            now = moment + self._dice.random() * self._jitter
            if kind == "picture":
                stamp = self._picture + round(moment * PICTURE_CLOCK)
                shown = timing.see(stamp % TIMESTAMPS, self.ssrc, now) / PICTURE_CLOCK - moment
            else:
                stamp = self._sound + round(moment * (1 + self._drift) * 48_000)
                heard = timing.hear(stamp % TIMESTAMPS, self.ssrc + 1, now)
                if heard is not None and shown is not None:
                    yield heard - moment - shown


def test_sound_before_the_first_picture_is_not_kept() -> None:
    assert Timing().hear(1000, 1, 0.0) is None


@given(st.integers(0, 1 << 20), st.floats(0, 0.2))
def test_they_stay_together_whatever_is_lost(seed: int, lost: float) -> None:
    assert all(abs(apart) < TOGETHER for apart in Camera(seed).run(Timing(), 100.0, 108.0, lost))


@given(st.integers(0, 1 << 20))
def test_they_stay_together_through_renewals_with_gaps(seed: int) -> None:
    timing, now = Timing(), 50.0
    for session in range(4):
        camera = Camera(seed * 7 + session)
        assert all(abs(apart) < TOGETHER for apart in camera.run(timing, now, now + 3))
        now += 3 + (seed + session) % 5


def test_a_gap_between_sessions_is_as_long_as_it_was() -> None:
    timing = Timing()
    list(Camera(1).run(timing, 0.0, 4.0))
    list(Camera(2).run(timing, 9.0, 10.0))
    assert timing.picture.at is not None
    assert timing.picture.at / PICTURE_CLOCK == pytest.approx(10.0 - 1 / 15, abs=0.001)


@pytest.mark.parametrize("drift", [-0.001, 0.001])
def test_clocks_that_run_apart_are_brought_together_again(drift: float) -> None:
    """A tenth of a percent is 0.6 s in a view of ten minutes."""
    apart = list(Camera(3, drift=drift).run(Timing(), 0.0, 600.0))
    assert max(map(abs, apart)) < TOGETHER


def test_arrivals_that_are_late_by_chance_move_nothing_far() -> None:
    apart = list(Camera(4, jitter=0.04).run(Timing(), 0.0, 120.0))
    assert max(map(abs, apart)) < TOGETHER


def test_two_pictures_with_one_stamp_are_shown_one_after_the_other() -> None:
    timing = Timing()
    assert timing.see(9000, 1, 0.0) < timing.see(9000, 1, 0.0) < timing.see(9000, 1, 0.0)


@given(st.lists(st.tuples(st.integers(0, TIMESTAMPS - 1), st.integers(0, 2), st.floats(0, 100)), max_size=30))
def test_time_never_goes_back_for_a_picture(stamps: list[tuple[int, int, float]]) -> None:
    timing = Timing()
    shown = [timing.see(stamp, ssrc, now) for stamp, ssrc, now in stamps]
    assert all(later > earlier for earlier, later in pairwise(shown))
