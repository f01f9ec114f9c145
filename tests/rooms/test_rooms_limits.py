"""How much one connection may send."""

from hypothesis import given
from hypothesis import strategies as st

from ringlight.rooms.limits import ROUNDING, Allowance, Rates

MESSAGES, SIZES = (40.0, 120.0), (35_000.0, 262_144.0)  # a second, and at once


class Buckets:
    """The same as two buckets, each full of what may come at once, and filled again with time."""

    def __init__(self) -> None:
        self.left, self.at = [MESSAGES[1] + MESSAGES[0] * ROUNDING, SIZES[1] + SIZES[0] * ROUNDING], 0.0
        self.full = tuple(self.left)

    def take(self, size: int, now: float) -> float:
        """Take a message; return how near it was, in seconds: below 0 it may not come, and nothing was taken."""
        for which, (rate, full) in enumerate(zip((MESSAGES[0], SIZES[0]), self.full, strict=True)):
            self.left[which] = min(full, self.left[which] + rate * (now - self.at))
        self.at = now
        after = [self.left[0] - 1, self.left[1] - size]
        near = min(after[0] / MESSAGES[0], after[1] / SIZES[0])
        if near >= 0:
            self.left = after
        return near


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.001, 0.02, 0.5, 20.0]), st.integers(0, 65_536)), max_size=400))
def test_messages_and_bytes_come_as_two_buckets_let_them(sent: list[tuple[float, int]]) -> None:
    allowance, buckets, now = Allowance(Rates.of(MESSAGES, SIZES)), Buckets(), 1000.0
    buckets.at = now
    for gap, size in sent:
        now += gap
        wait, near = allowance.take(size, now), buckets.take(size, now)
        if abs(near) < 1e-6:  # seconds; within what is rounded either may be right, and they would differ from then on
            return
        assert (wait > 0) == (near < 0)
        if wait:
            assert abs(wait + near) < 1e-6
