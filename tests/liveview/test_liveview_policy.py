"""When another attempt is made, and when not."""

import pytest

from ringlight.faults import FAULTS, Retry
from ringlight.liveview.policy import pause_before_retry


def test_a_camera_that_is_not_ready_is_asked_again_after_pauses_that_grow() -> None:
    pauses = [pause_before_retry("SIG-NOT-READY", tries, 9) for tries in range(1, 11)]
    assert pauses[-1] is None
    waited = [pause for pause in pauses if pause is not None]
    assert waited[:3] == pytest.approx([0.3, 0.48, 0.768])
    assert waited == sorted(waited)
    assert waited[-1] == 5.0


def test_no_retries_means_none() -> None:
    assert pause_before_retry("SIG-NOT-READY", 1, 0) is None


def test_what_something_fresh_may_mend_is_tried_once_more_at_once() -> None:
    assert pause_before_retry("SIG-TICKET", 1, 6) == 0.0
    assert pause_before_retry("SIG-TICKET", 2, 6) is None


@pytest.mark.parametrize("code", [code for code in FAULTS if code != "SIG-NOT-READY"])
def test_the_catalogue_decides_of_every_other_fault(code: str) -> None:
    expected = 0.0 if FAULTS[code].retry is Retry.NOW else None
    assert pause_before_retry(code, 1, 6) == expected
    assert pause_before_retry(code, 2, 6) is None
