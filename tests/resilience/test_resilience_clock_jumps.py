"""A clock that somebody sets is told of, until it is put right or has been believed for long."""

import pytest

from ringlight.resilience.clock_jumps import HOLD, JUMP, ClockJumps


class Watched:
    def __init__(self) -> None:
        self.wall, self.steady, self.jumps = 1e9, 5.0, ClockJumps()
        self.pass_time(1)

    def pass_time(self, seconds: float, jump: float = 0.0) -> float:
        self.wall += seconds + jump
        self.steady += seconds
        self.jumps.see(self.wall, self.steady)
        return self.jumps.ahead


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 86_400.0, -86_400.0, JUMP + 1])
def test_a_jump_is_told_until_the_clock_has_gone_on_steadily_for_long(jump: float) -> None:
    watched = Watched()
    assert watched.pass_time(1, jump) == pytest.approx(jump)
    assert watched.pass_time(HOLD - 1) == pytest.approx(jump)
    assert watched.pass_time(1) == 0


def test_a_clock_that_is_put_right_is_believed_at_once() -> None:
    watched = Watched()
    watched.pass_time(1, 3600.0)
    watched.pass_time(60)
    assert watched.pass_time(1, -3600.0) == 0


def test_what_ntp_does_all_day_is_no_jump() -> None:
    watched = Watched()
    assert all(watched.pass_time(1, 0.5) == 0 for _ in range(100))


def test_a_clock_that_is_put_right_was_set_all_the_same_and_is_steady_again_after_as_long() -> None:
    watched = Watched()
    watched.pass_time(1, 3600.0)
    assert watched.pass_time(60, -3600.0) == 0
    assert not watched.jumps.is_steady
    watched.pass_time(HOLD - 1)
    assert not watched.jumps.is_steady
    watched.pass_time(1)
    assert watched.jumps.is_steady


def test_whoever_looks_more_seldom_says_what_is_a_jump_and_how_long_it_is_held() -> None:
    jumps = ClockJumps(jump=120.0, hold=600.0)
    jumps.see(1e9, 0.0)
    jumps.see(1e9 + 400.0, 300.0)
    assert jumps.is_steady, "slewed by less"
    jumps.see(1e9 + 900.0, 600.0)
    assert not jumps.is_steady
    jumps.see(1e9 + 1500.0, 1200.0)
    assert jumps.is_steady
