"""The JSON addresses: cameras, their views as they open, stills, the catalogue."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

import ringlight
from ringlight.cameras import Cameras
from ringlight.cameras.camera import Still
from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.server.access import has_session, holder_of
from ringlight.server.elsewhere import Here
from ringlight.server.event_stream import event_stream
from ringlight.server.playback import Playbacks
from ringlight.server.scopes import SCOPES
from ringlight.server.watches import Watches, seer_of


def api_router(
    house: Cameras, playbacks: Playbacks, stopping: asyncio.Event, here: Here, watches: Watches,
    problems: Callable[[], Sequence[RingError]], *, demo: bool, has_app: bool = False,
) -> APIRouter:  # fmt: skip
    """Return `/api/…`. Event streams end when `stopping` is set: they would hold up the end of the program.

    Args:
        house: The cameras.
        playbacks: The viewers.
        stopping: Set when the server is about to stop.
        here: Sends whoever asks for the view of a camera to the node that holds it.
        watches: Who watches what.
        problems: What people should know of the server itself just now.
        demo: Whether the page shows the switchboard.
        has_app: Whether it shows a Ring app.
    """
    router = APIRouter(prefix="/api")

    @router.get("/about", tags=["about"])
    @router.head("/about", include_in_schema=False)
    async def about(request: Request) -> dict[str, Any]:
        """Say what this server is, in `scopes` what whoever asks may do, and whether a browser has logged in for it."""
        scopes = holder_of(request).scopes
        return {
            "name": "Ringlight", "version": ringlight.__version__, "demo": demo,
            "ring_app": has_app and "admin" in scopes, "scopes": [scope for scope in SCOPES if scope in scopes],
            "logged_in": has_session(request),
        }  # fmt: skip

    @router.get("/cameras", tags=["cameras"])
    @router.head("/cameras", include_in_schema=False)
    async def cameras(request: Request) -> dict[str, Any]:
        """List the cameras that the key is for.

        In `faults`: why those of an account could not be listed, and what the server itself has to do without.
        """
        sees = holder_of(request).sees
        listed = [camera.as_dict() for camera in await house.cameras() if sees(camera.id)]
        wrong = (*problems(), *house.problems)
        return {"cameras": listed, "faults": [error.fault.as_dict(error.detail) for error in wrong]}

    @router.get("/cameras/{identifier}", tags=["cameras"])
    @router.head("/cameras/{identifier}", include_in_schema=False)
    async def camera(identifier: str) -> dict[str, Any]:
        """Show one camera, and in `audience` how each viewer fares: loss (0 to 1), jitter, round trip."""
        found = await house.camera(identifier)
        await here(found)
        return {**found.as_dict(), "audience": [playback.as_dict() for playback in playbacks.of(found.id)]}

    @router.get("/cameras/{identifier}/audience/{playback}", tags=["cameras"])
    async def viewer(identifier: str, playback: str) -> dict[str, Any]:
        """Show how one viewer fares, to itself: `playback` is the end of its WHEP address, which nobody else knows.

        `line.fault` is VIEWER-THIN while its line carries less than the camera sends; `fault` is MEDIA-NO-KEY-FRAME
        while the camera sends no picture that others could be built on.
        """
        return playbacks.find(identifier, playback).as_dict()

    @router.get("/media", tags=["about"])
    async def media() -> dict[str, Any]:
        """Say how the viewers' port does: its number, who is there, and what was counted since the start."""
        return playbacks.counts()

    @router.get("/cameras/{identifier}/events", tags=["cameras"], response_class=StreamingResponse)
    async def events(identifier: str, request: Request) -> Response:
        """Stream the state of the camera's shared view: a whole snapshot for each change."""
        found = await house.camera(identifier)
        await here(found)
        snapshots = (progress.as_dict() async for progress in found.view.changes())
        return event_stream(snapshots, request, stopping, watches.of_request(request))

    @router.get("/cameras/{identifier}/snapshot.jpg", tags=["cameras"], response_class=Response)
    async def snapshot(identifier: str, request: Request, fresh: bool = False) -> Response:
        """Take a still from the running view, or open it for one.

        With `fresh=1` the camera takes a picture by itself, without a live view. A camera on battery takes none while
        it streams: then the picture is from its view. The header `X-Still-Source` says which: `camera` or `view`.
        """
        found = await house.camera(identifier)
        await here(found)
        if fresh:
            still = await found.fresh_snapshot()
        else:
            async with found.live_view() as view:
                still = Still(await view.snapshot(), "view")
        watches.looked(seer_of(request), found.id, "still")
        headers = {"Cache-Control": "no-store", "X-Still-Source": still.source}
        return Response(still.image, media_type="image/jpeg", headers=headers)

    @router.post("/cameras/{identifier}/renewal", tags=["cameras"])
    async def renewal(identifier: str) -> dict[str, Any]:
        """Let the running view go on beyond Ring's time limit, once, where its policy is to ask."""
        found = await house.camera(identifier)
        await here(found)
        found.view.grant_renewal()
        return found.view.progress.as_dict()

    @router.get("/faults", tags=["faults"])
    @router.head("/faults", include_in_schema=False)
    async def faults() -> dict[str, Any]:
        """List the catalogue of faults."""
        return {"faults": [fault.as_dict() for fault in FAULTS.values()]}

    @router.get("/faults/{code}", tags=["faults"])
    @router.head("/faults/{code}", include_in_schema=False)
    async def fault(code: str) -> dict[str, Any]:
        """Show one fault."""
        row = FAULTS.get(code.upper())
        if row is None:
            raise fault_error("FAULT-UNKNOWN", code[:40])
        return row.as_dict()

    return router
