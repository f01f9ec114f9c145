"""Work that goes on beside the body of an `async with`."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None] | None, name: str) -> AsyncIterator[None]:
    """Let some work run for as long as the body does; then it is cancelled, and has ended when this is left.

    Args:
        work: What it raises ends it alone; `None` is nothing to do.
        name: Of its task.
    """
    task = asyncio.create_task(work, name=name) if work is not None else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
