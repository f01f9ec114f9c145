"""Thirteen ways to fail on a real socket: each driver says alike how far the request got, and with what error."""

import asyncio
import contextlib
import time
from collections.abc import Callable

import pytest
from both_drivers import MAKERS
from fault_server import CASES, OK, answer_once_then_reset, case_server, failing_server, never_answer, say_on, trickle

from ringlight.errors import NetworkError
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Flow, NotJson, Request, Response
from ringlight.http.reach import Patience, Remaining
from ringlight.http.sync_driver import SyncDriver
from ringlight.resilience.actions import Failed, Fate

Attempt = Callable[..., "list[Response | Failed]"]
KINDS = ["sync", *MAKERS]


@pytest.fixture(params=KINDS)
def attempt(request: pytest.FixtureRequest) -> Attempt:
    """Makes the same request several times over one driver of each kind, and returns what came."""

    def together(url: str, times: int = 1, timeout: float = 20.0, method: str = "POST") -> list[Response | Failed]:
        asked = Request(method, f"{url}/path", json={"a": 1} if method == "POST" else None, at="clients_api")
        if request.param == "sync":
            with SyncDriver(timeout=timeout) as driver:
                return [driver.attempt(asked) for _ in range(times)]

        async def one_by_one() -> list[Response | Failed]:
            async with MAKERS[request.param](timeout=timeout) as driver:
                return [await driver.attempt(asked) for _ in range(times)]

        return asyncio.run(one_by_one())

    return together


@pytest.mark.parametrize("name", CASES)
def test_a_failure_says_how_far_the_request_got(attempt: Attempt, name: str) -> None:
    """What may be tried again depends on it: what never left, may have arrived, or was answered in pieces."""
    case = CASES[name]
    with case_server(case) as server:
        (came,) = attempt(server.url, timeout=case.timeout)
    assert len(server.arrived) == case.arrives, "a driver tries once"
    if case.whole and isinstance(came, Response):
        with contextlib.suppress(NotJson):
            came.json()
            pytest.fail("only its reader can tell that this is broken")
        return
    assert isinstance(came, Failed)
    assert came.fate is case.fate or (case.races and came.fate is Fate.NEVER_SENT)
    assert (came.reused, came.own) == (False, False)
    assert case.whole or came.error.code == case.code
    assert came.status == (200 if case.fate is Fate.BROKEN else None)
    assert came.error.__cause__ is came.error.__context__ is None


def test_a_kept_connection_that_the_server_has_just_closed_is_told_apart(attempt: Attempt) -> None:
    """That failure says nothing of the server's health."""
    with failing_server(answer_once_then_reset) as server:
        first, second, third = attempt(server.url, times=3)
    assert isinstance(first, Response)
    assert isinstance(second, Failed)
    assert (second.fate, second.reused) == (Fate.MAYBE_SENT, True)
    assert isinstance(third, Response)
    assert len(server.arrived) == 3


def test_a_connection_is_used_again(attempt: Attempt) -> None:
    with failing_server(say_on(OK)) as server:
        assert [isinstance(came, Response) for came in attempt(server.url, times=3)] == [True] * 3
        assert len(server.open) <= 1


def test_a_trickling_answer_ends_with_its_time(attempt: Attempt) -> None:
    """A limit that counts anew from byte to byte would never end."""
    with failing_server(trickle(0.02)) as server:
        began = time.monotonic()
        (came,) = attempt(server.url, timeout=0.3)
        took = time.monotonic() - began
    assert isinstance(came, Failed)
    assert (came.fate, came.error.code, came.status) == (Fate.BROKEN, "NET-TIMEOUT", 200)
    assert 0.3 <= took < 3, "far below the hundred seconds of the whole answer"


def test_the_wait_for_a_free_connection_is_our_own_fault() -> None:
    """The server has done nothing wrong, so the error counts connections and does not speak of the host's silence."""
    patience = Patience(pool=0.05, connections=1)

    async def two_at_once() -> list[Response | Failed]:
        async with AsyncDriver(timeout=5, patience=patience) as driver:
            first = asyncio.create_task(driver.attempt(Request("GET", server.url)))
            while not server.arrived:
                await asyncio.sleep(0.01)
            second = await driver.attempt(Request("GET", server.url))
            first.cancel()
            return [second]

    with failing_server(never_answer) as server:
        (failed,) = asyncio.run(two_at_once())
    assert isinstance(failed, Failed)
    assert (failed.fate, failed.own, failed.error.code) == (Fate.NEVER_SENT, True, "NET-POOL")
    assert "all 1 connections" in str(failed.error)


@pytest.mark.parametrize(
    ("patience", "fate"), [(Patience(read=0.1), Fate.MAYBE_SENT), (Patience(connect=0.1), Fate.NEVER_SENT)]
)
def test_each_limit_fires_alone(patience: Patience, fate: Fate) -> None:
    """A read timeout may have been carried out; a host that does not even take the connection has seen nothing."""
    with failing_server(never_answer) as server, SyncDriver(timeout=30, patience=patience) as driver:
        # 192.0.2.0/24 is for documentation (RFC 5737): where it is not refused at once, it never answers.
        url = server.url if fate is Fate.MAYBE_SENT else "http://192.0.2.1"
        failed = driver.attempt(Request("GET", url))
    assert isinstance(failed, Failed)
    assert failed.fate is fate
    assert isinstance(failed.error, NetworkError)


def test_no_part_of_an_exchange_may_take_more_than_is_left_of_it() -> None:
    now = 100.0
    limits = Remaining(Patience(connect=5, read=15), 10, clock=lambda: now)
    assert (limits.get("connect"), limits.get("read"), limits.over) == (5, 10, False)
    now = 108.0
    assert (limits.get("connect"), limits.get("read")) == (2, 2)
    now = 110.0
    assert limits.over
    assert limits.get("read") > 0, "zero would be no limit"


def test_a_flow_runs_without_an_event_loop() -> None:
    def flow() -> Flow[object]:
        answer = yield Request("GET", server.url)
        return answer.json()

    with failing_server(say_on(OK)) as server, SyncDriver(base_url=server.url) as driver:
        assert driver.run(flow()) == {"a": 1}
