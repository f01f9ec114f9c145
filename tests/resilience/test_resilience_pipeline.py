"""A call in a world of virtual time: what it does in which order, and what it comes to."""

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from virtual import KEY, OFFLINE, ONCE, Served, World, answered, down, failed, status, up

from ringlight.errors import (
    DeadlineExceeded,
    NetworkError,
    RateGateFull,
    RateLimitError,
    Refused,
    ServiceUnavailableError,
    fault_error,
)  # fmt: skip
from ringlight.resilience import events
from ringlight.resilience.actions import Answered, Authorize, Fate, Outcome, Reserve, Send
from ringlight.resilience.operation import Operation
from ringlight.resilience.options import BARE, Options, Strategies


def _fails(fate: Fate, now: float, send: Send, operation: Operation) -> Served:
    return 0.0, failed(fate)


def test_a_call_goes_through_its_stations_in_the_documented_order() -> None:
    """The server counts attempts, so each waits at the gate; each takes the token that is good then."""
    answers = iter([answered(503), answered(200)])
    world = World(lambda *_: (0.0, next(answers)))
    task = world.call(bearer=True, keep=KEY)
    world.run()
    kinds = [type(action).__name__ for _, action in task.actions]
    assert kinds == ["Reserve", "Authorize", "Send", "Sleep", "Reserve", "Authorize", "Send"]
    assert task.done is not None
    assert (task.done.value, task.done.attempts, task.done.stale) == ("value", 2, None)


def test_one_call_never_sleeps_past_its_deadline() -> None:
    """A pause that cannot end in time is not begun; the error is the server's own, with what was tried."""
    world = World(lambda *_: (0.05, answered(503, retry_after="20")))
    task = world.call(options=Options(total=10.0))
    world.run()
    assert type(task.error) is ServiceUnavailableError
    assert task.error.retry_after == 20.0
    assert task.ended == pytest.approx(world.began + 0.05)
    assert task.error.__notes__ == [
        "attempt 1: PARTNER-UNAVAILABLE after 0.05 s: HTTP 503",
        "not sent again: it could not end within the time for the call",
    ]


def test_a_server_that_never_ends_its_answer_is_left_at_the_deadline() -> None:
    world = World(lambda *_: (1e9, answered(200)), total=8.0)
    task = world.call()
    world.run()
    assert isinstance(task.error, DeadlineExceeded)
    assert isinstance(task.error.__cause__, NetworkError)
    assert "NET-TIMEOUT" in str(task.error)
    assert task.ended == world.began + 8.0
    assert task.error.attempts == 1


def test_what_must_not_arrive_twice_is_sent_again_only_if_it_never_left_or_was_not_taken() -> None:
    for fate in Fate:
        world = World(partial(_fails, fate), attempts=3)
        task = world.call(ONCE)
        world.run()
        assert len(task.sent) == (3 if fate is Fate.NEVER_SENT else 1)


def test_a_connection_that_had_been_closed_meanwhile_is_replaced_at_once() -> None:
    """The first time: no pause, no price. After that it counts like any other failure."""
    world = World(lambda *_: (0.0, failed(Fate.MAYBE_SENT, reused=True)), attempts=2)
    task, once = world.call(), world.call(ONCE)
    world.run()
    assert len(task.sent) == 3
    assert task.sent[1] == task.sent[0]
    assert task.sent[2] > task.sent[1]
    assert len(once.sent) == 1
    assert world.shared.budget.tokens == 500 - 14


def test_our_own_full_pool_opens_no_breaker() -> None:
    world = World(lambda *_: (0.0, failed(Fate.NEVER_SENT, "NET-TIMEOUT", own=True)), attempts=1)
    for n in range(50):
        world.call(after=n * 0.1)
    world.run()
    assert {task.code for task in world.tasks} == {"NET-TIMEOUT"}


def test_a_webhook_ends_the_wait_for_a_device() -> None:
    answers = iter([answered(503, OFFLINE), answered(200)])
    world = World(lambda *_: (0.0, next(answers)))
    world.call(status("live.offer", "a"))
    early = world.call(status("live.offer", "a"), after=1.0)
    world.at(world.began + 2.0, lambda: world.shared.device_online("a", world.now))
    then = world.call(status("live.offer", "a"), after=3.0)
    world.run()
    assert (early.code, then.code) == ("PARTNER-DEVICE-OFFLINE", "good")
    told = [event for event in world.events if isinstance(event, events.Notice)]
    assert [(one.topic, one.subject, one.over) for one in told] == [("device", "a", False), ("device", "a", True)]


def test_the_last_known_good_answer_stands_in_for_failures_and_says_so() -> None:
    """For what passes: server errors, the network, an open breaker, a deadline. Never for what is not allowed."""
    causes: list[Outcome] = [
        answered(503),
        failed(),
        answered(429, retry_after="500"),
        answered(403),
        answered(200, value="new"),
    ]
    world = World(lambda now, *_: (0.0, answered(200, value="old") if now < 1001 else causes.pop(0)), attempts=1)
    tasks = [world.call(keep=KEY, after=n * 700.0) for n in range(5)]
    never = world.call(keep=KEY, after=705.0, options=Options(fallback="never"))
    causes.insert(1, answered(503))
    world.run()
    assert [task.code for task in tasks] == ["good"] * 4 + ["PARTNER-FORBIDDEN"]
    stale = [task.done.stale for task in tasks[1:4] if task.done is not None]
    assert [(one.age, one.cause.code) for one in stale if one] == [
        (700.0, "PARTNER-UNAVAILABLE"), (1400.0, "NET-UNREACHABLE"), (2100.0, "PARTNER-RATE"),
    ]  # fmt: skip
    assert never.code == "PARTNER-UNAVAILABLE"
    assert len(world.shared.known) == 0  # the 403 has taken it away
    assert [type(event) for event in world.events].count(events.ServedStale) == 3


def test_footage_that_is_being_made_is_asked_for_until_its_time_is_over() -> None:
    world = World(lambda now, *_: (0.0, answered(416 if now < world.began + 9 else 303)), dice=lambda: 0.0, total=200.0)
    fresh = world.call(Operation("media.clip"), options=Options(fresh_until=world.began + 120.0))
    world.run()
    assert [at - world.began for at in fresh.sent] == pytest.approx([0.0, 1.0, 3.0, 7.0, 12.0])
    assert fresh.code == "good"
    never = World(lambda *_: (0.0, answered(416)), dice=lambda: 0.0, total=500.0)
    gone = never.call(Operation("media.clip"), options=Options(fresh_until=never.began + 120.0))
    old = never.call(Operation("media.clip"))
    never.run()
    assert (gone.code, old.code, len(old.sent)) == ("PARTNER-NO-FOOTAGE", "PARTNER-NO-FOOTAGE", 1)
    assert 120.0 <= gone.sent[-1] - never.began < 125.0
    assert never.shared.budget.tokens == 500


SWITCHES: dict[str, tuple[Callable[[], Answered], type]] = {
    "automatic_retry": (lambda: answered(503), events.RetryScheduled),
    "circuit_breaker": (lambda: answered(500), events.BreakerOpened),
    "graceful_degradation": (lambda: answered(502), events.ServedStale),
    "user_notification": (lambda: answered(500), events.Notice),
    "token_refresh": (lambda: answered(401), events.TokenRefused),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_each_strategy_of_rings_error_guide_is_seen_in_events_and_can_be_switched_off(name: str) -> None:
    make, event = SWITCHES[name]
    for on in (True, False):
        switch: dict[str, Any] = {name: on}
        world = World(lambda *_: (0.0, make()), **switch)
        world.shared.known.keep(KEY, "old", world.now)
        for n in range(6):
            world.call(bearer=True, keep=KEY, after=n * 1.0)
        world.run()
        assert (event in {type(one) for one in world.events}) is on


def test_without_exponential_backoff_every_pause_is_as_long_as_the_first() -> None:
    for on, expected in ((True, [0.05, 0.1, 0.2]), (False, [0.1, 0.1, 0.1])):
        world = World(lambda *_: (0.0, answered(500)), attempts=4, exponential_backoff=on)
        world.call()
        world.run()
        waits = [event.seconds for event in world.events if isinstance(event, events.RetryScheduled)]
        assert waits == pytest.approx(expected)


def test_bare_calls_are_sent_once_and_wait_for_nothing() -> None:
    world = World(lambda *_: (0.0, answered(503)))
    tasks = [world.call(options=Options(strategies=BARE, gate=False)) for _ in range(50)]
    world.run()
    assert all([type(action) for _, action in task.actions] == [Send] for task in tasks)
    assert {task.code for task in tasks} == {"PARTNER-UNAVAILABLE"}


def test_a_429_without_a_gate_is_waited_for_by_its_own_call() -> None:
    answers = iter([answered(429, retry_after="2"), answered(200)])
    world = World(lambda *_: (0.0, next(answers)), dice=lambda: 0.0)
    task = world.call(options=Options(gate=False))
    world.run()
    assert [at - world.began for at in task.sent] == [0.0, 2.0]


def test_a_wait_of_hours_is_not_waited_for_and_closes_the_gate_for_the_others() -> None:
    world = World(lambda *_: (0.0, answered(429, retry_after="3600")))
    first, second = world.call(), world.call(after=1.0)
    world.run()
    assert isinstance(first.error, RateLimitError)
    assert first.error.retry_after == 3600.0
    assert isinstance(second.error, RateGateFull)
    assert second.error.retry_after == pytest.approx(3599.0)
    assert second.sent == []
    notices = [event for event in world.events if isinstance(event, events.Notice)]
    assert [one.topic for one in notices] == ["rate"]


def test_an_error_survives_pickling_with_its_story_and_without_secrets() -> None:
    world = World(lambda *_: (0.0, answered(503, b'{"errors": [{"detail": "canary0123456789canary0123456789"}]}')))
    task = world.call(Operation("devices.status", device="a"), bearer=True)
    world.run()
    assert task.error is not None
    for twin in (pickle.loads(pickle.dumps(task.error)), copy.copy(task.error), copy.deepcopy(task.error)):
        assert vars(twin) == vars(task.error)
        assert "token-" not in repr(vars(twin)) + str(twin)
        assert "canary" not in str(twin) + str(twin.__notes__)


@pytest.mark.parametrize("why", ["the network", "the token service"])
def test_whatever_ends_a_call_says_which_call_it_was(why: str) -> None:
    """Errors that others raise too, as those of the network, tell of a call all that is known of it."""
    world = World(lambda *_: (0.0, failed()), lifetime=None, renew=lambda now: (0.1, fault_error("LINK-UNAVAILABLE")))
    task = world.call(Operation("devices.status", device="a"), bearer=why == "the token service")
    world.run()
    assert task.error is not None
    assert (task.error.operation, task.error.device) == ("devices.status", "a")
    assert task.error.attempts == len(task.sent)
    assert vars(pickle.loads(pickle.dumps(task.error))) == vars(task.error)


def test_a_refusal_of_ours_tells_that_nothing_was_sent() -> None:
    world = World(up)
    world.shared.gate.pause_until(world.now + 100.0)
    task = world.call()
    world.run()
    assert isinstance(task.error, Refused)
    assert (task.error.attempts, task.error.operation) == (0, "devices.list")
    assert task.times(Reserve) == [world.began]
    assert task.times(Authorize) == []


def test_switches_of_one_call_do_not_touch_the_others() -> None:
    world = World(down, attempts=2)
    bare = world.call(options=Options(strategies=Strategies(automatic_retry=False)))
    usual = world.call()
    world.run()
    assert (len(bare.sent), len(usual.sent)) == (1, 2)


def test_a_call_can_be_given_up_at_every_point_and_leaves_everything_usable() -> None:
    """A cancelled call counts as no failure, and holds neither a place, nor a probe, nor a renewal."""

    def server(now: float, send: Send, operation: Operation) -> Served:
        assert send.bearer is not None
        return 0.5, answered(401 if send.bearer.id == 1 else 500 if send.attempt < 4 else 200)

    whole = World(server, gate_rate=1.0, gate_burst=1, attempts=4, breaker_in_a_row=100)
    full = [whole.call(Operation("live.offer", device="a"), bearer=True) for _ in range(2)][-1]
    whole.run()
    assert full.code == "good"
    points = sorted({at + passed for at, _ in full.actions for passed in (0.0, 0.001, 0.25)} - {full.ended})
    assert len(points) > 20
    for point in points:
        world = World(server, gate_rate=1.0, gate_burst=1, attempts=4, breaker_in_a_row=100)
        first, given_up = (world.call(Operation("live.offer", device="a"), bearer=True) for _ in range(2))
        world.at(point, partial(world.cancel, given_up))
        after = world.call(Operation("live.offer", device="a"), after=40.0, bearer=True)
        world.run()
        assert (first.code, after.code) == ("good", "good")
        assert world.shared.gate.waiting == 0
        assert len(world.keeper.renewals) == 1
