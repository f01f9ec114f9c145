"""One camera over HTTP: light, siren, health and settings."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.bodies import fields_of
from ringlight.simulator.obstacles import stopped
from ringlight.simulator.world import SimCamera, World

__all__ = ["camera_router", "judged", "not_found"]


def camera_router(world: World) -> APIRouter:
    """Return the addresses at which a camera is told to do something, or asked how it is."""
    router = APIRouter()

    @router.put("/clients_api/doorbots/{number}/floodlight_light_{state}")
    async def light(request: Request, number: int, state: str) -> Response:
        camera = _commanded(request, judged(world, request, number))
        if isinstance(camera, Response):
            return camera
        if state not in ("on", "off") or not camera.has_light:
            return not_found()
        world.lights[number] = state == "on"
        return JSONResponse({"led_status": state})

    @router.put("/clients_api/doorbots/{number}/siren_{state}")
    async def siren(request: Request, number: int, state: str, duration: int = 30) -> Response:
        camera = _commanded(request, judged(world, request, number))
        if isinstance(camera, Response):
            return camera
        if state not in ("on", "off") or not camera.has_siren or not 0 <= duration <= 120:
            return not_found()
        world.sirens[number] = world.now() + duration if state == "on" else 0.0
        return JSONResponse({"seconds_remaining": world.siren_seconds(number)})

    @router.get("/clients_api/doorbots/{number}/health")
    async def health(request: Request, number: int) -> Response:
        camera = judged(world, request, number)
        if isinstance(camera, Response):
            return camera
        level = None if camera.battery is None else str(camera.battery)
        said = {"id": number, "wifi_name": "sim", "battery_percentage": level, "latest_signal_strength": -58,
                "latest_signal_category": "good", "firmware": "Up to Date"}  # fmt: skip
        return JSONResponse({"device_health": said})

    @router.post("/clients_api/doorbots/{number}/{what}")
    async def subscribe(request: Request, number: int, what: str) -> Response:
        """Take a wish for push messages, which are never sent."""
        camera = judged(world, request, number)
        if isinstance(camera, Response):
            return camera
        wishes = {"subscribe", "unsubscribe", "motions_subscribe", "motions_unsubscribe"}
        return Response(status_code=204) if what in wishes else not_found()

    @router.get("/devices/v1/devices/{number}/settings")
    async def settings(request: Request, number: int) -> Response:
        camera = judged(world, request, number)
        return camera if isinstance(camera, Response) else JSONResponse(world.device_settings(camera))

    @router.patch("/devices/v1/devices/{number}/settings")
    async def change_settings(request: Request, number: int) -> Response:
        """Switch motion detection, the one setting that can be changed here."""
        camera, fields = judged(world, request, number), await fields_of(request)
        if isinstance(camera, Response):
            return camera
        wanted = (fields or {}).get("motion_settings")
        on = wanted.get("motion_detection_enabled") if isinstance(wanted, dict) else None
        if not isinstance(on, bool):
            return JSONResponse({"error": "no setting that is known"}, 422)
        world.motion_off.discard(number) if on else world.motion_off.add(number)
        return JSONResponse(world.device_settings(camera))

    return router


def _commanded(request: Request, camera: SimCamera | Response) -> SimCamera | Response:
    """Refuse a PUT that is said to be other than JSON, as Ring does (observed-protocol.md#http-statuses)."""
    if isinstance(camera, Response) or "json" in request.headers.get("content-type", "json"):
        return camera
    return JSONResponse({"error": "JSON is wanted"}, 422)


def judged(world: World, request: Request, number: int) -> SimCamera | Response:
    """Return the camera that is asked about, or the refusal."""
    return stopped(world, request, "device") or world.camera(number) or not_found()


def not_found() -> Response:
    """Refuse what is not there."""
    return JSONResponse({"error": "not found"}, 404)
