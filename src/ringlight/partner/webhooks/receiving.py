"""Webhooks as a whole: received, stored, answered, handled."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from ringlight.errors import RingError, fault_error
from ringlight.partner.webhooks.decision import ANSWER_WITHIN, Answer, Arrival, Notices, answer_to, judge
from ringlight.partner.webhooks.events import Event
from ringlight.partner.webhooks.handlers import Handlers
from ringlight.partner.webhooks.signature import Verifier
from ringlight.partner.webhooks.work import Pace, Worker
from ringlight.store.database import Database
from ringlight.store.group_commit import GroupCommit
from ringlight.store.inbox import Change, Inbox, Put

__all__ = ["Webhooks"]

log = logging.getLogger("ringlight.partner")


class Webhooks:
    """Receives webhooks and lets handlers work on them. Open it with `async with`.

    Args:
        verifier: Tells Ring's deliveries from others.
        database: `sqlite:///path` or `postgresql://…`; an open `Database` stays its owner's.
        handlers: What to do; `None` only keeps what arrives, for another process that has handlers.
        knows_account: Whether the app has a link with an account; `None` takes what is signed.
        pace: How handlers are run and tried again.
        kept: Seconds for which what arrived is remembered. It is never less than a replay could pass as fresh. `None`
            removes nothing, where somebody else does.
        answer_within: Seconds after which a delivery that is not stored is answered 503.
        on_refused: Called with what is also said in the log: why something was not taken, and how many such there were.
        on_taken: Called for each delivery that was taken.
        wall: The time of day in seconds.
        doubts_clock: Whether that has jumped and is not to be believed: a delivery whose signature is right and whose
            time is not is answered 503 then, so that Ring sends it again.
    """

    def __init__(
        self,
        verifier: Verifier,
        database: str | Database,
        handlers: Handlers | None = None,
        *,
        knows_account: Callable[[str], Awaitable[bool]] | None = None,
        pace: Pace | None = None,
        kept: float | None = 0.0,
        answer_within: float = ANSWER_WITHIN,
        on_refused: Callable[[RingError, int], None] = lambda *_: None,
        on_taken: Callable[[], None] = lambda: None,
        wall: Callable[[], float] = time.time,
        doubts_clock: Callable[[], bool] = lambda: False,
    ) -> None:
        self._verifier, self._handlers, self._knows_account = verifier, handlers, knows_account
        self._database = Database(database) if isinstance(database, str) else database
        self._owns = isinstance(database, str)
        self.inbox = Inbox(self._database)
        self.answer_within = answer_within
        self._pace, self._wall, self._on_refused = pace or Pace(), wall, on_refused
        self._on_taken = on_taken
        self._doubts_clock = doubts_clock
        self._kept = None if kept is None else max(kept, verifier.max_age + 2 * verifier.max_ahead)
        self._notices = Notices()
        self._opened = 0
        self._commits: GroupCommit[Change, bool] | None = None
        self._worker: Worker | None = None
        self._working: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._opened += 1
        if self._opened == 1:
            self._commits = GroupCommit(self.inbox.write)
            if self._handlers is not None:
                self._worker = Worker(
                    self.inbox, self._commits.write, self._handlers, self._pace, kept=self._kept, wall=self._wall
                )
                self._working = asyncio.create_task(self._worker.run(), name="webhook handlers")
                self._working.add_done_callback(_say_if_broken)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened -= 1
        if self._opened:
            return
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait({self._working})
        commits, self._commits, self._worker = self._commits, None, None
        if commits is not None:
            await commits.close()
        if self._owns:
            await asyncio.to_thread(self._database.close)

    async def receive(self, arrival: Arrival) -> Answer:
        """Judge a delivery and store it. Never raises, and returns in time whatever handlers and store do."""
        problem: RingError | None = None
        try:
            event = judge(arrival, self._verifier, now=self._wall())
            async with asyncio.timeout(self.answer_within):
                await self._take(event, arrival.body)
        except RingError as error:
            problem = error
        except TimeoutError:
            problem = fault_error("HOOK-BUSY", f"not stored in {self.answer_within:g} s")
        except Exception as error:
            log.exception("webhook_not_taken")
            problem = fault_error("HOOK-BUSY", type(error).__name__)
        answer = answer_to(problem)
        if problem is None:
            self._on_taken()
        else:
            self.refused(problem)
            if problem.code in _TIMES and self._doubts_clock():
                answer = Answer(503, problem.code)
        return answer

    def refused(self, problem: RingError) -> None:
        """Say in the log why something was not taken; seldom, however many there are."""
        count = self._notices.due(problem.code, time.monotonic())
        if count is not None:
            level = logging.WARNING if answer_to(problem).status < 500 else logging.ERROR
            log.log(level, "webhook_refused code=%s count=%d detail=%s", problem.code, count, problem.detail)
            self._on_refused(problem, count)

    async def _take(self, event: Event, body: bytes) -> None:
        if self._commits is None:
            raise fault_error("HOOK-BUSY", "the receiver is not open")
        if self._knows_account is not None and not await self._knows_account(event.account):
            raise fault_error("HOOK-ACCOUNT", f"…{event.account[-6:]}")
        put = Put(event.request_id, event.account, event.subject, event.type, body, self._wall())
        if await self._commits.write(put) and self._worker is not None:
            self._worker.wake()


_TIMES = ("HOOK-OLD", "HOOK-FUTURE")


def _say_if_broken(task: "asyncio.Task[None]") -> None:
    with contextlib.suppress(asyncio.CancelledError):
        if task.exception() is not None:
            log.critical("webhook_handlers_stopped", exc_info=task.exception())
