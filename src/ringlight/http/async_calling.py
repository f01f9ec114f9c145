"""The shell that makes calls on an event loop: the first one that uses it, and no other.

It decides nothing, as `calling` does not. A caller that is cancelled gives back what the call held: its place at the
gate, a breaker's probe, its connection; and cancelling is no failure of anything.
"""

import asyncio
import copy
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

from ringlight.errors import RingError, fault_error
from ringlight.http.bus import Bus
from ringlight.http.flow import Response, drive
from ringlight.http.hearing import Hearing
from ringlight.http.ports import AsyncKeeper, AsyncRateGate, AsyncTransport
from ringlight.http.telemetry import Telemetry
from ringlight.http.visit import Asked, Visit, adjust
from ringlight.resilience import actions
from ringlight.resilience.options import Options
from ringlight.resilience.pipeline import Done, run
from ringlight.resilience.shared import Shared
from ringlight.resilience.stale import Key

__all__ = ["AsyncCaller"]

T = TypeVar("T")


class AsyncCaller(Hearing):
    """Makes calls. Its arguments are those of `Caller`; `sleep` is awaited."""

    def __init__(
        self,
        driver: AsyncTransport,
        shared: Shared,
        keeper: AsyncKeeper | None = None,
        *,
        bus: Bus | None = None,
        gate: AsyncRateGate | None = None,
        telemetry: Telemetry | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._driver = driver
        self._shared = shared
        self._keeper = keeper
        self.bus = bus or Bus()
        self._gate = gate
        self._telemetry = telemetry
        self._clock = clock
        self._sleep = sleep
        self._loop: asyncio.AbstractEventLoop | None = None
        shared.outbox.listening = True
        if gate is not None:
            shared.give_up = gate.release

    def over(self, driver: AsyncTransport) -> "AsyncCaller":
        """Return this caller with another way to send, all else shared."""
        other = copy.copy(self)
        other._driver = driver
        return other

    async def run(self, conversation: Generator[Asked, Any, T], *, options: Options | None = None) -> T:
        """Hold a conversation to its end and return its result.

        Raises:
            RingError: What the conversation itself raises, or one of its calls.
        """

        async def call(asked: Asked) -> Any:
            return (await self.call(asked, options=options)).value

        return await drive(conversation, call)

    async def call(
        self, asked: Asked, *, options: Options | None = None, keep: Key | None = None, account: str = ""
    ) -> Done:
        """Make one call and return what it came to. Its arguments are those of `Caller.call`.

        Raises:
            RingError: As `resilience.pipeline.run` does.
            UsageError: REQUEST-LOOP, it belongs to another event loop.
        """
        self._on_this_loop()
        visit = Visit(asked, self._telemetry)
        steps = run(
            asked.operation, self._shared, self._clock(),
            options=options, keep=keep, account=account, bearer=asked.bearer,
        )  # fmt: skip
        reply: actions.Reply | None = None
        try:
            while True:
                action = next(steps) if reply is None else steps.send(reply)
                events = self._shared.outbox.drain()
                if events:
                    self.bus.post(events)
                result = await self._do(action, visit)
                reply = self._clock(), result
        except StopIteration as end:
            done: Done = end.value
            visit.end(None)
            return done
        except RingError as error:
            ours = visit.failed(error)
        finally:
            steps.close()  # gives back what the call still held, where it was cancelled
            events = self._shared.outbox.drain()
            visit.close()
            if events:
                self.bus.post(events)
        raise ours

    def _on_this_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise fault_error("REQUEST-LOOP")

    async def _do(self, action: actions.Action, visit: Visit) -> actions.Result:
        if isinstance(action, actions.Send):
            request = visit.request(action)
            try:
                came: Response | actions.Failed | RingError = await self._driver.attempt(request)
            except RingError as error:
                came = error
            return visit.outcome(came)
        if isinstance(action, actions.Reserve):
            if self._gate is not None:
                return await self._gate.reserve(action.lane, action.within, action.place)
            return self._shared.gate.reserve(action.lane, self._clock(), action.within, action.place)
        if isinstance(action, actions.Sleep):
            await self._sleep(action.seconds)
        elif isinstance(action, actions.Authorize):
            return await self._keeper.bearer(action.within) if self._keeper is not None else None
        elif isinstance(action, actions.Rejected):
            if self._keeper is not None:
                self._keeper.rejected(action.id)
        else:
            await self._adjust(action)
        return None

    async def _adjust(self, action: actions.Pause | actions.SetRate) -> None:
        if self._gate is None:
            adjust(self._shared.gate, action, self._clock())
        elif isinstance(action, actions.Pause):
            await self._gate.pause(action.seconds)
        else:
            await self._gate.set_rate(action.per_second)
