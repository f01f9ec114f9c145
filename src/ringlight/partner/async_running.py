"""Holds conversations and fetches footage on an event loop: the first one that uses it, and no other."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from ringlight.errors import RingError
from ringlight.http.async_calling import AsyncCaller
from ringlight.http.bus import Bus
from ringlight.http.flow import drive
from ringlight.http.opening import Session, open_driver
from ringlight.http.ports import AsyncKeeper, AsyncRateGate
from ringlight.http.sending import Sending
from ringlight.http.shared_gate import AsyncSharedGate
from ringlight.http.telemetry import Telemetry
from ringlight.http.unread import AsyncUnread
from ringlight.partner import download
from ringlight.partner.async_keeping import AsyncLinkKeeper
from ringlight.partner.bearers import AsyncOneToken
from ringlight.partner.call import Call, Conversation
from ringlight.partner.last_known import key_of, marked
from ringlight.partner.media import Head, Wish
from ringlight.partner.raw import note
from ringlight.partner.running import USER_AGENT, Progress, Target, link_of, sink_of, token_call
from ringlight.partner.setup import Setup
from ringlight.partner.token_calls import Grant
from ringlight.resilience.events import Event
from ringlight.resilience.options import Options
from ringlight.resilience.shared import Shared

__all__ = ["AsyncRunner"]

T = TypeVar("T")


class AsyncRunner:
    """One account's calls, on one event loop.

    Args:
        setup: What it is made from.
        gate: A gate that is shared with other processes; `None` is the one that the settings name, or one of its own.
        telemetry: Spans and metrics; `None` makes none.
        session: An `aiohttp.ClientSession` that the program has already; it stays open.
        driver: Sends requests; `None` makes one. It is closed with the runner.
        clock: Monotonic seconds.
        sleep: Waits.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        gate: AsyncRateGate | None = None,
        telemetry: Telemetry | None = None,
        session: "Session | None" = None,
        driver: Sending | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.setup = setup
        self.bus = Bus()
        self.shared = Shared(setup.resilience, random.SystemRandom().random)
        self.clock = clock
        self._sleep = sleep
        self._driver = driver or open_driver(
            session, timeout=setup.resilience.total, base_url=None, near=setup.ring_url, user_agent=USER_AGENT,
            patience=setup.patience,
        )  # fmt: skip
        self._link = link_of(setup)
        self._keeper = (
            None if self._link is None else AsyncLinkKeeper(self._link, setup.store, self._send, tell=self._tell)
        )
        keeper: AsyncKeeper = self._keeper or AsyncOneToken(setup.one_token)
        self._gate = setup.shared_gate(AsyncSharedGate) if gate is None else None
        gate = gate or self._gate
        self._caller = AsyncCaller(
            self._driver, self.shared, keeper, bus=self.bus, gate=gate, telemetry=telemetry, clock=clock, sleep=sleep
        )

    async def run(self, conversation: Conversation[T], options: Options) -> T:
        """Hold a conversation to its end; raise what it raises, or one of its calls."""

        async def make(call: Call[Any]) -> Any:
            return await self._make(call, options)

        return await drive(conversation, make)

    async def fetch(self, wish: Wish, target: Target, progress: Progress | None, options: Options) -> download.Saved:
        """Fetch footage into a file or another sink, which is written to on the event loop; see `download`."""
        sink, unread = sink_of(target), AsyncUnread(self._driver)
        caller = self._caller.over(unread)
        patient = replace(options, fresh_until=0.0)
        plan = download.download(wish, options.attempts)
        try:
            step = next(plan)
            while True:
                said: Head | RingError | bytes | None = None
                try:
                    said = await self._do(step, caller, unread, patient)
                except RingError as error:
                    said = error
                if isinstance(step, download.Restart):
                    sink.restart()
                elif isinstance(step, download.Write):
                    sink.write(step.piece)
                    if progress is not None:
                        progress(step.done, step.total)
                step = plan.send((time.time(), said))
        except StopIteration as end:
            await asyncio.shield(asyncio.to_thread(sink.finish))  # it waits for the disk
            saved: download.Saved = end.value
            return saved
        except BaseException:
            sink.discard()
            raise
        finally:
            await unread.aclose()

    async def aclose(self) -> None:
        """Wait for a renewal of the tokens that is under way, then close connections and store."""
        if self._keeper is not None:
            await self._keeper.aclose()
        await self._driver.aclose()
        if self._gate is not None:
            await self._gate.aclose()
        if self.setup.is_own_store:
            await asyncio.to_thread(self.setup.store.close)

    async def _make(self, call: Call[Any], options: Options) -> Any:
        account = self.setup.account
        done = await self._caller.call(call, options=options, keep=key_of(call, account), account=account)
        note(done)
        return marked(done.value, done.stale)

    async def _do(
        self, step: download.Step, caller: AsyncCaller, unread: AsyncUnread, options: Options
    ) -> Head | RingError | bytes | None:
        if isinstance(step, download.Open):
            await unread.aclose()
            done = await caller.call(step.call, options=options, account=self.setup.account)
            note(done)
            head: Head = done.value
            return head
        if isinstance(step, download.Read):
            return await unread.read()
        if isinstance(step, download.Wait):
            await self._sleep(step.seconds)
        return None

    async def _send(self, call: Call[Grant]) -> Grant:
        done = await self._caller.call(token_call(call, self.setup), options=Options(gate=False))
        grant: Grant = done.value
        return grant

    def _tell(self, event: Event) -> None:
        self.bus.post([event])
