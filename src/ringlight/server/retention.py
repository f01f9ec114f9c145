"""Removes what is old enough, or too much: recordings, webhooks, rooms, links, the beginning of the audit.

It looks every few minutes and removes a little at a time, so that nobody waits for it. Who watched which camera is in
the audit, and goes with it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Self

import msgspec

from ringlight.beside import beside
from ringlight.errors import RingError, fault_error
from ringlight.media.space import MEGABYTE
from ringlight.server.clock_watch import steady
from ringlight.server.recordings import Recordings
from ringlight.settings import Settings
from ringlight.settings.retention import DAY
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.inbox import Inbox
from ringlight.store.private_file import PrivateFile
from ringlight.store.retention import ClockGuard, Limit
from ringlight.store.room_rows import RoomRows, room_outbox

__all__ = ["Retention"]

PAUSE = 0.05  # seconds between two batches, for those who write meanwhile
SEEN = "retention.json"  # in the state directory: when the clock was last believed
log = logging.getLogger("ringlight.server")
Sweep = Callable[[Limit, float, bool], Awaitable[int]]


class Retention:
    """Removes while inside `running`.

    Args:
        settings: What is kept for how long.
        database: Whose rows are removed; whoever opened it closes it.
        rows: Rooms and links in it.
        audit: The audit in it.
        recordings: Those on the shelf.
        wall: The time of day in seconds.
        steady: Seconds that go on whatever is done to the time of day.

    Attributes:
        removed: How many, by kind, since the start.
        problem: Why nothing, or not everything, is removed just now.
    """

    def __init__(
        self, settings: Settings, database: Database, rows: RoomRows, audit: AuditRows, recordings: Recordings, *,
        wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady,
    ) -> None:  # fmt: skip
        self.removed: dict[str, int] = {}
        self.problem: RingError | None = None
        self._every = settings.retention.every
        self._wall, self._steady = wall, steady
        self._guard = ClockGuard()
        self._seen = PrivateFile(settings.state_dir / SEEN)
        self._kinds = _kinds(settings, database, rows, audit, recordings)
        for name, _, _ in self._kinds:
            self.removed[name] = 0

    @property
    def problems(self) -> Sequence[RingError]:
        """What the owner should know of it."""
        return () if self.problem is None else (self.problem,)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Look now and then inside of the `async with`."""
        last = await asyncio.to_thread(self._last)
        self._believe(self._wall(), last)
        async with beside(self._run(), "retention"):
            yield self

    async def look(self) -> None:
        """Remove what there is to remove now."""
        now = self._wall()  # once: it may jump while things are removed, and that time would not have been judged
        believed = self._believe(now)
        if believed:
            await asyncio.to_thread(self._note, now)
        for name, limit, sweep in self._kinds:
            if not limit.is_any:
                continue
            try:
                await self._sweep(name, limit, sweep, now, by_age=believed)
            except RingError as error:
                self._tell(error)

    async def _sweep(self, name: str, limit: Limit, sweep: Sweep, now: float, *, by_age: bool) -> None:
        count = 0
        while some := await sweep(limit, now, by_age):
            count += some
            self.removed[name] += some
            await asyncio.sleep(PAUSE)
        if count:
            log.info("retention_removed what=%s count=%d", name, count)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("retention_failed")  # tried again with the next look
            await asyncio.sleep(self._every)

    def _believe(self, wall: float, last: float | None = None) -> bool:
        """Whether the time of day may decide; say so where that has changed."""
        was_held = self._guard.is_held
        believed = self._guard.see(wall, self._steady(), last)
        if not believed and not was_held:
            self._tell(fault_error("STORE-CLOCK", f"it says {time.strftime('%Y-%m-%d %H:%M', time.gmtime(wall))} UTC"))
        elif believed:
            self.problem = None
        return believed

    def _tell(self, problem: RingError) -> None:
        if self.problem is None or self.problem.code != problem.code:
            fix = problem.fault.fix
            log.warning("retention_held code=%s detail=%s fix=%s", problem.code, problem.detail, fix)
        self.problem = problem

    def _last(self) -> float | None:
        with contextlib.suppress(RingError):
            return self._seen.read(_looked_at)
        return None

    def _note(self, now: float) -> None:
        # Not while the clock is doubted: after a restart it would be taken for proven.
        with contextlib.suppress(RingError):  # a full disk; the next look tries again
            self._seen.write(lambda: msgspec.json.encode(_Look(now)))


class _Look(msgspec.Struct):
    looked_at: Annotated[float, msgspec.Meta(ge=0, le=1e11)]  # seconds since 1970


def _looked_at(content: bytes) -> float:
    try:
        return msgspec.json.decode(content, type=_Look).looked_at
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _kinds(
    settings: Settings, database: Database, rows: RoomRows, audit: AuditRows, recordings: Recordings
) -> list[tuple[str, Limit, Sweep]]:
    kept, partner = settings.retention, settings.partner
    # A delivery that comes again within this time must still be known, or it would be handled twice.
    again = partner.webhook_max_age + 2 * partner.webhook_max_ahead
    done = Limit(max(partner.webhook_kept, again), kept.webhooks_most)
    dead = Limit(max(kept.dead_days * DAY, again), kept.webhooks_most)
    ended = Limit(kept.rooms_days * DAY)

    def in_thread(sweep: Callable[[Limit, float, bool], int]) -> Sweep:
        async def run(limit: Limit, now: float, by_age: bool) -> int:
            return await asyncio.to_thread(sweep, limit, now, by_age)

        return run

    def both(name: str, box: Inbox) -> list[tuple[str, Limit, Sweep]]:
        return [
            (f"{name}_done", done, in_thread(partial(box.sweep, "done"))),
            (f"{name}_dead", dead, in_thread(partial(box.sweep, "dead"))),
        ]

    total = None if kept.recordings_total is None else kept.recordings_total * MEGABYTE
    return [
        ("recordings", Limit(_seconds(kept.recordings_days), total), recordings.sweep),
        *both("webhooks", Inbox(database)),
        *both("room_webhooks", room_outbox(database)),
        ("rooms", ended, in_thread(rows.sweep_rooms)),
        ("room_links", ended, in_thread(rows.sweep_links)),
        ("audit", Limit(_seconds(kept.audit_days), kept.audit_most), in_thread(audit.sweep)),
    ]


def _seconds(days: float | None) -> float | None:
    return None if days is None else days * DAY
