"""What many calls do together in a world of virtual time: at a limit, in an outage, beside a device that is off."""

import random
from functools import partial

import pytest
from virtual import OFFLINE, ONCE, ExactLimit, Served, World, answered, down, failed, most_in_a_second, status, up

from ringlight.errors import CircuitOpen, DeviceOfflineError, RateGateFull, ServiceUnavailableError
from ringlight.resilience import events
from ringlight.resilience.actions import Fate, Outcome, Send
from ringlight.resilience.operation import Lane, Operation
from ringlight.resilience.stale import Key, Kind


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


def test_many_devices_with_an_empty_503_are_the_service() -> None:
    """Nobody can tell from one such answer; three devices within half a minute can."""
    world = World(down, attempts=2, dice=lambda: 0.0)
    tasks = [world.call(status("devices.status", name), after=n * 1.0) for n, name in enumerate("abcde")]
    world.run()
    assert [task.code for task in tasks] == ["PARTNER-DEVICE-OFFLINE"] * 2 + ["PARTNER-UNAVAILABLE"] * 3
    assert [len(task.sent) for task in tasks[:4]] == [1, 1, 2, 2]


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
