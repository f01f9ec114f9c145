"""The clock of rooms follows the time of day, and nobody who waits in a room notices that it was set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.rooms.clock import FASTER, NEAR, SLOWER, RoomClock

HOUR = 3600.0


class Machine:
    """A machine whose time of day is set, and a clock of rooms on it that is looked at each second."""

    def __init__(self) -> None:
        self.wall, self.steady = 1e9, 50.0
        self.clock = RoomClock(lambda: self.wall, lambda: self.steady)

    def pass_time(self, seconds: int, *, alone: bool = False) -> float:
        """Return how much time has passed in the rooms."""
        before = self.clock()
        for _ in range(seconds):
            self.wall += 1
            self.steady += 1
            self.clock.follow(alone)
        return self.clock() - before


@pytest.mark.parametrize(("jump", "rate"), [(HOUR, FASTER), (24 * HOUR, FASTER), (-HOUR, SLOWER), (0.0, 1.0)])
def test_whoever_is_away_for_a_moment_is_not_gone_because_somebody_set_the_clock(jump: float, rate: float) -> None:
    machine = Machine()
    machine.wall += jump
    assert machine.pass_time(60) == pytest.approx(60 * rate, abs=1)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 30.0])
def test_it_is_right_again_some_time_later(jump: float) -> None:
    machine = Machine()
    machine.wall += jump
    machine.pass_time(int(abs(jump) / 0.2) + 2)
    assert machine.clock() == pytest.approx(machine.wall, abs=NEAR)


def test_where_nobody_is_connected_a_machine_that_started_too_early_is_right_at_once() -> None:
    machine = Machine()
    machine.wall += 400 * 24 * HOUR
    machine.pass_time(1, alone=True)
    assert machine.clock() == machine.wall


@given(st.lists(st.tuples(st.sampled_from([0.0] * 5 + [HOUR, -HOUR, 9e6, 0.3]), st.integers(0, 90), st.booleans())))
def test_it_never_goes_back_and_never_jumps_before_anybodys_eyes(steps: list[tuple[float, int, bool]]) -> None:
    machine = Machine()
    for jump, seconds, alone in steps:
        machine.wall += jump
        passed = machine.pass_time(seconds, alone=alone)
        assert passed >= SLOWER * seconds - 1e-3
        assert alone or passed <= FASTER * seconds + 1e-3
