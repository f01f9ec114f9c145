"""Handling what is in the inbox: by one process at a time, in order for each device, again where it failed."""

import asyncio
import contextlib
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ringlight.errors import RingError, fault_error
from ringlight.partner.webhooks.events import parse
from ringlight.partner.webhooks.handlers import Handler, Handlers
from ringlight.partner.webhooks.schedule import Schedule, Waiting
from ringlight.store.inbox import Change, Claim, Inbox, Kept, Settle, State
from ringlight.store.retention import ClockGuard, Limit

__all__ = ["Pace", "Worker"]

IN_MEMORY = 1000  # events that are read ahead
POLL = 1.0  # seconds; so late is seen what another process has stored, or a person wants replayed
SWEEP_EVERY = 300.0  # seconds
DEAD_KEPT = 30 * 86_400.0  # seconds in which a person may look at what was given up
CANCEL_PATIENCE = 1.0  # seconds that a handler gets to stop once it is told to
INTERRUPTED = "HOOK-INTERRUPTED"
log = logging.getLogger("ringlight.partner")

Write = Callable[[Change], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How events are handled.

    Attributes:
        at_once: How many at the same time, each of another device.
        attempts: How often one is tried before it goes to the dead letters.
        first_pause: Upper end of the pause after the first failure, in seconds; each further one is twice as long.
        longest_pause: No pause is longer than this, in seconds.
        timeout: Seconds that a handler may take.
        grace: Seconds that handlers get when the program stops.
        give_up_after: Seconds after its arrival from which an event that fails is not tried again; `None` is never.
    """

    at_once: int = 16
    attempts: int = 6
    first_pause: float = 1.0
    longest_pause: float = 300.0
    timeout: float = 60.0
    grace: float = 5.0
    give_up_after: float | None = None


class Worker:
    """Runs handlers. Only one process does for one inbox; others wait until it ends.

    Args:
        inbox: Where events wait.
        write: Changes it.
        handlers: What to do.
        pace: How.
        kept: Seconds for which what is done is remembered; `None` where somebody else sweeps.
        read: Makes of a row what handlers get.
        wall: The time of day in seconds.
    """

    def __init__(
        self, inbox: Inbox, write: Write, handlers: Handlers, pace: Pace, *, kept: float | None,
        read: Callable[[Kept], Any] = lambda row: parse(row.body), wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._inbox, self._write, self._handlers, self._pace = inbox, write, handlers, pace
        self._kept, self._read, self._wall = kept, read, wall
        self._guard = ClockGuard()
        self._name = secrets.token_hex(8)
        self._schedule = self._new_schedule()
        self._rows: dict[int, Kept] = {}
        self._check_turn: Callable[[], None] = lambda: None
        self._running: set[asyncio.Task[None]] = set()
        self._attempts: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._arrived = False
        self._last = 0
        self._stopping = False

    def wake(self) -> None:
        """Say that something has arrived."""
        self._arrived = True
        self._changed.set()

    async def run(self) -> None:
        """Handle events until cancelled; then those that run get their grace."""
        while True:
            with contextlib.ExitStack() as held:
                held.enter_context(await self._turn())
                try:
                    await self._work()
                    # The lock went with its connection. What runs here begins elsewhere only if it may be repeated.
                    log.warning("webhooks_turn_lost")
                    if self._running:
                        await asyncio.wait(self._running)
                except BaseException:
                    await self._finish()
                    raise
            self._schedule, self._last = self._new_schedule(), 0
            self._rows.clear()

    def _new_schedule(self) -> Schedule:
        pace = self._pace
        return Schedule(
            at_once=pace.at_once, attempts=pace.attempts, first=pace.first_pause, longest=pace.longest_pause,
            rand=random.SystemRandom().random,
        )  # fmt: skip

    async def _turn(self) -> AbstractContextManager[object]:
        """Wait until this is the process that handles events."""
        told = False
        while True:
            taking = asyncio.ensure_future(asyncio.to_thread(self._take))
            try:
                taken = await asyncio.shield(taking)
            except asyncio.CancelledError:
                with contextlib.suppress(RingError):
                    (await taking).close()
                raise
            except RingError as error:
                if not told:
                    log.info("webhooks_handled_elsewhere error=%s", error.code)
                    told = True
                await asyncio.sleep(POLL)
                continue
            return taken

    def _take(self) -> contextlib.ExitStack:
        held = contextlib.ExitStack()
        try:
            self._check_turn = held.enter_context(self._inbox.lock())
            given_up = self._inbox.take_over(self._is_repeatable, INTERRUPTED)
        except BaseException:
            held.close()
            raise
        if given_up:
            fault = fault_error(INTERRUPTED).fault
            log.warning("webhooks_interrupted code=%s count=%d fix=%s", fault.code, given_up, fault.fix)
        return held

    def _is_repeatable(self, kind: str) -> bool:
        handler = self._handlers.find(kind)
        return handler is None or handler.repeatable

    async def _work(self) -> None:
        """Handle events; return when it is not our turn any more."""
        loop = asyncio.get_running_loop()
        swept_at = polled_at = loop.time() - SWEEP_EVERY
        while True:
            self._changed.clear()
            try:
                if loop.time() - polled_at >= POLL:
                    polled_at = loop.time()
                    if not await asyncio.to_thread(self._is_our_turn):
                        return
                    await self._load(after=0)
                elif self._arrived and len(self._schedule) < IN_MEMORY:
                    await self._load(after=self._last)
                if loop.time() - swept_at >= SWEEP_EVERY:
                    swept_at = loop.time()
                    await self._sweep()
            except RingError as error:
                log.warning("webhook_inbox_unreachable error=%s", error.code)
            for event in self._schedule.start(loop.time()):
                task = asyncio.create_task(self._handle(event), name=f"webhook {event.number}")
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            await self._pause(polled_at + POLL - loop.time())

    def _is_our_turn(self) -> bool:
        try:
            self._check_turn()
        except RingError:
            return False
        return True

    async def _pause(self, longest: float) -> None:
        due = self._schedule.deadline
        seconds = longest if due is None else min(longest, due - asyncio.get_running_loop().time())
        if seconds > 0 and not (self._arrived and len(self._schedule) < IN_MEMORY):
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`: Python 3.11's loses a cancellation that comes together with the result.
                async with asyncio.timeout(seconds):
                    await self._changed.wait()

    async def _load(self, *, after: int) -> None:
        self._arrived = False
        rows = await asyncio.to_thread(self._inbox.waiting, after=after, limit=IN_MEMORY)
        if len(rows) == IN_MEMORY:
            self._arrived = True  # there is more
        for row in rows:
            if row.number not in self._schedule:
                self._rows[row.number] = row
                self._last = max(self._last, row.number)
        now = asyncio.get_running_loop().time()
        ahead = self._ahead(now)
        waiting = (Waiting(row.number, row.subject, row.attempts, row.due_at + ahead) for row in rows)
        self._schedule.add(waiting, now)

    def _ahead(self, now: float) -> float:
        # What is kept is a time of day, and that may be set; what waits here goes by a clock that is not.
        return now - self._wall()

    async def _sweep(self) -> None:
        if self._kept is None:
            return
        now = self._wall()
        by_age = self._guard.see(now, time.monotonic())
        kept: tuple[tuple[State, float], ...] = (("done", self._kept), ("dead", max(self._kept, DEAD_KEPT)))
        for state, seconds in kept:
            while await asyncio.to_thread(self._inbox.sweep, state, Limit(seconds), now, by_age):
                pass  # in steps, so that those who store what arrives come in between

    async def _handle(self, event: Waiting) -> None:
        """Handle one event and note what became of it."""
        try:
            claimed = await self._write(Claim(event.number, self._name))
        except RingError as error:
            log.warning("webhook_not_started error=%s", error.code)
            self._schedule.again(event.number, event.attempts, asyncio.get_running_loop().time() + POLL)
            self._changed.set()
            return
        if claimed:
            await self._run_claimed(event, self._rows[event.number])
        else:  # dropped or taken meanwhile
            self._schedule.ended(event.number)
        if event.number not in self._schedule:
            self._rows.pop(event.number, None)
        self._changed.set()

    async def _run_claimed(self, event: Waiting, row: Kept) -> None:
        """Handle it. What became of it is noted before the next of the same device begins: nothing is done twice."""
        problem = await self._attempt(row)
        tried = event.attempts + 1
        now = asyncio.get_running_loop().time()
        ahead = self._ahead(now)
        due = None if problem is None else self._schedule.next_try(tried, now)
        if problem == INTERRUPTED and not self._is_repeatable(row.type):
            due = None
        longest = self._pace.give_up_after
        if longest is not None and due is not None and due - ahead > row.received_at + longest:
            due = None
        if due is not None:
            await self._settle(Settle(event.number, self._name, "waiting", tried, due - ahead, problem))
            self._schedule.again(event.number, tried, due)
            return
        if problem is not None:
            fault = fault_error(problem.partition(":")[0]).fault
            log.error("webhook_dead code=%s type=%s number=%d fix=%s", fault.code, row.type, row.number, fault.fix)
        await self._settle(
            Settle(event.number, self._name, "done" if problem is None else "dead", tried, problem=problem)
        )
        self._schedule.ended(event.number)

    async def _attempt(self, row: Kept) -> str | None:
        """Run the handler; return what went wrong, or `None`."""
        handler = self._handlers.find(row.type)
        if handler is None:
            return None
        # A task of its own, so that the end of the program interrupts the handler and not what is noted of it.
        attempt = asyncio.create_task(_run(handler, row, self._read))
        self._attempts.add(attempt)
        await asyncio.wait({attempt}, timeout=self._pace.timeout)
        late = not attempt.done()
        if late:
            attempt.cancel()
            await asyncio.wait({attempt}, timeout=CANCEL_PATIENCE)
        self._attempts.discard(attempt)
        if self._stopping and (late or attempt.cancelled()):
            return INTERRUPTED
        if late or attempt.cancelled():
            log.warning("webhook_handler_late type=%s number=%d", row.type, row.number)
            return f"HOOK-HANDLER: not done in {self._pace.timeout:g} s"
        error = attempt.exception()
        if error is None:
            return None
        log.warning("webhook_handler_failed type=%s number=%d", row.type, row.number, exc_info=error)
        if isinstance(error, RingError) and error.code.startswith("HOOK-"):
            return f"{error.code}: {error.detail}"
        return f"HOOK-HANDLER: {type(error).__name__}"

    async def _settle(self, change: Settle) -> None:
        """Note what became of an event, however long the store is away: forgotten, it would be handled twice."""
        pause = 0.1
        while True:
            try:
                if not await self._write(change):
                    log.error("webhook_taken_over number=%d", change.number)
                return
            except RingError as error:
                problem = error.code
            if self._stopping:
                log.error("webhook_not_noted number=%d state=%s error=%s", change.number, change.state, problem)
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, 5.0)

    async def _finish(self) -> None:
        self._stopping = True
        if not self._running:
            return
        await asyncio.wait(self._running, timeout=self._pace.grace)
        for attempt in self._attempts:
            attempt.cancel()
        if self._running:
            await asyncio.wait(self._running)


async def _run(handler: Handler, row: Kept, read: Callable[[Kept], Any]) -> None:
    await handler.function(read(row))
