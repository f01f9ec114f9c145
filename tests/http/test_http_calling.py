"""Calls through both shells against servers that fail: how often each kind of call arrives, and what it comes to."""

import pytest
from fault_server import CASES, OK, answer_once_then_reset, case_server, failing_server, say_on, trickle
from shells import KINDS, Tokens, asks, one_by_one, shared

from ringlight.errors import (
    AuthenticationError,
    CallError,
    DeadlineExceeded,
    NetworkError,
    RingError,
    ServiceUnavailableError,
)
from ringlight.resilience.actions import Fate
from ringlight.resilience.events import Attempt, Event
from ringlight.resilience.operation import Repeat
from ringlight.resilience.options import BARE, Options
from ringlight.resilience.pipeline import Done

UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
UNAVAILABLE = b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"
ATTEMPTS = 3
AGAIN = {
    Fate.NEVER_SENT: set(Repeat),
    Fate.MAYBE_SENT: {Repeat.SAFE, Repeat.IDEMPOTENT},
    Fate.BROKEN: {Repeat.SAFE},
    None: {Repeat.SAFE, Repeat.IDEMPOTENT},
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("repeat", Repeat)
@pytest.mark.parametrize("name", CASES)
def test_a_call_arrives_again_only_where_that_does_no_harm(kind: str, name: str, repeat: Repeat) -> None:
    case = CASES[name]
    with case_server(case) as server:
        call = asks(server.url, repeat, method="POST", json={"a": 1}, timeout=case.timeout)
        (error,) = one_by_one(kind, [call])
    assert isinstance(error, RingError)
    assert error.code == case.code
    attempts = ATTEMPTS if repeat in AGAIN[case.fate] else 1
    assert len(server.arrived) == attempts * case.arrives
    if not case.races:
        assert len([note for note in error.__notes__ if note.startswith("attempt ")]) == attempts


def test_a_call_that_must_not_arrive_twice_does_so_where_the_server_promises_that_it_did_nothing(kind: str) -> None:
    busy = b"HTTP/1.1 503 x\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    with failing_server(say_on(busy, OK)) as server:
        (done,) = one_by_one(kind, [asks(server.url, Repeat.ONCE)])
    assert isinstance(done, Done)
    assert (done.value, done.attempts, len(server.arrived)) == ({"a": 1}, 2, 2)


def test_a_kept_connection_that_was_just_closed_costs_neither_a_pause_nor_the_budget(kind: str) -> None:
    """By POST, for a GET is sent again by aiohttp itself; some of Ring's reads are POSTs."""
    machines, events = shared(budget=0, attempts=1), list[Event]()
    with failing_server(answer_once_then_reset) as server:
        came = one_by_one(kind, [asks(server.url, method="POST")] * 3, machines=machines, hook=events.append)
    assert [one.attempts for one in came if isinstance(one, Done)] == [1, 2, 2]
    assert len(server.arrived) == 5
    assert len([event for event in events if isinstance(event, Attempt)]) == 5


def test_a_call_that_must_not_arrive_twice_fails_on_such_a_connection(kind: str) -> None:
    with failing_server(answer_once_then_reset) as server:
        _, error = one_by_one(kind, [asks(server.url), asks(server.url, Repeat.ONCE)])
    assert isinstance(error, NetworkError)
    assert len(server.arrived) == 2


def test_the_time_for_a_call_covers_its_attempts_and_their_bodies(kind: str) -> None:
    with failing_server(trickle(0.02)) as server:
        (error,) = one_by_one(kind, [asks(server.url, total=0.3)])
    assert isinstance(error, (DeadlineExceeded, NetworkError))
    assert len(server.arrived) == 1


def test_all_attempts_of_a_call_have_one_request_id_and_calls_have_different_ones(kind: str) -> None:
    with failing_server(say_on(UNAVAILABLE, UNAVAILABLE, OK)) as server:
        one_by_one(kind, [asks(server.url), asks(server.url)])
    ids = [fields[b"x-request-id"] for fields in server.arrived]
    assert len(ids) == 4
    assert len(set(ids[:3])) == 1
    assert ids[3] != ids[0]


def test_an_error_names_its_call_and_the_request_id_that_was_sent(kind: str) -> None:
    with failing_server(say_on(UNAVAILABLE)) as server:
        (error,) = one_by_one(kind, [asks(server.url)])
    assert isinstance(error, ServiceUnavailableError)
    assert (error.operation, error.status, error.attempts) == ("devices.list", 503, ATTEMPTS)
    assert isinstance(error, CallError)
    assert (error.request_id or "").encode() == server.arrived[0][b"x-request-id"]
    assert error.__cause__ is error.__context__ is None


def test_a_refused_token_is_renewed_and_the_call_made_once_more(kind: str) -> None:
    tokens = Tokens()
    with failing_server(say_on(UNAUTHORIZED, OK)) as server:
        done, second = one_by_one(kind, [asks(server.url, Repeat.ONCE, bearer=True)] * 2, tokens=tokens)
    assert isinstance(done, Done)
    assert isinstance(second, Done)
    assert (done.attempts, second.attempts, tokens.renewals) == (2, 1, 2)
    sent = [fields[b"authorization"] for fields in server.arrived]
    assert sent == [b"bearer token1", b"bearer token2", b"bearer token2"]


def test_a_second_refusal_is_an_error(kind: str) -> None:
    tokens = Tokens()
    with failing_server(say_on(UNAUTHORIZED)) as server:
        (error,) = one_by_one(kind, [asks(server.url, bearer=True)], tokens=tokens)
    assert isinstance(error, AuthenticationError)
    assert (len(server.arrived), tokens.renewals) == (2, 2)


def test_the_bare_behaviour_is_one_attempt(kind: str) -> None:
    with failing_server(say_on(UNAVAILABLE)) as server:
        (error,) = one_by_one(kind, [asks(server.url)], options=Options(strategies=BARE))
    assert isinstance(error, ServiceUnavailableError)
    assert len(server.arrived) == 1
