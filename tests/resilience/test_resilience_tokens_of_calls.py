"""What the token does to calls in a world of virtual time: a refusal, a renewal, a link that is lost."""

import random

from virtual import KEY, ONCE, Served, World, answered, up

from ringlight.errors import AuthenticationError, RingError, fault_error
from ringlight.resilience import events
from ringlight.resilience.actions import Send
from ringlight.resilience.operation import Operation
from ringlight.resilience.stale import Key, Kind


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
