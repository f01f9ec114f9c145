"""Calls that are cancelled, at any moment and at every step: they count for nothing and leave nothing behind."""

import asyncio
import random

import pytest
from both_drivers import MAKERS
from fault_server import OK, failing_server, never_answer, say_on
from shells import ANSWER, GOOD, Answering, Tokens, asks, one_by_one, shared, token_state

from ringlight.errors import RingError
from ringlight.http.async_calling import AsyncCaller
from ringlight.http.async_keeping import AsyncTokenKeeper
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request, Response
from ringlight.http.reach import Patience
from ringlight.resilience.actions import Bearer, Failed


@pytest.mark.parametrize("library", MAKERS)
def test_cancelled_calls_leave_a_client_that_works(library: str) -> None:
    """Hundreds of callers give up at any moment; nothing of what they held is missing afterwards."""
    dice = random.Random(1)
    machines = shared(gate_rate=1e5, gate_burst=10_000)

    async def churn(client: AsyncCaller, url: str) -> None:
        for _ in range(15):
            call = asyncio.create_task(client.call(asks(url, bearer=True)))
            await asyncio.sleep(dice.uniform(0, 0.004))
            call.cancel()
            call.cancel()  # as an outer time limit and its caller may at once
            await asyncio.gather(call, return_exceptions=True)

    async def main(url: str) -> list[object]:
        async with MAKERS[library](patience=Patience(connections=4)) as driver:
            client = AsyncCaller(driver, machines, AsyncTokenKeeper(Tokens().arefresh, token_state()))
            await asyncio.gather(*(churn(client, url) for _ in range(20)))
            return [done.value for done in await asyncio.gather(*(client.call(asks(url)) for _ in range(20)))]

    with failing_server(say_on(OK)) as server:
        assert asyncio.run(main(server.url)) == [GOOD] * 20
    assert machines.gate.waiting == 0


def test_a_cancelled_probe_lets_the_next_call_try() -> None:
    """It has no verdict: the service is neither well nor ill because somebody lost patience."""
    now = 0.0
    driver = Answering(Response(500))
    machines = shared(attempts=1, breaker_in_a_row=5, breaker_open=5.0, gate_burst=100)

    async def main() -> None:
        nonlocal now
        client = AsyncCaller(driver, machines, clock=lambda: now)
        for _ in range(5):
            with pytest.raises(RingError):
                await client.call(asks("http://h"))
        with pytest.raises(RingError, match="CALL-CIRCUIT"):
            await client.call(asks("http://h"))
        now, driver.answer, driver.going_on = 60.0, ANSWER, asyncio.Event()
        probe = asyncio.create_task(client.call(asks("http://h")))
        await asyncio.sleep(0)
        with pytest.raises(RingError, match="CALL-CIRCUIT"):
            await client.call(asks("http://h"))
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        driver.going_on = None
        assert (await client.call(asks("http://h"))).value == GOOD

    asyncio.run(main())


def test_a_cancelled_caller_gives_its_place_at_the_gate_to_the_next() -> None:
    machines = shared(gate_rate=0.001, gate_burst=1)

    async def main() -> None:
        client = AsyncCaller(Answering(), machines)
        await client.call(asks("http://h"))
        waiting = asyncio.create_task(client.call(asks("http://h", total=10_000)))
        await asyncio.sleep(0)
        assert machines.gate.waiting == 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert machines.gate.waiting == 0

    asyncio.run(main())


def test_a_call_cancelled_at_any_of_its_steps_leaves_nothing_behind() -> None:
    """The coroutine is taken one step further each time, and then cancelled there."""
    machines = shared(gate_rate=1e5, gate_burst=1000)

    async def main() -> None:
        for steps in range(12):
            driver = Answering()
            driver.going_on = asyncio.Event()
            client = AsyncCaller(driver, machines, AsyncTokenKeeper(Tokens().arefresh, token_state()))
            call = asyncio.create_task(client.call(asks("http://h", bearer=True)))
            for _ in range(steps):
                await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            driver.going_on = None
            assert (await client.call(asks("http://h", bearer=True))).value == GOOD
            assert machines.gate.waiting == 0

    asyncio.run(main())


@pytest.mark.parametrize("twice", [False, True])
def test_a_call_with_a_long_story_can_be_cancelled_at_every_await(twice: bool) -> None:
    """Its line at the gate, its renewals, a refusal, a failure, a pause: nothing of it stays behind."""

    class Tale(Answering):
        async def attempt(self, request: Request) -> Response | Failed:
            self.requests.append(request)
            await asyncio.sleep(0)
            answers = [Response(401), Response(503), Response(429, {"Retry-After": "1"})]
            return answers[len(self.requests) - 1] if len(self.requests) <= len(answers) else ANSWER

    async def main(steps: int) -> bool:
        loop, now, tokens = asyncio.get_running_loop(), 0.0, Tokens()

        async def sleep(seconds: float) -> None:
            nonlocal now
            await asyncio.sleep(0)
            now += seconds

        async def refresh(refused: Bearer | None) -> Bearer:
            await asyncio.sleep(0)
            return tokens.refresh(refused)

        machines = shared(gate_rate=1.0, gate_burst=1, breaker_in_a_row=2)
        keeper = AsyncTokenKeeper(refresh, token_state(), clock=lambda: now)
        client = AsyncCaller(Tale(), machines, keeper, clock=lambda: now, sleep=sleep)
        call = loop.create_task(client.call(asks("http://h", bearer=True, total=600)))
        for _ in range(steps):
            await asyncio.sleep(0)
        over = call.done()
        call.cancel()
        if twice:
            call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert machines.gate.waiting == 0
        now += 60.0
        client._driver = Answering()
        assert (await client.call(asks("http://h", bearer=True))).value == GOOD
        await keeper.aclose()
        assert tokens.renewals <= 2
        return over

    points = 0
    while not asyncio.run(main(points)):
        points += 1
    assert points > 10


def test_cancelling_counts_for_nothing() -> None:
    """Ten callers who lose patience are no ten failures of the service."""
    machines = shared(breaker_in_a_row=5)

    async def main(url: str) -> None:
        async with AsyncDriver() as driver:
            client = AsyncCaller(driver, machines)
            for _ in range(10):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.02):
                        await client.call(asks(url))

    with failing_server(never_answer) as server:
        asyncio.run(main(server.url))
    (error,) = one_by_one("sync", [asks("http://127.0.0.1:1")], machines=machines)
    assert isinstance(error, RingError)
    assert error.code == "NET-UNREACHABLE", "no breaker stands in the way"
