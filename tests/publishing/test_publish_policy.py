"""When a camera is published again: conversations with the policy, without clock, network or dice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.faults import FAULTS
from ringlight.publishing.policy import (
    HEALTHY_AFTER,
    LOOK_AGAIN,
    PATH_WITHIN,
    PAUSE_CAP,
    Answered,
    Begin,
    End,
    Event,
    Failed,
    Opened,
    Policy,
    Start,
    State,
    Stop,
    Tick,
    Watching,
)


def _policy(dice: float = 1.0, upto: State = State.LIVE) -> Policy:
    policy = Policy(dice=lambda: dice)
    for event in (Start(), Watching(), Answered(), Opened()):
        if policy.state is not upto:
            policy.receive(event, now=0.0)
    assert policy.state is upto
    return policy


def _again(policy: Policy) -> None:
    """Let the pause pass and the next try come as far as the first."""
    assert policy.deadline is not None
    now = policy.deadline
    assert policy.receive(Tick(), now=now) == [Begin()]
    for event in (Watching(), Answered(), Opened()):
        policy.receive(event, now=now)


def test_it_goes_from_the_view_to_the_server_to_the_channel() -> None:
    policy = Policy(dice=lambda: 0.0)
    assert policy.receive(Start(), now=1.0) == [Begin()]
    seen = [policy.state]
    for event in (Watching(), Answered(), Opened()):
        assert policy.receive(event, now=2.0) == []
        seen.append(policy.state)
    assert seen == [State.OPENING, State.OFFERED, State.CONNECTING, State.LIVE]
    assert (policy.deadline, policy.failure) == (None, None)
    assert policy.receive(Stop(), now=3.0) == [End()]
    assert policy.state is State.OFF


def test_a_channel_that_does_not_open_in_time_is_given_up_and_tried_again() -> None:
    policy = _policy(upto=State.CONNECTING)
    assert policy.deadline == PATH_WITHIN
    assert policy.receive(Tick(), now=PATH_WITHIN - 1) == []
    assert policy.receive(Tick(), now=PATH_WITHIN) == [End()]
    assert policy.failure is not None
    assert policy.failure.code == "PUBLISH-PATH"
    assert policy.state is State.WAITING


def test_pauses_grow_up_to_a_minute_and_begin_anew_after_a_good_while() -> None:
    policy = _policy()
    pauses, now = [], 1.0
    for _ in range(9):
        policy.receive(Failed("PUBLISH-LOST"), now=now)
        assert policy.deadline is not None
        pauses.append(policy.deadline - now)
        now = policy.deadline
        _again(policy)
    assert pauses == [1, 2, 4, 8, 16, 32, PAUSE_CAP, PAUSE_CAP, PAUSE_CAP]
    policy.receive(Failed("PUBLISH-LOST"), now=now + HEALTHY_AFTER)
    assert policy.deadline == now + HEALTHY_AFTER + 1


def test_the_pause_is_drawn_from_zero_on() -> None:
    policy = _policy(dice=0.25)
    policy.receive(Failed("PUBLISH-LOST"), now=10.0)
    assert policy.deadline == 10.25


@pytest.mark.parametrize(("dice", "wait"), [(0.0, 100.0), (1.0, 120.0)])
def test_a_wait_that_the_server_asks_for_is_kept_and_spread(dice: float, wait: float) -> None:
    policy = _policy(dice, State.OFFERED)
    policy.receive(Failed("PUBLISH-BUSY", retry_after=100.0), now=0.0)
    assert policy.deadline == pytest.approx(wait)


def test_what_a_person_has_to_mend_is_looked_at_again_slowly() -> None:
    policy = _policy(0.0, State.OFFERED)
    policy.receive(Failed("PUBLISH-TOKEN"), now=0.0)
    assert policy.deadline == LOOK_AGAIN


def test_what_needs_something_fresh_is_tried_at_once_and_only_once() -> None:
    policy = _policy()
    policy.receive(Failed("SIG-TICKET"), now=5.0)
    assert policy.deadline == 5.0
    _again(policy)
    policy.receive(Failed("SIG-TICKET"), now=5.0)
    assert policy.deadline == 6.0


@pytest.mark.parametrize("code", ["PUBLISH-BATTERY", "SIG-TIME-LIMIT", "SIG-CLOSED"])
def test_what_no_time_mends_ends_it(code: str) -> None:
    """A view that may not be renewed is not opened anew in its place: that would be a renewal by another name."""
    policy = _policy()
    assert policy.receive(Failed(code), now=5.0) == [End()]
    assert (policy.state, policy.deadline) == (State.OFF, None)
    assert policy.failure == Failed(code)


def test_while_it_waits_it_can_be_stopped_and_late_news_change_nothing() -> None:
    policy = _policy()
    policy.receive(Failed("PUBLISH-LOST"), now=5.0)
    for late in (Watching(), Answered(), Opened(), Failed("PUBLISH-GONE"), Start()):
        assert policy.receive(late, now=5.0) == []
        assert policy.state is State.WAITING
    assert policy.receive(Stop(), now=5.0) == []
    assert policy.receive(Tick(), now=500.0) == []
    assert policy.state is State.OFF


_EVENTS = st.one_of(
    st.sampled_from([Start(), Watching(), Answered(), Opened(), Tick(), Stop()]),
    st.builds(
        Failed, st.sampled_from(sorted(FAULTS)), retry_after=st.none() | st.floats(0, 86_400)
    ),
)  # fmt: skip


@given(st.lists(st.tuples(_EVENTS, st.floats(0, 400))))
def test_in_any_order_a_try_is_ended_before_the_next_begins(told: list[tuple[Event, float]]) -> None:
    policy, now, trying = Policy(dice=lambda: 0.5), 0.0, False
    for event, later in told:
        now += later
        for action in policy.receive(event, now=now):
            assert trying is isinstance(action, End)
            trying = isinstance(action, Begin)
        assert trying is (policy.state not in (State.OFF, State.WAITING))
        assert policy.deadline is not None or policy.state is not State.WAITING
