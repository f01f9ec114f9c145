"""What both shells promise beside the pipeline: threads, event loops, listeners, and a gate for many processes."""

import asyncio
import random
import threading
from dataclasses import fields, replace

import pytest
from both_drivers import MAKERS
from fault_server import OK, failing_server, say_on
from shells import ANSWER, GOOD, Answering, Tokens, asks, one_by_one, shared, token_state

from ringlight.errors import AuthError, RingError, UsageError, fault_error
from ringlight.http.async_calling import AsyncCaller
from ringlight.http.async_keeping import AsyncTokenKeeper
from ringlight.http.calling import Caller
from ringlight.http.flow import Request, Response
from ringlight.http.keeping import TokenKeeper
from ringlight.http.sync_driver import SyncDriver
from ringlight.partner.call import Conversation
from ringlight.resilience.actions import Failed, Fate, NoPlace, Place
from ringlight.resilience.events import Attempt, Event, Notice
from ringlight.resilience.notices import Topic
from ringlight.resilience.operation import Lane, Operation
from ringlight.resilience.pipeline import Done
from ringlight.resilience.stale import Key, Kind
from ringlight.secrets import Secret

UNAVAILABLE = b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"


class AnsweringNow:
    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer = ANSWER

    def attempt(self, request: Request) -> Response | Failed:
        self.requests.append(request)
        return self.answer


# Conversations


def _twice(url: str) -> Conversation[list[object]]:
    first = yield asks(url)
    try:
        yield asks(f"{url}/missing")
    except RingError as error:
        return [first, error.code]
    return [first]


def test_a_conversation_runs_on_both_shells_and_hears_of_failures_where_it_asks() -> None:
    class Missing(AnsweringNow):
        def attempt(self, request: Request) -> Response | Failed:
            return Response(404) if "missing" in request.url else ANSWER

    class MissingLater(Answering):
        async def attempt(self, request: Request) -> Response | Failed:
            return Missing().attempt(request)

    expected = [GOOD, "PARTNER-NOT-FOUND"]
    assert Caller(Missing(), shared()).run(_twice("http://h")) == expected
    assert asyncio.run(AsyncCaller(MissingLater(), shared()).run(_twice("http://h"))) == expected


def test_where_the_apis_rules_do_not_apply_the_call_itself_names_the_fault() -> None:
    """The token service says `invalid_grant` with a 400; its 503 is still repeated, for that rule holds everywhere."""
    answers = [Response(503), Response(503), Response(503), Response(400, {}, b'{"error":"invalid_grant"}')]

    class TokenEndpoint(AnsweringNow):
        def attempt(self, request: Request) -> Response | Failed:
            self.requests.append(request)
            return answers.pop(0)

    def refuse(answer: Response) -> RingError | None:
        return fault_error("AUTH-LINK-LOST" if answer.status == 400 else "AUTH-UNAVAILABLE")

    driver = TokenEndpoint()
    client, call = Caller(driver, shared(), sleep=lambda _: None), replace(asks("http://h"), refuse=refuse)
    with pytest.raises(AuthError, match="AUTH-UNAVAILABLE") as caught:
        client.call(call)
    assert len(driver.requests) == 3
    assert any(note.startswith("attempt 3") for note in caught.value.__notes__)
    with pytest.raises(AuthError, match="AUTH-LINK-LOST"):
        client.call(call)
    assert len(driver.requests) == 4


def test_nothing_of_a_request_is_lost_on_its_way() -> None:
    """Whatever part a request may have: one that is new has to be passed on too."""
    parts: dict[str, object] = {
        "method": "POST", "url": "http://h/", "headers": {"a": "b"}, "json": 1, "form": {"c": "d"}, "content": b"e",
        "at": "partner", "bearer": Secret("f"), "limit": 7, "timeout": 0.5, "hidden": True, "foreign": True,
    }  # fmt: skip
    assert set(parts) == {field.name for field in fields(Request)}
    driver = AnsweringNow()
    client = Caller(driver, shared(), TokenKeeper(Tokens().refresh, token_state()))
    client.call(replace(asks("http://h", bearer=True), request=Request(**parts)))  # type: ignore[arg-type]
    (sent,) = driver.requests
    changed = {"headers": {**sent.headers}, "bearer": Secret("token1")}
    assert {name: getattr(sent, name) for name in parts} == parts | changed
    assert sent.headers["a"] == "b"


# Threads


def test_threads_share_a_client_and_each_gets_its_own_answers() -> None:
    tokens, came = Tokens(), list[object]()
    with failing_server(say_on(OK)) as server, SyncDriver() as driver:
        client = Caller(driver, shared(gate_rate=1e5, gate_burst=1000), TokenKeeper(tokens.refresh, token_state()))

        def work() -> None:
            came.extend(client.call(asks(server.url, bearer=True)).value for _ in range(10))

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert came == [GOOD] * 160
    assert (len(server.arrived), tokens.renewals) == (160, 1)


def test_threads_among_faults_leave_the_machines_whole() -> None:
    """Sixteen threads, a service that fails in every way, tokens that are revoked: each call has its own end."""
    tokens, machines, dice = Tokens(), shared(gate_rate=1e6, gate_burst=10_000), random.Random(7)

    class Faulty(AnsweringNow):
        def attempt(self, request: Request) -> Response | Failed:
            chance = dice.random()
            if chance < 0.1:
                return Failed(Fate.MAYBE_SENT, fault_error("NET-TIMEOUT"), reused=chance < 0.05)
            if chance < 0.3:
                return Response(dice.choice([401, 404, 425, 429, 500, 503]), {"Retry-After": "1"})
            return Response(200, {}, f'"{request.url}"'.encode())

    passing, now = threading.Lock(), 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        with passing:
            now += seconds

    keeper = TokenKeeper(tokens.refresh, token_state(), clock=lambda: now)
    client = Caller(Faulty(), machines, keeper, clock=lambda: now, sleep=sleep)
    came: list[tuple[str, object]] = []
    lost: list[tuple[str | None, str]] = []

    def work(name: str) -> None:
        for number in range(40):
            url = f"http://{name}-{number}"
            try:
                came.append((f"{url}/v1/devices", client.call(asks(url, bearer=True, total=1e5)).value))
                sleep(0.5)
            except RingError as error:
                lost.append((error.operation, error.code))

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert len(came) + len(lost) == 640
    assert len(came) > 50
    assert {operation for operation, _ in lost} == {"devices.list"}
    assert all(url == value for url, value in came)
    assert machines.gate.waiting == 0
    assert 0 <= machines.budget.tokens <= 500


def test_a_call_that_waits_for_its_answer_holds_up_no_other() -> None:
    blocked, free = threading.Event(), threading.Event()

    class Blocking(AnsweringNow):
        def attempt(self, request: Request) -> Response | Failed:
            if not blocked.is_set():
                blocked.set()
                assert free.wait(20)
            return ANSWER

    client = Caller(Blocking(), shared())
    waiting = threading.Thread(target=client.call, args=(asks("http://h"),))
    waiting.start()
    assert blocked.wait(20)
    assert client.call(asks("http://h")).value == GOOD
    free.set()
    waiting.join()


def test_no_lock_is_held_while_anybody_sleeps() -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            assert client.call(asks("http://h", total=60)).value == GOOD

    now = 0.0

    def clock() -> float:
        return now + sum(slept)

    client = Caller(AnsweringNow(), shared(gate_rate=1.0, gate_burst=1), clock=clock, sleep=sleep)
    client.call(asks("http://h"))
    client.call(asks("http://h"))
    assert slept


# Tokens


def test_a_hundred_calls_with_a_revoked_token_are_one_renewal_and_two_hundred_requests() -> None:
    tokens = Tokens()

    class Revoking(Answering):
        async def attempt(self, request: Request) -> Response | Failed:
            self.requests.append(request)
            await asyncio.sleep(0)
            old = request.bearer is not None and request.bearer.reveal() == "token1"
            return Response(401) if old else ANSWER

    async def main() -> None:
        driver, machines = Revoking(), shared(gate_rate=1e5, gate_burst=1000)
        keeper = AsyncTokenKeeper(tokens.arefresh, token_state())
        client = AsyncCaller(driver, machines, keeper)
        await keeper.bearer(10)
        came = await asyncio.gather(*(client.call(asks("http://h", bearer=True)) for _ in range(100)))
        assert {done.attempts for done in came} == {2}
        assert (len(driver.requests), tokens.renewals) == (200, 2)

    asyncio.run(main())


# Event loops


def test_a_second_event_loop_is_told_so() -> None:
    client = AsyncCaller(Answering(), shared())

    async def call() -> Done:
        return await client.call(asks("http://h"))

    assert asyncio.run(call()).value == GOOD
    with pytest.raises(UsageError, match="REQUEST-LOOP"):
        asyncio.run(call())


# Listeners


@pytest.mark.parametrize("kind", ["sync", *MAKERS])
def test_a_listener_that_fails_fails_no_call(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []

    def hook(event: Event) -> None:
        heard.append(event)
        raise ValueError("of the listener")

    with failing_server(say_on(UNAVAILABLE, OK)) as server:
        (done,) = one_by_one(kind, [asks(server.url)], hook=hook)
    assert isinstance(done, Done)
    assert [event.status for event in heard if isinstance(event, Attempt)] == [503, 200]
    assert "of the listener" in caplog.text


def test_a_listener_may_make_calls_itself() -> None:
    client = Caller(AnsweringNow(), shared())
    heard: list[Event] = []

    def hook(event: Event) -> None:
        heard.append(event)
        if len(heard) < 3:
            client.call(asks("http://h"))

    client.bus.listen(hook)
    assert client.call(asks("http://h")).value == GOOD
    assert heard


# News from outside


@pytest.mark.parametrize("loop", [False, True], ids=["sync", "async"])
def test_a_webhook_reaches_the_machines_and_the_listeners(loop: bool) -> None:
    """A device that is back is asked at once; one that is gone is forgotten; both shells take the same news."""
    offline = Response(503, {}, b'{"errors": [{"title": "Device Unavailable"}]}')
    machines, heard, now = shared(), list[str](), 5.0
    asked = replace(asks("http://h"), operation=Operation("devices.status", device="a"))
    key = Key("ada", Kind.DEVICES)
    driver, later = Answering(), AnsweringNow()
    client = AsyncCaller(driver, machines, clock=lambda: now) if loop else Caller(later, machines, clock=lambda: now)

    def call() -> object:
        if isinstance(client, Caller):
            return client.call(asked, keep=key, account="ada").value
        return runner.run(client.call(asked, keep=key, account="ada")).value

    def hook(event: Event) -> None:
        if isinstance(event, Notice):
            heard.append(f"{event.topic} {event.subject} {event.over}")

    client.bus.listen(hook)
    with asyncio.Runner() as runner:
        driver.answer = later.answer = offline
        for _ in range(2):
            with pytest.raises(RingError, match="PARTNER-DEVICE-OFFLINE"):
                call()
        assert len(driver.requests) + len(later.requests) == 1
        client.device_online("a")
        driver.answer = later.answer = ANSWER
        assert call() == GOOD
    assert heard == ["device a False", "device a True"]
    assert machines.known.find(key, now)
    client.device_removed("ada", "a")
    assert machines.known.find(key, now) is None
    machines.notices.trouble(Topic.LINK, "ada", "LINK-LOST", now)
    client.link_back("ada")
    assert heard[2:] == ["link ada True"]


# A gate for many processes


class RemoteGate:
    def __init__(self, *said: Place | NoPlace) -> None:
        self.said = list(said)
        self.asked: list[Lane] = []
        self.paused: list[float] = []
        self.rates: list[float] = []

    def reserve(self, lane: Lane, within: float, place: int | None = None) -> Place | NoPlace:
        self.asked.append(lane)
        return self.said.pop(0)

    def release(self, place: int) -> None:
        raise AssertionError("nothing is given up here")

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)

    def set_rate(self, per_second: float) -> None:
        self.rates.append(per_second)


class AsyncRemoteGate:
    def __init__(self, gate: RemoteGate) -> None:
        self.gate = gate

    async def reserve(self, lane: Lane, within: float, place: int | None = None) -> Place | NoPlace:
        return self.gate.reserve(lane, within)

    def release(self, place: int) -> None:
        self.gate.release(place)

    async def pause(self, seconds: float) -> None:
        self.gate.pause(seconds)

    async def set_rate(self, per_second: float) -> None:
        self.gate.set_rate(per_second)


@pytest.mark.parametrize("loop", [False, True], ids=["sync", "async"])
def test_a_gate_for_many_processes_is_asked_instead_of_the_own_one(loop: bool) -> None:
    throttled = Response(429, {"Retry-After": "2"})
    gate = RemoteGate(Place(1.5), Place(0.0), NoPlace(99.0))
    slept: list[float] = []

    async def asleep(seconds: float) -> None:
        slept.append(seconds)

    if loop:
        driver = Answering(throttled)
        later = AsyncCaller(driver, shared(), gate=AsyncRemoteGate(gate), sleep=asleep)
        with pytest.raises(RingError):
            asyncio.run(later.call(asks("http://h")))
    else:

        class Throttled(AnsweringNow):
            def attempt(self, request: Request) -> Response | Failed:
                return throttled

        with pytest.raises(RingError):
            Caller(Throttled(), shared(), gate=gate, sleep=slept.append).call(asks("http://h"))
    assert slept[0] == 1.5
    assert gate.paused[0] == 2.0
    assert gate.rates
    assert gate.asked == [Lane.READ] * 3
