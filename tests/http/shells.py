"""Both shells over every transport, made the same way for tests that hold for all of them."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from both_drivers import MAKERS

from ringlight.errors import RingError, fault_error
from ringlight.http.async_calling import AsyncCaller
from ringlight.http.async_keeping import AsyncTokenKeeper
from ringlight.http.calling import Caller
from ringlight.http.flow import NotJson, Request, Response
from ringlight.http.keeping import TokenKeeper
from ringlight.http.sync_driver import SyncDriver
from ringlight.http.telemetry import Telemetry
from ringlight.partner.call import Call
from ringlight.resilience.actions import Bearer, Failed
from ringlight.resilience.events import Event
from ringlight.resilience.operation import Operation, Repeat
from ringlight.resilience.options import Options
from ringlight.resilience.pipeline import Done
from ringlight.resilience.shared import Shared
from ringlight.resilience.token_state import TokenState
from ringlight.secrets import Secret
from ringlight.settings import ResilienceSettings

KINDS = ["sync", *MAKERS]
ANSWER = Response(200, {}, b'{"a":1}')
GOOD = {"a": 1}


def shared(**settings: Any) -> Shared:
    """The machines, with dice that make every pause as short as it may be."""
    return Shared(ResilienceSettings(**settings), lambda: 0.0)


def token_state() -> TokenState:
    return TokenState(advisory=300.0, mandatory=30.0, pause=5.0)


def decode(answer: Response) -> object:
    try:
        return answer.json()
    except NotJson:
        raise fault_error("PARTNER-ANSWER", f"HTTP {answer.status}: no JSON") from None


def asks(
    url: str, repeat: Repeat = Repeat.SAFE, *, bearer: bool = False, total: float | None = None, **request: Any
) -> Call[object]:
    method = request.pop("method", "POST" if repeat is Repeat.ONCE else "GET")
    operation = Operation("devices.list", repeat, total=total)
    return Call(operation, Request(method, f"{url}/v1/devices", at="partner", **request), decode, bearer=bearer)


@dataclass
class Tokens:
    """A token service that counts its renewals."""

    renewals: int = 0

    def refresh(self, refused: Bearer | None) -> Bearer:
        self.renewals += 1
        return Bearer(self.renewals, Secret(f"token{self.renewals}"))

    async def arefresh(self, refused: Bearer | None) -> Bearer:
        return self.refresh(refused)


def one_by_one(
    kind: str,
    calls: Iterable[Call[Any]],
    *,
    machines: Shared | None = None,
    tokens: Tokens | None = None,
    timeout: float = 20.0,
    options: Options | None = None,
    telemetry: Telemetry | None = None,
    hook: Callable[[Event], object] | None = None,
) -> list[Done | RingError]:
    """Make calls, one after the other, with one client; return what each came to."""
    machines, tokens = machines or shared(), tokens or Tokens()
    came: list[Done | RingError] = []
    if kind == "sync":
        with SyncDriver(timeout=timeout) as driver:
            client = Caller(driver, machines, TokenKeeper(tokens.refresh, token_state()), telemetry=telemetry)
            if hook is not None:
                client.bus.listen(hook)
            for call in calls:
                try:
                    came.append(client.call(call, options=options))
                except RingError as error:
                    came.append(error)
        return came

    async def each() -> None:
        async with MAKERS[kind](timeout=timeout) as driver:
            client = AsyncCaller(
                driver, machines, AsyncTokenKeeper(tokens.arefresh, token_state()), telemetry=telemetry
            )
            if hook is not None:
                client.bus.listen(hook)
            for call in calls:
                try:
                    came.append(await client.call(call, options=options))
                except RingError as error:
                    came.append(error)

    asyncio.run(each())
    return came


class Answering:
    """A transport that answers at once, or when told."""

    def __init__(self, answer: Response = ANSWER) -> None:
        self.requests: list[Request] = []
        self.answer = answer
        self.going_on: asyncio.Event | None = None

    async def attempt(self, request: Request) -> Response | Failed:
        self.requests.append(request)
        if self.going_on is not None:
            await self.going_on.wait()
        return self.answer
