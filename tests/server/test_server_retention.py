"""The server removes what is old or too much: never what is being written, nothing because of a clock that jumped."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from ringlight.rooms.audit import AuditKey
from ringlight.secrets import Secret
from ringlight.server.recordings import Recordings
from ringlight.server.retention import Retention
from ringlight.settings import RetentionSettings, Settings
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.inbox import Claim, Inbox, Put, Settle
from ringlight.store.retention import HOLD
from ringlight.store.room_rows import RoomRows
from ringlight.store.rooms import NewAuditRow
from ringlight.store.shelf import Item, Shelf

pytestmark = pytest.mark.anyio
DAY = 86_400.0
NOW = 1_800_000_000.0
WITHIN = 60.0  # seconds


class Clock:
    """The time of day, and seconds that go on whatever is done to it."""

    def __init__(self) -> None:
        self.wall, self.steady = NOW, 1000.0

    def go_on(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


class Looking(Retention):
    """Tells when it has looked."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.looked = asyncio.Event()

    async def look(self) -> None:
        try:
            await super().look()
        finally:
            self.looked.set()


class Kept:
    """What a server keeps: three recordings, an event, a record of two rows; all of now."""

    def __init__(self, folder: Path, **limits: float) -> None:
        self.settings = Settings(state_dir=folder, retention=RetentionSettings(every=86_000, **limits))
        self.shelf = Shelf(folder / "recordings")
        self.database = Database(f"sqlite:///{folder}/ringlight.db")
        self.inbox = Inbox(self.database)
        key = AuditKey(Secret("for tests, and for nothing else"))
        self.audit = AuditRows(self.database, key.hashed, key.seal, key.cut)
        self.rows = RoomRows(self.database, self.audit)
        self.clock = Clock()

    def fill(self) -> list[Item]:
        items = [self.recording(NOW - 10 * DAY + at, "done") for at in range(3)]
        self.inbox.write([Put("a", "a", "s", "t", b"{}", NOW)])
        (kept,) = self.inbox.waiting(limit=5)
        self.inbox.write([Claim(kept.number, "w")])
        self.inbox.write([Settle(kept.number, "w", "dead", 1)])
        self.rows.record([NewAuditRow(NOW, "room.locked"), NewAuditRow(NOW, "room.locked")])
        return items

    def recording(self, at: float, status: str, size: int = 1_000_000) -> Item:
        began = datetime.fromtimestamp(at, UTC)
        item = replace(self.shelf.begin("door"), began=began.isoformat(timespec="seconds"), status=status)  # type: ignore[arg-type]
        self.shelf.path(item).write_bytes(bytes(size))
        self.shelf.note(item)
        return item

    @asynccontextmanager
    async def retention(self) -> AsyncIterator[Retention]:
        """Run it; inside, its first look is over, and the next of its own is far."""
        looking = Looking(
            self.settings, self.database, self.rows, self.audit, Recordings(self.settings),
            wall=lambda: self.clock.wall, steady=lambda: self.clock.steady,
        )  # fmt: skip
        async with looking.running() as running:
            async with asyncio.timeout(WITHIN):
                await looking.looked.wait()
            yield running

    def names(self) -> set[str]:
        return {item.id for item in self.shelf.everything()}


@pytest.fixture
def keep(tmp_path: Path) -> "Iterator[Callable[..., Kept]]":
    opened: list[Kept] = []

    def begin(**limits: float) -> Kept:
        opened.append(Kept(tmp_path, **limits))
        return opened[-1]

    yield begin
    for kept in opened:
        kept.database.close()


async def test_what_is_old_goes_and_it_is_said(keep: Callable[..., Kept], caplog: pytest.LogCaptureFixture) -> None:
    kept = keep(recordings_days=5, audit_days=30, dead_days=30)
    kept.fill()
    fresh = kept.recording(NOW - DAY, "done")
    running_still = kept.recording(NOW - 9 * DAY, "recording")
    with caplog.at_level(logging.INFO, "ringlight.server"):
        async with kept.retention() as retention:
            assert retention.removed["recordings"] == 3
            assert kept.names() == {fresh.id, running_still.id}
            assert kept.shelf.path(running_still).is_file()
            kept.clock.go_on(40 * DAY)
            await retention.look()
    assert "retention_removed what=recordings count=3" in caplog.text
    assert retention.removed["webhooks_dead"] == 1
    assert retention.removed["audit"] == 1
    assert kept.names() == {running_still.id}, "one that is being written never goes"


async def test_the_oldest_recordings_make_room(keep: Callable[..., Kept]) -> None:
    kept = keep(recordings_total=2.5)
    items = kept.fill()
    async with kept.retention() as retention:
        assert retention.removed["recordings"] == 1
        assert kept.names() == {items[1].id, items[2].id}
        await retention.look()
    assert retention.removed["recordings"] == 1


async def test_a_clock_that_jumps_in_the_middle_of_a_look_takes_nothing_along(keep: Callable[..., Kept]) -> None:
    kept = keep(recordings_days=5, audit_days=1, dead_days=1)
    kept.fill()
    told = chain([NOW], repeat(NOW + 400 * DAY))
    looking = Retention(
        kept.settings, kept.database, kept.rows, kept.audit, Recordings(kept.settings),
        wall=lambda: next(told), steady=lambda: kept.clock.steady,
    )  # fmt: skip
    await looking.look()
    removed = looking.removed
    assert (removed["recordings"], removed["audit"], removed["webhooks_dead"]) == (3, 0, 0)


async def test_nothing_goes_because_of_a_clock_that_jumps(
    keep: Callable[..., Kept], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither while the server runs, nor at its next start; what is too much goes all the same."""
    kept = keep(recordings_days=30, recordings_total=3.5, audit_days=1, dead_days=1)
    items = kept.fill()
    async with kept.retention() as retention:
        await retention.look()
        kept.clock.wall += 400 * DAY
        kept.recording(NOW, "done")
        await retention.look()
        assert kept.names() >= {item.id for item in items[1:]}
        assert (retention.removed["recordings"], retention.removed["audit"]) == (1, 0)
        assert retention.removed["webhooks_dead"] == 0
        assert retention.problem is not None
        assert retention.problem.code == "STORE-CLOCK"
    assert caplog.text.count("code=STORE-CLOCK") == 1
    async with kept.retention() as retention:  # started anew, with the clock still wrong
        await retention.look()
        assert (retention.removed["recordings"], retention.removed["audit"]) == (0, 0)
    kept.clock.wall -= 400 * DAY
    async with kept.retention() as retention:  # the clock is right again
        await retention.look()
        assert retention.problem is None
        assert len(kept.names()) == 3
        kept.clock.wall += 400 * DAY
        await retention.look()
        kept.clock.go_on(HOLD)
        await retention.look()  # it has stayed there: then so it is
        assert retention.removed["recordings"] == 3


async def test_a_broken_audit_is_told_and_keeps_nothing_else_from_going(keep: Callable[..., Kept]) -> None:
    kept = keep(recordings_days=5, audit_days=30, dead_days=30)
    kept.fill()
    with kept.database.writing() as connection:
        connection.exec_driver_sql("UPDATE room_audit SET detail = 'somebody else' WHERE number = 1")
    async with kept.retention() as retention:
        kept.clock.go_on(40 * DAY)
        await retention.look()
        assert retention.problem is not None
        assert retention.problem.code == "AUDIT-BROKEN"
    assert len(list(kept.audit.read())) == 2
    assert kept.names() == set()
