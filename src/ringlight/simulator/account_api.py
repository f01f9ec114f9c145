"""Registration, profile, places, device lists and tickets."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.bodies import fields_of
from ringlight.simulator.obstacles import stopped
from ringlight.simulator.premises import LOCATION
from ringlight.simulator.world import World

__all__ = ["account_router"]

# All of them, empty ones too: ring-client-api fails where one is missing.
DEVICE_GROUPS = (
    "doorbots", "authorized_doorbots", "stickup_cams", "chimes", "base_stations", "beams_bridges", "other",
)  # fmt: skip


def account_router(world: World) -> APIRouter:
    """Return the addresses that are about the account as a whole."""
    router = APIRouter()

    def profile(hardware_id: str) -> dict[str, Any]:
        about = {"id": 4711, "email": world.email, "first_name": "Ada", "last_name": "Sim", "country": "DE"}
        return {"profile": {**about, "hardware_id": hardware_id, "tfa_enabled": world.asks_code, "features": {}}}

    @router.post("/clients_api/session")
    async def session(request: Request) -> Response:
        instead = stopped(world, request, "session")
        if instead is not None:
            return instead
        fields = await fields_of(request)
        device = fields.get("device") if fields else None
        hardware_id = device.get("hardware_id") if isinstance(device, dict) else None
        if not isinstance(hardware_id, str):
            return JSONResponse({"error": "hardware_id is missing"}, 400)
        world.register(hardware_id)
        return JSONResponse(profile(hardware_id), 201)

    @router.get("/clients_api/profile")
    async def own_profile(request: Request) -> Response:
        return stopped(world, request, "clients_api") or JSONResponse(profile(request.headers.get("hardware_id", "")))

    @router.get("/clients_api/ring_devices")
    async def devices(request: Request) -> Response:
        instead = stopped(world, request, "clients_api")
        if instead is not None:
            return instead
        if not world.has_ring_devices:
            return JSONResponse({"error": "not found"}, 404)
        groups: dict[str, list[Any]] = {kind: [] for kind in DEVICE_GROUPS}
        for camera in world.cameras:
            groups[camera.group].append(world.device_record(camera))
        return JSONResponse(groups)

    @router.get("/device_info/v3/devices")
    async def flat_devices(request: Request) -> Response:
        instead = stopped(world, request, "clients_api")
        return instead or JSONResponse({"devices": [world.device_record(camera) for camera in world.cameras]})

    @router.get("/devices/v1/locations")
    async def places(request: Request) -> Response:
        return stopped(world, request, "clients_api") or JSONResponse({"user_locations": [LOCATION]})

    @router.get("/groups/v1/locations/{location}/groups")
    async def light_groups(request: Request, location: str) -> Response:
        del location
        return stopped(world, request, "clients_api") or JSONResponse({"device_groups": []})

    @router.get("/clients_api/dings/active")
    async def ringing(request: Request) -> Response:
        """Nobody ever rings here; real rings come by push."""
        return stopped(world, request, "clients_api") or JSONResponse([])

    @router.patch("/clients_api/device")
    async def push_token(request: Request) -> Response:
        """Take the address for push messages, which are never sent."""
        return stopped(world, request, "clients_api") or Response(status_code=204)

    @router.post("/api/v1/clap/ticket/request/signalsocket")
    async def ticket(request: Request) -> Response:
        seconds = world.delay("ticket") + world.behaviour.ticket_delay
        if seconds:
            await asyncio.sleep(seconds)
        return stopped(world, request, "ticket") or JSONResponse({"ticket": world.tokens.make_ticket()})

    return router
