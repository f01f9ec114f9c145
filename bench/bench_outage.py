"""1,000 calls, a hundred a second, while the server answers 503 to everything: who leaves it in peace, and who notices
first that it is back?

In the same run: httpx2 as it is, the policy of OpenAI's client (two retries; written here anew from its description),
stamina and httpware with their defaults, and Ringlight. The server is a process of its own, and what counts are the
requests that reached it. After the outage a call is made every 50 ms until one succeeds; Ringlight's should be there
within one probe interval, the wait that its breaker had named last. What is not installed is left out.
Usage: python bench/bench_outage.py [CALLS]
"""

import asyncio
import importlib
import logging
import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import verdict
from exact_server import Server, running

from ringlight.errors import RingError
from ringlight.http.async_calling import AsyncCaller
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request, Response
from ringlight.http.reach import Patience
from ringlight.partner.call import Call
from ringlight.resilience.events import BreakerOpened, Event
from ringlight.resilience.operation import Operation
from ringlight.resilience.shared import Shared
from ringlight.settings import ResilienceSettings

PER_SECOND = 100
GOAL = 1.1  # requests per call
Try = Callable[[], Awaitable[object]]


async def plain(opened: AsyncExitStack, url: str) -> Try:
    client = await opened.enter_async_context(httpx2.AsyncClient())

    async def call() -> None:
        (await client.get(url)).raise_for_status()

    return call


async def as_openai(opened: AsyncExitStack, url: str) -> Try:
    """Two retries after 408, 409, 429, 5xx and broken connections; half a second doubling to eight, less a quarter."""
    client = await opened.enter_async_context(httpx2.AsyncClient())

    async def call() -> None:
        for retry in range(3):
            try:
                answer = await client.get(url)
                if answer.status_code not in {408, 409, 429} and answer.status_code < 500:
                    return
                if retry == 2:
                    answer.raise_for_status()
            except httpx2.TransportError:
                if retry == 2:
                    raise
            await asyncio.sleep(min(0.5 * 2**retry, 8.0) * (1 - 0.25 * random.random()))

    return call


async def with_stamina(opened: AsyncExitStack, url: str) -> Try:
    stamina = importlib.import_module("stamina")
    stamina.instrumentation.set_on_retry_hooks([])
    return stamina.retry(on=httpx2.HTTPError)(await plain(opened, url))  # type: ignore[no-any-return]


async def with_httpware(opened: AsyncExitStack, url: str) -> Try:
    httpware: Any = importlib.import_module("httpware")
    bare = await opened.enter_async_context(httpx2.AsyncClient())
    client = httpware.AsyncClient(httpx2_client=bare, middleware=[httpware.AsyncRetry()])

    async def call() -> None:
        (await client.get(url)).raise_for_status()

    return call


class Ours:
    """Ringlight, and how long its breaker said that it would wait."""

    interval = 0.0

    async def __call__(self, opened: AsyncExitStack, url: str) -> Try:
        driver = await opened.enter_async_context(AsyncDriver(patience=Patience()))
        client = AsyncCaller(driver, Shared(ResilienceSettings(), random.random))
        client.bus.listen(self._hear)
        call = Call(Operation("devices.list"), Request("GET", url, at="partner"), Response.json, bearer=False)
        return lambda: client.call(call)

    def _hear(self, event: Event) -> None:
        if isinstance(event, BreakerOpened):
            self.interval = event.seconds


async def attempt(call: Try) -> bool:
    try:
        await call()
    except (RingError, httpx2.HTTPError):
        return False
    except Exception as error:  # each library has its own
        if not type(error).__module__.startswith("httpware"):
            raise
        return False
    return True


async def outage(make: Callable[[AsyncExitStack, str], Awaitable[Try]], server: Server, calls: int) -> list[float]:
    """Return requests per call, calls that succeeded, the longest call's seconds, and those until the first success."""
    async with AsyncExitStack() as opened:
        call = await make(opened, f"{server.url}/v1/devices")
        server.say("down")
        server.say("anew")
        longest = 0.0

        async def one() -> bool:
            nonlocal longest
            began = time.monotonic()
            good = await attempt(call)
            longest = max(longest, time.monotonic() - began)
            return good

        began, tasks = time.monotonic(), []
        for number in range(calls):
            tasks.append(asyncio.create_task(one()))
            await asyncio.sleep(max(began + number / PER_SECOND - time.monotonic(), 0.0))
        good = sum(await asyncio.gather(*tasks))
        requests = server.say("up").requests
        back = time.monotonic()
        for _ in range(2000):
            if await attempt(call):
                break
            await asyncio.sleep(0.05)
        return [requests / calls, good, longest, time.monotonic() - back]


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    logging.disable(logging.CRITICAL)
    ours = Ours()
    rows: list[tuple[str, Callable[[AsyncExitStack, str], Awaitable[Try]]]] = [
        ("Ringlight", ours),
        ("httpx2 as it is", plain),
        ("OpenAI's policy on httpx2", as_openai),
        ("httpware, AsyncRetry()", with_httpware),
        ("stamina.retry()", with_stamina),
    ]
    print(f"{calls} calls, {PER_SECOND} a second, all answered 503")
    print(f"{'':26} {'requests a call':>15} {'longest call':>13} {'back after':>11}")
    with running(1_000_000) as server:
        for name, make in rows:
            try:
                amplification, _, longest, back = asyncio.run(outage(make, server, calls))
            except ImportError:
                print(f"{name:26} is not installed")
                continue
            print(f"{name:26} {amplification:15.3f} {longest:11.2f} s {back:9.2f} s", flush=True)
            if make is ours:
                verdict.goal("outage: requests for each call", amplification, GOAL)
                verdict.goal("outage: back after", back, ours.interval, "s")


if __name__ == "__main__":
    main()
