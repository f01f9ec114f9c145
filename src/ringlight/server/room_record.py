"""Writes down what happens in rooms, beside the way that messages take, and brings it back after a restart.

What a page is told of something that is written down waits until it is on the disk: a crash loses only what nobody was
told of. A disk that is slow or away does not stop a visit, though: after `HOLD` seconds people are answered all the
same, and what is to be written waits in memory (`is_behind`).
"""

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ringlight.errors import RingError
from ringlight.resilience.backoff import backoff
from ringlight.rooms.events import Make, Note
from ringlight.rooms.porter import Porter
from ringlight.rooms.record import Change, Clerk, remade
from ringlight.rooms.registry import ENDED_KEPT, RoomTaken
from ringlight.rooms.room import Room
from ringlight.store.inbox import Put
from ringlight.store.room_rows import RoomRows
from ringlight.store.rooms import KeptPerson, KeptRoom, Once

__all__ = ["RoomRecord"]

HOLD = 1.0  # seconds that an answer waits for the disk at most
GATHER = 0.005  # seconds from one transaction to the next at least, while much happens
AT_ONCE = 500  # changes in one transaction: some 10 ms of work
MOST_WAITING = 100_000  # changes kept while the database is away; some 50 MB
PAUSES = (0.1, 5.0)  # seconds between attempts while it is away: the first, and the longest
CLOSING = 5.0  # seconds in which what waits is still written when the program ends
log = logging.getLogger("ringlight.rooms")


class RoomRecord:
    """The record of one server's rooms. Open it with `async with`, before anybody may enter.

    Args:
        porter: Of the rooms.
        rows: Where it is kept.
        clerk: Says what is to be written.
        delivered: Called when a webhook has been kept that is to be sent.

    Attributes:
        is_behind: Whether what happens is written down later.
        behind_for: The fault for which it was behind last.
        lost: How many changes were given up, since too many waited or the database would not take them.
    """

    def __init__(
        self, porter: Porter, rows: RoomRows, clerk: Clerk, *, delivered: Callable[[], None] | None = None
    ) -> None:
        self.rows = rows
        self.clerk = clerk
        self.is_behind = False
        self.behind_for = "STORE-UNREACHABLE"
        self.lost = 0
        self._porter = porter
        self._delivered = delivered
        self._waiting: deque[tuple[int, list[Change]]] = deque()
        self._number = 0  # of the last that was given
        self._written = 0
        self._stirred = asyncio.Event()
        self._progress = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._restore()
        self._porter.record, self._porter.recall = self.take, self.recall
        self._task = asyncio.create_task(self._run(), name="rooms: record")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._porter.record = self._porter.recall = None
        await self.settled(CLOSING)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._waiting:
            log.error("room_record_lost count=%d", self.waiting)

    @property
    def waiting(self) -> int:
        """How many changes are not on the disk yet."""
        return sum(len(changes) for _, changes in self._waiting)

    async def keep(self, room: Room) -> None:
        """Keep a room that was just made; without that, who comes back after a restart would find another.

        Raises:
            RoomTaken: Another server has made one of this id.
            StoreError: It could not be kept. In both cases the room is gone again.
        """
        now = self._porter.now
        kept = KeptRoom(
            room.id, room.lobby, room.opens, room.closes, room.capacity, tuple(sorted(room.consent)), made_at=now,
            cameras=dict(room.cameras),
        )  # fmt: skip
        made = self.clerk.changes(Note("made", room=room.id), now)
        try:
            if not await asyncio.to_thread(self.rows.make, kept, made):
                raise RoomTaken
        except BaseException:
            self._porter.house.rooms.pop(room.id, None)
            raise

    def take(self, note: Note) -> int | None:
        """Take a note; return the number under which answers to it wait, or `None` where nothing has to wait."""
        changes = self.clerk.changes(note, self._porter.now)
        return self._add(changes) if changes else None

    def watched(self, camera: str, who: str, way: str, *, seconds: float | None = None) -> None:
        """Take that somebody begins to watch a camera, or has left it after so many seconds; nobody waits for that."""
        self._add([self.clerk.watched(camera, who, way, self._porter.now, seconds)])

    def _add(self, changes: list[Change]) -> int | None:
        if len(self._waiting) >= MOST_WAITING:
            self.lost += len(changes)
            return None
        self._number += 1
        self._waiting.append((self._number, changes))
        self._stirred.set()
        return None if self.is_behind else self._number

    async def settled(self, longest: float = HOLD) -> None:
        """Wait until what was taken so far is on the disk, or so many seconds have passed."""
        number = self._number
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest):
                while self._written < number:
                    self._progress.clear()
                    await self._progress.wait()

    async def _restore(self) -> None:
        """Make the rooms anew that were made before, with those who were in them."""
        house, now = self._porter.house, self._porter.now
        rooms = await asyncio.to_thread(self.rows.rooms, ended_after=now - ENDED_KEPT)
        people: dict[str, list[KeptPerson]] = {}
        for person in await asyncio.to_thread(self.rows.people):
            people.setdefault(person.room, []).append(person)
        for kept in rooms:
            house.take(kept.id, remade(kept, people.get(kept.id, [])), now)

    async def recall(self, room_id: str) -> Make | None:
        """Return how a kept room is made anew, whatever happened to where it was; `None` where none is kept.

        Raises:
            StoreError: It could not be read.
        """
        kept = await asyncio.to_thread(self.rows.room, room_id)
        return None if kept is None else remade(kept, await asyncio.to_thread(self.rows.people, room_id))

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            while self._waiting:
                began = loop.time()
                await self._write_some()
                if len(self._waiting) > 1:  # a transaction costs as much as thirty rows: let some come together
                    await asyncio.sleep(began + GATHER - loop.time())  # a slow disk has let them already

    async def _write_some(self) -> None:
        """Write the oldest, however long the database is away: in another order they would say something else."""
        changes: list[Change] = []
        taken, last = 0, 0
        for number, some in self._waiting:
            if changes and len(changes) + len(some) > AT_ONCE:
                break
            changes += some
            taken, last = taken + 1, number
        for pause in backoff(*PAUSES, rand=random.random):
            if await self._try(changes):
                break
            await asyncio.sleep(pause)
        for _ in range(taken):
            self._waiting.popleft()
        self._written = last
        self._catch_up()
        self._porter.written(last)
        self._progress.set()
        if self._delivered is not None and any(isinstance(change, Put | Once) for change in changes):
            self._delivered()

    async def _try(self, changes: list[Change]) -> bool:
        writing = asyncio.get_running_loop().run_in_executor(None, self.rows.record, changes)
        done, _ = await asyncio.wait({writing}, timeout=HOLD)
        if not done:
            self._fall_behind("STORE-UNREACHABLE", "the database is slow")
        try:
            await writing
        except RingError as error:
            self._fall_behind(error.code, error.code)
            return False
        except Exception as error:  # noqa: BLE001 - such changes would stand in the way of all others for ever
            log.error("room_record_refused count=%d error=%s", len(changes), type(error).__name__)  # noqa: TRY400
            self.lost += len(changes)
        return True

    def _fall_behind(self, code: str, why: str) -> None:
        if not self.is_behind:
            log.warning("room_record_behind reason=%s", why)
        self.is_behind, self.behind_for = True, code
        self._porter.written(self._number)

    def _catch_up(self) -> None:
        if self.is_behind and not self._waiting:
            log.warning("room_record_caught_up")
            self.is_behind = False
