"""Server-sent events: a whole snapshot for each change, so that a page that comes late or anew has all of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import msgspec
from fastapi import Request
from fastapi.responses import StreamingResponse

from ringlight.errors import RingError

__all__ = ["Follow", "event_stream"]

KEEP_ALIVE = 15.0  # seconds between two signs of life
Follow = Callable[[Callable[[RingError], None]], Callable[[], None]]
"""Given what ends a stream because of a fault; returns what forgets it."""


def event_stream(
    snapshots: AsyncGenerator[dict[str, Any], None], request: Request, stopping: asyncio.Event, follow: Follow
) -> StreamingResponse:
    """Answer with snapshots until the page has gone or `stopping` is set.

    Args:
        snapshots: What is sent.
        request: Of the page.
        stopping: Set when the program is about to end.
        follow: Says when the page may not listen any more: the fault is its last event, of the type `fault`.
    """
    body = _stream(snapshots, request, stopping, follow)
    return StreamingResponse(body, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _stream(
    snapshots: AsyncGenerator[dict[str, Any], None], request: Request, stopping: asyncio.Event, follow: Follow
) -> AsyncIterator[bytes]:
    pending: asyncio.Task[Any] | None = None
    stop = asyncio.create_task(stopping.wait())
    ended: asyncio.Future[RingError] = asyncio.get_running_loop().create_future()
    forget = follow(lambda error: None if ended.done() else ended.set_result(error))
    try:
        while not (stop.done() or await request.is_disconnected()):
            pending = pending or asyncio.ensure_future(anext(snapshots))
            await asyncio.wait({pending, stop, ended}, timeout=KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                fault = ended.result()
                yield b"event: fault\ndata: " + msgspec.json.encode(fault.fault.as_dict(fault.detail)) + b"\n\n"
                return
            if pending.done():
                snapshot, pending = pending.result(), None
                yield b"data: " + msgspec.json.encode(snapshot) + b"\n\n"
            elif not stop.done():
                yield b": still here\n\n"
    finally:
        forget()
        ended.cancel()
        ending = {task for task in (pending, stop) if task is not None}
        for task in ending:
            task.cancel()
        await asyncio.wait(ending)
        await snapshots.aclose()
