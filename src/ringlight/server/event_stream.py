"""Server-sent events: a whole snapshot for each change, so that a page that comes late or anew has all of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import msgspec
from fastapi import Request
from fastapi.responses import StreamingResponse

__all__ = ["event_stream"]

KEEP_ALIVE = 15.0  # seconds between two signs of life


def event_stream(
    snapshots: AsyncGenerator[dict[str, Any], None], request: Request, stopping: asyncio.Event
) -> StreamingResponse:
    """Answer with snapshots until the page has gone or `stopping` is set."""
    body = _stream(snapshots, request, stopping)
    return StreamingResponse(body, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _stream(
    snapshots: AsyncGenerator[dict[str, Any], None], request: Request, stopping: asyncio.Event
) -> AsyncIterator[bytes]:
    pending: asyncio.Task[Any] | None = None
    stop = asyncio.create_task(stopping.wait())
    try:
        while not (stop.done() or await request.is_disconnected()):
            pending = pending or asyncio.ensure_future(anext(snapshots))
            await asyncio.wait({pending, stop}, timeout=KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED)
            if pending.done():
                snapshot, pending = pending.result(), None
                yield b"data: " + msgspec.json.encode(snapshot) + b"\n\n"
            elif not stop.done():
                yield b": still here\n\n"
    finally:
        ending = {task for task in (pending, stop) if task is not None}
        for task in ending:
            task.cancel()
        await asyncio.wait(ending)
        await snapshots.aclose()
