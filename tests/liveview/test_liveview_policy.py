"""When another attempt is made, and when not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringlight.faults import FAULTS, Retry
from ringlight.liveview import policy
from ringlight.liveview.policy import NEW_TOKEN, Failure, Patience
from ringlight.settings import LiveViewSettings

NOW_CODES = [code for code in FAULTS if FAULTS[code].retry is Retry.NOW]


def patience(dice: float = 0.5, **limits: float) -> Patience:
    return Patience(LiveViewSettings.model_validate(limits), dice=lambda: dice)


def pauses(held: Patience, code: str, times: int, *, ran: float | None = None) -> list[float | None]:
    """The pauses after the same failure again and again, on a clock that stands still."""
    return [held.pause(Failure(code, ran), now=100.0, watched=True) for _ in range(times)]


# The catalogue's column


@pytest.mark.parametrize("code", [code for code in FAULTS if code != "SIG-NOT-READY"])
def test_the_column_of_the_catalogue_decides(code: str) -> None:
    """A view that was never seen: at once and once, after pauses that grow, or not at all."""
    expected: dict[Retry, list[float | None]] = {
        Retry.NOW: [0.0, None],
        Retry.BACKOFF: [0.5, 1.0, 2.0, None],
        Retry.AFTER_FIX: [None],
        Retry.NEVER: [None],
    }
    wanted = expected[FAULTS[code].retry]
    found = pauses(patience(dice=1.0), code, len(wanted))
    if FAULTS[code].http == 429:
        wanted = [1.0, 1.0, 2.0, None]
    assert found == wanted


# Each known ending and what follows from it; that the wire leads to these codes is tested with the catalogue.
ENDINGS = {
    "reason 0": ("SIG-CLOSED", Retry.NEVER),
    "reason 5, Authentication failed": ("SIG-AUTH", Retry.NOW),
    "reason 5, invalid or expired token": ("SIG-TOKEN", Retry.NOW),
    "reason 5, session not found": ("SIG-SESSION-LOST", Retry.BACKOFF),
    "reason 6": ("SIG-PING", Retry.BACKOFF),
    "reason 10": ("SIG-TIME-LIMIT", Retry.NOW),
    "reason 26": ("SIG-NOT-READY", Retry.BACKOFF),
    "an unknown reason": ("SIG-CLOSE-OTHER", Retry.BACKOFF),
    "1000, 1001, 1005": ("SIG-ENDED", Retry.BACKOFF),
    "1006": ("SIG-DROPPED", Retry.BACKOFF),
    "4002 and other 4xxx": ("SIG-REJECTED", Retry.AFTER_FIX),
    "the cut without activation": ("SIG-NO-ACTIVATION", Retry.AFTER_FIX),
    "ticket 401, 403": ("TICKET-REFUSED", Retry.AFTER_FIX),
    "any 406": ("AUTH-EDGE-BLOCK", Retry.AFTER_FIX),
    "any 429": ("RING-RATE", Retry.BACKOFF),
    "any 5xx": ("RING-DOWN", Retry.BACKOFF),
    "ticket, no JSON": ("TICKET-ANSWER", Retry.BACKOFF),
    "upgrade 404": ("SIG-TICKET", Retry.NOW),
    "upgrade 401, 403": ("SIG-UPGRADE", Retry.NOW),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_known_ending_has_its_policy(ending: str) -> None:
    code, retry = ENDINGS[ending]
    assert FAULTS[code].retry is retry


def test_what_a_new_token_may_mend_is_tried_with_one() -> None:
    """The ticket service renews a token by itself; these say only later that it is no good."""
    assert {"SIG-AUTH", "SIG-TOKEN", "SIG-UPGRADE"} == NEW_TOKEN
    assert all(FAULTS[code].retry is Retry.NOW for code in NEW_TOKEN)


# The camera that wakes up


def test_a_camera_that_is_not_ready_is_asked_again_after_pauses_that_grow() -> None:
    found = pauses(patience(ready_retries=9, retry_within=3600), "SIG-NOT-READY", 10)
    assert found[-1] is None
    waited = [pause for pause in found if pause is not None]
    assert waited[:3] == pytest.approx([0.3, 0.48, 0.768])
    assert waited == sorted(waited)
    assert waited[-1] == 5.0


def test_no_retries_means_none() -> None:
    assert pauses(patience(ready_retries=0), "SIG-NOT-READY", 1) == [None]
    assert pauses(patience(retries=0), "SIG-DROPPED", 1) == [None]
    assert pauses(patience(reopen_retries=0), "SIG-DROPPED", 1, ran=100.0) == [None]


# Waits that the other side names


def test_a_wait_that_ring_asks_for_is_kept_and_never_shortened() -> None:
    assert patience(dice=0.0).pause(Failure("RING-RATE", retry_after=3.0), now=0.0, watched=True) == 3.0
    assert patience(dice=0.5).pause(Failure("RING-DOWN", retry_after=3.0), now=0.0, watched=True) == pytest.approx(3.3)


def test_a_wait_that_is_too_long_is_not_begun() -> None:
    """The error tells the caller of it; to come back earlier would be an offence."""
    assert patience(retry_within=30.0).pause(Failure("RING-RATE", retry_after=31.0), now=0.0, watched=True) is None


# A view that ran


def test_a_running_view_that_broke_is_opened_again_with_more_patience() -> None:
    held = patience(dice=1.0, reopen_within=3600)
    found = pauses(held, "SIG-DROPPED", 1, ran=60.0) + pauses(held, "NET-DNS", 8)
    assert found == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, None]


def test_a_view_that_breaks_off_early_each_time_is_given_up_sooner() -> None:
    """Each of these has woken the camera; the failures above did not reach it."""
    assert pauses(patience(dice=1.0), "SIG-PING", 4, ran=2.0) == [0.5, 1.0, 2.0, None]


@pytest.mark.parametrize("code", ["SIG-DROPPED", "SIG-PING", "MEDIA-STALLED", "SIG-TIME-LIMIT", "SIG-AUTH"])
def test_for_nobody_nothing_is_tried_again(code: str) -> None:
    """The laptop's lid is closed, and the camera runs on a battery."""
    assert patience().pause(Failure(code, ran=100.0), now=0.0, watched=False, may_renew=True) is None


def test_a_view_that_ran_for_a_while_begins_to_count_anew() -> None:
    held = patience(dice=1.0, reopen_retries=1, healthy_after=30.0)
    assert pauses(held, "SIG-DROPPED", 2, ran=29.0) == [0.5, None]
    assert pauses(held, "SIG-DROPPED", 2, ran=30.0) == [0.5, 0.5]
    assert held.failed == 1


def test_a_network_that_let_the_view_through_needs_time_and_no_fix() -> None:
    held = patience(dice=1.0)
    assert pauses(held, "SIG-BLOCKED", 1) == [None]
    pauses(held, "SIG-DROPPED", 1, ran=60.0)
    assert pauses(held, "SIG-BLOCKED", 1) == [1.0]


def test_the_time_limit_is_no_failure_but_asks_for_leave() -> None:
    held = patience()
    at_limit = Failure("SIG-TIME-LIMIT", ran=600.0)
    assert held.pause(at_limit, now=0.0, watched=True, may_renew=False) is None
    assert [held.pause(at_limit, now=600.0 * n, watched=True, may_renew=True) for n in range(99)] == [0.0] * 99
    soon = held.pause(Failure("SIG-TIME-LIMIT", ran=0.2), now=0.0, watched=True, may_renew=True)
    assert soon == pytest.approx(0.8), "views that end at once are not opened faster than one a second"


def test_the_story_counts_what_was_tried() -> None:
    held = patience()
    held.pause(Failure("SIG-DROPPED", ran=5.0), now=10.0, watched=True)
    assert held.story(10.0) is None
    held.pause(Failure("NET-DNS"), now=12.0, watched=True)
    assert held.story(12.0) == "tried again once in 2 s; it began with SIG-DROPPED"
    held.pause(Failure("NET-DNS"), now=14.4, watched=True)
    assert held.story(14.4) == "tried again 2 times in 4 s; it began with SIG-DROPPED"


# Whatever comes


@settings(deadline=None)
@given(
    dice=st.randoms(use_true_random=False),
    retries=st.integers(0, 50),
    reopen_retries=st.integers(0, 50),
    ready_retries=st.integers(0, 50),
)
def test_no_sequence_of_faults_goes_on_for_ever(
    dice: random.Random, retries: int, reopen_retries: int, ready_retries: int
) -> None:
    """Attempts and time are bounded while no video runs for long; no pause is negative or before its Retry-After."""
    limits = LiveViewSettings(retries=retries, reopen_retries=reopen_retries, ready_retries=ready_retries)
    held = Patience(limits, dice=dice.random)
    most = max(retries, reopen_retries) + ready_retries + len(NOW_CODES)
    now = first = 1000.0
    for _ in range(most + 1):
        code = dice.choice([*FAULTS, *NOW_CODES, "SIG-NOT-READY", "SIG-DROPPED", "MEDIA-STALLED"])
        ran = dice.choice([None, dice.uniform(0, 29.9)])
        wait = dice.choice([None, None, dice.uniform(0, 40)])
        pause = held.pause(Failure(code, ran, wait), now=now, watched=True)
        if pause is None:
            break
        assert pause >= max(0.0, wait or 0.0)
        now += pause
        assert now - first <= max(limits.retry_within, limits.reopen_within) + 1e-6
        now += dice.choice([0.0, 0.0, dice.uniform(0, 5)])
    else:
        pytest.fail("it was still going on")


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_between_two_healthy_runs_there_are_never_more_attempts_than_the_limits_say(dice: random.Random) -> None:
    limits = LiveViewSettings(reopen_retries=3)
    held, in_a_row = Patience(limits, dice=dice.random), 0
    for _ in range(200):
        healthy = dice.random() < 0.2
        failure = Failure(dice.choice(["SIG-DROPPED", "MEDIA-STALLED", "SIG-PING"]), 60.0 if healthy else 0.1)
        in_a_row = 0 if healthy else in_a_row + 1
        if held.pause(failure, now=0.0, watched=True) is None:
            assert in_a_row >= 3
            return
        assert in_a_row <= 3


@pytest.mark.parametrize(
    ("failed", "asked", "pause"),
    [
        (0, None, 5.0),
        (1, None, 10.0),
        (3, None, 40.0),
        (4, None, 60.0),
        (10_000, None, 60.0),
        (0, 90.0, 90.0),
        (4, 7.0, 60.0),
    ],
)
def test_a_renewal_that_fails_is_tried_again_with_growing_pauses(
    failed: int, asked: float | None, pause: float
) -> None:
    """Never before the other side asked for it, and never later than a minute otherwise: the view's time runs."""
    assert policy.pause_before_renewal(failed, asked) == pause
