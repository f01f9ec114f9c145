"""One writer for many: what arrives while a commit is under way shares the next one.

A commit that survives a power cut costs a write to the disk, whether it holds one row or a hundred.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ringlight.errors import RingError, fault_error

__all__ = ["GroupCommit"]

MOST_AT_ONCE = 500  # changes in one commit: one of them takes some 50 µs, so this is a commit of 25 ms
MOST_WAITING = 5000

C = TypeVar("C")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Item(Generic[C, R]):
    change: C
    future: "asyncio.Future[R]"


class GroupCommit(Generic[C, R]):
    """Writes changes in a thread of its own. For one event loop; close it.

    Args:
        write: Makes many changes in one transaction and returns the result of each.
        most_waiting: How many may wait; more are refused, since they would wait longer than anybody does.
    """

    def __init__(self, write: Callable[[Sequence[C]], Sequence[R]], *, most_waiting: int = MOST_WAITING) -> None:
        self._write = write
        self._queue: queue.SimpleQueue[_Item[C, R] | None] = queue.SimpleQueue()
        self._most_waiting = most_waiting
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="group commit", daemon=True)
        self._thread.start()

    async def write(self, change: C) -> R:
        """Make a change; it is durable when this returns. Who stops waiting does not take it back.

        Raises:
            StoreError: HOOK-BUSY, too many wait; or what the store raises.
        """
        if self._queue.qsize() >= self._most_waiting:
            raise fault_error("HOOK-BUSY", f"{self._most_waiting} wait to be stored")
        future: asyncio.Future[R] = self._loop.create_future()
        self._queue.put(_Item(change, future))
        return await future

    async def close(self) -> None:
        """Write what still waits, and end the thread."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            items, last = self._more(first)
            self._commit(items)
            if last:
                return

    def _more(self, first: _Item[C, R]) -> tuple[list[_Item[C, R]], bool]:
        items = [first]
        while len(items) < MOST_AT_ONCE:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return items, True
            items.append(item)
        return items, False

    def _commit(self, items: list[_Item[C, R]]) -> None:
        try:
            results = self._write([item.change for item in items])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait have to be told
            problem = error if isinstance(error, RingError) else fault_error("HOOK-BUSY", type(error).__name__)
            self._loop.call_soon_threadsafe(_fail, [item.future for item in items], problem)
        else:
            self._loop.call_soon_threadsafe(_answer, [item.future for item in items], results)


def _answer(futures: list["asyncio.Future[R]"], results: Sequence[R]) -> None:
    for future, result in zip(futures, results, strict=True):
        if not future.done():  # nobody may wait any more
            future.set_result(result)


def _fail(futures: list["asyncio.Future[R]"], problem: RingError) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(type(problem)(problem.code, problem.detail, retry_after=problem.retry_after))
