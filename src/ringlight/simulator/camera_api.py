"""One camera over HTTP: light, siren, fresh still pictures, history and recordings."""

import asyncio
import re
import secrets
import zlib
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.footage import mp4, still
from ringlight.simulator.obstacles import stopped
from ringlight.simulator.world import SimCamera, SimEvent, World

__all__ = ["camera_router"]

RECORDING_LIFE = 900.0  # seconds that the address of a recording is good


def camera_router(world: World) -> APIRouter:
    """Return the addresses that have a camera's or an event's number in them."""
    router = APIRouter()
    signatures: dict[str, tuple[int, float]] = {}  # the camera, and until when

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
        if not world.takes_stills or world.delays.still > _max_wait(request):
            return Response(status_code=204)
        await asyncio.sleep(world.delays.still)
        picture = await asyncio.to_thread(still, camera.clip)
        return Response(picture, media_type="image/jpeg", headers={"x-time-millis": str(int(world.now() * 1000))})

    @router.get("/clients_api/doorbots/{number}/history")
    async def history(request: Request, number: int, limit: int = 30, older_than: int | None = None) -> Response:
        camera = judged(request, number)
        if isinstance(camera, Response):
            return camera
        return JSONResponse([event.record() for event in _before(world.events, number, older_than)[:limit]])

    @router.get("/clients_api/dings/{number}/share/play")
    async def play(request: Request, number: int) -> Response:
        instead = stopped(world, request, "device")
        if instead is not None:
            return instead
        event = next((event for event in world.events if event.id == number and event.recorded), None)
        if event is None:
            return _not_found()
        signature = secrets.token_hex(16)
        signatures[signature] = (event.doorbot_id, world.now() + RECORDING_LIFE)
        address = request.url_for("recording", name=f"{number}.mp4").include_query_params(signature=signature)
        return JSONResponse({"url": str(address)})

    @router.get("/_media/recordings/{name}")
    async def recording(request: Request, name: str, signature: str = "") -> Response:
        del name
        number, until = signatures.get(signature, (0, 0.0))
        camera = world.camera(number)
        if camera is None or until <= world.now():
            return Response(status_code=403)
        world.recording_requests.append(dict(request.headers))
        film = await asyncio.to_thread(mp4, camera.clip)
        return _ranged(film, request.headers.get("range", ""), request.headers.get("if-range"))

    return router


def _before(events: tuple[SimEvent, ...], number: int, older_than: int | None) -> list[SimEvent]:
    """Return a camera's events, those after and with `older_than` left out; none where that is not known."""
    listed = [event for event in events if event.doorbot_id == number]
    if older_than is None:
        return listed
    known = [index for index, event in enumerate(listed) if event.id == older_than]
    return listed[known[0] + 1 :] if known else []


def _ranged(content: bytes, span: str, condition: str | None) -> Response:
    """Answer as a storage does that knows ranges (RFC 9110 section 14)."""
    etag = f'"{zlib.crc32(content):08x}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag}
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", span)
    if asked is None or condition not in (None, etag):
        return Response(content, 200, headers, "video/mp4")
    first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
    if first > last:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], 206, headers, "video/mp4")


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
