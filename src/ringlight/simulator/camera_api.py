"""One camera over HTTP: light, siren, fresh still pictures, history and recordings."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.footage import mp4, still
from ringlight.simulator.obstacles import stopped
from ringlight.simulator.world import SimCamera, World

__all__ = ["camera_router"]


def camera_router(world: World) -> APIRouter:
    """Return the addresses that have a camera's or an event's number in them."""
    router = APIRouter()
    signatures: dict[str, str] = {}

    def judged(request: Request, number: int) -> SimCamera | Response:
        return stopped(world, request, "device") or world.camera(number) or _not_found()

    @router.put("/clients_api/doorbots/{number}/floodlight_light_{state}")
    async def light(request: Request, number: int, state: str) -> Response:
        camera = await _commanded(request, judged(request, number))
        if isinstance(camera, Response):
            return camera
        if state not in ("on", "off") or not camera.has_light:
            return _not_found()
        world.lights[number] = state == "on"
        return JSONResponse({"led_status": state})

    @router.put("/clients_api/doorbots/{number}/siren_{state}")
    async def siren(request: Request, number: int, state: str, duration: int = 30) -> Response:
        camera = await _commanded(request, judged(request, number))
        if isinstance(camera, Response):
            return camera
        if state not in ("on", "off") or not camera.has_siren or not 0 <= duration <= 120:
            return _not_found()
        world.sirens[number] = world.now() + duration if state == "on" else 0.0
        return JSONResponse({"seconds_remaining": world.siren_seconds(number)})

    @router.get("/snapshots/next/{number}")
    async def fresh(request: Request, number: int) -> Response:
        camera = judged(request, number)
        if isinstance(camera, Response):
            return camera
        seconds = world.delay("still")
        if not world.takes_stills or seconds > _max_wait(request):
            return Response(status_code=204)
        await asyncio.sleep(seconds)
        picture = await asyncio.to_thread(still, camera.clip)
        return Response(picture, media_type="image/jpeg", headers={"x-time-millis": str(int(world.now() * 1000))})

    @router.get("/clients_api/doorbots/{number}/history")
    async def history(request: Request, number: int, limit: int = 30) -> Response:
        camera = judged(request, number)
        if isinstance(camera, Response):
            return camera
        return JSONResponse([event.record() for event in world.events if event.doorbot_id == number][:limit])

    @router.get("/clients_api/dings/{number}/share/play")
    async def play(request: Request, number: int) -> Response:
        instead = stopped(world, request, "device")
        if instead is not None:
            return instead
        event = next((event for event in world.events if event.id == number and event.recorded), None)
        if event is None:
            return _not_found()
        signature = world.hexadecimal(16)
        signatures[signature] = str(event.doorbot_id)
        address = request.url_for("recording", name=f"{number}.mp4").include_query_params(signature=signature)
        return JSONResponse({"url": str(address)})

    @router.get("/_media/recordings/{name}")
    async def recording(name: str, signature: str = "") -> Response:
        del name
        camera = world.camera(int(signatures.pop(signature, "0")))
        if camera is None:
            return Response(status_code=403)
        return Response(await asyncio.to_thread(mp4, camera.clip), media_type="video/mp4")

    return router


async def _commanded(request: Request, camera: SimCamera | Response) -> SimCamera | Response:
    """Refuse a PUT without a body, as Ring does (observed-protocol.md#http-statuses)."""
    if isinstance(camera, Response) or await request.body():
        return camera
    return JSONResponse({"error": "a JSON body is wanted"}, 422)


def _max_wait(request: Request) -> float:
    asked: Any = request.query_params.get("max-wait-ms", "30000")
    return int(asked) / 1000 if asked.isdigit() else 30.0


def _not_found() -> Response:
    return JSONResponse({"error": "not found"}, 404)
