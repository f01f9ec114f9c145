"""The JSON addresses of what a camera can do besides live video: light, siren, turning, history, recordings."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from ringlight.account.control import MOST_EVENTS, SIREN_LONGEST
from ringlight.account.events import CameraEvent
from ringlight.cameras import Camera, Cameras
from ringlight.cameras.turning import SPEED
from ringlight.cameras.view import Direction
from ringlight.errors import fault_error
from ringlight.http.flow import Streamed
from ringlight.secrets import Secret
from ringlight.server.watches import Watches, seer_of

__all__ = ["control_router"]

ADDRESS_LIFE = 300.0  # seconds that a recording's address is used again: a player asks for many parts of one film
KEPT_ADDRESSES = 64
# What a storage says of the bytes that it sends; anything else of its answer is no business of a viewer.
_PASSED_ON = ("content-length", "content-range", "etag", "last-modified")


class Light(BaseModel):
    """What the light shall be."""

    on: bool


class Siren(BaseModel):
    """What the siren shall do."""

    on: bool
    seconds: int = Field(30, ge=1, le=SIREN_LONGEST, description="How long it sounds; it then ends by itself.")


class Turn(BaseModel):
    """How a camera that can shall turn."""

    direction: Direction
    continuous: bool = Field(
        False, description="Turn on and on for two seconds; ask again to go on, and with speed 0 to stop."
    )
    speed: float = Field(SPEED, ge=0, le=1, description="Of a turning that goes on: 0 stops it, 1 is the fastest.")


class Turned(BaseModel):
    """What came of it: `limit` means that the camera is at the end of its way."""

    result: Literal["moved", "limit"]


class Event(BaseModel):
    """Something that a camera has seen."""

    id: str = Field(description="Ring's number for it, as text: it is too long for a JavaScript number.")
    kind: str = Field(description="`motion`, `ding`, `on_demand` (a live view), or what else Ring calls it.")
    at: float | None = Field(description="When, in seconds since the epoch; null where Ring does not say.")
    answered: bool = Field(description="Somebody answered the ring.")
    person: bool | None = Field(description="Whether Ring saw a person; null where it does not say.")
    has_recording: bool | None = Field(description="Whether there is a recording; null where Ring does not say.")


class History(BaseModel):
    """One page of a camera's history, newest first."""

    events: list[Event]
    next: str | None = Field(description="The `before` of the next page; null where this is the last.")


def control_router(house: Cameras, watches: Watches) -> APIRouter:
    """Return the addresses under `/api/cameras/{identifier}/`."""
    router = APIRouter(prefix="/api/cameras/{identifier}", tags=["cameras"])
    addresses = _Addresses()

    @router.post("/light")
    async def light(identifier: str, wanted: Light) -> dict[str, Any]:
        """Switch the camera's light. Answers with the camera; CAM-UNABLE (409) where it has none."""
        camera = await house.camera(identifier)
        await camera.set_light(wanted.on)
        return camera.as_dict()

    @router.post("/siren")
    async def siren(identifier: str, wanted: Siren) -> dict[str, Any]:
        """Sound the camera's siren for some seconds, or silence it. CAM-UNABLE (409) where it has none."""
        camera = await house.camera(identifier)
        await camera.set_siren(wanted.on, seconds=wanted.seconds)
        return camera.as_dict()

    @router.post("/ptz")
    async def ptz(identifier: str, wanted: Turn) -> Turned:
        """Turn the camera one step, or on and on while it is asked for; opens a live view for that if none runs.

        A turning that goes on ends by itself two seconds after it was last asked for, so that no page that is gone
        leaves a camera turning. CAM-NO-PTZ (409) where the camera cannot turn.
        """
        camera = await house.camera(identifier)
        if not wanted.continuous:
            return Turned(result=await camera.turn(wanted.direction))
        if not wanted.speed:
            return Turned(result=await camera.stop_turning())
        return Turned(result=await camera.keep_turning(wanted.direction, speed=wanted.speed))

    @router.get("/history")
    async def history(
        identifier: str,
        limit: Annotated[int, Query(ge=1, le=MOST_EVENTS, description="How many events at most.")] = 20,
        before: Annotated[str | None, Query(description="An event's id: only what came before it.")] = None,
    ) -> History:
        """List what the camera has seen, newest first, a page at a time."""
        camera = await house.camera(identifier)
        events = [event async for event in camera.history(limit=limit, before=before)]
        return History(
            events=[Event.model_validate(_shown(event)) for event in events],
            next=events[-1].id if len(events) == limit else None,
        )

    @router.get("/history/{event}/recording", response_class=StreamingResponse)
    async def recording(
        identifier: str,
        event: str,
        request: Request,
        span: Annotated[str | None, Header(alias="Range")] = None,
        condition: Annotated[str | None, Header(alias="If-Range")] = None,
    ) -> Response:
        """Play the recording of an event: an MP4 file, whole or the part that `Range` names.

        It is passed through from Ring's storage. That gets neither the account's token nor the viewer's headers, and
        the viewer does not get the storage's address, with which anybody could watch. CAM-RECORDING (404) where there
        is none, as without a subscription.
        """
        camera = await house.camera(identifier)
        async with AsyncExitStack() as stack:
            answer = await addresses.open(stack, camera, event, _wanted(span, condition))
            headers = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
            headers |= {"Accept-Ranges": "bytes", "Cache-Control": "private, no-store"}
            if answer.status == 416:
                return Response(status_code=416, headers={k: v for k, v in headers.items() if k != "content-length"})
            watches.looked(seer_of(request), camera.id, "history")
            film = _pass_on(answer, stack.pop_all())
            return StreamingResponse(film, answer.status, headers, media_type="video/mp4")

    return router


class _Addresses:
    """The addresses of recordings that were played just now."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[Secret, float]] = {}

    async def open(self, stack: AsyncExitStack, camera: Camera, event: str, headers: dict[str, str]) -> Streamed:
        """Open a recording; an address that was fetched some time ago and is refused now is fetched anew.

        Raises:
            RingError: CAM-RECORDING, REQUEST-INVALID, or why the storage could not be reached.
        """
        key, now = (camera.id, event), asyncio.get_running_loop().time()
        url, until = self._known.pop(key, (None, 0.0))
        if url is not None and until > now:
            async with AsyncExitStack() as trying:
                answer = await trying.enter_async_context(camera.stream_recording(url, headers))
                if answer.status in (200, 206, 416):
                    self._keep(key, url, until)
                    stack.push_async_exit(trying.pop_all())
                    return answer
        url = await camera.recording_url(event)
        answer = await stack.enter_async_context(camera.stream_recording(url, headers))
        if answer.status not in (200, 206, 416):
            raise fault_error("CAM-RECORDING", f"HTTP {answer.status} from the storage")
        self._keep(key, url, now + ADDRESS_LIFE)
        return answer

    def _keep(self, key: tuple[str, str], url: Secret, until: float) -> None:
        self._known[key] = (url, until)
        while len(self._known) > KEPT_ADDRESSES:
            del self._known[next(iter(self._known))]


def _wanted(span: str | None, condition: str | None) -> dict[str, str]:
    """Return what the storage is asked for; of several ranges it sends the whole, as it may (RFC 9110 section 14.2)."""
    if span is None or re.fullmatch(r"bytes=(\d+-\d*|-\d+)", span) is None:
        return {}
    return {"Range": span, **({"If-Range": condition} if condition is not None else {})}


async def _pass_on(answer: Streamed, stack: AsyncExitStack) -> AsyncIterator[bytes]:
    async with stack:
        async for piece in answer.pieces:
            yield piece


def _shown(event: CameraEvent) -> dict[str, Any]:
    return {name: value for name, value in event.shown().items() if name != "device_id"}
