"""Work that blocks and cannot be interrupted, in a thread of its own that nobody waits for."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")


async def unwaited(work: Callable[[], T], name: str, wait: float) -> T:
    """Do some work in a thread, and return what it comes to or raise what it raises.

    A loop waits at its end for the threads that it has lent (`asyncio.to_thread`), however long ago their work was
    given up. This one ends with its work or with the process, so the work must leave nothing half done.

    Args:
        work: Blocks.
        name: Of its thread.
        wait: Seconds that it may take.

    Raises:
        TimeoutError: It takes longer, and goes on unseen.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[T] = loop.create_future()

    def settle(done: Callable[[], None]) -> None:
        if not ended.done():
            done()

    def do() -> None:
        done: Callable[[], None]
        try:
            done = partial(ended.set_result, work())
        except Exception as error:  # noqa: BLE001 - it is raised where the work is awaited
            done = partial(ended.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop has ended by now
            loop.call_soon_threadsafe(settle, done)

    threading.Thread(target=do, name=name, daemon=True).start()
    async with asyncio.timeout(wait):
        return await ended
