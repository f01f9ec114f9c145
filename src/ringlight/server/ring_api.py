"""The JSON addresses of the Ring app: its accounts, what they told, dead letters."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from ringlight.server.event_stream import event_stream
from ringlight.server.ring_state import RingState
from ringlight.server.watches import Watches
from ringlight.store.inbox import Inbox

__all__ = ["ring_api_router"]


class Chosen(BaseModel):
    """Which dead letters."""

    model_config = ConfigDict(extra="forbid")

    numbers: Annotated[list[int], Field(max_length=1000)] | None = Field(
        None, description="Their numbers; empty: all of them."
    )


def ring_api_router(
    state: RingState, inbox: Inbox, stopping: asyncio.Event, watches: Watches, *, linking: bool
) -> APIRouter:
    """Return `/api/ring…`."""
    router = APIRouter(prefix="/api/ring", tags=["Ring app"])

    @router.get("")
    async def shown() -> dict[str, Any]:
        """Show the linked accounts, the last events, the dead letters and the notices."""
        return {"linking": linking, **await state.snapshot()}

    @router.get("/stream", response_class=StreamingResponse)
    async def stream(request: Request) -> Response:
        """Stream the same: a whole snapshot for each change."""
        snapshots = ({"linking": linking, **snapshot} async for snapshot in state.changes())
        return event_stream(snapshots, request, stopping, watches.of_request(request))

    @router.post("/dead-letters/replay")
    async def replay(chosen: Chosen) -> dict[str, int]:
        """Let events that were given up be handled again; answers with how many there are."""
        count = await asyncio.to_thread(inbox.replay, chosen.numbers)
        state.changed()
        return {"replayed": count}

    @router.post("/dead-letters/drop")
    async def drop(chosen: Chosen) -> dict[str, int]:
        """Give up for good what was given up; answers with how many there are."""
        count = await asyncio.to_thread(inbox.drop, chosen.numbers)
        state.changed()
        return {"dropped": count}

    return router
