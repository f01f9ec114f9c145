"""What cameras have seen, over HTTP: still pictures, history and recordings."""

import asyncio
import time
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from ringlight.simulator.bodies import fields_of
from ringlight.simulator.camera_api import judged, not_found
from ringlight.simulator.expiring import Expiring
from ringlight.simulator.footage import mp4, still
from ringlight.simulator.obstacles import stopped
from ringlight.simulator.premises import LOCATION
from ringlight.simulator.ranges import ranged
from ringlight.simulator.world import SimEvent, World

__all__ = ["footage_router"]

RECORDING_LIFE = 900.0  # seconds that the address of a recording is good


def footage_router(world: World) -> APIRouter:
    """Return the addresses of pictures, events and recordings."""
    router = APIRouter()
    router.include_router(_stills(world))
    router.include_router(_events(world))
    return router


def _stills(world: World) -> APIRouter:
    router = APIRouter()

    @router.post("/clients_api/snapshots/timestamps")
    async def take_stills(request: Request) -> Response:
        """Have cameras take a picture; it is there at once, so its time is now."""
        instead, fields = stopped(world, request, "device"), await fields_of(request)
        if instead is not None:
            return instead
        asked = (fields or {}).get("doorbot_ids")
        taken = int(time.time() * 1000) if world.takes_stills else 0
        found = [number for number in asked if world.camera(number)] if isinstance(asked, list) else []
        return JSONResponse({"timestamps": [{"timestamp": taken, "doorbot_id": number} for number in found]})

    @router.get("/clients_api/snapshots/image/{number}")
    async def last_still(request: Request, number: int) -> Response:
        camera = judged(world, request, number)
        if isinstance(camera, Response):
            return camera
        return Response(await asyncio.to_thread(still, camera.clip), media_type="image/jpeg")

    @router.get("/snapshots/next/{number}")
    async def fresh(request: Request, number: int) -> Response:
        camera = judged(world, request, number)
        if isinstance(camera, Response):
            return camera
        seconds = world.delay("still")
        if not world.takes_stills or seconds > _max_wait(request):
            return Response(status_code=204)
        await asyncio.sleep(seconds)
        picture = await asyncio.to_thread(still, camera.clip)
        return Response(picture, media_type="image/jpeg", headers={"x-time-millis": str(int(world.now() * 1000))})

    return router


def _events(world: World) -> APIRouter:
    router = APIRouter()
    signatures: Expiring[int] = Expiring(lambda: world.now())  # noqa: PLW0108 - tests set another clock

    def signed(request: Request, number: int) -> str | Response:
        """Return an address at which an event's recording can be fetched for a while, without a token."""
        instead = stopped(world, request, "device")
        if instead is not None:
            return instead
        event = next((event for event in world.events if event.id == number and event.recorded), None)
        if event is None:
            return not_found()
        signature = world.hexadecimal(16)
        signatures.add(signature, RECORDING_LIFE, event.doorbot_id)
        return str(request.url_for("recording", name=f"{number}.mp4").include_query_params(signature=signature))

    @router.get("/clients_api/doorbots/{number}/history")
    async def history(request: Request, number: int, limit: int = 30, older_than: int | None = None) -> Response:
        camera = judged(world, request, number)
        if isinstance(camera, Response):
            return camera
        return JSONResponse([event.record() for event in _before(world.events, number, older_than)[:limit]])

    @router.get("/clients_api/locations/{location}/devices/{number}/events")
    async def events(request: Request, location: str, number: int, limit: int = 30) -> Response:
        camera = judged(world, request, number)
        if isinstance(camera, Response):
            return camera
        if location != LOCATION["location_id"]:
            return not_found()
        seen = [event.location_record() for event in world.events if event.doorbot_id == number]
        return JSONResponse({"events": seen[:limit], "meta": {"pagination_key": ""}})

    @router.get("/clients_api/dings/{number}/share/play")
    async def play(request: Request, number: int) -> Response:
        address = signed(request, number)
        return address if isinstance(address, Response) else JSONResponse({"url": address})

    @router.get("/clients_api/dings/{number}/recording")
    async def download(request: Request, number: int, disable_redirect: bool = False) -> Response:
        address = signed(request, number)
        if isinstance(address, Response):
            return address
        return JSONResponse({"url": address}) if disable_redirect else RedirectResponse(address, 302)

    @router.get("/_media/recordings/{name}")
    async def recording(request: Request, name: str, signature: str = "") -> Response:
        del name
        camera = world.camera(signatures.get(signature) or 0)
        if camera is None:
            return Response(status_code=403)
        world.recording_requests.append(dict(request.headers))
        film = await asyncio.to_thread(mp4, camera.clip)
        return ranged(film, request.headers.get("range", ""), request.headers.get("if-range"), "video/mp4")

    return router


def _max_wait(request: Request) -> float:
    asked: Any = request.query_params.get("max-wait-ms", "30000")
    return int(asked) / 1000 if asked.isdigit() else 30.0


def _before(events: tuple[SimEvent, ...], number: int, older_than: int | None) -> list[SimEvent]:
    """Return a camera's events, those after and with `older_than` left out; none where that is not known."""
    listed = [event for event in events if event.doorbot_id == number]
    if older_than is None:
        return listed
    known = [index for index, event in enumerate(listed) if event.id == older_than]
    return listed[known[0] + 1 :] if known else []
