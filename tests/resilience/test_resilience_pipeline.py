"""Calls in a world of virtual time: what they do in which order, and what many of them do together."""

import copy
import pickle
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from virtual import ExactLimit, Served, World, answered, failed, most_in_a_second

from ringlight.errors import (
    AuthenticationError,
    CircuitOpen,
    DeadlineExceeded,
    DeviceOfflineError,
    NetworkError,
    RateGateFull,
    RateLimitError,
    Refused,
    RingError,
    ServiceUnavailableError,
    fault_error,
)  # fmt: skip
from ringlight.resilience import events
from ringlight.resilience.actions import Answered, Authorize, Fate, Outcome, Reserve, Send
from ringlight.resilience.operation import Lane, Operation, Repeat
from ringlight.resilience.options import BARE, Options, Strategies
from ringlight.resilience.stale import Key, Kind

ONCE = Operation("live.offer", Repeat.ONCE, Lane.LIVE)
KEY = Key("ada", Kind.DEVICES)
OFFLINE = b'{"errors": [{"status": "503", "title": "Device Unavailable", "detail": "Device is currently offline"}]}'


def up(now: float, send: Send, operation: Operation) -> Served:
    return 0.05, answered(200)


def down(now: float, send: Send, operation: Operation) -> Served:
    return 0.05, answered(503)


def _fails(fate: Fate, now: float, send: Send, operation: Operation) -> Served:
    return 0.0, failed(fate)


def status(operation: str, device: str) -> Operation:
    return Operation(operation, device=device)


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


def test_six_hundred_calls_against_an_exact_limit_see_no_429_and_lose_at_most_a_second() -> None:
    """A gate that everybody shares beats a retry for each: 200 tasks, 600 calls, 100 a second."""
    server = ExactLimit(100)
    world = World(server, dice=random.Random(1).random)
    for _ in range(600):
        world.call()
    world.run()
    assert server.refused == []
    assert all(task.code == "good" for task in world.tasks)
    assert most_in_a_second(server.taken) <= 98
    optimum = 500 / 100  # a hundred at once, then a hundred a second
    assert max(server.taken) - world.began <= optimum + 2.0


def test_a_429_pauses_everybody_and_they_do_not_come_back_as_a_herd() -> None:
    """After the first 429s of one moment there is none more: the pause is shared, and so is the way back."""
    server = ExactLimit(40)
    world = World(server, dice=random.Random(2).random, total=60.0)
    for _ in range(300):
        world.call()
    world.run()
    assert all(task.code == "good" for task in world.tasks)
    first = min(server.refused)
    paused = [at for at in server.taken if first + 0.05 < at < first + 1.05]
    assert paused == []
    assert most_in_a_second(server.taken) <= 40


@pytest.mark.parametrize("told", [False, True])
def test_a_limit_that_drops_is_followed_and_left_again(told: bool) -> None:
    """From 100 to 40 a second: few 429s after five seconds, and the old rate within thirty after the limit is back."""
    server = ExactLimit(100)
    world = World(server, dice=random.Random(3).random, total=3600.0)

    def limit(to: int) -> None:
        server.limit = to
        if told:
            server.fields["x_ratelimit_limit"] = str(to)

    world.at(world.began + 5.0, lambda: limit(40))
    world.at(world.began + 35.0, lambda: limit(100))
    for _ in range(6000):
        world.call()
    world.run(70.0)
    began = world.began
    late = [at for at in server.refused if began + 10.0 <= at < began + 35.0]
    taken = [at for at in server.taken if began + 10.0 <= at < began + 35.0]
    assert len(late) < 0.02 * (len(taken) + len(late)) + 1e-9
    assert len(taken) >= 0.6 * 40 * 25
    assert world.shared.gate.rate == pytest.approx(90.0, rel=0.05)
    back = [at for at in server.taken if began + 60.0 <= at < began + 62.0]
    assert len(back) >= 160


def test_a_full_outage_of_a_thousand_calls_costs_hardly_a_request_for_each() -> None:
    world = World(down, dice=random.Random(4).random)
    for n in range(1000):
        world.call(after=n * 0.1)
    world.run()
    requests = sum(len(task.sent) for task in world.tasks)
    assert requests <= 100
    assert all(isinstance(task.error, (ServiceUnavailableError, CircuitOpen)) for task in world.tasks)


def test_without_breakers_the_budget_alone_holds_an_outage_at_a_tenth_more() -> None:
    world = World(down, dice=random.Random(4).random, circuit_breaker=False)
    for n in range(1000):
        world.call(after=n * 0.1)
    world.run()
    assert sum(len(task.sent) for task in world.tasks) <= 1100
    assert all(type(task.error) is ServiceUnavailableError for task in world.tasks)
    assert "the budget for retries is spent" in " ".join(world.tasks[-1].error.__notes__)  # type: ignore[union-attr]


def test_after_an_outage_the_first_success_comes_within_one_probe_interval() -> None:
    """And then calls flow again: no retry budget has to be earned back first."""
    world = World(lambda now, *_: (0.05, answered(503 if now < world.began + 100 else 200)), dice=lambda: 0.0)
    for n in range(2000):
        world.call(after=n * 0.1)
    world.run()
    good = [task.began - world.began for task in world.tasks if task.code == "good"]
    assert good[0] <= 100 + 60.0
    after = [task for task in world.tasks if task.began - world.began > good[0] + 0.1]
    assert all(task.code == "good" for task in after)


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


def test_a_line_too_long_for_the_deadline_is_refused_at_once() -> None:
    world = World(up, total=1.0)
    for _ in range(300):
        world.call()
    world.run()
    refused = [task for task in world.tasks if task.code == "CALL-GATE"]
    assert 150 <= len(refused) <= 204
    assert all(isinstance(task.error, RateGateFull) and task.ended == world.began for task in refused)
    assert all(task.error is not None and (task.error.retry_after or 0) > 1.0 for task in refused)


def test_live_view_goes_before_history() -> None:
    world = World(up)
    history = [world.call(Operation("history.list", lane=Lane.BULK)) for _ in range(100)]
    live = world.call(ONCE, after=0.5)
    world.run()
    assert live.sent[0] - live.began <= 1 / 90 + 1e-9
    assert max(task.sent[0] for task in history) > live.sent[0] + 0.4


def test_a_cancelled_waiter_gives_its_place_back() -> None:
    world = World(up)
    tasks = [world.call() for _ in range(100)]
    for task in tasks[8:90]:
        world.at(world.began + 0.001, partial(world.cancel, task))
    last = world.call(after=0.01)
    world.run()
    assert last.sent[0] - world.began < 0.2
    assert world.shared.gate.waiting == 0


def test_a_cancelled_probe_lets_the_next_call_try() -> None:
    answers = [failed()] * 5
    world = World(lambda *_: (0.1, answers.pop() if answers else answered(200)), attempts=1, dice=lambda: 0.0)
    for n in range(5):
        world.call(after=n * 0.01)
    probe = world.call(after=6.0)
    world.at(world.began + 6.05, lambda: world.cancel(probe))
    meanwhile, then = world.call(after=6.04), world.call(after=6.06)
    world.run()
    assert (meanwhile.code, then.code) == ("CALL-CIRCUIT", "good")


def test_fifty_calls_at_the_end_of_an_outage_are_one_probe() -> None:
    arrived: list[float] = []

    def server(now: float, send: Send, operation: Operation) -> Served:
        arrived.append(now)
        return 0.1, answered(503)

    world = World(server, attempts=1, dice=lambda: 0.0, gate_rate=10_000.0, gate_burst=100)
    for n in range(5):
        world.call(after=n * 0.01)
    tasks = [world.call(after=6.0) for _ in range(50)]
    world.run()
    assert len([at for at in arrived if at >= world.began + 6.0]) == 1
    refused = [task for task in tasks if isinstance(task.error, CircuitOpen)]
    assert len(refused) == 49
    assert all(task.error is not None and task.error.retry_after for task in refused)


def test_a_revoked_token_under_a_hundred_calls_is_renewed_once() -> None:
    """Each is sent twice; refusals of the old token that come late, after the renewal, cause no other."""
    spread = random.Random(5)

    def server(now: float, send: Send, operation: Operation) -> Served:
        assert send.bearer is not None
        return 3.0 * spread.random(), answered(401 if send.bearer.id == 1 else 200)

    world = World(server, gate_burst=100)
    for _ in range(100):
        world.call(bearer=True)
    world.run()
    assert len(world.keeper.renewals) == 1
    assert all(task.code == "good" and len(task.sent) == 2 for task in world.tasks)


def test_a_second_401_is_final() -> None:
    world = World(lambda *_: (0.0, answered(401)))
    task = world.call(ONCE, bearer=True)
    world.run()
    assert isinstance(task.error, AuthenticationError)
    assert (len(task.sent), len(world.keeper.renewals), task.error.attempts) == (2, 1, 2)


def test_a_403_counts_as_a_401_once_if_the_token_is_past_its_time() -> None:
    """Ring's Users API answers 403 where others answer 401."""

    def server(now: float, send: Send, operation: Operation) -> Served:
        assert send.bearer is not None
        return (20.0, answered(403)) if send.bearer.id == 1 else (0.0, answered(200))

    world = World(server, lifetime=10.0)
    task = world.call(Operation("users.get"), bearer=True)
    fresh = World(lambda *_: (0.0, answered(403)))
    other = fresh.call(Operation("users.get"), bearer=True)
    world.run()
    fresh.run()
    assert (task.code, len(task.sent)) == ("good", 2)
    assert (other.code, len(other.sent)) == ("PARTNER-FORBIDDEN", 1)


def test_an_outage_of_the_token_endpoint_within_the_advisory_window_fails_no_call() -> None:
    def renew(now: float) -> tuple[float, float | RingError]:
        return 1.0, fault_error("AUTH-UNAVAILABLE") if now < world.began + 240.0 else 14_400.0

    world = World(up, renew=renew, lifetime=14_400.0)
    world.began = world.now = world.keeper.state.expires - 299.0
    for n in range(2980):
        world.call(after=n * 0.1, bearer=True)
    world.run()
    assert {task.code for task in world.tasks} == {"good"}
    assert 30 < len(world.keeper.renewals) < 60  # every five seconds or so
    assert world.keeper.state.id == 2


def test_a_renewal_outlives_the_caller_that_began_it() -> None:
    world = World(up, lifetime=None, renew=lambda now: (5.0, 14_400.0))
    leader, follower = world.call(bearer=True), world.call(after=0.1, bearer=True)
    world.at(world.began + 1.0, lambda: world.cancel(leader))
    world.run()
    assert follower.code == "good"
    assert len(world.keeper.renewals) == 1


def test_each_waiter_gets_an_error_of_its_own_when_the_renewal_fails() -> None:
    error = fault_error("AUTH-UNAVAILABLE")
    world = World(up, lifetime=None, renew=lambda now: (5.0, error))
    tasks = [world.call(bearer=True) for _ in range(3)]
    world.run()
    assert len({id(task.error) for task in tasks} | {id(error)}) == 4
    assert all(task.code == "AUTH-UNAVAILABLE" for task in tasks)


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


def test_one_device_that_is_offline_disturbs_no_other_and_is_left_alone() -> None:
    def server(now: float, send: Send, operation: Operation) -> Served:
        return 0.05, answered(503, OFFLINE) if operation.device == "a" else answered(200)

    world = World(server, dice=lambda: 0.0)
    tasks = [world.call(status("live.offer", "a"), after=float(n)) for n in range(10)]
    other = [world.call(status("live.offer", "b"), after=n + 0.5) for n in range(10)]
    reading = world.call(status("devices.status", "b"), after=3.0)
    world.run()
    assert [len(task.sent) for task in tasks] == [1] + [0] * 9
    assert all(isinstance(task.error, DeviceOfflineError) and task.error.device == "a" for task in tasks)
    assert tasks[1].error is not None
    assert tasks[1].error.retry_after == pytest.approx(14.05)
    assert {task.code for task in (*other, reading)} == {"good"}
    assert world.shared.budget.tokens == 500


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


def test_many_devices_with_an_empty_503_are_the_service() -> None:
    """Nobody can tell from one such answer; three devices within half a minute can."""
    world = World(down, attempts=2, dice=lambda: 0.0)
    tasks = [world.call(status("devices.status", name), after=n * 1.0) for n, name in enumerate("abcde")]
    world.run()
    assert [task.code for task in tasks] == ["PARTNER-DEVICE-OFFLINE"] * 2 + ["PARTNER-UNAVAILABLE"] * 3
    assert [len(task.sent) for task in tasks[:4]] == [1, 1, 2, 2]


def test_an_outage_of_the_token_service_does_not_open_the_apis_breaker() -> None:
    from ringlight.resilience.operation import Family

    def server(now: float, send: Send, operation: Operation) -> Served:
        return 0.0, answered(500 if operation.family is Family.OAUTH else 200)

    world = World(server, attempts=1)
    tokens = [world.call(Operation("tokens.refresh", family=Family.OAUTH), after=n * 0.1) for n in range(10)]
    calls = [world.call(after=n * 0.1 + 0.05) for n in range(10)]
    world.run()
    assert tokens[-1].code == "CALL-CIRCUIT"
    assert {task.code for task in calls} == {"good"}


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


def test_a_lost_link_takes_the_known_answers_along_and_is_told_once() -> None:
    world = World(up, lifetime=None, renew=lambda now: (0.1, fault_error("AUTH-LINK-LOST")))
    world.shared.known.keep(KEY, "old", world.now)
    world.shared.known.keep(Key("grace", Kind.DEVICES), "hers", world.now)
    tasks = [world.call(bearer=True, keep=KEY, account="ada", after=n * 100.0) for n in range(5)]
    world.run()
    assert {task.code for task in tasks} == {"AUTH-LINK-LOST"}
    assert len(world.shared.known) == 1
    notices = [event for event in world.events if isinstance(event, events.Notice)]
    assert [(one.topic, one.subject, one.over) for one in notices] == [("link", "ada", False)]
    assert len(world.keeper.renewals) == 1


def test_a_wrong_client_secret_is_no_lost_link() -> None:
    """It is the app's operator who has to act: no owner is asked to connect again, and nothing is forgotten."""
    world = World(up, lifetime=None, renew=lambda now: (0.1, fault_error("LINK-REFUSED")))
    world.shared.known.keep(KEY, "old", world.now)
    world.call(bearer=True, keep=KEY, account="ada")
    world.run()
    assert world.tasks[0].code == "LINK-REFUSED"
    assert len(world.shared.known) == 1
    assert [event for event in world.events if isinstance(event, events.Notice)] == []


def test_the_first_call_that_goes_well_after_a_lost_link_ends_its_notice() -> None:
    world = World(up, lifetime=None, renew=lambda now: (0.1, fault_error("LINK-LOST")))
    world.call(bearer=True, account="ada")
    world.call(after=5.0)  # without a token: it says nothing of the link

    def linked_anew() -> None:
        world.keeper.state.renewed(14_400.0, world.now)

    world.at(world.began + 9.0, linked_anew)
    world.call(bearer=True, account="ada", after=10.0)
    world.call(bearer=True, account="ada", after=20.0)
    world.run()
    told = [event for event in world.events if isinstance(event, events.Notice)]
    assert [(one.topic, one.subject, one.over, round(one.at - world.began, 3)) for one in told] == [
        ("link", "ada", False, 0.1),
        ("link", "ada", True, 10.05),
    ]


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


def test_shedding_keeps_the_load_near_twice_of_what_is_taken() -> None:
    """A brown-out in which the service takes ten calls a second of a hundred that are asked."""
    taken: list[float] = []
    arrived: list[float] = []

    def server(now: float, send: Send, operation: Operation) -> Served:
        arrived.append(now)
        if sum(at > now - 1.0 for at in taken[-10:]) >= 10:
            return 0.01, answered(503, b'{"errors": [{"code": "SERVER_BUSY"}]}')
        taken.append(now)
        return 0.01, answered(200)

    world = World(
        server, dice=random.Random(6).random, shedding=True, circuit_breaker=False, attempts=1, gate_rate=1000.0
    )
    for n in range(6000):
        world.call(after=n * 0.01)
    world.run()
    half = world.began + 30.0
    assert sum(at > half for at in arrived) <= 2.4 * sum(at > half for at in taken)
    assert any(task.code == "CALL-BUDGET" for task in world.tasks)


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


def test_an_hour_of_random_outages_shows_no_growth() -> None:
    """Devices, notices, events and known answers are bounded; after the last outage everything works again."""
    dice = random.Random(8)
    troubled: dict[str, float] = {}

    def server(now: float, send: Send, operation: Operation) -> Served:
        if now - world.began > 3400.0:
            return 0.02, answered(200)
        if dice.random() < 0.002:
            troubled["service"] = now + dice.uniform(1.0, 60.0)
        if now < troubled.get("service", 0.0):
            worst: list[Outcome] = [answered(500), failed(), failed(Fate.NEVER_SENT)]
            return dice.uniform(0.0, 20.0), dice.choice(worst)
        if dice.random() < 0.01:
            return 0.02, answered(429, retry_after="1")
        return 0.02, answered(503, OFFLINE) if dice.random() < 0.05 else answered(200)

    world = World(server, dice=dice.random, devices=50, stale_entries=50)
    for n in range(7200):
        device = f"d{n % 400}"
        key = Key("ada", Kind.STATUS, "status", device)
        world.call(Operation("devices.status", device=device), after=n * 0.5, bearer=True, keep=key)
    world.run()
    assert all(task.code == "good" for task in world.tasks[-200:])
    assert all((task.ended or 0.0) - task.began <= 30.0 + 1e-6 for task in world.tasks)
    shared = world.shared
    assert len(shared.devices) <= 50
    assert len(shared.known) <= 50
    assert shared.gate.waiting == 0
    assert len(shared.notices) <= 410
    begun = [event for event in world.events if isinstance(event, events.Notice) and event.topic == "service"]
    assert len(begun) <= 2 * 61
