"""What a call costs over the bare transport: gate, token, breakers, budget, events and all, when nothing fails.

The transport answers at once, from memory, so that only our own work is measured: in processor time, and by the best of
many short rounds, as others use the machine too. Beside it stands what the driver and httpx2 need for one exchange with
a transport of the same kind. Usage: python bench/bench_call_overhead.py [ROUNDS]
"""

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable

import httpx2
import verdict

from ringlight.http.async_calling import AsyncCaller
from ringlight.http.async_keeping import AsyncTokenKeeper
from ringlight.http.calling import Caller
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request, Response
from ringlight.http.keeping import TokenKeeper
from ringlight.http.reach import Patience
from ringlight.http.sync_driver import SyncDriver
from ringlight.partner.call import Call
from ringlight.resilience.actions import Bearer, Failed
from ringlight.resilience.operation import Operation
from ringlight.resilience.shared import Shared
from ringlight.resilience.token_state import TokenState
from ringlight.secrets import Secret
from ringlight.settings import ResilienceSettings

SYNC_GOAL, ASYNC_GOAL = 40.0, 80.0  # microseconds a call
CALLS = 200  # of a round
BODY = b'{"data":{"type":"devices","id":"1","attributes":{"name":"Front Door"}}}'
FIELDS = {"content-type": "application/json", "x-request-id": "1", "x-ratelimit-limit": "2000000"}
REQUEST = Request("GET", "https://api.amazonvision.com/v1/devices/1", at="partner", bearer=Secret("t"))
CALL = Call(Operation("devices.one"), Request("GET", REQUEST.url, at="partner"), Response.json)
ANSWER = Response(200, FIELDS, BODY)


class Memory:
    def attempt(self, request: Request) -> Response | Failed:
        return ANSWER


class AsyncMemory:
    async def attempt(self, request: Request) -> Response | Failed:
        return ANSWER


def refresh(_: Bearer | None) -> Bearer:
    return Bearer(1, Secret("t"), time.monotonic() + 14_400)


async def arefresh(refused: Bearer | None) -> Bearer:
    return refresh(refused)


def token_state() -> TokenState:
    return TokenState(advisory=300.0, mandatory=30.0, pause=5.0)


def shared() -> Shared:
    """The machines as they are by default, but with a gate that lets everything through at once."""
    return Shared(ResilienceSettings(gate_rate=1e6, gate_burst=100_000), random.Random(1).random)


def answer(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, headers=FIELDS, content=BODY)


def best(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(CALLS):
            work()
        times.append((time.process_time() - began) / CALLS * 1e6)
    return min(times)


async def abest(work: Callable[[], Awaitable[object]], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(CALLS):
            await work()
        times.append((time.process_time() - began) / CALLS * 1e6)
    return min(times)


def sync_cost(rounds: int) -> tuple[float, float, float]:
    """Microseconds of the bare transport, of a call over it, and of an exchange of httpx2."""
    driver, keeper = Memory(), TokenKeeper(refresh, token_state())
    client = Caller(driver, shared(), keeper)
    with SyncDriver(transport=httpx2.MockTransport(answer)) as real:
        bare = best(lambda: driver.attempt(REQUEST).json(), rounds)  # type: ignore[union-attr]
        return bare, best(lambda: client.call(CALL), rounds), best(lambda: real.send(REQUEST).json(), rounds // 5)


async def async_cost(rounds: int) -> tuple[float, float, float]:
    """The same with an event loop."""
    driver, keeper = AsyncMemory(), AsyncTokenKeeper(arefresh, token_state())
    client = AsyncCaller(driver, shared(), keeper)

    async def bare() -> object:
        return (await driver.attempt(REQUEST)).json()  # type: ignore[union-attr]

    async with AsyncDriver(transport=httpx2.MockTransport(answer), patience=Patience()) as real:

        async def exchange() -> object:
            return (await real.send(REQUEST)).json()

        return (
            await abest(bare, rounds),
            await abest(lambda: client.call(CALL), rounds),
            await abest(exchange, rounds // 5),
        )


def report(name: str, cost: tuple[float, float, float], goal: float) -> None:
    bare, call, exchange = cost
    over = call - bare
    print(f"{name:5} bare transport {bare:6.1f} µs, a call over it {call:6.1f} µs: {over:5.1f} µs more")
    print(
        f"{'':5} one exchange of httpx2 in memory {exchange:6.1f} µs: the pipeline adds {over / exchange:.0%} to that"
    )
    verdict.goal(f"{name}: what a call adds to the bare transport", over, goal, "µs")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    report("sync", sync_cost(rounds), SYNC_GOAL)
    report("async", asyncio.run(async_cost(rounds)), ASYNC_GOAL)


if __name__ == "__main__":
    main()
