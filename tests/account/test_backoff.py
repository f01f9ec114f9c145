"""How long to wait before each retry."""

from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from ringlight.resilience.backoff import backoff


def test_the_upper_end_doubles_up_to_the_cap() -> None:
    assert list(islice(backoff(0.5, 3.0, rand=lambda: 1.0), 5)) == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_each_wait_is_drawn_from_the_whole_step() -> None:
    dice = iter([0.0, 0.5, 0.25])
    assert list(islice(backoff(1.0, 30.0, rand=lambda: next(dice)), 3)) == [0.0, 1.0, 1.0]


def test_a_first_step_above_the_cap_is_held_at_the_cap() -> None:
    assert next(backoff(60.0, 10.0, rand=lambda: 1.0)) == 10.0


@settings(deadline=None)  # a slow machine is no fault of ours
@given(
    first=st.floats(1e-300, 1e300),
    cap=st.floats(0, 1.7e308),
    rand=st.floats(0, 1, exclude_max=True),
)
def test_five_thousand_retries_neither_overflow_nor_leave_the_range(first: float, cap: float, rand: float) -> None:
    assert all(0 <= wait <= cap for wait in islice(backoff(first, cap, rand=lambda: rand), 5000))
