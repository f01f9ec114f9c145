"""How long a program leaves Ring alone by itself."""

import pytest

from ringlight.account.pause import Pause
from ringlight.errors import RateLimited, RingError, fault_error


def _left(pause: Pause, now: float) -> float:
    try:
        pause.check(now)
    except RateLimited as error:
        return error.retry_after or 0.0
    return 0.0


def test_a_wait_is_as_long_as_ring_says() -> None:
    pause = Pause()
    assert _left(pause, 0.0) == 0.0
    pause.note(fault_error("AUTH-RATE", retry_after=30.0), 100.0)
    assert [_left(pause, now) for now in (100.0, 129.0, 130.0, 1e9)] == [30.0, 1.0, 0.0, 0.0]
    with pytest.raises(RateLimited, match="AUTH-RATE"):
        pause.check(100.0)


@pytest.mark.parametrize(
    "error",
    [fault_error("AUTH-RATE"), fault_error("AUTH-RATE", retry_after=0.0), fault_error("RING-DOWN", retry_after=5)],
)
def test_only_a_limit_that_names_a_wait_is_remembered(error: RingError) -> None:
    pause = Pause()
    pause.note(error, 100.0)
    assert _left(pause, 100.0) == 0.0


def test_success_ends_it() -> None:
    pause = Pause()
    pause.note(fault_error("AUTH-RATE", retry_after=30.0), 100.0)
    pause.end()
    assert _left(pause, 101.0) == 0.0


def test_a_clock_that_is_set_back_does_not_make_it_longer() -> None:
    pause = Pause()
    pause.note(fault_error("AUTH-RATE", retry_after=30.0), 1_000_000.0)
    assert _left(pause, 5.0) == 0.0
