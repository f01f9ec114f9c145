"""Sends the webhooks of rooms: signed, in order for each room, again with growing pauses, for 72 hours at most.

They wait in the database, in the same transaction as what they tell of; the machinery that handles Ring's webhooks to
us hands them out, here to a receiver of the owner's.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import ringlight
from ringlight.errors import RingError, fault_error
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request
from ringlight.partner.webhooks.handlers import Handlers
from ringlight.partner.webhooks.work import Pace, Worker
from ringlight.rooms.telling import WebhookKey, delivery
from ringlight.secrets import Secret
from ringlight.settings import RoomSettings
from ringlight.store.database import Database
from ringlight.store.group_commit import GroupCommit
from ringlight.store.inbox import Change, Kept
from ringlight.store.room_rows import room_outbox

__all__ = ["RoomWebhooks", "Tried"]

ANSWER_WITHIN = 15.0  # seconds that a receiver has
GIVE_UP_AFTER = 72 * 3600.0  # seconds
# 5 s, 10 s, 20 s … an hour at most. How often is no limit of its own: 72 hours are.
PACE = Pace(
    at_once=8, attempts=10_000, first_pause=5.0, longest_pause=3600.0, timeout=2 * ANSWER_WITHIN,
    give_up_after=GIVE_UP_AFTER,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tried:
    """What came back for one attempt: the HTTP status, `None` where none came, and what was wrong with it."""

    status: int | None
    seconds: float
    problem: RingError | None


class RoomWebhooks:
    """The sender. Open it with `async with`.

    Args:
        url: Where to. It is the owner's own setting and comes from nowhere else, so it may be in a private network; no
            redirect is followed, so that no receiver can lead us elsewhere.
        key: Signs.
        database: Where deliveries wait; whoever opened it closes it.
        pace: How they are tried again.
    """

    def __init__(self, url: Secret, key: WebhookKey, database: Database, *, pace: Pace = PACE) -> None:
        self._url = url
        self._key = key
        self._outbox = room_outbox(database)
        self._pace = pace
        self._driver = AsyncDriver(
            timeout=ANSWER_WITHIN, near=url.reveal(), user_agent=f"Ringlight/{ringlight.__version__}"
        )
        self._commits: GroupCommit[Change, bool] | None = None
        self._worker: Worker | None = None
        self._working: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, settings: RoomSettings, database: Database) -> Self:
        """Return the sender that the settings ask for.

        Raises:
            SetupError: CFG-INVALID.
        """
        if settings.webhook_url is None or settings.webhook_secret is None:
            raise fault_error("CFG-INVALID", "rooms.webhook_secret: it is needed to sign what goes to webhook_url")
        return cls(settings.webhook_url, WebhookKey(settings.webhook_secret), database)

    async def __aenter__(self) -> Self:
        handlers = Handlers()

        @handlers.on(repeatable=True)
        async def deliver(kept: Kept) -> None:
            tried = await self._send(kept.request_id, kept.body)
            if tried.problem is not None:
                raise tried.problem

        self._commits = GroupCommit(self._outbox.write)
        self._worker = Worker(
            self._outbox,
            self._commits.write,
            handlers,
            self._pace,
            kept=None,
            read=lambda row: row,
        )
        self._working = asyncio.create_task(self._worker.run(), name="rooms: webhooks")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait({self._working})
        if self._commits is not None:
            await self._commits.close()
        await self._driver.aclose()

    def wake(self) -> None:
        """Say that something is to be sent."""
        if self._worker is not None:
            self._worker.wake()

    async def test(self) -> Tried:
        """Send one delivery that tells of nothing, once."""
        put = delivery("test", {}, time.time(), lambda: secrets.token_urlsafe(12))
        return await self._send(put.request_id, put.body)

    async def _send(self, name: str, body: bytes) -> Tried:
        headers = self._key.headers(name, body, time.time())
        request = Request("POST", self._url.reveal(), headers, content=body, at="partner", hidden=True)
        began = time.monotonic()
        try:
            status = (await self._driver.send(request)).status
        except RingError as error:
            problem = fault_error("HOOK-UNDELIVERED", f"{error.code}: {error.detail}")
            return Tried(None, time.monotonic() - began, problem)
        seconds = time.monotonic() - began
        if 200 <= status < 300:
            return Tried(status, seconds, None)
        return Tried(status, seconds, fault_error("HOOK-UNDELIVERED", f"HTTP {status}"))
